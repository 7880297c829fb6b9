"""What happens to packets on their way."""

from __future__ import annotations

from gridtap.doctor.directive import MIN_RBUFF
from gridtap.doctor.facts import Observation, ServerFacts
from gridtap.doctor.finding import Check, GlobalCheck, Number, Sign

__all__ = ["LISTENER_CHECKS", "NETWORK_CHECKS"]

#: Clocks that differ by less are as good as equal: packets tell whole seconds.
_SKEW_S = 2.0

#: Servers before this release number their packets so that some seem to be lost.
_NUMBERED = (5, 0, 1)

#: Which option sets the size of a stream's packets.
_OPTIONS = {"f": "fbsz", "t": "mbuff", "r": "rbuff", "g": "gbuff", "text": "mongstream maxlen"}


def _fragmenting(server: ServerFacts, seen: Observation) -> Sign | None:
    limit = seen.payload_bytes[server.is_ipv6]
    # Only those whose size can be set: not reports, and not the maps of long names.
    large = {
        name: size
        for name, size in server.sizes.items()
        if size.oversized and name in _OPTIONS and (name != "r" or size.largest_bytes > MIN_RBUFF)
    }
    if not large:
        return None
    told = ", ".join(
        f"{name} up to {size.largest_bytes:,} bytes (`{_OPTIONS[name]}`)"
        for name, size in large.items()
    )
    evidence: dict[str, Number] = {"limit_bytes": limit}
    for name, size in large.items():
        evidence[f"{name}_largest_bytes"] = size.largest_bytes
        evidence[f"{name}_oversized"] = size.oversized
    text = f"datagrams above {limit:,} bytes travel in fragments, and one lost loses all: {told}"
    return Sign(text, evidence)


def _packet_loss(server: ServerFacts, seen: Observation) -> Sign | None:
    if seen.faults["truncated_datagram"]:
        # They came, but their numbers could not be read.
        return None
    losses = {name: counts for name, counts in server.losses.by_name().items() if counts[1] > 0}
    if server.version and server.version < _NUMBERED:
        losses.pop("main", None)
    if not losses:
        return None
    told = ", ".join(
        f"{name} {lost:,} of {received + lost:,} ({100 * lost / (received + lost):.2f} %)"
        for name, (received, lost) in losses.items()
    )
    evidence: dict[str, Number] = {}
    for name, (received, lost) in losses.items():
        evidence[f"{name}_received"], evidence[f"{name}_lost"] = received, lost
    return Sign(f"packets are missing: {told}", evidence)


def _clock_skew(server: ServerFacts, seen: Observation) -> Sign | None:
    ahead = server.clock_ahead_s
    if ahead is None or abs(ahead) < _SKEW_S:
        return None
    side = "ahead of" if ahead > 0 else "behind"
    text = f"its clock is {abs(ahead):,.1f} s {side} the receiver's"
    return Sign(text, {"ahead_s": round(ahead, 3), "samples": len(server.clock_s)})


def _duplicate_destination(server: ServerFacts, seen: Observation) -> Sign | None:
    # A process sends to each destination from a socket of its own.
    twice = {port: len(sockets) for port, sockets in server.sockets.items() if len(sockets) > 1}
    if not twice or not server.repeated_maps:
        return None
    text = f"it sends the same packets {max(twice.values())} times to one port"
    return Sign(text, {"sockets": max(twice.values()), "repeated_maps": server.repeated_maps})


def _kernel_drops(seen: Observation) -> Sign | None:
    if not seen.kernel_drops:
        return None
    text = f"the kernel threw {seen.kernel_drops:,} datagrams away before they were read here"
    evidence: dict[str, Number] = {"kernel_drops": seen.kernel_drops}
    evidence["receive_buffer_bytes"] = seen.receive_buffer_bytes or 0
    return Sign(text, evidence)


def _nothing_seen(seen: Observation) -> Sign | None:
    if seen.datagrams or seen.faults:
        return None
    return Sign("no packet came", {"datagrams": 0})


def _missing_fragments(seen: Observation) -> Sign | None:
    count = seen.faults["missing_fragments"]
    if not count:
        return None
    text = f"{count:,} datagrams whose fragments did not all come"
    return Sign(text, {"missing_fragments": count})


NETWORK_CHECKS = (
    Check(
        "fragmenting_datagrams",
        "warning",
        _fragmenting,
        "set the sizes of packets to what fits, or use --mtu if the whole path carries more",
        in_directive=True,
    ),
    Check(
        "packet_loss",
        "error",
        _packet_loss,
        "look for kernel drops at the receiver first, then for fragments, then at the network",
    ),
    Check("clock_skew", "warning", _clock_skew, "synchronise both clocks (chrony, ntpd)"),
    Check(
        "duplicate_destination",
        "warning",
        _duplicate_destination,
        "name the collector in one `dest` only: everything from there counts twice",
        in_directive=True,
    ),
)

LISTENER_CHECKS = (
    GlobalCheck(
        "nothing_seen",
        "error",
        _nothing_seen,
        "check `dest HOST:PORT` of `xrootd.monitor`, firewalls (UDP), and the port listened on; "
        "an idle server sends nothing but its identification, by default once an hour",
    ),
    GlobalCheck(
        "kernel_drops",
        "error",
        _kernel_drops,
        "give the socket a larger buffer: sysctl -w net.core.rmem_max=67108864",
    ),
    GlobalCheck(
        "missing_fragments",
        "error",
        _missing_fragments,
        "let servers send packets that need no fragments, see fragmenting_datagrams",
    ),
)
