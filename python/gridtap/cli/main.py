"""``gridtap``: the command and its verbs."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from gridtap.cli.archive import archive
from gridtap.cli.collect import collect
from gridtap.cli.decode import decode
from gridtap.cli.doctor import doctor
from gridtap.cli.replay import replay_command
from gridtap.cli.scan import scan
from gridtap.cli.top import top
from gridtap.errors import GridtapError


class Verbs(click.Group):
    """A group whose verbs may be cut off by ``head``."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs a verb; whoever reads its output may have enough."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            if sys.stdout is not None:
                # Else Python complains when it flushes at exit.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            # What shells report for SIGPIPE; click itself would answer 1.
            ctx.exit(141)


@click.group(
    cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="gridtap", prog_name="gridtap")
def gridtap() -> None:
    """See the data transfers of a research-grid site."""


gridtap.add_command(archive)
gridtap.add_command(collect)
gridtap.add_command(decode)
gridtap.add_command(doctor)
gridtap.add_command(replay_command)
gridtap.add_command(scan)
gridtap.add_command(top)


def main() -> None:
    """Runs the command; what goes wrong is one line on standard error."""
    try:
        # Without its standalone mode click hands back the code of an early exit.
        sys.exit(gridtap.main(standalone_mode=False) or 0)
    except click.Abort:
        sys.exit(130)
    except KeyboardInterrupt:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except GridtapError as error:
        click.echo(f"gridtap: {error}", err=True)
        sys.exit(2)
