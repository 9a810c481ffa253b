"""What is attached to workloads by labels: Sidecars, Telemetry and policies that select no pod, the same pod, or a pod that they cannot change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from kubedoctor.cluster.grammar.selectors import selector_from_map
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.mesh.analysis.messages import Analyzer, AnalyzerMessage, message_about
from kubedoctor.replay.mesh.analysis.objects import AnalyzedObjects, is_ambient, is_ambient_namespace, listed
from kubedoctor.replay.mesh.analysis.policies.authorization import REQUEST_AUTHENTICATION
from kubedoctor.replay.mesh.config import AUTHORIZATION_POLICY, SIDECAR, labels, part, rows, text

TELEMETRY: Final = "Telemetry.telemetry.istio.io"
WASM_PLUGIN: Final = "WasmPlugin.extensions.istio.io"
_GATEWAY_NAME: Final = "gateway.networking.k8s.io/gateway-name"
_AMBIENT_WORKLOAD: Final = "selected workload is in ambient mode, the policy has no impact"  # upstream's words
_AMBIENT_NAMESPACE: Final = "namespace is in ambient mode, the policy has no impact"  # upstream's words


def analyze_sidecars(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    by_pod: dict[tuple[str, str], list[CustomResource]] = {}
    by_namespace: dict[str, list[CustomResource]] = {}
    ambient_pods = {(pod.namespace, pod.name) for pod in objects.pods if is_ambient(pod)}
    for sidecar in objects.of(SIDECAR):
        wanted = labels(sidecar.spec, "workloadSelector", "labels")
        if not wanted:
            by_namespace.setdefault(sidecar.namespace, []).append(sidecar)
            continue
        pods = _selected(sidecar, wanted, objects.pods)
        if not pods:
            yield message_about("IST0101", sidecar, "selector", selector_from_map(wanted).text)
        for pod in pods:
            by_pod.setdefault((pod.namespace, pod.name), []).append(sidecar)
        if any((pod.namespace, pod.name) in ambient_pods for pod in pods):
            yield message_about("IST0167", sidecar, _AMBIENT_WORKLOAD)
    for (namespace, name), found in by_pod.items():
        for sidecar in found if len(found) > 1 and (namespace, name) not in ambient_pods else ():
            yield message_about("IST0110", sidecar, _names(found), namespace, name)
    for namespace, found in by_namespace.items():
        ambient = is_ambient_namespace(objects.namespace(namespace))
        for sidecar in found:
            if ambient:
                yield message_about("IST0167", sidecar, _AMBIENT_NAMESPACE)
            elif len(found) > 1:
                yield message_about("IST0111", sidecar, _names(found), namespace)


def analyze_telemetry_selectors(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    by_pod: dict[tuple[str, str], list[CustomResource]] = {}
    for telemetry in objects.of(TELEMETRY):
        wanted = labels(telemetry.spec, "selector", "matchLabels")
        if not wanted:
            continue
        pods = _selected(telemetry, wanted, objects.pods)
        if not pods:
            yield message_about("IST0101", telemetry, "selector", selector_from_map(wanted).text)
        for pod in pods:
            by_pod.setdefault((pod.namespace, pod.name), []).append(telemetry)
    for (namespace, name), found in by_pod.items():
        for telemetry in found if len(found) > 1 else ():
            yield message_about("IST0159", telemetry, _names(found), namespace, name)


def analyze_telemetry_defaults(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    by_namespace: dict[str, list[CustomResource]] = {}
    for telemetry in objects.of(TELEMETRY):
        if (telemetry.spec or {}).get("selector") is None:
            by_namespace.setdefault(telemetry.namespace, []).append(telemetry)
    for namespace, found in by_namespace.items():
        for telemetry in found if len(found) > 1 else ():
            yield message_about("IST0160", telemetry, _names(found), namespace)


def analyze_providers(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    """Access logs without a provider where the mesh has none by default either."""
    if part(objects.settings, "defaultProviders").get("accessLogging"):
        return
    for telemetry in objects.of(TELEMETRY):
        for _, row in rows(telemetry.spec, "accessLogging"):
            if row.get("disabled") is not True and not row.get("providers"):
                yield message_about("IST0157", telemetry, telemetry.name, telemetry.namespace)


def analyze_lightstep(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    old = {text(row.get("name")) for _, row in rows(objects.settings, "extensionProviders") if "lightstep" in row}
    for telemetry in objects.of(TELEMETRY):
        for _, tracing in rows(telemetry.spec, "tracing"):
            for _, provider in rows(tracing, "providers"):
                if (name := text(provider.get("name"))) in old:
                    words = f"The Lightstep provider {name} is deprecated, please migrate to OpenTelemetry provider."
                    yield message_about("IST0002", telemetry, words)


def analyze_gateway_selectors(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    """Selectors that mean a gateway of the Kubernetes API, which takes policies by `targetRefs` only."""
    gateways = [pod for pod in objects.pods if _GATEWAY_NAME in pod.labels]
    for kind in (AUTHORIZATION_POLICY, REQUEST_AUTHENTICATION, TELEMETRY, WASM_PLUGIN):
        for policy in objects.of(kind):
            spec = policy.spec or {}
            if spec.get("targetRef") is None and spec.get("selector") is not None:
                for pod in _selected(policy, labels(spec, "selector", "matchLabels"), gateways):
                    yield message_about("IST0166", policy, pod.labels[_GATEWAY_NAME])


def _selected(policy: CustomResource, wanted: dict[str, str], pods: Iterable[Pod]) -> list[Pod]:
    selector = selector_from_map(wanted)
    return [pod for pod in pods if pod.namespace == policy.namespace and selector.matches(pod.labels)]


def _names(found: list[CustomResource]) -> str:
    return listed(sorted(one.name for one in found))


ANALYZERS: Final = (
    Analyzer("k8sgateway.SelectorAnalyzer", analyze_gateway_selectors),
    Analyzer("sidecar.SelectorAnalyzer", analyze_sidecars),
    Analyzer("telemetry.ProviderAnalyzer", analyze_providers),
    Analyzer("telemetry.SelectorAnalyzer", analyze_telemetry_selectors),
    Analyzer("telemetry.DefaultSelectorAnalyzer", analyze_telemetry_defaults),
    Analyzer("telemetry.LightstepAnalyzer", analyze_lightstep),
)
