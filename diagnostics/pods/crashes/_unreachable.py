"""Other services that a program does not reach, by its log: what it names is looked up in the cluster."""

from __future__ import annotations

from diagnostics.pods.crashes._story import Story
from kubedoctor.cluster import Cluster, Namespace, NetworkPolicy, Pod, Service
from kubedoctor.cluster.grammar.nearest import misspellings
from kubedoctor.cluster.relations.policies import applies_to
from kubedoctor.cluster.relations.services import ready_endpoints
from kubedoctor.cluster.seen.wants import CannotSee
from kubedoctor.findings import Command, Fix, Ref, quote, ref
from kubedoctor.findings.commands import kubectl, look_at
from kubedoctor.replay.kubelet.hosts import is_address, is_local, service_named, service_with_address, split_address
from kubedoctor.replay.logs.log_lines import LogSign, Sign

CLUSTER_DNS = Ref("Service", "kube-system", "kube-dns")


def unresolved(pod: Pod, sign: LogSign, host: str, cluster: Cluster) -> Story:
    """A name that does not resolve; an empty one is not known."""
    # A server that says that there is no such name is up, and can be reached.
    blamed = () if sign.dns_answered else (*_dns_blamed(), *_egress_policies(pod, cluster))
    if not host:
        return Story("it cannot resolve a host name", because_of=blamed)
    namespaces = [one.name for one in cluster.maybe.all(Namespace)] if host.count(".") == 1 else []
    meant = service_named(host, pod.namespace, namespaces)
    if meant is None:
        return Story(f"it cannot resolve the host {host}", because_of=blamed)
    try:
        service = cluster.get(Service, meant.namespace, meant.name)
    except CannotSee:
        cluster.maybe.get(Service, meant.namespace, meant.name)
        return Story(f"it cannot resolve {host}", because_of=blamed)
    if service is not None:
        return Story(
            f"it cannot resolve {host}, although Service {meant.namespace}/{meant.name} exists",
            because_of=blamed,
            evidence=(quote(service, "metadata.name", "the Service exists: name resolution is what fails"),),
            commands=(look_at(CLUSTER_DNS, "is the cluster's DNS up"),),
        )
    text = f"it cannot resolve {host}: there is no Service {meant.name} in namespace {meant.namespace}"
    names = [one.name for one in cluster.maybe.all(Service, meant.namespace)]
    elsewhere = [one for one in cluster.maybe.all(Service) if one.name == meant.name]
    near = misspellings(meant.name, names, 1)
    missing = Ref("Service", meant.namespace, meant.name)
    commands = (Command(kubectl("get", "services", namespace=meant.namespace), "the Services that there are"),)
    because = (missing, *(_dns_blamed() if sign.dns_silent else ()))
    if near:
        right = host.replace(meant.name, near[0], 1)
        fix = Fix(f"Use the name {right} in the program's settings", "")
        return Story(f"{text}; did you mean {near[0]}?", because_of=because, fixes=(fix,), commands=commands)
    if elsewhere:
        other = elsewhere[0]
        fix = Fix(f"Use the name {other.name}.{other.namespace}.svc in the program's settings", "")
        where = f"{text}; there is one in namespace {other.namespace}"
        return Story(where, because_of=because, fixes=(fix,), commands=commands)
    return Story(text, because_of=because, commands=commands)


def _dns_blamed() -> tuple[Ref, ...]:
    return (CLUSTER_DNS, Ref("Deployment", "kube-system", "coredns"))


def _egress_policies(pod: Pod, cluster: Cluster) -> tuple[Ref, ...]:
    """The policies that isolate what the pod sends: one of them may keep it from the DNS server."""
    return tuple(
        ref(policy)
        for policy in cluster.maybe.all(NetworkPolicy, pod.namespace)
        if "Egress" in (policy.spec.policy_types or ()) and applies_to(policy, pod)
    )


def unreachable(pod: Pod, sign: LogSign, address: str, lines: tuple[str, ...], cluster: Cluster) -> Story:
    """A connection that does not come about; an empty address is not known."""
    how = "is refused" if sign.sign is Sign.REFUSED else "gets no answer"
    host, port = split_address(address)
    if host and is_local(host):
        return Story(f"its connection to {address}, inside its own pod, {how}")
    service = _service_of(pod, host, lines, cluster)
    blamed = _egress_policies(pod, cluster) if sign.sign is Sign.TIMED_OUT else ()
    if service is None:
        return Story(f"its connection to {address} {how}" if address else f"a connection {how}", because_of=blamed)
    name = ref(service)
    said = f"its connection to Service {name.namespace}/{name.name} ({address}) {how}"
    commands = (
        Command(kubectl("get", "endpointslices", "-l", f"kubernetes.io/service-name={name.name}", namespace=name.namespace),
                "who stands behind the Service"),
    )  # fmt: skip
    ready = len(ready_endpoints(service, cluster.maybe))
    if not cluster.gaps:
        said += f", which has {_counted(ready)}"
    path = "spec.selector" if service.spec.selector else "metadata.name"
    ports = {one.port for one in service.spec.ports or ()}
    if port and ports and port not in ports:
        said += f"; the Service has no port {port}, only {', '.join(map(str, sorted(ports)))}"
        path = "spec.ports"
    shows = "the Service that the program calls"
    return Story(said, because_of=(name, *blamed), evidence=(quote(service, path, shows),), commands=commands)


def _counted(ready: int) -> str:
    return f"{ready or 'no'} ready endpoint{'s' if ready > 1 else ''}"


def _service_of(pod: Pod, host: str, lines: tuple[str, ...], cluster: Cluster) -> Service | None:
    if not host:
        return None
    if is_address(host):
        return service_with_address(host, cluster.maybe.all(Service))
    namespaces = [one.name for one in cluster.maybe.all(Namespace)] if host.count(".") == 1 else []
    meant = service_named(host, pod.namespace, namespaces)
    return cluster.maybe.get(Service, meant.namespace, meant.name) if meant else None
