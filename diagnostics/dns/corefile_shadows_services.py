"""CoreDNS does not answer for Services by its Corefile.

## What it means
CoreDNS runs and loads its Corefile, but a plugin that stands before `kubernetes` answers every name itself: names of Services
get SERVFAIL, REFUSED, NXDOMAIN, an empty answer or none. The order of plugins is fixed; the order of lines in the Corefile does not matter.

## Why it happens
- `hosts` without `fallthrough`: it answers SERVFAIL to each name that it does not have.
- `template` for too many names.
- `acl` allows some networks and blocks the rest, and the pods' network is not among them.
- The server block of the cluster's domain has no `kubernetes` plugin, another block has it.

## How to fix it
Add `fallthrough` to the block of the plugin, or limit it to the names that it is for. Let `acl` allow the network of the
pods before it blocks the rest. CoreDNS loads the change by itself.

## References
- https://coredns.io/plugins/hosts/
- https://coredns.io/plugins/acl/
- https://coredns.io/plugins/kubernetes/
- https://kubernetes.io/docs/tasks/administer-cluster/dns-custom-nameservers/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from kubedoctor.answers.resolve.lookup_setting import (
    CONFIG,
    CorefileAnswer,
    answer_for_service,
    client_address,
)
from kubedoctor.cluster import Cluster, ConfigMap, Namespace, Pod, Service, counted, finished, pods_selected_by
from kubedoctor.findings import (
    Command,
    Confidence,
    Explains,
    Finding,
    Fix,
    Severity,
    diagnostic,
    edit_command,
    kubectl,
    quote,
    ref,
)
from kubedoctor.replay.dns.coredns.access import ACL
from kubedoctor.replay.dns.coredns.records import DROPPED, NOERROR, UNKNOWN
from kubedoctor.replay.dns.corefile import directives
from kubedoctor.replay.dns.corefile_refusal import COREFILE, corefile_of
from kubedoctor.replay.dns.servers import resolvers, uses_cluster_dns
from kubedoctor.replay.dns.service import is_cluster_dns

_REFUSING: Final = ("SERVFAIL", "REFUSED", "NXDOMAIN", DROPPED)


@diagnostic(
    code="KD2105",
    subject=Service,
    severity=Severity.CRITICAL,
    reads=(Service, Pod, ConfigMap, Namespace),
    when=is_cluster_dns,
    explains=(Explains("configures", ("KD1003",)),),
    symptoms=("SERVFAIL", "server misbehaving", "Temporary failure in name resolution", "EAI_AGAIN"),
)
def corefile_shadows_services(service: Service, cluster: Cluster) -> Iterator[Finding]:
    if not service.spec.selector:
        return
    usual = cluster.maybe.get_ref(CONFIG)
    config = usual if isinstance(usual, ConfigMap) else _mounted(service, cluster)
    if config is None:
        return
    answer = answer_for_service(config, cluster)
    by_client = answer is not None and answer.reply.rcode == UNKNOWN and answer.reply.by.startswith(ACL)
    if not by_client and not _shadowed(answer):
        return
    if config is usual and _mounted(service, cluster) is not config:
        return
    if by_client:
        yield from _of_clients(config, cluster)
    elif answer is not None:
        yield _finding(config, answer)


def _shadowed(answer: CorefileAnswer | None) -> bool:
    """Plugin kubernetes answers itself where it is limited to some namespaces or labels."""
    if answer is None or answer.reply.by == "kubernetes":
        return False
    return answer.reply.rcode in _REFUSING or (answer.reply.rcode == NOERROR and not answer.reply.answers)


def _mounted(service: Service, cluster: Cluster) -> ConfigMap | None:
    """What the servers behind the Service load; their pods are asked only where the usual name does not tell enough."""
    servers = [pod for pod in pods_selected_by(service, cluster.maybe) if not finished(pod)]
    return corefile_of(servers[0], cluster) if servers else None


def _of_clients(config: ConfigMap, cluster: Cluster) -> Iterator[Finding]:
    """An access list that lets some addresses ask: all pods that ask the cluster's DNS themselves are tried;
    where none does, the pods that are there stand for their network."""
    dns = resolvers(cluster.maybe)
    pods = [pod for pod in cluster.maybe.all(Pod) if not finished(pod) and client_address(pod, dns)]
    addressed = [pod for pod in pods if uses_cluster_dns(pod)] or pods
    answers = [(pod, answer_for_service(config, cluster, client_address(pod, dns))) for pod in addressed]
    refused = [(pod, answer) for pod, answer in answers if answer is not None and _shadowed(answer)]
    if refused:
        yield _finding(config, refused[0][1], [pod for pod, _ in refused], len(addressed))


def _finding(config: ConfigMap, answer: CorefileAnswer, refused: Sequence[Pod] = (), asking: int = 0) -> Finding:
    plugin = answer.reply.by
    lines = [number for number, name in directives((config.data or {}).get(COREFILE, "")) if name == plugin]
    path = f"data[{COREFILE}][line {lines[0]}]" if lines else f"data[{COREFILE}]"
    who = f"plugin {plugin} (line {lines[0]})" if lines else plugin
    falls = plugin == "hosts"
    why = ", and it has no fallthrough" if falls else ""
    fix = f"Add fallthrough to the {plugin} block" if falls else f"Limit {plugin} to the names that it is for"
    if refused:
        fix = f"Allow the network of the pods in {plugin}: {ref(refused[0]).title} has {refused[0].status.pod_ip}"
    some = len(refused) < asking
    whose = f" for {len(refused)} of {counted(asking, 'pod')}" if some else ""
    return Finding(
        about=ref(config),
        summary=f"names of Services get {_said(answer)}{whose}: {who} answers them before kubernetes{why}",
        confidence=Confidence.POSSIBLE if some else Confidence.CERTAIN,
        would_disprove="the list may be meant to keep these pods from the DNS" if some else "",
        evidence=(quote(config, path, f"answers {answer.name} by replay of the Corefile"),),
        affects=tuple(map(ref, refused)) if some else (),
        fixes=(Fix(fix, edit_command(ref(config))),),
        commands=(
            Command(
                kubectl("get", "configmap", config.name, "-o", "yaml", namespace=config.namespace), "the whole Corefile"
            ),
        ),
    )


def _said(answer: CorefileAnswer) -> str:
    return "an empty answer" if answer.reply.rcode == NOERROR else answer.reply.rcode
