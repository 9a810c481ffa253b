"""What is wrong with a load balancer by the words of its controller, and the repair."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from kubedoctor.answers.statements import Meaning
from kubedoctor.cluster import Event, Evidence, Service, quote
from kubedoctor.findings import Fix, edit_command, ref
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.messages.message import MessageReading

_NOT_OF_THE_LOAD_BALANCER = re.compile(r"^(ClusterIP|Port|NodePort|TopologyAwareHints|FailedTo(Create|Update)Endpoint)")
"""Warnings of other controllers about a Service: addresses in the cluster, endpoints."""
_SCHEME: Final = "service.beta.kubernetes.io/aws-load-balancer-scheme"
_AWS_SUBNETS: Final = re.compile(
    r"VPC and tags|auto-discover|at least one subnet|suitable subnets for creating the ELB", re.IGNORECASE
)
_RULES: Final = re.compile(r"RulesPerSecurityGroup")
_C = MessageClass
IDENTITY: Final = Meaning(
    "the cloud does not accept the identity of the controller",
    "Let the cloud role trust the ServiceAccount of the controller, and name the role in its annotation",
)
_OF_EVERY_KIND: Final = {
    _C.LOADBALANCER_DENIED: Meaning("the cloud refuses the controller", "Give the controller's identity the permission that the message names"),
    _C.LOADBALANCER_QUOTA: Meaning("a quota of the cloud is reached", "Raise the quota that the message names, or delete what is no longer used"),
    _C.LOADBALANCER_SUBNETS: Meaning("no subnet fits", "Tag the subnets for load balancers, or name them in an annotation of the {kind}"),
    _C.LOADBALANCER_SECURITY_GROUPS: Meaning("its security groups cannot be used", "Correct the security groups of the {kind}'s annotation or of the nodes"),
    _C.LOADBALANCER_NO_ADDRESS: Meaning("no address is left for it", "Add addresses to the pool, or free one"),
    _C.LOADBALANCER_ADDRESS_TAKEN: Meaning("the requested address cannot be used", "Request another address, or let the two Services share it"),
    _C.LOADBALANCER_SETTING_MISSING: Meaning("an annotation, or a setting of the controller, is missing", "Set the annotation on the {kind}, or the setting of the controller, that the message names"),
    _C.LOADBALANCER_NO_NODES: Meaning("no node can take its traffic", "Make nodes ready, or remove the label node.kubernetes.io/exclude-from-external-load-balancers"),
    _C.LOADBALANCER_UNSUPPORTED: Meaning("the load balancer does not support it", "Change what the message names: protocols, ports or annotations of the {kind}"),
    _C.LOADBALANCER_TIMEOUT: Meaning("the cloud has not finished it", "See the state of the load balancer at the cloud"),
    _C.LOADBALANCER_CLOUD_ERROR: Meaning("load balancer failed", "Correct what the message names"),
}  # fmt: skip
"""`{kind}`: that of the object that requests the load balancer."""


def meanings_for(kind: str) -> dict[MessageClass, Meaning]:
    """What the words of a controller mean for a Service or an Ingress."""
    return {
        known: Meaning(meaning.clause, meaning.repair.format(kind=kind)) for known, meaning in _OF_EVERY_KIND.items()
    }


_MEANINGS: Final = meanings_for("Service")


class BalancerFailure(NamedTuple):
    """What a controller says. event: None for a condition of the Service."""

    text: str
    reason: str
    evidence: Evidence
    controller: str
    event: Event | None = None


def is_failure(event: Event) -> bool:
    """Each controller has its own reasons: SyncLoadBalancerFailed, FailedBuildModel, AllocationFailed."""
    return event.type != "Normal" and bool(event.message) and not _NOT_OF_THE_LOAD_BALANCER.match(event.reason)


def of_event(event: Event) -> BalancerFailure:
    signed = f"{event.source.component} {event.reporting_component}".lower()
    return BalancerFailure(
        event.message, event.reason, quote(event, "message", "the controller's message"), signed, event
    )


def of_condition(service: Service) -> BalancerFailure | None:
    """Cilium writes conditions and no events (`operator/pkg/lbipam`); each has a domain in its type."""
    for row in service.status.conditions or ():
        if row.status == "False" and "/" in row.type and row.message:
            path = f"status.conditions[type={row.type}].message"
            return BalancerFailure(row.message, row.reason, quote(service, path, row.reason), row.type.lower())
    return None


def meaning_of(reading: MessageReading | None) -> Meaning:
    if reading is not None and reading.message_class.area == "cloud-identity":
        return IDENTITY
    known = reading.message_class if reading is not None else _C.LOADBALANCER_CLOUD_ERROR
    return _MEANINGS.get(known, _MEANINGS[_C.LOADBALANCER_CLOUD_ERROR])


def repair_of(service: Service, meaning: Meaning, failure: BalancerFailure) -> Fix:
    if meaning is _MEANINGS[_C.LOADBALANCER_SUBNETS] and _AWS_SUBNETS.search(failure.text):
        public = service.annotations.get(_SCHEME) == "internet-facing" or "ELB" in failure.text
        tag = "kubernetes.io/role/elb" if public else "kubernetes.io/role/internal-elb"
        kind = "public" if public else "private"
        return Fix(
            f"Tag {kind} subnets of two zones with {tag}=1, or name them in the annotation"
            " service.beta.kubernetes.io/aws-load-balancer-subnets of the Service"
        )
    if meaning is _MEANINGS[_C.LOADBALANCER_QUOTA] and _RULES.search(failure.text):
        return Fix(
            "Raise the quota of rules in a security group, or let fewer rules be made: each port, range of clients"
            " (loadBalancerSourceRanges) and balancer adds one; share one group (aws-load-balancer-security-groups, with"
            " aws-load-balancer-manage-backend-security-group-rules)"
        )
    if meaning is _MEANINGS[_C.LOADBALANCER_SETTING_MISSING]:
        return Fix(meaning.repair, edit_command(ref(service)))
    return Fix(meaning.repair)
