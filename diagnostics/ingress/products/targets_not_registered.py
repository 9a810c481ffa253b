"""AWS load balancer has no targets.

## What it means
The load balancer exists, and the AWS Load Balancer Controller cannot register the pods or nodes behind it, or cannot open their
security groups for it. Clients get 503 (ALB), time-outs or resets (NLB), while the Ingress or Service looks well.

## Why it happens
- The network interfaces of the targets carry several security groups with the tag `kubernetes.io/cluster/NAME`, or none: the
  controller changes exactly one.
- The controller's role lacks a permission (`elasticloadbalancing:RegisterTargets`, `ec2:AuthorizeSecurityGroupIngress`).
- A quota of targets or rules is reached.
- The Service of the TargetGroupBinding, or its port, does not exist.

## How to fix it
Read the message: it names the interface, the groups or the call. Leave the cluster's tag on one security group only.

## References
- https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/targetgroupbinding/targetgroupbinding/
- https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/security_groups/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from diagnostics.services._controllers import cloud_identity, still_counts
from diagnostics.services._failures import IDENTITY, meanings_for
from kubedoctor.answers.statements import LONGEST_MESSAGE, Meaning
from kubedoctor.cluster import Cluster, CustomResource, Event, Pod, Ref, ServiceAccount, has_path, listed
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic, quote, ref
from kubedoctor.replay.ingress.controllers import pods_of_programs
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.messages.message import Message
from kubedoctor.replay.messages.reader import read_message
from kubedoctor.replay.messages.shown import shown_reason

_CONTROLLER: Final = frozenset({"aws-load-balancer-controller"})
_GROUPS: Final = re.compile(
    r"expect(?:ed)? exactly one security ?group tagged with (?P<tag>\S+)(?: and map\[(?P<more>.*?)\])?"
    r" for eni (?P<eni>[^\s,]+),? got: \[(?P<groups>[^\]]*)\]",
    re.IGNORECASE,
)
"""Older versions say `expect`, newer ones `expected`; a map of tags where `--service-target-eni-security-group-tags` is set."""
_C = MessageClass
_MEANINGS: Final = {
    **meanings_for("Service"),
    _C.INGRESS_DENIED: meanings_for("Service")[_C.LOADBALANCER_DENIED],
    _C.INGRESS_BACKEND_MISSING: Meaning(
        "its Service or port does not exist", "Correct the Service or port that it names"
    ),
}
_OTHERWISE: Final = Meaning("the controller fails", "Correct what the message names")


@diagnostic(
    code="KD2315",
    subject="TargetGroupBinding.elbv2.k8s.aws",
    severity=Severity.CRITICAL,
    reads=(Event, Pod, ServiceAccount),
    symptoms=("503", "FailedNetworkReconcile", "BackendNotFound", "exactly one securityGroup tagged"),
)
def targets_not_registered(binding: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    if binding.metadata.deletion_timestamp is not None:
        return
    events = cluster.events_about(ref(binding))
    failure = next((event for event in reversed(events) if event.type == "Warning" and event.message), None)
    if failure is None or not still_counts(failure, events, cluster):
        return
    reading = read_message(
        Message(text=failure.message, reason=failure.reason, kind="TargetGroupBinding", type=failure.type)
    )
    known = reading.message_class if reading is not None else None
    meaning = IDENTITY if known is not None and known.area == "cloud-identity" else _OTHERWISE
    if known is not None:
        meaning = _MEANINGS.get(known, meaning)
    refused = meaning is IDENTITY or known in (_C.LOADBALANCER_DENIED, _C.INGRESS_DENIED)
    pods = pods_of_programs(_CONTROLLER, cluster) if refused else ()
    service = _service(binding)
    whose = f" of {service.title}" if service is not None else ""
    named = "spec.serviceRef.name"
    yield Finding(
        about=ref(binding),
        summary=f"the targets{whose} cannot be served: {meaning.clause}: {shown_reason(failure.message, LONGEST_MESSAGE)}",
        evidence=(
            quote(failure, "message", f"event {failure.reason}"),
            *((quote(binding, named, "the Service whose pods it registers"),) if has_path(binding, named) else ()),
            *cloud_identity(pods, cluster),
        ),
        confidence=Confidence.CERTAIN,
        affects=(service,) if service is not None else (),
        fixes=(_of_groups(failure.message) or Fix(meaning.repair),),
        commands=(Command(ref(binding).describe_command, "its events"),),
    )


def _service(binding: CustomResource) -> Ref | None:
    named = (binding.spec or {}).get("serviceRef")
    name = named.get("name") if isinstance(named, dict) else None
    return Ref("Service", binding.namespace, name) if isinstance(name, str) and name else None


def _of_groups(message: str) -> Fix | None:
    match = _GROUPS.search(message)
    if match is None:
        return None
    groups = match["groups"].split()
    if not groups:
        more = f" and the tags {match['more']}" if match["more"] else ""
        return Fix(f"Give one security group of interface {match['eni']} the tag {match['tag']}{more}")
    return Fix(f"Leave the tag {match['tag']} on one of {listed(groups, len(groups))}, and remove it from the others")
