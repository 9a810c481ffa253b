"""What a change of network policies or namespaces does to the pods that ask the cluster's DNS."""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster.kinds.core import Namespace
from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished
from kubedoctor.replay.dns.servers import Resolvers, resolvers, uses_cluster_dns
from kubedoctor.replay.network import Party, PolicySet
from kubedoctor.replay.network.seen import with_admin_policies


def lost_lookups(namespaces: set[str], before: Cluster, after: Cluster) -> Iterator[str]:
    """The pods that the policies no longer let ask the cluster's DNS, a clause each. namespaces: those that changed."""
    dns, dns_after = resolvers(before), resolvers(after)
    if dns is None:
        return
    # The policies in the DNS servers' namespaces apply to every pod of the cluster.
    everywhere = dns.service.namespace in namespaces
    policies = with_admin_policies(before.all(NetworkPolicy), before)
    policies_after = with_admin_policies(after.all(NetworkPolicy), after)
    checked: set[tuple[str, frozenset[tuple[str, str]]]] = set()
    for pod in before.all(Pod):
        kind = (pod.namespace, frozenset(pod.labels.items()))
        if (
            kind in checked
            or finished(pod)
            or not uses_cluster_dns(pod)
            or not (everywhere or pod.namespace in namespaces)
        ):
            continue
        checked.add(kind)
        changed = after.get_ref(ref(pod))
        if not isinstance(changed, Pod) or not _resolves(pod, dns, policies, before):
            continue
        if dns_after is None or not _resolves(changed, dns_after, policies_after, after):
            yield f"{ref(pod).title} cannot ask the cluster's DNS then"


def _resolves(pod: Pod, dns: Resolvers, policies: PolicySet, cluster: Cluster) -> bool:
    space = cluster.get(Namespace, "", pod.namespace)
    return dns.verdicts(Party.of_pod(pod, space.labels if space is not None else {}), policies) is None
