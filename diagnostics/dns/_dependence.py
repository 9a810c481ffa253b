"""How certain it is that pods send their DNS queries to a Service, in words."""

from __future__ import annotations

import re

from kubedoctor.cluster import ConfigMap, KubernetesObject, Ref, Service
from kubedoctor.findings import Command, Confidence, Evidence, Finding, Severity, has_path, kubectl, quote, ref
from kubedoctor.replay.dns.dependence import Dependence, DnsUse, cluster_addresses

CLOUD_DNS = "169.254.169.254"
_WORD = re.compile(r"[\w.:]+")


def certainty(service: Service, found: Dependence) -> tuple[Confidence, tuple[Evidence, ...], str]:
    """The confidence, the evidence for it, and what would disprove it."""
    if found.use is DnsUse.HERE and found.configuration is not None:
        return (
            Confidence.CERTAIN,
            (
                quote(
                    found.configuration, _naming(service, found.configuration), "clusterDNS: the DNS server of the pods"
                ),
            ),
            "",
        )
    address = service.spec.cluster_ip
    target = f"neither {address} nor a DNS cache on the node" if address not in ("", "None") else "another server"
    return (
        Confidence.LIKELY,
        (),
        f"the nameserver in /etc/resolv.conf of a pod is {target}: then pods do not use this Service",
    )


def _naming(service: Service, configuration: ConfigMap) -> str:
    """The line of the kubelet configuration with the address of the Service; the whole configuration where no line has it."""
    own = cluster_addresses(service)
    lines = (configuration.data or {}).get("kubelet", "").splitlines()
    number = next((number for number, line in enumerate(lines, 1) if own & set(_WORD.findall(line))), 0)
    return f"data[kubelet][line {number}]" if number else "data[kubelet]"


def asked_elsewhere(service: Service, workload: KubernetesObject | None, found: Dependence) -> Finding:
    """This Service has no DNS servers by intent, and another server may answer instead."""
    about = workload if workload is not None else service
    evidence = [
        quote(workload, "spec.replicas", "no DNS server runs")
        if workload is not None
        else quote(service, "spec.selector", "no workload creates pods with these labels")
    ]
    state = f"{ref(workload).name} is scaled to 0" if workload is not None else "the Service has no DNS servers"
    if found.gke is not None:
        evidence.append(quote(found.gke, "status.nodeInfo.kubeletVersion", "GKE node: Cloud DNS may answer instead"))
        return Finding(
            about=ref(about),
            severity=Severity.NOTICE,
            summary=f"{state}: expected with Cloud DNS, otherwise no name resolves",
            confidence=Confidence.POSSIBLE,
            evidence=tuple(evidence),
            would_disprove=f"the nameserver in /etc/resolv.conf of a pod is {CLOUD_DNS}: then Cloud DNS answers",
            commands=_look(ref(found.gke)),
        )
    if found.rival is not None and has_path(found.rival, "spec.clusterIP"):
        evidence.append(quote(found.rival, "spec.clusterIP", "this Service has ready DNS servers"))
    rival = ref(found.rival).title if found.rival is not None else "another Service"
    return Finding(
        about=ref(about),
        severity=Severity.WARNING,
        summary=f"{state}: no name resolves for pods that query {service.spec.cluster_ip}; {rival} has DNS servers",
        confidence=Confidence.POSSIBLE,
        evidence=tuple(evidence),
        would_disprove=f"the nameserver in /etc/resolv.conf of a pod is the address of {rival}",
    )


def _look(node: Ref) -> tuple[Command, ...]:
    line = kubectl("get", "--raw", f"/api/v1/nodes/{node.name}/proxy/configz")
    return (Command(line, "clusterDNS: the DNS server that the kubelet sets in pods"),)
