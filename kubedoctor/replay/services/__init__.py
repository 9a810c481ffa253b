"""What stands behind a Service: pods, the workloads that should make them, the ports that they declare."""

from kubedoctor.replay.services.backends import Backends, backends, wanted_replicas, workloads_behind
from kubedoctor.replay.services.ports import declared_ports, find_port, names_of
from kubedoctor.replay.services.starting import still_starting

__all__ = [
    "Backends",
    "backends",
    "declared_ports",
    "find_port",
    "names_of",
    "still_starting",
    "wanted_replicas",
    "workloads_behind",
]
