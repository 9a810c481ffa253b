"""The coordination group: leases, with which nodes and controllers show that they run."""

from kubedoctor.cluster.kinds.meta import KubernetesObject, Part, Time


class LeaseSpec(Part):
    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    renew_time: Time | None = None
    acquire_time: Time | None = None
    lease_transitions: int | None = None


class Lease(KubernetesObject):
    spec: LeaseSpec = LeaseSpec()
