"""A name that the pod's own hostAliases answers, before the DNS is asked."""

from __future__ import annotations

from diagnostics.pods.crashes._story import Story
from kubedoctor.cluster import Cluster, Pod, Service
from kubedoctor.findings import at_fault, fix_by_hand, quote_pod_spec
from kubedoctor.replay.network.overlaps import addresses_of
from kubedoctor.replay.services.hosts import service_with_address


def aliased(pod: Pod, host: str, failed: str, cluster: Cluster) -> Story | None:
    """What the alias stands for, where neither a Service nor a pod has that address.
    failed: the connection, as a clause."""
    for at, alias in enumerate(pod.spec.host_aliases or ()):
        if not host or host.rstrip(".") not in (alias.hostnames or ()):
            continue
        if service_with_address(alias.ip, cluster.maybe.all(Service)) is not None:
            return None
        if not cluster.has_all(Pod, "") or any(alias.ip in addresses_of(row) for row in cluster.maybe.all(Pod)):
            return None
        about = at_fault(pod, cluster)
        return Story(
            f"{failed}; hostAliases of the pod gives {host} the address {alias.ip}, which no Service or pod has",
            evidence=tuple(quote_pod_spec(pod, cluster, about, f"spec.hostAliases[{at}].ip", f"the address of {host}")),
            fixes=(
                fix_by_hand(about, f"Remove {host} from hostAliases, so that the DNS answers, or correct its address"),
            ),
        )
    return None
