"""Services that a program cannot reach according to its log, looked up in the cluster."""

from __future__ import annotations

import msgspec

from diagnostics.pods.crashes._story import Story
from diagnostics.pods.crashes.programs._host_alias import aliased
from diagnostics.pods.crashes.programs._own_port import listens_on_loopback
from diagnostics.pods.crashes.programs._past_service import past_a_service
from kubedoctor.answers.reach.attempts import refused_targets
from kubedoctor.answers.reach.connections import AdminDenial, ConnectionTarget, Denial, denial, targets
from kubedoctor.answers.reach.meant_server import meant_server
from kubedoctor.answers.reach.plugin_denials import may_deny
from kubedoctor.answers.resolve.failed_name import asks_elsewhere, why_not_resolved
from kubedoctor.cluster import (
    CannotSee,
    Cluster,
    Namespace,
    NetworkPolicy,
    Pod,
    Service,
    applies_to,
    counted,
    listed,
    misspellings,
    ready_endpoints,
)
from kubedoctor.findings import Command, Evidence, Fix, Ref, at_fault, has_path, kubectl, look_at, quote, ref
from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.reading import LogCause
from kubedoctor.replay.network.plugin_policies import selector_path
from kubedoctor.replay.network.seen import admin_policies
from kubedoctor.replay.services.hosts import (
    ServiceName,
    is_address,
    is_local,
    no_longer_a_service,
    service_named,
    service_with_address,
    split_address,
)
from kubedoctor.replay.services.settings import NamedServer

MOST_NAMES = 3
_SHORTEST = 3
"""Letters of an abbreviated namespace."""
_DNS_PORT = 53
_NO_WAY = {
    "no route to host": "no route to host",
    "ehostunreach": "no route to host",
    "host is unreachable": "no route to host",
    "enetunreach": "network is unreachable",
    "network is unreachable": "network is unreachable",
}
"""What a machine or a firewall on the way answers at once."""
CLUSTER_DNS = Ref("Service", "kube-system", "kube-dns")


def unresolved(pod: Pod, container: str, cause: LogCause, host: str, cluster: Cluster) -> Story:
    """A host name that does not resolve. Where the log names none, that of the container's settings which fits."""
    server = meant_server(pod, container, cause.fault, cluster) if not host else None
    if server is None:
        return _unresolved(pod, cause, host, cluster)
    return _by_a_setting(_unresolved(pod, cause, server.host, cluster), server, "host")


def _by_a_setting(story: Story, server: NamedServer, what: str) -> Story:
    text = f"{story.text} (the log names no {what}, {server.setting} names this one)"
    told = quote(server.obj, server.path, "the server that it connects to")
    return msgspec.structs.replace(story, text=text, evidence=(told, *story.evidence))


def _unresolved(pod: Pod, cause: LogCause, host: str, cluster: Cluster) -> Story:
    """An empty host is not known."""
    # A DNS server that answers "no such host" is up and reachable.
    blamed = () if cause.dns_answered else (*_dns_blamed(), *_egress_policies(pod, cluster))
    if not host:
        return Story("cannot resolve a host name", because_of=blamed)
    meant = _meant(host, pod, cluster)
    if meant is None:
        hint, fixes = _other_namespace(host, cluster)
        return Story(f"cannot resolve host {host}{hint}", because_of=blamed, fixes=fixes)
    try:
        service = cluster.get(Service, meant.namespace, meant.name)
    except CannotSee:
        cluster.maybe.get(Service, meant.namespace, meant.name)
        return Story(f"cannot resolve host {host}", because_of=blamed)
    if service is not None:
        if service.spec.type == "ExternalName":
            alias = f"cannot resolve {host}: Service {meant.namespace}/{meant.name} is an alias of {service.spec.external_name}"
            stands_for = quote(service, "spec.externalName", "the name that is looked up instead")
            return Story(alias, because_of=(ref(service), *blamed), evidence=(stands_for,))
        about = at_fault(pod, cluster)
        found = why_not_resolved(pod, host, service, about, cluster, answered=cause.dns_answered)
        if found is not None:
            of_service = (quote(service, "metadata.name", "the Service exists"),)
            because = found.blamed or tuple(name for name in blamed if not cause.dns_answered and not found.fixes)
            return Story(
                f"cannot resolve {host}: {found.why}", None, because, (*of_service, *found.evidence), found.fixes
            )
        maybe, told = _by_a_plugin(pod, _dns(pod, cluster), cluster) if not cause.dns_answered else ("", ())
        return Story(
            f"cannot resolve {host}, although Service {meant.namespace}/{meant.name} exists{maybe}",
            because_of=blamed,
            evidence=(quote(service, "metadata.name", "the Service exists: DNS resolution fails"), *told),
            commands=(look_at(CLUSTER_DNS, "whether cluster DNS is up"),),
        )
    text = f"cannot resolve {host}: no Service {meant.name} in namespace {meant.namespace}"
    names = [service.name for service in cluster.maybe.all(Service, meant.namespace)]
    elsewhere = [service for service in cluster.maybe.all(Service) if service.name == meant.name]
    near = misspellings(meant.name, names, 1)
    missing = Ref("Service", meant.namespace, meant.name)
    commands = (Command(kubectl("get", "services", namespace=meant.namespace), "the Services in the namespace"),)
    because = (missing, *(blamed if cause.dns_silent else ()))
    if near:
        right = host.replace(meant.name, near[0], 1)
        fix = Fix(f"Use host name {right} in the program's settings")
        return Story(f"{text}; did you mean {near[0]}?", because_of=because, fixes=(fix,), commands=commands)
    if elsewhere:
        other = elsewhere[0]
        fix = Fix(f"Use host name {other.name}.{other.namespace}.svc in the program's settings")
        where = f"{text}; Service {other.namespace}/{other.name} exists"
        return Story(where, because_of=because, fixes=(fix,), commands=commands)
    longer = [name for name in sorted(names) if f"-{meant.name}-" in f"-{name}-"]
    if longer:
        text += f"; did you mean {longer[0]}?" if len(longer) == 1 else f"; there are {listed(longer, MOST_NAMES)}"
    of_pod = f"{host}.".partition(f".{meant.name}.{meant.namespace}.")[2] != ""
    headless = "headless " if of_pod else ""
    fix = Fix(f"Create the {headless}Service {meant.name}, or correct host name {host} in the program's settings")
    return Story(text, because_of=because, fixes=(fix,), commands=commands)


