"""What validation finds, and the rules that several kinds share (Istio, `pkg/config/validation/agent/validation.go`,
`pkg/config/labels`, `pkg/config/visibility`)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from kubedoctor.cluster.grammar.patterns import written_pattern
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.replay.mesh.config import labels as labels_below
from kubedoctor.replay.mesh.config import rows, text


class SchemaProblem(NamedTuple):
    """`code`: of istioctl's message; `values`: what its text is made of."""

    code: str
    values: tuple[str, ...]


Validator = Callable[[CustomResource], Iterator[SchemaProblem]]


def error(words: str) -> SchemaProblem:
    """For what istiod rejects."""
    return SchemaProblem("IST0106", (words,))


def warning(words: str) -> SchemaProblem:
    """For what istiod accepts with a warning."""
    return SchemaProblem("IST0133", (words,))


_LABEL: Final = r"[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?"
_DNS_LABEL: Final = re.compile(_LABEL)
_WILDCARD_LABEL: Final = re.compile(rf"(?:\*|(?:\*|\*-)?{_LABEL})")
_QUALIFIED: Final = r"(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_KEY: Final = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*/)?(?P<name>{_QUALIFIED})")
_LABEL_VALUE: Final = re.compile(rf"(?:{_QUALIFIED})?")
_DURATION: Final = re.compile(r"(-)?(\d+)(?:\.(\d{1,9}))?s")
_LONGEST_LABEL: Final = 63
_LONGEST_NAME: Final = 255
PROTOCOLS: Final = frozenset(
    {"tcp", "udp", "grpc", "grpc-web", "http", "http_proxy", "http2", "https", "tls", "mongo", "redis", "mysql"}
)
HTTP: Final = frozenset({"http", "http2", "http_proxy", "grpc", "grpc-web"})
TLS: Final = frozenset({"https", "tls"})
TCP: Final = frozenset({"tcp", "https", "tls", "mongo", "redis", "mysql"})


def is_dns_label(name: str) -> bool:
    return len(name) <= _LONGEST_LABEL and _DNS_LABEL.fullmatch(name) is not None


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_range(name: str) -> bool:
    address, slash, length = name.rpartition("/")
    return (
        bool(slash)
        and is_address(address)
        and length.isdigit()
        and int(length) <= ipaddress.ip_address(address).max_prefixlen
    )


def address(name: str) -> Iterator[SchemaProblem]:
    if not is_address(name):
        yield error(f"{name} is not a valid IP")


def address_range(name: str) -> Iterator[SchemaProblem]:
    """An address or a range of addresses."""
    if name.count("/") != 1:
        yield from address(name)
    elif not _is_range(name):
        yield error(f"{name} is not a valid CIDR block")


def domain(name: str, *, wildcard: bool = True) -> Iterator[SchemaProblem]:
    """A host name, with `*` as its first label where that is allowed."""
    if not name:
        yield error("empty domain name not allowed")
        return
    if len(name) > _LONGEST_NAME:
        yield error(f'domain name "{name}" too long')
        return
    first, dot, rest = name.partition(".")
    if wildcard:
        if len(first) > _LONGEST_LABEL or not _WILDCARD_LABEL.fullmatch(first):
            yield error(f'domain name "{name}" invalid (label "{first}" invalid)')
            return
        if not dot:
            return
        name = rest
    parts = name.split(".")
    if re.fullmatch(r"[+-]?[0-9]+", parts[-1]):
        yield error(f'domain name "{name}" invalid (top level domain "{parts[-1]}" cannot be all-numeric)')
        return
    for at, part in enumerate(parts):
        if at == len(parts) - 1 and not part:
            return
        if not is_dns_label(part):
            yield error(f'domain name "{name}" invalid (label "{part}" invalid)')
            return


def is_domain(name: str) -> bool:
    """Whether it is a host name without a wildcard."""
    return next(domain(name, wildcard=False), None) is None


def partial_wildcard(name: str) -> bool:
    return "*" in name and name != "*" and not name.startswith("*.")


def namespaced_host(written: str, *, is_gateway: bool) -> Iterator[SchemaProblem]:
    """`namespace/host` of a Gateway or of a Sidecar."""
    namespace, slash, host = written.partition("/")
    if not slash:
        if is_gateway:
            yield from _host_part(written, is_gateway=True)
        else:
            yield error("host must be of form namespace/dnsName")
        return
    if not namespace or not host:
        yield error("config namespace and dnsName in host entry cannot be empty")
    allowed = namespace in ("*", ".") or (not is_gateway and namespace.removeprefix("~") in ("", "*", "."))
    if not allowed and not is_dns_label(namespace if is_gateway else namespace.removeprefix("~")):
        yield error(f'invalid namespace value "{namespace}" in {"gateway" if is_gateway else "sidecar"}')
    yield from _host_part(host, is_gateway=is_gateway)


def _host_part(host: str, *, is_gateway: bool) -> Iterator[SchemaProblem]:
    if host != "*" and "." not in host:
        yield error("short names (non FQDN) are not allowed")
    if not (is_gateway and is_address(host)):
        yield from domain(host)
    if partial_wildcard(host):
        yield error(f'partial wildcard "{host}" not allowed')


def port_number(number: object) -> Iterator[SchemaProblem]:
    if not isinstance(number, int) or not 1 <= number <= 65535:
        yield error(f"port number {number or 0} must be in the range 1..65535")


