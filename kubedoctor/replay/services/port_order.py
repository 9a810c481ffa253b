"""The order in which the controller writes the ports of an EndpointSlice.

It sorts them by a hash of each (`staging/src/k8s.io/endpointslice/util/controller_utils.go`, NewPortMapKey, portsInOrder; v1.31):
FNV-1a of 128 bits over what spew prints of the Go struct (`k8s.io/apimachinery/pkg/util/dump`, ForHash).
"""

from __future__ import annotations

from typing import Final

SlicePort = tuple[str, str, int, str | None]
"""Name, protocol, number and application protocol."""
_BASIS: Final = 0x6C62272E07BB014262B821756295C58D
_PRIME: Final = 0x0000000001000000000000000000013B
_BITS: Final = (1 << 128) - 1


def port_order(port: SlicePort) -> str:
    """The key by which ports are sorted: 32 hexadecimal digits."""
    name, protocol, number, application = port
    text = (
        f"(v1.EndpointPort){{Name:(*string){name} Protocol:(*v1.Protocol){protocol} Port:(*int32){number}"
        f" AppProtocol:(*string){'<nil>' if application is None else application}}}"
    )
    return f"{_fnv(text.encode()):032x}"


def _fnv(data: bytes) -> int:
    value = _BASIS
    for byte in data:
        value = ((value ^ byte) * _PRIME) & _BITS
    return value