def _other_namespace(host: str, cluster: Cluster) -> tuple[str, tuple[Fix, ...]]:
    """Of `service.namespace` where there is no such namespace, but one of a similar or a longer name (`prod`, `production`) has
    the Service."""
    name, _, space = host.rstrip(".").partition(".")
    if not space or "." in space:
        return "", ()
    having = sorted({row.namespace for row in cluster.maybe.all(Service) if row.name == name})
    longer = [
        row for row in having if len(space) >= _SHORTEST and (row.startswith(space) or f"-{space}-" in f"-{row}-")
    ]
    near = misspellings(space, having, 1) or tuple(longer if len(longer) == 1 else ())
    if not near:
        return "", ()
    right = f"{name}.{near[0]}"
    return f": no Namespace {space}; did you mean {right}?", (Fix(f"Use host name {right} in the program's settings"),)


def _dns(pod: Pod, cluster: Cluster) -> tuple[ConnectionTarget, ...]:
    """Where lookups of the pod end: the pods of the cluster's DNS."""
    return targets(pod, f"{CLUSTER_DNS.name}.{CLUSTER_DNS.namespace}.svc", _DNS_PORT, cluster, "UDP")


def _dns_blamed() -> tuple[Ref, ...]:
    return (CLUSTER_DNS, Ref("Deployment", "kube-system", "coredns"), Ref("ConfigMap", "kube-system", "coredns"))


def _egress_policies(pod: Pod, cluster: Cluster) -> tuple[Ref, ...]:
    """The NetworkPolicies for egress of the pod, and policies of administrators: they may block the DNS server."""
    own = tuple(
        ref(policy)
        for policy in cluster.maybe.all(NetworkPolicy, pod.namespace)
        if "Egress" in (policy.spec.policy_types or ()) and applies_to(policy, pod)
    )
    return (*own, *map(ref, admin_policies(cluster)))


def unreachable(pod: Pod, container: str, cause: LogCause, address: str, cluster: Cluster) -> Story:
    """A connection that fails. Where the log names no address, that of the container's settings which fits."""
    server = meant_server(pod, container, cause.fault, cluster) if not address else None
    if server is None:
        return _story(pod, cause, address, cluster)
    address = f"{server.host}:{server.port}" if server.port else server.host
    return _by_a_setting(_story(pod, cause, address, cluster), server, "address")


