"""``gridtap``: the command and its verbs."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version

import click

from gridtap.cli.decode import decode
from gridtap.errors import GridtapError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("gridtap"), prog_name="gridtap")
def gridtap() -> None:
    """See the data transfers of a research-grid site."""


gridtap.add_command(decode)


def main() -> None:
    """Runs the command; what goes wrong is one line on standard error."""
    try:
        # Without its standalone mode click hands back the code of an early exit.
        sys.exit(gridtap.main(standalone_mode=False) or 0)
    except click.Abort:
        sys.exit(130)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read the output has enough; Python must not complain again at exit.
        if sys.stdout is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except GridtapError as error:
        click.echo(f"gridtap: {error}", err=True)
        sys.exit(2)
