"""What a query command was asked for, under the names that scripts know."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

__all__ = ["QueryOptions"]


@dataclass(slots=True)
class QueryOptions:
    """The options of a query command.

    Names are those of esmond_client (``type`` is the event type, ``metadata`` asks for extended
    metadata, ``ip`` for addresses instead of names); scripts may hand over any object that has
    some of them, see :py:meth:`adopt`.
    """

    url: str | None = None
    src: str | None = None
    dest: str | None = None
    agent: str | None = None
    type: str | None = None
    tool: str | None = None
    start: str | None = None
    end: str | None = None
    filter: list[str] = field(default_factory=list)
    list_event: bool = False
    metadata: bool = False
    summary_type: str | None = None
    summary_window: int = 0
    format: str = "human"
    output_dir: str = "."
    ip: bool = False
    verbose: bool = False
    ssl_verify: bool = False
    timeout: int | None = 20
    no_ssl_verify: bool = False
    ca_bundle: str | None = None
    script_alias: str = "esmond"
    user: str | None = None
    key: str | None = None
    strict_filters: bool = False
    json_values: bool = False
    output_file: str | None = None
    plot: str | None = None
    jobs: int = 4
    resume: bool = False

    @classmethod
    def adopt(cls, options: object) -> QueryOptions:
        """Options from any object with attributes of these names; what it lacks has its default."""
        if isinstance(options, cls):
            return options
        known = {
            name: getattr(options, name)
            for name in (one.name for one in fields(cls))
            if hasattr(options, name)
        }
        known["filter"] = list(known.get("filter") or ())
        return cls(**known)
