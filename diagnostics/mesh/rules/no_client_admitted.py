"""Istio: a policy without rules admits no client, and clients are refused.

## What it means
An AuthorizationPolicy with the action ALLOW and no `rules` matches no request. Where no other ALLOW policy is for the workload, its
proxy refuses every request with 403 `RBAC: access denied`, and its log names no policy.

## Why it happens
- The rules were forgotten, or stand under another name: `rule`, `from` beside `rules`.
- The policy was meant as a default for the namespace, and the policy that admits the clients is missing.

## How to fix it
Add a rule for the clients. `rules: [{}]` admits all.

## References
- https://istio.io/latest/docs/reference/config/security/authorization-policy/
- https://istio.io/latest/docs/concepts/security/#allow-nothing-deny-all-and-allow-all-policy
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.mesh._config import MOST_PROXIES, requests_seen, settling
from kubedoctor.cluster import Cluster, CustomResource, Pod, finished
from kubedoctor.findings import (
    Command,
    Confidence,
    Finding,
    Fix,
    Severity,
    at_fault,
    diagnostic,
    edit_command,
    kubectl,
    quote,
    ref,
)
from kubedoctor.replay.mesh import injection
from kubedoctor.replay.mesh.access_log import Access
from kubedoctor.replay.mesh.attachment import attached_policies
from kubedoctor.replay.mesh.authorization import DRY_RUN
from kubedoctor.replay.mesh.config import AUTHORIZATION_POLICY, ROOT_NAMESPACE, SECURITY, rows, text

_DENIED = "rbac_access_denied_matched_policy[none]"


@diagnostic(
    code="KD6026",
    subject=AUTHORIZATION_POLICY,
    severity=Severity.WARNING,
    reads=(AUTHORIZATION_POLICY, Pod),
    symptoms=("RBAC: access denied", "403", _DENIED),
)
def no_client_admitted(policy: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    if settling(policy, cluster) or not _admits_none(policy):
        return
    space = "" if policy.namespace == ROOT_NAMESPACE else policy.namespace
    policies = cluster.custom("AuthorizationPolicy", SECURITY)
    servers = [
        pod
        for pod in cluster.all(Pod, space)
        if not finished(pod) and injection.has_sidecar(pod) and _alone(policy, pod, policies)
    ]
    served = list({at_fault(pod, cluster): pod for pod in servers}.values())
    for pod in served[:MOST_PROXIES]:
        for seen in requests_seen([pod], cluster, _refused, optional=True):
            yield Finding(
                about=ref(policy),
                aspect=at_fault(pod, cluster).title,
                summary=f"has no rule, so no client may reach {at_fault(pod, cluster).title}: its proxy refuses them with 403",
                evidence=(
                    quote(policy, "metadata.name", "action ALLOW without rules matches no request"),
                    seen.quoted("a client was refused, and no policy matched"),
                ),
                confidence=Confidence.CERTAIN,
                affects=(at_fault(pod, cluster),),
                fixes=(
                    Fix("Add a rule for the clients to it, or a policy that admits them", edit_command(ref(policy))),
                ),
                commands=(
                    Command(kubectl("get", f"authorizationpolicies.{SECURITY}", "-A"), "the policies of the mesh"),
                ),
            )


def _refused(access: Access) -> bool:
    return access.code == 403 and access.details == _DENIED


def _admits_none(policy: CustomResource) -> bool:
    allows = text((policy.spec or {}).get("action")) in ("", "ALLOW")
    return allows and not any(rows(policy.spec, "rules")) and policy.annotations.get(DRY_RUN) != "true"


def _alone(policy: CustomResource, pod: Pod, policies: tuple[CustomResource, ...]) -> bool:
    """Whether it is for the pod, and no ALLOW policy with rules is."""
    mine = attached_policies(pod, policies)
    others = [one for one in mine if text((one.spec or {}).get("action")) in ("", "ALLOW") and not _admits_none(one)]
    return policy in mine and not others
