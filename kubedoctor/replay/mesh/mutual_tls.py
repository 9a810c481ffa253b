"""Whether a pod takes plain connections, and what DestinationRules make clients send (Istio, `pilot/pkg/model/authentication.go`,
`pilot/pkg/networking/core/cluster_tls.go`, 1.31)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, NamedTuple

from kubedoctor.cluster.grammar.selectors import selector_from_map
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.mesh.config import ROOT_NAMESPACE, labels, number, part, rows, text
from kubedoctor.replay.mesh.injection import captures

STRICT: Final = "STRICT"
PERMISSIVE: Final = "PERMISSIVE"
DISABLE: Final = "DISABLE"
_UNSET: Final = ("", "UNSET")


class Mode(NamedTuple):
    """The mode of a port of a pod, with the policy and the path that decide; no policy for the default."""

    mode: str
    policy: CustomResource | None = None
    path: str = ""


class ClientTLS(NamedTuple):
    """The TLS settings that a DestinationRule gives a client."""

    mode: str
    path: str


def peer_mode(pod: Pod, port: int, policies: Iterable[CustomResource], root: str = ROOT_NAMESPACE) -> Mode:
    """Of the port, else of the workload, of its namespace, of the mesh; the oldest policy counts. No policy holds for a
    port whose connections do not pass the proxy."""
    if not captures(pod, port):
        return Mode(DISABLE)
    ordered = sorted(policies, key=_age)
    of_workload = [p for p in ordered if p.namespace == pod.namespace and _selects(p, pod)]
    for policy in of_workload:
        mode = text(part(part(policy.spec, "portLevelMtls"), str(port)).get("mode"))
        if mode not in _UNSET:
            return Mode(mode, policy, f"spec.portLevelMtls.{port}.mode")
    wide = [p for p in ordered if not labels(p.spec, "selector", "matchLabels")]
    scopes = (
        of_workload,
        [p for p in wide if p.namespace == pod.namespace],
        [p for p in wide if p.namespace == root and root != pod.namespace],
    )
    for scope in scopes:
        for policy in scope[:1]:
            mode = text(part(policy.spec, "mtls").get("mode"))
            if mode not in _UNSET:
                return Mode(mode, policy, "spec.mtls.mode")
    return Mode(PERMISSIVE)


def client_tls(rule: CustomResource, subset: str, port: int) -> ClientTLS | None:
    """What the DestinationRule says for a port and subset; None where it leaves the choice to Istio."""
    places = [("spec.trafficPolicy", part(rule.spec, "trafficPolicy"))]
    for at, row in rows(rule.spec, "subsets"):
        if subset and text(row.get("name")) == subset and row.get("trafficPolicy"):
            places.insert(0, (f"spec.subsets[{at}].trafficPolicy", part(row, "trafficPolicy")))
    for path, policy in places:
        for at, row in rows(policy, "portLevelSettings"):
            mode = text(part(row, "tls").get("mode"))
            if number(part(row, "port").get("number")) == port and mode:
                return ClientTLS(mode, f"{path}.portLevelSettings[{at}].tls.mode")
        mode = text(part(policy, "tls").get("mode"))
        if mode:
            return ClientTLS(mode, f"{path}.tls.mode")
    return None


def _selects(policy: CustomResource, pod: Pod) -> bool:
    wanted = labels(policy.spec, "selector", "matchLabels")
    return bool(wanted) and selector_from_map(wanted).matches(pod.labels)


def _age(policy: CustomResource) -> tuple[datetime, str]:
    return policy.metadata.creation_timestamp or datetime.min.replace(tzinfo=UTC), policy.name
