"""DestinationRules: hosts that exist, subsets with pods, servers that are verified."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubedoctor.cluster.grammar.selectors import selector_from_map
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.mesh.analysis.messages import Analyzer, AnalyzerMessage, message_about
from kubedoctor.replay.mesh.analysis.objects import AnalyzedObjects, full_name
from kubedoctor.replay.mesh.analysis.traffic.registry import HostRegistry
from kubedoctor.replay.mesh.config import DESTINATION_RULE, labels, number, part, rows, text, words

_TOPOLOGY: Final = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone", "topology.istio.io/subzone")
_HOST_NAME: Final = "kubernetes.io/hostname"


def analyze_subset_pods(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    registry = HostRegistry(objects)
    nodes = {node.name: node.labels for node in objects.nodes}
    pods = [pod_labels(pod, nodes.get(pod.spec.node_name or "", {})) for pod in objects.pods]
    for rule in objects.of(DESTINATION_RULE):
        host = text((rule.spec or {}).get("host"))
        known = registry.find(host, rule.namespace, words(rule.spec, "exportTo"))
        if known is None:
            yield message_about("IST0174", rule, host)
            continue
        subsets = {text(row.get("name")): labels(row, "labels") for _, row in rows(rule.spec, "subsets")}
        for name, wanted in subsets.items():
            selector = selector_from_map({**known.labels, **wanted})
            if not any(selector.matches(found) for found in pods):
                yield message_about("IST0173", rule, name)


def pod_labels(pod: Pod, node_labels: Mapping[str, str]) -> dict[str, str]:
    """The labels of a pod with those of its place, as istiod adds them (`pilot/pkg/serviceregistry/util/label`)."""
    added = {key: node_labels[key] for key in _TOPOLOGY if node_labels.get(key)}
    if pod.spec.node_name:
        added[_HOST_NAME] = pod.spec.node_name
    return {**pod.labels, **added}


def analyze_unverified_servers(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    for rule in objects.of(DESTINATION_RULE):
        host = text((rule.spec or {}).get("host"))
        policy = part(rule.spec, "trafficPolicy")
        is_narrow = (rule.spec or {}).get("workloadSelector") is not None
        if mode := _unverified(part(policy, "tls"), is_narrow=is_narrow):
            yield message_about("IST0128", rule, full_name(rule), rule.namespace, mode, host)
        for _, row in rows(policy, "portLevelSettings"):
            if mode := _unverified(part(row, "tls"), is_narrow=is_narrow):
                port = f"number:{number(part(row, 'port').get('number'))}"
                yield message_about("IST0129", rule, full_name(rule), rule.namespace, mode, host, port)


def _unverified(tls: Mapping[str, Any], *, is_narrow: bool) -> str:
    mode = text(tls.get("mode"))
    if mode not in ("SIMPLE", "MUTUAL") or tls.get("caCertificates") or (tls.get("credentialName") and is_narrow):
        return ""
    return mode


ANALYZERS: Final = (
    Analyzer("destinationrule.CaCertificateAnalyzer", analyze_unverified_servers),
    Analyzer("destinationrule.SubsetSelectPodAnalyzer", analyze_subset_pods),
)
