"""What servers do not tell of themselves and of their clients."""

from __future__ import annotations

from gridtap.doctor.facts import Observation, ServerFacts
from gridtap.doctor.finding import Check, Sign

__all__ = ["CLIENT_CHECKS"]

#: A collector that starts anew should know a server by its name after this long, seconds.
_IDENT_S = 900

#: Observations shorter than this say nothing about identification, seconds.
_MIN_SPAN_S = 30


def _no_ident(server: ServerFacts, seen: Observation) -> Sign | None:
    binary = sum(count for code, count in server.codes.items() if len(code) == 1)
    if not binary:
        return None
    packets, span = server.codes["="], server.span_s
    silence = server.longest_silence_s if packets else (span or 0.0)
    evidence = {"ident_packets": packets, "silence_s": round(silence, 3)}
    if not packets and (span is None or span >= _MIN_SPAN_S):
        # A dump has no times.
        return Sign("it never says which server it is", evidence)
    if silence >= _IDENT_S:
        return Sign(f"{silence:,.0f} s went by without its saying which server it is", evidence)
    return None


def _no_users(server: ServerFacts, seen: Observation) -> Sign | None:
    files = server.files
    if server.codes["u"] or not (files.opens or server.codes["t"] or server.codes["r"]):
        return None
    text = "no client is told of: all accesses are anonymous"
    return Sign(text, {"u_packets": 0, "opens": files.opens, "t_packets": server.codes["t"]})


def _no_auth(server: ServerFacts, seen: Observation) -> Sign | None:
    logins = server.codes["u"]
    if not logins or server.authenticated:
        return None
    text = f"{logins:,} logins without authentication data"
    return Sign(text, {"u_packets": logins, "authenticated": 0})


def _no_site(server: ServerFacts, seen: Observation) -> Sign | None:
    if server.identity is None or server.identity.site:
        return None
    return Sign("it does not say which site it belongs to", {"ident_packets": server.codes["="]})


CLIENT_CHECKS = (
    Check(
        "no_ident",
        "advice",
        _no_ident,
        "set `ident 5m`: the default is an hour, for which a new collector does not know names",
        in_directive=True,
    ),
    Check("no_users", "warning", _no_users, "add `user` to `dest`", in_directive=True),
    Check(
        "no_auth",
        "advice",
        _no_auth,
        "add `auth`; where it is set, the server authenticates nobody (`sec.protocol`)",
        in_directive=True,
    ),
    Check("no_site", "advice", _no_site, "add a line `all.sitename NAME`"),
)
