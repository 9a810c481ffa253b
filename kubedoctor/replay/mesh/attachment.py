"""Which workload a policy of Istio is for, and the order in which policies count (Istio,
`pilot/pkg/model/policyattachment.go`, `authentication.go`, `config.go`; 1.31)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from kubedoctor.cluster.grammar.selectors import selector_from_map
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.mesh.config import ROOT_NAMESPACE, labels, part, rows, text

GATEWAY_NAME: Final = "gateway.networking.k8s.io/gateway-name"
"""The label of the pods that serve a Gateway of the Gateway API."""
GATEWAY_API: Final = "gateway.networking.k8s.io"


def age(policy: CustomResource) -> tuple[datetime, str, str]:
    """A key that sorts the oldest object first; those of one second by their names."""
    created = policy.metadata.creation_timestamp or datetime.min.replace(tzinfo=UTC)
    return created, policy.name, policy.namespace


def attached_policies(
    pod: Pod, policies: Iterable[CustomResource], root: str = ROOT_NAMESPACE
) -> tuple[CustomResource, ...]:
    """The AuthorizationPolicies, RequestAuthentications or Telemetries in force for a pod: those of the mesh first, each
    oldest first. A policy with `targetRefs` is for the pods of a Gateway alone."""
    ordered = sorted(policies, key=age)
    spaces = dict.fromkeys((root, pod.namespace))
    return tuple(
        policy for space in spaces for policy in ordered if policy.namespace == space and is_attached(policy, pod)
    )


def is_attached(policy: CustomResource, pod: Pod) -> bool:
    """Whether the pod is among those that the policy names by labels or by their Gateway."""
    targets = [row for _, row in rows(policy.spec, "targetRefs")] or [part(policy.spec, "targetRef")]
    targets = [target for target in targets if target]
    if not targets:
        return selector_from_map(labels(policy.spec, "selector", "matchLabels")).matches(pod.labels)
    gateway = pod.labels.get(GATEWAY_NAME)
    return policy.namespace == pod.namespace and any(
        gateway is not None
        and (text(target.get("group")), text(target.get("kind"))) == (GATEWAY_API, "Gateway")
        and text(target.get("namespace")) in ("", pod.namespace)
        and text(target.get("name")) == gateway
        for target in targets
    )