def port_name(name: str) -> Iterator[SchemaProblem]:
    if not is_dns_label(name):
        yield error(f"invalid port name: {name}")


def protocol(name: str) -> Iterator[SchemaProblem]:
    if name and name.lower() not in PROTOCOLS:
        yield error(f"unsupported protocol: {name}")


def duration_seconds(written: object) -> float | None:
    """None where it is no duration."""
    found = _DURATION.fullmatch(text(written))
    if found is None:
        return None
    value = int(found[2]) + int((found[3] or "0").ljust(9, "0")) / 1e9
    return -value if found[1] else value


def duration(written: object) -> Iterator[SchemaProblem]:
    """A duration of at least a millisecond, in whole milliseconds; nothing for an absent one."""
    seconds = duration_seconds(written)
    if seconds is None:
        return
    if seconds < 0.001:
        yield error("duration must be greater than 1ms")
    elif abs(seconds * 1000 - round(seconds * 1000)) > 1e-7:
        yield error("only durations to ms precision are supported")


def label_map(found: Mapping[str, Any]) -> Iterator[SchemaProblem]:
    for key, value in found.items():
        match = _LABEL_KEY.fullmatch(key)
        if match is None or len(match["name"]) > _LONGEST_LABEL:
            yield error(f'invalid tag key: "{key}"')
        if not _LABEL_VALUE.fullmatch(text(value)):
            yield error(f'invalid tag value: "{value}"')


def selector(
    spec: object, name: str = "selector", key: str = "matchLabels", about: str = ""
) -> Iterator[SchemaProblem]:
    """The labels by which an object selects workloads."""
    if not isinstance(spec, dict) or spec.get(name) is None:
        return
    found = labels_below(spec, name, key)
    for label, value in found.items():
        if not label:
            yield error(f'empty key is not supported in selector: "{label}={value}"')
        if "*" in label or "*" in value:
            yield error(f'wildcard is not supported in selector: "{label}={value}"')
    if not found:
        yield warning(f"{about}workload selector specified without labels")


_TARGETS: Final = frozenset(
    {
        ("", "Service"),
        ("core", "Service"),
        ("networking.istio.io", "ServiceEntry"),
        ("gateway.networking.k8s.io", "Gateway"),
        ("gateway.networking.k8s.io", "GatewayClass"),
    }
)


def targets(spec: Mapping[str, Any]) -> Iterator[SchemaProblem]:
    """The references by which a policy is attached instead of a selector."""
    single = spec.get("targetRef")
    found = [row for _, row in rows(spec, "targetRefs")]
    if (spec.get("selector") is not None) + (single is not None) + bool(found) > 1:
        yield error("only one of targetRefs or workloadSelector can be set")
    for target in [*([single] if isinstance(single, dict) else []), *found]:
        group, kind = text(target.get("group")), text(target.get("kind"))
        if not target.get("name"):
            yield error("targetRef name must be set")
        if target.get("namespace"):
            yield error("targetRef namespace must not be set")
        if (group, kind) not in _TARGETS:
            yield error(f"targetRef to {group}/{kind} is not allowed")


def export_to(
    written: tuple[str, ...], namespace: str, kind: str = "", *, is_narrow: bool = False
) -> Iterator[SchemaProblem]:
    """`is_narrow`: of a DestinationRule for selected workloads only."""
    seen: set[str] = set()
    for name in written:
        key = namespace if name == "." else name
        if key in seen:
            where = f": . and current namespace {namespace}" if key != name else f" for entry {name}"
            yield error(f"duplicate entries in exportTo{where}")
        elif key == "~" and kind != "ServiceEntry":
            yield error("exportTo ~ (none) is not allowed for Istio configuration objects")
        elif key not in ("*", "~") and not is_dns_label(key):
            yield error("only .,*, or a valid DNS 1123 label is allowed as exportTo entry")
        else:
            seen.add(key)
    if is_narrow and seen:
        if namespace not in seen:
            yield error("destination rule with workload selector cannot have exportTo beyond current namespace")
        elif len(seen) > 1:
            yield error("destination rule with workload selector cannot have multiple entries in exportTo")
    if "*" in seen and len(written) > 1:
        yield error("cannot have both public (*) and non-public exportTo values for a resource")
    if "~" in seen and len(written) > 1:
        yield error("cannot export service entry to no one (~) and someone")


def percentage(value: object) -> Iterator[SchemaProblem]:
    """A fraction of a hundred with decimals (`validatePercentage`)."""
    if isinstance(value, int | float) and (value < 0 or value > 100 or 0 < value < 0.0001):
        yield error(f"percentage {value} is neither 0.0, nor in range [0.0001, 100.0]")


def regular_expression(written: str, where: str) -> Iterator[SchemaProblem]:
    """Python's expressions stand for RE2's: what RE2 lacks (references, looking around) is looked for by its signs."""
    if len(written) > 1024:
        yield error(f'"{where}": regex is too large, max length allowed is 1024')
        return
    try:
        written_pattern(written)
    except re.error as problem:
        yield error(f'"{where}": error parsing regexp: {problem}')
        return
    if re.search(r"(?<!\\)(?:\(\?[=!]|\(\?<[=!]|\\[1-9])", written):
        yield error(f'"{where}": error parsing regexp: invalid or unsupported Perl syntax')
