"""CoreDNS does not answer for Services by its Corefile.

## What it means
CoreDNS runs and loads its Corefile, but a plugin that stands before `kubernetes` answers every name itself: names of Services
get SERVFAIL, REFUSED or NXDOMAIN. The order of plugins is fixed; the order of lines in the Corefile does not matter.

## Why it happens
- `hosts` without `fallthrough`: it answers SERVFAIL to each name that it does not have.
- `template` or `acl` for too many names.
- The server block of the cluster's domain has no `kubernetes` plugin, another block has it.

## How to fix it
Add `fallthrough` to the block of the plugin, or limit it to the names that it is for. CoreDNS loads the change by itself.

## References
- https://coredns.io/plugins/hosts/
- https://coredns.io/plugins/kubernetes/
- https://kubernetes.io/docs/tasks/administer-cluster/dns-custom-nameservers/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kubedoctor.answers.resolve.lookup_setting import CONFIG, CorefileAnswer, answer_for_service
from kubedoctor.cluster import Cluster, ConfigMap, Pod, Service, finished, pods_selected_by
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
from kubedoctor.replay.dns.corefile import directives
from kubedoctor.replay.dns.corefile_refusal import COREFILE, corefile_of
from kubedoctor.replay.dns.service import is_cluster_dns

_REFUSING: Final = ("SERVFAIL", "REFUSED", "NXDOMAIN")


@diagnostic(
    code="KD2105",
    subject=Service,
    severity=Severity.CRITICAL,
    reads=(Service, Pod, ConfigMap),
    when=is_cluster_dns,
    explains=(Explains("configures", ("KD1003",)),),
    symptoms=("SERVFAIL", "server misbehaving", "Temporary failure in name resolution", "EAI_AGAIN"),
)
def corefile_shadows_services(service: Service, cluster: Cluster) -> Iterator[Finding]:
    if not service.spec.selector:
        return
    usual = cluster.maybe.get_ref(CONFIG)
    config = usual if isinstance(usual, ConfigMap) else _mounted(service, cluster)
    answer = answer_for_service(config, cluster) if config is not None else None
    if config is None or answer is None or answer.reply.rcode not in _REFUSING or answer.reply.by == "kubernetes":
        return  # plugin kubernetes answers itself: it may be limited to some namespaces or labels
    if config is usual and _mounted(service, cluster) is not config:
        return
    yield _finding(config, answer)


def _mounted(service: Service, cluster: Cluster) -> ConfigMap | None:
    """What the servers behind the Service load; their pods are asked only where the usual name does not tell enough."""
    servers = [pod for pod in pods_selected_by(service, cluster.maybe) if not finished(pod)]
    return corefile_of(servers[0], cluster) if servers else None


def _finding(config: ConfigMap, answer: CorefileAnswer) -> Finding:
    plugin = answer.reply.by
    lines = [number for number, name in directives((config.data or {}).get(COREFILE, "")) if name == plugin]
    path = f"data[{COREFILE}][line {lines[0]}]" if lines else f"data[{COREFILE}]"
    who = f"plugin {plugin} (line {lines[0]})" if lines else plugin
    falls = plugin == "hosts"
    why = ", and it has no fallthrough" if falls else ""
    fix = f"Add fallthrough to the {plugin} block" if falls else f"Limit {plugin} to the names that it is for"
    return Finding(
        about=ref(config),
        summary=f"names of Services get {answer.reply.rcode}: {who} answers them before kubernetes{why}",
        confidence=Confidence.CERTAIN,
        evidence=(quote(config, path, f"answers {answer.name} by replay of the Corefile"),),
        fixes=(Fix(fix, edit_command(ref(config))),),
        commands=(
            Command(
                kubectl("get", "configmap", config.name, "-o", "yaml", namespace=config.namespace), "the whole Corefile"
            ),
        ),
    )
