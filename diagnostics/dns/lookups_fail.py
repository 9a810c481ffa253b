"""Cluster DNS does not answer lookups of a program.

## What it means
The DNS servers of the cluster run and are ready, but a lookup of a program got no answer or an error (SERVFAIL), and the
server's own log says why.

CoreDNS answers names of Services from the API server, and forwards all others to its upstream: the resolvers of the node
(`/etc/resolv.conf`) or the servers that `forward` in its Corefile names.

## Why it happens
- The upstream is down, or a firewall blocks UDP or TCP port 53 between the nodes and the upstream.
- The nodes' `/etc/resolv.conf` names a server that no longer exists.
- CoreDNS may not list what it answers from: its ClusterRole is older than CoreDNS itself (EndpointSlices).
- CoreDNS cannot reach the API server.
- More lookups are under way than `max_concurrent` allows: often each external name is asked for five times (`ndots`).

## How to fix it
1. Look up the name on the node: `nslookup NAME UPSTREAM`. No answer: repair the way to the upstream.
2. Forward to a resolver that answers: change `forward` in the ConfigMap `coredns`; CoreDNS reloads it by itself.
3. Programs that crashed because of DNS restart by themselves.

## References
- https://kubernetes.io/docs/tasks/administer-cluster/dns-debugging-resolution/
- https://coredns.io/plugins/forward/
- https://coredns.io/plugins/errors/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.dns._logs import is_at_hand, logs_of_failures
from diagnostics.dns._server import StatedFault, in_words, looks, quoted, repairs, stated_fault
from kubedoctor.cluster import (
    Cluster,
    ConfigMap,
    Container,
    Event,
    Evidence,
    LogWant,
    Namespace,
    Pod,
    Service,
    troubled,
)
from kubedoctor.findings import (
    Confidence,
    Explains,
    Finding,
    Fix,
    Severity,
    diagnostic,
    has_path,
    newest_event,
    quote,
    quote_line,
    ref,
)
from kubedoctor.replay.dns.clients.resolv_conf import KubeletDns, resolv_conf_of
from kubedoctor.replay.dns.server_log import OF_THE_API, ServerTrouble
from kubedoctor.replay.dns.servers import answering_pods, dns_service, uses_cluster_dns
from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.reading import read_log
from kubedoctor.replay.services.hosts import is_address, service_named, split_address

_OF_EVERY_NAME = frozenset({*OF_THE_API, ServerTrouble.LOOP, ServerTrouble.OVERLOADED})
_OF_LOOKUPS = (LogFault.NAME_NOT_RESOLVED, LogFault.CONNECTION_TIMEOUT)
"""HTTP clients count the lookup to the time that a request may take, and some do not tell that it was what took it."""


@diagnostic(
    code="KD2102",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(Pod, Service, Namespace, ConfigMap, Event),
    when=troubled,
    explains=(Explains("affects", ("KD1003", "KD1012", "KD1013", "KD1014", "KD1016", "KD1029")),),
    symptoms=("SERVFAIL", "server misbehaving", "Temporary failure in name resolution", "EAI_AGAIN", "i/o timeout"),
)
def lookups_fail(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    if not uses_cluster_dns(pod):
        return
    for tail in logs_of_failures(pod, cluster):
        cause = read_log(tail.lines)
        if cause is None or cause.fault not in _OF_LOOKUPS or cause.dns_answered:
            continue
        host = split_address(cause.subject)[0]
        timed_out = cause.fault is LogFault.CONNECTION_TIMEOUT
        if timed_out and (not host or is_address(host) or not _is_read_anyway(pod, cluster)):
            continue
        stated = _of_a_server(pod, "" if is_address(host) else host, cluster)
        if stated is not None and (stated.fault.names_host or not timed_out):
            lookup = "a request that timed out" if timed_out else "a lookup that failed"
            yield _finding(pod, quote_line(tail, cause.index, lookup), host, stated, cluster)
            return
    yield from _by_its_probe(pod, cluster)


def _is_read_anyway(pod: Pod, cluster: Cluster) -> bool:
    """Whether a recording has the log of a DNS server: for a request that timed out it is no gap that it has none."""
    if not cluster.snapshot.closed:
        return True
    wants = [
        LogWant(server.namespace, server.name, container.name, previous=False)
        for server in answering_pods(pod, cluster)
        for container in server.spec.containers
    ]
    return any(is_at_hand(want, cluster) for want in wants)


def _by_its_probe(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    """What the command of a probe answers may name the lookup that failed."""
    if not any(map(_is_probed_by_a_command, pod.spec.containers)):
        return
    event = newest_event(pod, cluster, "Unhealthy")
    cause = read_log((event.message,)) if event is not None and has_path(event, "message") else None
    if event is None or cause is None or cause.fault is not LogFault.NAME_NOT_RESOLVED or cause.dns_answered:
        return
    host = split_address(cause.subject)[0]
    stated = _of_a_server(pod, "" if is_address(host) else host, cluster)
    if stated is not None:
        yield _finding(pod, quote(event, "message", "a lookup of its probe that failed"), host, stated, cluster)


def _is_probed_by_a_command(container: Container) -> bool:
    probes = (container.readiness_probe, container.liveness_probe, container.startup_probe)
    return any(probe is not None and probe.exec is not None for probe in probes)


def _of_a_server(pod: Pod, host: str, cluster: Cluster) -> StatedFault | None:
    """What a server that the pod may have asked says, about the name or about all names of its kind."""
    spaces = [space.name for space in cluster.maybe.all(Namespace)] if host.count(".") == 1 else []
    meant = service_named(host, pod.namespace, spaces) if host else None
    if meant is not None and cluster.maybe.get(Service, meant.namespace, meant.name) is None:
        return None  # No server can resolve it.
    for server in answering_pods(pod, cluster):
        stated = stated_fault(server, cluster, host)
        if stated is not None and (stated.fault.names_host or meant is None or stated.fault.trouble in _OF_EVERY_NAME):
            return stated
    return None


def _finding(pod: Pod, lookup: Evidence, host: str, stated: StatedFault, cluster: Cluster) -> Finding:
    service = dns_service(cluster.maybe)
    names_host, upstream = stated.fault.names_host, stated.fault.upstream
    return Finding(
        about=ref(service) if service is not None else ref(stated.server),
        aspect=f"{stated.fault.trouble.name.lower()}-{upstream or stated.fault.zone}",
        summary=f"{in_words(stated)}: {host or 'a name'} does not resolve",
        confidence=Confidence.CERTAIN if names_host else Confidence.LIKELY,
        evidence=(
            *quoted(stated, cluster),
            lookup,
        ),
        affects=(ref(pod),),
        fixes=(*repairs(stated, cluster), *_fewer_queries(pod, host, stated, cluster)),
        commands=looks(stated),
    )


def _fewer_queries(pod: Pod, host: str, stated: StatedFault, cluster: Cluster) -> Iterator[Fix]:
    """Where the server has too many lookups: those that the search list adds to each lookup of the host."""
    conf = resolv_conf_of(pod, KubeletDns(servers=("the DNS of the cluster",)))
    ndots = conf.option("ndots") or "1"
    if stated.fault.trouble is not ServerTrouble.OVERLOADED or "." not in host or host.endswith("."):
        return
    if _needs_the_search_list(host, pod, cluster):
        return
    if ndots.isdigit() and host.count(".") < int(ndots) and conf.searches:
        yield Fix(
            f"Or write {host}. with a final dot, or set ndots to {host.count('.')} in dnsConfig of the pod: with ndots {ndots}"
            f" each lookup tries {len(conf.searches)} other names first"
        )


def _needs_the_search_list(host: str, pod: Pod, cluster: Cluster) -> bool:
    """Whether it is a short name of a Service, or of a pod of a Service: with a final dot it does not resolve."""
    parts = host.split(".")
    if "svc" in parts[1:]:
        return parts[-1] == "svc"
    spaces = [space.name for space in cluster.maybe.all(Namespace)]
    services = ((parts[-1], parts[-2]), (pod.namespace, parts[-1]))
    return parts[-1] in spaces or any(cluster.maybe.get(Service, space, name) is not None for space, name in services)
