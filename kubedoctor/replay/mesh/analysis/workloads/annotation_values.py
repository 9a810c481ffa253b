"""The values that annotations of a pod may have (Istio, `pkg/kube/inject/validate.go`), and Go's words for what is wrong."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Final

from kubedoctor.cluster.grammar.quantities import QuantityError, parse_quantity

_BOOLEANS: Final = frozenset({"1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"})
_MODES: Final = frozenset({"REDIRECT", "TPROXY", "NONE"})
_QUANTITY: Final = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"  # upstream's words
)
_INTERFACE: Final = re.compile(r"[a-zA-Z0-9_.@-]{1,15}")


def unsigned(value: str, bits: int) -> str:
    """Go's problem with a text as an unsigned number; empty where it is one."""
    if not re.fullmatch(r"[0-9]+", value, re.ASCII):
        return f'strconv.ParseUint: parsing "{value}": invalid syntax'
    return "" if int(value) < 1 << bits else f'strconv.ParseUint: parsing "{value}": value out of range'


def prefix_problem(value: str) -> str:
    """Go's problem with a text as a range of addresses; empty where it is one."""
    address, slash, length = value.rpartition("/")
    if not slash:
        return f"netip.ParsePrefix(\"{value}\"): no '/'"
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return f'netip.ParsePrefix("{value}"): unable to parse IP'
    if not length.isascii() or not length.isdigit():
        return f'netip.ParsePrefix("{value}"): bad bits after slash: "{length}"'
    return "" if int(length) <= parsed.max_prefixlen else f'netip.ParsePrefix("{value}"): prefix length out of range'


def _port(value: str) -> str:
    problem = unsigned(value.strip(), 16)
    return f"failed parsing port '{value}': {problem}" if problem else ""


def _status_port(value: str) -> str:
    problem = _port(value)
    return f"excludeInboundPorts invalid: {problem}" if problem else ""


def _ports(name: str, every: str = "") -> Callable[[str], str]:
    def problem_of(value: str) -> str:
        written = value.strip()
        if not written or (every and value == every):
            return ""
        for port in written.split(","):
            if problem := _port(port):
                return f"{name} invalid: failed parsing port '{port}': {problem}"
        return ""

    return problem_of


def _ranges(name: str, every: str = "") -> Callable[[str], str]:
    def problem_of(value: str) -> str:
        if not value or (every and value == every):
            return ""
        for written in value.split(","):
            if problem := prefix_problem(written):
                return f"{name} invalid: failed parsing cidr '{written}': {problem}"
        return ""

    return problem_of


def _whole_number(value: str) -> str:
    return unsigned(value, 32)


def _boolean(value: str) -> str:
    return "" if value in _BOOLEANS else f'strconv.ParseBool: parsing "{value}": invalid syntax'


def _mode(value: str) -> str:
    return "" if value in _MODES else f"interceptionMode invalid, use REDIRECT,TPROXY,NONE: {value}"


def _quantity(value: str) -> str:
    try:
        parse_quantity(value)
    except QuantityError:
        return _QUANTITY
    return ""


def _interfaces(value: str) -> str:
    wrong = next((name for name in value.split(",") if value and not _INTERFACE.fullmatch(name)), "")
    return f"invalid interface name: {wrong}" if wrong else ""


def _proxy_settings(value: str) -> str:
    """Only that it is a mapping and that its number of threads is a number."""
    import yaml  # takes 29 ms, and few pods have the annotation

    try:
        written = yaml.safe_load(value) if value else {}
    except yaml.YAMLError as error:
        return f"failed to convert to apply proxy config: {error.__class__.__name__}"
    threads = written.get("concurrency") if isinstance(written, dict) else None
    if isinstance(written, dict) and (threads is None or isinstance(threads, int)):
        return ""
    first = str(threads if isinstance(written, dict) else written)[:1]
    return f"failed to convert to apply proxy config: invalid character '{first}' looking for beginning of value"


PROBLEMS: Final[Mapping[str, Callable[[str], str]]] = {
    "sidecar.istio.io/interceptionMode": _mode,
    "status.sidecar.istio.io/port": _status_port,
    "readiness.status.sidecar.istio.io/initialDelaySeconds": _whole_number,
    "readiness.status.sidecar.istio.io/periodSeconds": _whole_number,
    "readiness.status.sidecar.istio.io/failureThreshold": _whole_number,
    "traffic.sidecar.istio.io/includeOutboundIPRanges": _ranges("includeIPRanges", "*"),
    "traffic.sidecar.istio.io/excludeOutboundIPRanges": _ranges("excludeIPRanges"),
    "traffic.sidecar.istio.io/includeInboundPorts": _ports("includeInboundPorts", "*"),
    "traffic.sidecar.istio.io/excludeInboundPorts": _ports("excludeInboundPorts"),
    "traffic.sidecar.istio.io/excludeOutboundPorts": _ports("excludeOutboundPorts"),
    "traffic.sidecar.istio.io/excludeInterfaces": _interfaces,
    "traffic.sidecar.istio.io/kubevirtInterfaces": _interfaces,
    "istio.io/reroute-virtual-interfaces": _interfaces,
    "prometheus.istio.io/merge-metrics": _boolean,
    "proxy.istio.io/config": _proxy_settings,
    "sidecar.istio.io/proxyCPU": _quantity,
    "sidecar.istio.io/proxyMemory": _quantity,
    "sidecar.istio.io/proxyCPULimit": _quantity,
    "sidecar.istio.io/proxyMemoryLimit": _quantity,
}
"""What is wrong with the value of an annotation; empty where nothing is."""
