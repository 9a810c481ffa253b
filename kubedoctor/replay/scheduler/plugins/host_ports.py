"""Host ports that pods use (`pkg/scheduler/util.GetHostPorts`, `framework.HostPortInfo`, v1.37)."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from kubedoctor.cluster.kinds.pods import Pod

EVERY_ADDRESS = "0.0.0.0"


class HostPort(msgspec.Struct, frozen=True):
    """`address` 0.0.0.0 is every address; `::` is an address like any other."""

    address: str
    protocol: str
    port: int

    def clashes(self, used: Collection[HostPort]) -> bool:
        """Whether a port in use conflicts with this one."""
        return any(
            port.port == self.port
            and port.protocol == self.protocol
            and (EVERY_ADDRESS in (self.address, port.address) or port.address == self.address)
            for port in used
        )

    def __str__(self) -> str:
        where = "" if self.address == EVERY_ADDRESS else f"{self.address}:"
        return f"{where}{self.port}/{self.protocol}"


def host_ports(pod: Pod) -> tuple[HostPort, ...]:
    """The host ports of containers and sidecars; ordinary init containers use none."""
    containers = pod.spec.containers
    if pod.spec.init_containers:
        containers = (
            *(init_container for init_container in pod.spec.init_containers if init_container.restarts_always),
            *containers,
        )
    return tuple(
        [
            HostPort(port.host_ip or EVERY_ADDRESS, port.protocol or "TCP", port.host_port)
            for container in containers
            if container.ports
            for port in container.ports
            if port.host_port > 0
        ]
    )
