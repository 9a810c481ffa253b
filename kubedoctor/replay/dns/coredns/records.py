"""Questions, answers and names of the DNS."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable

import msgspec

NOERROR = "NOERROR"
NXDOMAIN = "NXDOMAIN"
SERVFAIL = "SERVFAIL"
REFUSED = "REFUSED"
UNKNOWN = "UNKNOWN"
"""A server answers that cannot be seen."""
DROPPED = "no answer"
"""The server reads the question and stays silent: clients run into their timeout."""


class DnsQuestion(msgspec.Struct, frozen=True):
    """`name` ends with a dot."""

    name: str
    type: str


class DnsRecord(msgspec.Struct, frozen=True):
    """`data` as zone files write it; of a SOA its two names only."""

    name: str
    type: str
    data: str


class DnsReply(msgspec.Struct, frozen=True):
    """`by`: the plugin that answered, with what decided, for people."""

    rcode: str
    answers: tuple[DnsRecord, ...] = ()
    by: str = ""


Ask = Callable[[DnsQuestion], DnsReply]


def absolute(name: str) -> str:
    """The name with its final dot."""
    return name if name.endswith(".") else f"{name}."


def within(name: str, zone: str) -> bool:
    """Whether a name is in a zone or is its apex; both end with a dot."""
    name, zone = name.lower(), zone.lower()
    return zone == "." or name == zone or name.endswith(f".{zone}")


def zone_of(name: str, zones: Iterable[str]) -> str:
    """The longest of the zones that holds a name; empty if none does."""
    return max((zone for zone in zones if within(name, zone)), key=len, default="")


def address_of_reverse(name: str) -> str:
    """The address that a name below in-addr.arpa or ip6.arpa stands for; empty for other names."""
    labels = name.rstrip(".").lower().split(".")
    try:
        if labels[-2:] == ["in-addr", "arpa"] and len(labels) == 6:
            return str(ipaddress.IPv4Address(".".join(reversed(labels[:4]))))
        if labels[-2:] == ["ip6", "arpa"] and len(labels) == 34:
            digits = "".join(reversed(labels[:32]))
            return str(ipaddress.IPv6Address(":".join(digits[at : at + 4] for at in range(0, 32, 4))))
    except ValueError:
        pass
    return ""


def is_reverse(zone: str) -> bool:
    return within(zone, "in-addr.arpa.") or within(zone, "ip6.arpa.")


def family_type(address: str) -> str:
    """`A` or `AAAA`; empty for a text that is no address."""
    try:
        return "A" if ipaddress.ip_address(address).version == 4 else "AAAA"
    except ValueError:
        return ""