def _story(pod: Pod, cause: LogCause, address: str, cluster: Cluster) -> Story:
    """An empty address is not known."""
    host, port = split_address(address)
    if host and is_local(host):
        return Story(_failed(cause, f"{address} in its own pod"))
    if (story := aliased(pod, host, _failed(cause, address), cluster)) is not None:
        return story
    service = _service_of(pod, host, cluster)
    denied = _denied(pod, cause, host, port, cluster)
    blamed = (ref(denied.policy),) if denied is not None else ()
    blocked = f"; {ref(denied.policy).title} blocks it" if denied is not None else ""
    evidence: tuple[Evidence, ...] = ()
    if denied is None and cause.fault is LogFault.CONNECTION_TIMEOUT:
        blocked, evidence = _by_a_plugin(pod, targets(pod, host, port, cluster), cluster)
    if service is None:
        story = past_a_service(pod, host, port, cluster) if denied is None else None
        if story is not None:
            return msgspec.structs.replace(story, text=_failed(cause, story.text))
        gone = is_address(host) and no_longer_a_service(host, cluster.maybe.all(Service))
        dead = "; no Service has this cluster address: it was deleted or recreated" if gone else ""
        return Story(f"{_failed(cause, address)}{dead}{blocked}", because_of=blamed, evidence=evidence)
    elsewhere = asks_elsewhere(pod, at_fault(pod, cluster), cluster) if not is_address(host) else None
    if elsewhere is not None and cause.fault is LogFault.CONNECTION_TIMEOUT:
        # An HTTP client of Go counts the lookup to the time that a request may take, and does not tell of it.
        text = f"{_failed(cause, host)}; {elsewhere.why}"
        return Story(text, evidence=elsewhere.evidence, fixes=elsewhere.fixes)
    name = ref(service)
    target = f"Service {name.namespace}/{name.name}{f':{port}' if port else ''}"
    commands = (
        Command(
            kubectl("get", "endpointslices", "-l", f"kubernetes.io/service-name={name.name}", namespace=name.namespace),
            "the endpoints of the Service",
        ),
    )
    ready = len(ready_endpoints(service, cluster.maybe))
    if not cluster.gaps:
        endpoints = counted(ready, "ready endpoint") if ready else "no ready endpoints"
        target += f", which has {endpoints}{'' if cause.fault is LogFault.CONNECTION_REFUSED else ','}"
    text = f"{_failed(cause, target)}{blocked}"
    path = "spec.selector" if service.spec.selector else "metadata.name"
    entries = service.spec.ports or ()
    ports = sorted({entry.port for entry in entries})
    fixes: tuple[Fix, ...] = ()
    over = {entry.protocol or "TCP" for entry in entries if entry.port == port}
    if over and "TCP" not in over:
        text += f"; port {port} of the Service is {listed(sorted(over), 2)} only: it takes no TCP connections"
        path = "spec.ports"
        fixes = (Fix(f"Set protocol: TCP for port {port} of the Service, or connect over {listed(sorted(over), 2)}"),)
    if port and ports and port not in ports:
        text += f"; the Service has no port {port}, only {', '.join(map(str, ports))}"
        path = "spec.ports"
        one_of = f"port {ports[0]}" if len(ports) == 1 else "one of these ports"
        fixes = (Fix(f"Use {one_of} in the program's settings, or add port {port} to the Service"),)
    if cause.fault is LogFault.CONNECTION_REFUSED and ready and not fixes:
        closed = listens_on_loopback(pod, host, port, cluster)
        if closed is not None:
            text, evidence, fixes = f"{text}; {closed.text}", (*evidence, *closed.evidence), closed.fixes
    evidence = (quote(service, path, "the Service that the program calls"), *evidence)
    return Story(text, because_of=(name, *blamed), evidence=evidence, fixes=fixes, commands=commands)


def _by_a_plugin(pod: Pod, reached: tuple[ConnectionTarget, ...], cluster: Cluster) -> tuple[str, tuple[Evidence, ...]]:
    """A policy of the network plug-in itself that isolates one end, with no rule that plainly admits the other."""
    policy = may_deny(pod, reached, cluster)
    if policy is None:
        return "", ()
    path = selector_path(policy)
    told = (quote(policy, path if path and has_path(policy, path) else "metadata.name", "whom the policy isolates"),)
    return f"; {ref(policy).title} may block it (its rules are not replayed)", told


def _denied(pod: Pod, cause: LogCause, host: str, port: int, cluster: Cluster) -> Denial | AdminDenial | None:
    if cause.fault is LogFault.CONNECTION_TIMEOUT:
        return denial(pod, targets(pod, host, port, cluster), cluster)
    if cause.fault is LogFault.CONNECTION_REFUSED:
        return denial(pod, refused_targets(pod, cause, cluster), cluster)
    return None


def _failed(cause: LogCause, target: str) -> str:
    if cause.fault is LogFault.CONNECTION_REFUSED:
        return f"connection refused by {target}" if target else "a connection was refused"
    if cause.pattern in _NO_WAY:
        return (
            f"connection to {target} fails: {_NO_WAY[cause.pattern]}"
            if target
            else f"a connection fails: {_NO_WAY[cause.pattern]}"
        )
    broke = "was reset" if cause.fault is LogFault.CONNECTION_RESET else "timed out"
    return f"connection to {target} {broke}" if target else f"a connection {broke}"


def _meant(host: str, pod: Pod, cluster: Cluster) -> ServiceName | None:
    """The Service that a host name refers to; the namespaces are needed only where one may be named."""
    namespaces = [namespace.name for namespace in cluster.maybe.all(Namespace)] if host.count(".") == 1 else []
    return service_named(host, pod.namespace, namespaces) or _of_one_pod(host, pod, cluster)


def _of_one_pod(host: str, pod: Pod, cluster: Cluster) -> ServiceName | None:
    """The headless Service of `db-0.db`, which the search list of a pod completes."""
    first, _, name = host.rstrip(".").partition(".")
    if not first.rpartition("-")[2].isdigit() or not name or "." in name:
        return None
    service = cluster.maybe.get(Service, pod.namespace, name)
    return ServiceName(name, pod.namespace) if service is not None and service.spec.is_headless else None


def _service_of(pod: Pod, host: str, cluster: Cluster) -> Service | None:
    if not host:
        return None
    if is_address(host):
        return service_with_address(host, cluster.maybe.all(Service))
    meant = _meant(host, pod, cluster)
    return cluster.maybe.get(Service, meant.namespace, meant.name) if meant else None
