"""Why a pod does not resolve the name of a Service that exists, and what would change that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from kubedoctor.answers.resolve.lookup_setting import USUAL_DOMAIN, cluster_domain
from kubedoctor.cluster.changes import put
from kubedoctor.cluster.grammar.text import counted, listed
from kubedoctor.cluster.kinds.apps import StatefulSet
from kubedoctor.cluster.kinds.core import Service
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.services import pods_selected_by
from kubedoctor.cluster.relations.workloads import controller_of, template_of, template_path
from kubedoctor.cluster.seen.quoting import Evidence, has_path, quote
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import finished, ready
from kubedoctor.findings import Effect, Fix, command_line, fix_by_hand
from kubedoctor.replay.dns.clients.resolv_conf import policy_of
from kubedoctor.replay.dns.servers import NODE_LOCAL, dns_service

_CLUSTER: Final = "Cluster"
_WITH_HOST_NETWORK: Final = "ClusterFirstWithHostNet"


class FailedName(NamedTuple):
    """why: a clause. blamed: objects whose own findings explain it."""

    why: str
    evidence: tuple[Evidence, ...] = ()
    fixes: tuple[Fix, ...] = ()
    blamed: tuple[Ref, ...] = ()


def why_not_resolved(
    pod: Pod, host: str, service: Service, about: Ref, cluster: Cluster, *, answered: bool
) -> FailedName | None:
    """None where nothing but the DNS itself is left. about: the pod's workload. answered: a DNS server answered that
    the name does not exist; a server that forwards nothing refuses names of other domains (SERVFAIL)."""
    if policy_of(pod) != _CLUSTER:
        if (elsewhere := asks_elsewhere(pod, about, cluster)) is not None:
            return elsewhere
        return _not_completed(pod, host, service)
    parts = host.rstrip(".").split(".")
    domain = cluster_domain(cluster)
    if "svc" in parts:
        named = ".".join(parts[parts.index("svc") + 1 :])
        if named and named != domain and domain:
            right = ".".join(parts[: parts.index("svc") + 1])
            return FailedName(
                f"the domain of the cluster is {domain}, not {named}",
                fixes=(Fix(f"Use host name {right} in the program's settings: the pod's search list completes it"),),
            )
    of_pod = parts[0] if len(parts) > 1 and parts[0] != service.name and parts[1] == service.name else ""
    if of_pod and (other := _named_by_another(of_pod, service, cluster)) is not None:
        return other
    if not answered:
        return None
    if (apart := _by_its_resolver(pod, host, service, about, domain)) is not None:
        return apart
    if of_pod and not service.spec.is_headless:
        return _without_names_of_pods(service)
    if service.spec.is_headless:
        return _of_headless(pod, of_pod, service, cluster)
    return None


def _by_its_resolver(pod: Pod, host: str, service: Service, about: Ref, domain: str) -> FailedName | None:
    """musl tries no search list for a name with as many dots as ndots says; glibc and Go do after the name itself fails
    (`replay/dns/clients/walks`). None where the pod does not set ndots, or the name has fewer dots or is complete."""
    config = pod.spec.dns_config
    options = (config.options if config is not None else None) or ()
    at = next((index for index, row in enumerate(options) if row.name == "ndots"), None)
    full = f"{service.name}.{service.namespace}.svc.{domain or USUAL_DOMAIN}"
    if at is None or host.rstrip(".") == full:
        return None
    ndots = options[at].value or "1"
    if not ndots.isdigit() or host.count(".") < int(ndots):
        return None
    return FailedName(
        f"with ndots:{ndots} the resolver of Alpine images (musl) looks up {host} alone and tries no search list",
        (quote(pod, f"spec.dnsConfig.options[{at}]", "a name with so many dots is looked up as it is"),),
        (
            Fix(f"Use host name {full} in the program's settings"),
            fix_by_hand(about, "Or remove ndots from dnsConfig.options of the pod: the kubelet then writes ndots:5"),
        ),
    )


def _asks_cluster_too(pod: Pod, cluster: Cluster) -> bool:
    """Whether its dnsConfig names the cluster's DNS."""
    own = set((pod.spec.dns_config.nameservers if pod.spec.dns_config is not None else None) or ())
    service = dns_service(cluster.maybe) if own else None
    return bool(own & {NODE_LOCAL, *([service.spec.cluster_ip] if service is not None else [])})


