"""What a Service selects: pods, the workloads that should create them, the ports that they declare."""

from kubedoctor.replay.services.backends import (
    Backends,
    backends,
    has_ready_pods,
    serves_already,
    wanted_replicas,
    workloads_behind,
)
from kubedoctor.replay.services.ports import declared_ports, find_port, unknown_name
from kubedoctor.replay.services.starting import still_starting

__all__ = [
    "Backends",
    "backends",
    "declared_ports",
    "find_port",
    "has_ready_pods",
    "serves_already",
    "still_starting",
    "unknown_name",
    "wanted_replicas",
    "workloads_behind",
]
