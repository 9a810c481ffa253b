"""Ingress controller cannot serve the Ingress.

## What it means
The controller of a cloud's load balancer, or another ingress controller, reports in an event why it does not serve the Ingress
as written: it has no address, or keeps its last working state.

## Why it happens
- The controller's identity is not accepted by the cloud, or lacks a permission.
- A quota of the account or project is reached.
- No subnet, security group or certificate fits.
- An annotation, path type or service type is not supported.

## How to fix it
Read the event: it names the call that failed, and why.

## References
- https://kubernetes.io/docs/concepts/services-networking/ingress-controllers/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from diagnostics.services._controllers import cloud_identity, still_counts
from diagnostics.services._failures import IDENTITY, meanings_for
from kubedoctor.answers.statements import LONGEST_MESSAGE, Meaning
from kubedoctor.cluster import (
    Cluster,
    Event,
    Ingress,
    IngressClass,
    Pod,
    Service,
    ServiceAccount,
)
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic, quote, ref
from kubedoctor.replay.ingress.controllers import controller_pods
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.messages.message import Message
from kubedoctor.replay.messages.reader import read_message
from kubedoctor.replay.messages.shown import shown_reason

_C = MessageClass
_OF_BALANCERS: Final = meanings_for("Ingress")
_TOLD: Final = (
    _C.LOADBALANCER_DENIED,
    _C.LOADBALANCER_QUOTA,
    _C.LOADBALANCER_SUBNETS,
    _C.LOADBALANCER_SECURITY_GROUPS,
    _C.LOADBALANCER_SETTING_MISSING,
    _C.LOADBALANCER_UNSUPPORTED,
)
_MEANINGS: Final = {
    _C.CLOUD_IDENTITY_TRUST_POLICY: Meaning("the cloud role does not trust the controller's ServiceAccount", IDENTITY.repair),
    _C.CLOUD_IDENTITY_NO_PROVIDER: Meaning("the cloud does not know the cluster's identity provider", "Register the cluster's OIDC issuer at the cloud"),
    _C.CLOUD_IDENTITY_FEDERATION: Meaning("the cloud does not accept the controller's token", IDENTITY.repair),
    _C.CLOUD_IDENTITY_POD_IDENTITY: Meaning("the controller gets no cloud identity", IDENTITY.repair),
    _C.CLOUD_IDENTITY_DENIED: Meaning("the controller may not act as its cloud account", IDENTITY.repair),
    **{known: _OF_BALANCERS[known] for known in _TOLD},
    _C.INGRESS_DENIED: _OF_BALANCERS[_C.LOADBALANCER_DENIED],
    _C.INGRESS_SERVICE_TYPE: Meaning("a backend has the wrong type of Service", "Set the Service's type to NodePort, or the annotation of the target type to ip"),
    _C.INGRESS_CERTIFICATE: Meaning("its certificate cannot be used", "Correct the certificate that the message names"),
    _C.INGRESS_INVALID: Meaning("the controller rejects it", "Correct what the message names"),
}  # fmt: skip


@diagnostic(
    code="KD2305",
    subject=Ingress,
    severity=Severity.CRITICAL,
    reads=(Ingress, IngressClass, Event, Pod, Service, ServiceAccount),
    symptoms=("FailedBuildModel", "FailedDeployModel", "Translate", "Rejected", "no address"),
)
def not_provisioned(ingress: Ingress, cluster: Cluster) -> Iterator[Finding]:
    if ingress.metadata.deletion_timestamp is not None:
        return
    events = cluster.events_about(ref(ingress))
    failure = next((event for event in reversed(events) if event.type == "Warning" and event.message), None)
    if failure is None or not still_counts(failure, events, cluster):
        return
    reading = read_message(Message(text=failure.message, reason=failure.reason, kind="Ingress", type=failure.type))
    meaning = _MEANINGS.get(reading.message_class) if reading is not None else None
    if reading is None or meaning is None:
        return
    words = shown_reason(failure.message, LONGEST_MESSAGE)
    about_identity = reading.message_class.area == "cloud-identity"
    addressed = bool(ingress.status.load_balancer.ingress)
    yield Finding(
        about=ref(ingress),
        summary=f"{meaning.clause}: {words}",
        evidence=(
            quote(failure, "message", f"event {failure.reason}"),
            *(
                cloud_identity(controller_pods(ingress, cluster), cluster)
                if about_identity or "denied" in reading.message_class.value
                else ()
            ),
        ),
        confidence=Confidence.CERTAIN,
        severity=Severity.WARNING if addressed else None,
        fixes=(Fix(meaning.repair),),
        commands=(Command(ref(ingress).describe_command, "its events"),),
    )