def asks_elsewhere(pod: Pod, about: Ref, cluster: Cluster) -> FailedName | None:
    """Its resolv.conf does not name the cluster's DNS; None where it does."""
    if policy_of(pod) == _CLUSTER or _asks_cluster_too(pod, cluster):
        return None
    policy, on_node = pod.spec.dns_policy or "ClusterFirst", pod.spec.host_network
    own = pod.spec.dns_config.nameservers if pod.spec.dns_config is not None else None
    whose = (
        f"its dnsConfig ({listed(own or (), 3)})"
        if policy == "None"
        else f"node {pod.spec.node_name}"
        if pod.spec.node_name
        else "its node"
    )
    with_network = " with hostNetwork" if on_node and policy == "ClusterFirst" else ""
    right = _WITH_HOST_NETWORK if on_node else "ClusterFirst"
    whom = f"{_WITH_HOST_NETWORK} asks the cluster's DNS" if with_network else "which DNS servers the pod asks"
    paths = [("spec.dnsPolicy", whom), ("spec.hostNetwork", "")]
    return FailedName(
        f"dnsPolicy {policy}{with_network} asks the DNS servers of {whose}, which know no Services",
        tuple(quote(pod, path, shows) for path, shows in paths[: 2 if on_node else 1] if has_path(pod, path)),
        (_policy_fix(right, about, cluster),),
    )


def _not_completed(pod: Pod, host: str, service: Service) -> FailedName | None:
    """A short name in a pod whose search list has not the namespace of the Service: of dnsPolicy None alone."""
    config = pod.spec.dns_config
    searches = (config.searches if config is not None else None) or ()
    full = f"{service.name}.{service.namespace}.svc."
    if pod.spec.dns_policy != "None" or host.endswith(".") or f"{host}.".startswith(full):
        return None
    if any(f"{host}.{domain.rstrip('.')}.".startswith(full) for domain in searches):
        return None
    domain = f"{service.namespace}.svc.cluster.local" if "." not in host else "svc.cluster.local"
    has = f"with {listed(searches, 3)} only" if searches else "and no search list completes it"
    return FailedName(
        f"dnsPolicy None takes the name as dnsConfig has it, {has}",
        tuple(quote(pod, path, "") for path in ("spec.dnsPolicy",) if has_path(pod, path)),
        (
            Fix(
                f"Add {domain} to dnsConfig.searches of the pod, or use host name {full}cluster.local in the program's settings"
            ),
        ),
    )


def _policy_fix(policy: str, about: Ref, cluster: Cluster) -> Fix:
    summary = f"Set dnsPolicy: {policy} in the pod's spec"
    workload = cluster.maybe.get_ref(about) if about.kind not in ("Pod", "Job", "CronJob") else None
    if workload is None or template_of(workload) is None:
        return fix_by_hand(about, summary)
    path = (*template_path(workload).split("."), "dnsPolicy")
    return Fix(summary, command_line(put(about, path, policy), workload), Effect.DISRUPTS)


def _without_names_of_pods(service: Service) -> FailedName:
    return FailedName(
        f"{ref(service).title} is not headless (clusterIP {service.spec.cluster_ip}), so its pods have no names of their own",
        (quote(service, "spec.clusterIP", "not None"),),
        (Fix(f"Create a headless Service (clusterIP: None) for the pods, or use the name of {ref(service).title}"),),
    )


def _named_by_another(of_pod: str, service: Service, cluster: Cluster) -> FailedName | None:
    """What a server answers for such a name is not always that it does not exist."""
    rows = pods_selected_by(service, cluster.maybe) if service.spec.is_headless else ()
    named = (row for row in rows if of_pod in (row.name, row.spec.hostname) and not finished(row))
    return next((found for row in named if (found := _named_elsewhere(row, service, cluster)) is not None), None)


