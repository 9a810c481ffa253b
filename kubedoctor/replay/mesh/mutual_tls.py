"""Whether a pod takes plain connections, and what DestinationRules make clients send (Istio, `pilot/pkg/model/authentication.go`,
`pilot/pkg/networking/core/cluster_tls.go`, 1.31)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.mesh.attachment import age, is_attached
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
    return policy_mode(pod, port, policies, root)


def policy_mode(pod: Pod, port: int, policies: Iterable[CustomResource], root: str = ROOT_NAMESPACE) -> Mode:
    """What the policies alone say for a port of the proxy (`pilot/pkg/security/authn/policy_applier.go`,
    ComposePeerAuthentication)."""
    in_force = peer_policies(pod, policies, root)
    of_workload = [policy for policy in in_force if _selects_pods(policy) and policy.namespace != root]
    wide = [policy for policy in in_force if not _selects_pods(policy)]
    for policy in of_workload[:1]:
        mode = text(part(part(policy.spec, "portLevelMtls"), str(port)).get("mode"))
        if mode not in _UNSET:
            return Mode(mode, policy, f"spec.portLevelMtls.{port}.mode")
    scopes = (
        of_workload,
        [policy for policy in wide if policy.namespace != root],
        [policy for policy in wide if policy.namespace == root],
    )
    for scope in scopes:
        for policy in scope[:1]:
            mode = text(part(policy.spec, "mtls").get("mode"))
            if mode not in _UNSET:
                return Mode(mode, policy, "spec.mtls.mode")
    return Mode(PERMISSIVE)


def peer_policies(
    pod: Pod, policies: Iterable[CustomResource], root: str = ROOT_NAMESPACE
) -> tuple[CustomResource, ...]:
    """The PeerAuthentications that hold for a pod, those of its namespace first, each oldest first. Of the policies for
    a whole namespace the oldest alone counts (`addPeerAuthentication`)."""
    ordered = sorted(policies, key=age)
    found: list[CustomResource] = []
    for space in dict.fromkeys((pod.namespace, root)):
        there = [policy for policy in ordered if policy.namespace == space]
        oldest = next((policy for policy in there if not _selects_pods(policy)), None)
        found += [
            policy for policy in there if policy is oldest or (_selects_pods(policy) and is_attached(policy, pod))
        ]
    return tuple(found)


def client_tls_of(spec: Mapping[str, Any], subset: str, port: int) -> str:
    """The mode that a DestinationRule, also a merged one, has for a port and subset; empty where it has none."""
    found = _client_tls(spec, subset, port)
    return found.mode if found is not None else ""


def client_tls(rule: CustomResource, subset: str, port: int) -> ClientTLS | None:
    """What the DestinationRule says for a port and subset; None where it leaves the choice to Istio."""
    return _client_tls(rule.spec or {}, subset, port)


def _client_tls(spec: Mapping[str, Any], subset: str, port: int) -> ClientTLS | None:
    places = [("spec.trafficPolicy", part(spec, "trafficPolicy"))]
    for at, row in rows(spec, "subsets"):
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


def _selects_pods(policy: CustomResource) -> bool:
    return bool(labels(policy.spec, "selector", "matchLabels"))
