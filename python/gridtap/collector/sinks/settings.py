"""Settings of sinks: dataclasses whose fields say what they mean and in which unit.

A field is annotated ``Annotated[int, Setting("what it is for", "bytes")]``.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, Literal, get_args, get_type_hints

__all__ = ["FsyncPolicy", "NamedSetting", "Setting", "Unit", "settings_of"]

#: ``bytes``: a number, or text such as ``64MiB``. ``s``: seconds, or text such as ``24h``.
Unit = Literal["bytes", "s"]

#: When data is made to survive a crash of the host: left to the system; every so many seconds;
#: before each batch is confirmed.
FsyncPolicy = Literal["never", "interval", "always"]


@dataclass(frozen=True, slots=True)
class Setting:
    """What a setting is for.

    :param meaning: for the documentation
    :param unit: of its number; configuration files may spell it out
    """

    meaning: str
    unit: Unit | None = None


@dataclass(frozen=True, slots=True)
class NamedSetting:
    """A setting of a dataclass.

    :param value_type: type without its annotation, such as ``int`` or a ``Literal``
    :param default: what holds when it is not given; :py:data:`dataclasses.MISSING` if it has to be
    """

    name: str
    value_type: Any
    meaning: str
    unit: Unit | None
    default: Any

    @property
    def is_required(self) -> bool:
        """It has no default"""
        return self.default is MISSING


def settings_of(settings: type[Any]) -> list[NamedSetting]:
    """The settings of a dataclass, in its order.

    :raises TypeError: a field is not annotated with a :py:class:`Setting`
    """
    hints = get_type_hints(settings, include_extras=True)
    found = []
    for each in fields(settings):
        value_type, *notes = get_args(hints[each.name]) or (None,)
        if not notes or not isinstance(notes[0], Setting):
            raise TypeError(f"{settings.__name__}.{each.name} has no Setting")
        meaning, unit = notes[0].meaning, notes[0].unit
        found.append(NamedSetting(each.name, value_type, meaning, unit, _default(each)))
    return found


def _default(of: Field[Any]) -> Any:
    return of.default if of.default_factory is MISSING else of.default_factory()