def _of_headless(pod: Pod, of_pod: str, service: Service, cluster: Cluster) -> FailedName | None:
    """Its name stands for the ready pods, the name of a pod for that pod once it is ready."""
    behind = [row for row in pods_selected_by(service, cluster.maybe) if not finished(row)]
    elsewhere = next((_named_elsewhere(row, service, cluster) for row in behind if row.name == of_pod), None)
    if elsewhere is not None:
        return elsewhere
    if service.spec.publish_not_ready_addresses or cluster.gaps:
        return _missing_peer(of_pod, service, behind, cluster)
    meant = [row for row in behind if not of_pod or of_pod in (row.name, row.spec.hostname)]
    if not meant:
        return _missing_peer(of_pod, service, behind, cluster)
    if any(ready(row) for row in meant):
        return None
    names = f"Pod {of_pod} is" if of_pod else "none of its pods is"
    clause = f"headless {ref(service).title} publishes ready pods only, and {names} not ready"
    if any(ref(row) == ref(pod) for row in behind) and any(_runs(row) for row in meant):
        line = command_line(put(ref(service), ("spec", "publishNotReadyAddresses"), True), service)
        return FailedName(
            f"{clause} (publishNotReadyAddresses: false)",
            (quote(service, "spec.clusterIP", "headless; publishNotReadyAddresses is not set"),),
            (Fix("Publish the pods before they are ready, so that they find each other", line, Effect.CHANGES),),
        )
    return FailedName(
        clause, (quote(service, "spec.clusterIP", "headless"),), blamed=(ref(service), *map(ref, meant[:1]))
    )


def _named_elsewhere(pod: Pod, service: Service, cluster: Cluster) -> FailedName | None:
    """A pod has a name under the Service that its `subdomain` names, of a StatefulSet's pod its `serviceName`, and under no
    other Service that selects it (`pkg/controller/endpointslice/utils.go` ShouldSetHostname)."""
    name = controller_of(pod)
    owner = cluster.maybe.get_ref(name) if name is not None and name.kind == "StatefulSet" else None
    governing = pod.spec.subdomain or (owner.spec.service_name if isinstance(owner, StatefulSet) else "")
    if governing == service.name or not (governing or isinstance(owner, StatefulSet)):
        return None
    if not isinstance(owner, StatefulSet):
        fix = Fix(
            f"Use host name {pod.spec.hostname or pod.name}.{governing}, or set subdomain: {service.name} in the pod's spec"
        )
        return FailedName(
            f"Pod {pod.name} has a name under Service {governing} only (subdomain)",
            (quote(pod, "spec.subdomain"),),
            (fix,),
        )
    is_named = has_path(owner, "spec.serviceName")
    stated = f"is {governing}" if governing else "is not set"
    right = cluster.maybe.get(Service, service.namespace, governing) if governing else None
    fix = Fix(f"Delete {ref(owner).title} with --cascade=orphan, and create it again with serviceName: {service.name}")
    if right is not None and right.spec.is_headless:
        fix = Fix(f"Use host name {pod.name}.{governing}.{pod.namespace}.svc in the program's settings")
    return FailedName(
        f"serviceName of {ref(owner).title} {stated}, so its pods have no names under {service.name}",
        (quote(owner, "spec.serviceName" if is_named else "metadata.name", "where its pods have their names"),),
        (fix,),
    )


def _runs(pod: Pod) -> bool:
    """One that is down has a reason of its own."""
    return any(row.state is not None and row.state.running is not None for row in pod.status.container_statuses or ())


def _missing_peer(of_pod: str, service: Service, behind: list[Pod], cluster: Cluster) -> FailedName | None:
    """A name of a pod that no pod has."""
    if not of_pod or any(of_pod in (row.name, row.spec.hostname) for row in behind):
        return None
    owners = [name for row in behind if (name := controller_of(row)) is not None and name.kind == "StatefulSet"]
    for owner in dict.fromkeys(owners):
        stateful_set = cluster.snapshot.get(owner)
        if isinstance(stateful_set, StatefulSet):
            return FailedName("; ".join(_of_stateful_set(of_pod, stateful_set, service)) or f"no Pod {of_pod} exists")
    there = listed(sorted(row.name for row in behind), 3)
    return FailedName(f"no pod of {ref(service).title} is named {of_pod}{f', only {there}' if there else ''}")


def _of_stateful_set(of_pod: str, stateful_set: StatefulSet, service: Service) -> Iterator[str]:
    spec = stateful_set.spec
    replicas = spec.replicas if spec.replicas is not None else 1
    name, _, number = of_pod.rpartition("-")
    if name != stateful_set.name or not number.isdigit():
        return
    if int(number) >= replicas:
        yield f"no Pod {of_pod} exists: {ref(stateful_set).title} has {counted(replicas, 'replica')}"
    elif (spec.pod_management_policy or "OrderedReady") == "OrderedReady":
        yield (
            f"Pod {of_pod} does not exist yet: {ref(stateful_set).title} creates each pod when the one before it is ready"
            " (podManagementPolicy OrderedReady)"
        )
