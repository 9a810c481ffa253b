"""`ip()`, `cidr()` and `url()` (`apiserver/pkg/cel/library/{ip,cidr,urls}.go`, v1.37)."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final

IP: Final = "kubernetes.ip"
CIDR: Final = "kubernetes.cidr"
URL: Final = "kubernetes.url"
_URL: Final = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):)(?://(?P<host>[^/?#]*))?(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#.*)?"
)


def _address(text: str) -> IPv4Address | IPv6Address:
    if "%" in text:
        raise ValueError("IP address with zone value is not allowed")
    address = ip_address(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        raise ValueError("IPv4-mapped IPv6 address is not allowed")
    return address


def ip(text: str) -> dict[str, str]:
    """Without zones, and without IPv4 addresses in IPv6."""
    return {IP: str(_address(text))}


def is_canonical(text: str) -> bool:
    """Whether it is spelled as the one spelling of RFC 5952. Raises ValueError where it is no address."""
    return str(_address(text)) == text


def _of(value: Any) -> IPv4Address | IPv6Address:
    return ip_address(value[IP])


def family(value: Any) -> int:
    """4 or 6."""
    return _of(value).version


def is_unspecified(value: Any) -> bool:
    """`0.0.0.0` or `::`."""
    return _of(value).is_unspecified


def is_loopback(value: Any) -> bool:
    """`127.0.0.0/8` or `::1`."""
    return _of(value).is_loopback


def is_link_local_multicast(value: Any) -> bool:
    """`224.0.0.0/24` or `ff02::/16`."""
    address = _of(value)
    network = "224.0.0.0/24" if address.version == 4 else "ff02::/16"
    return address in ip_network(network)


def is_link_local_unicast(value: Any) -> bool:
    """`169.254.0.0/16` or `fe80::/10`."""
    address = _of(value)
    network = "169.254.0.0/16" if address.version == 4 else "fe80::/10"
    return address in ip_network(network)


def is_global_unicast(value: Any) -> bool:
    """As Go means it: private ranges are among them."""
    address = _of(value)
    if address == ip_address("255.255.255.255"):
        return False
    return not (address.is_unspecified or address.is_loopback or address.is_multicast or is_link_local_unicast(value))


def cidr(text: str) -> dict[str, Any]:
    """The address stays as it is spelled: `10.0.0.1/8` is no other range, and another value."""
    address, slash, length = text.partition("/")
    if not slash or not re.fullmatch(r"0|[1-9]\d?|1[01]\d|12[0-8]", length):
        raise ValueError(f"no CIDR: {text}")
    first = _address(address)
    if int(length) > first.max_prefixlen:
        raise ValueError(f"no CIDR: {text}")
    return {CIDR: f"{first}/{length}"}


def _range(value: Any) -> Any:
    return ip_network(value[CIDR] if isinstance(value, dict) else cidr(value)[CIDR], strict=False)


def contains_ip(value: Any, address: Any) -> bool:
    """address: one, or its text."""
    inner = _of(address) if isinstance(address, dict) else _address(address)
    return inner in _range(value)


def contains_cidr(value: Any, other: Any) -> bool:
    """other: a range, or its text."""
    outer, inner = _range(value), _range(other)
    return outer.version == inner.version and bool(inner.subnet_of(outer))


def masked(value: Any) -> dict[str, Any]:
    """The range from its first address on."""
    return {CIDR: str(_range(value))}


def prefix_length(value: Any) -> int:
    """8 of `10.0.0.0/8`."""
    return int(value[CIDR].partition("/")[2])


def ip_of(value: Any) -> dict[str, str]:
    """The address of a range."""
    return {IP: value[CIDR].partition("/")[0]}


def url(text: str) -> dict[str, Any]:
    """An absolute one, or an absolute path."""
    match = _URL.fullmatch(text)
    if re.search(r"[\x00-\x20\x7f]", text) or (match is None and not text.startswith("/")):
        raise ValueError(f"no URL: {text}")
    if match is None:
        path, _, query = text.partition("#")[0].partition("?")
        return {URL: text, "scheme": "", "host": "", "hostname": "", "port": "", "path": path, "query": _query(query)}
    host = (match["host"] or "").rpartition("@")[2]
    named = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::(\d*))?", host)
    if named is None or (not match["host"] and not match["path"].startswith("/")):
        raise ValueError(f"no URL: {text}")
    return {
        URL: text,
        "scheme": match["scheme"],
        "host": host,
        "hostname": named[1].strip("[]"),
        "port": named[2] or "",
        "path": match["path"],
        "query": _query(match["query"] or ""),
    }


def _query(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for pair in filter(None, text.split("&")):
        key, _, value = pair.partition("=")
        found.setdefault(_unescaped(key), []).append(_unescaped(value))
    return found


def _unescaped(text: str) -> str:
    spaced = text.replace("+", " ").encode()
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes([int(match[1], 16)]), spaced).decode(errors="replace")


def part(name: str) -> Callable[[Any], Any]:
    """What gives one part of a URL."""
    return lambda value: value[name]
