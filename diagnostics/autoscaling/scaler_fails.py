"""Scaler of KEDA fails (KEDAScalerFailed).

## What it means
KEDA cannot ask the source of a trigger how much work there is. The workload keeps the number of pods that it has, without regard
to the load: a workload at 0 stays at 0. With `spec.fallback` it runs that number of pods instead.

## Why it happens
- The source cannot be reached: its name is wrong, its pods are down, a NetworkPolicy does not let the operator in.
- It refuses the credentials, or denies a right to the user that they are of (the access rules of a topic, IAM).
- The TriggerAuthentication or the Secret that has them does not exist.
- A field of the trigger is missing or wrong.
- Another HorizontalPodAutoscaler scales the workload already, or the target does not exist.

## How to fix it
1. Read the newest `KEDAScalerFailed` event: it has the error of the source's client.
2. Repair the source, the credentials or the trigger. KEDA tries again every `pollingInterval` (30 s) by itself.
3. Do not scale the workload by hand for longer: KEDA decides the number.

## References
- https://keda.sh/docs/latest/troubleshooting/
- https://keda.sh/docs/latest/reference/scaledobject-spec/#fallback
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kubedoctor.answers.operators import operator_view
from kubedoctor.answers.statements import LONGEST_MESSAGE, quoted, said, troubles_of
from kubedoctor.cluster import (
    OPERATOR_KINDS,
    Cluster,
    CustomResource,
    Event,
    Evidence,
    Namespace,
    Ref,
    Service,
    misspellings,
    quote,
    ref,
    visible_end,
)
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic
from kubedoctor.replay.autoscaling.scalers import FAILURES, ScalerFailure, ScalerFault, scaler_failure
from kubedoctor.replay.services.hosts import service_named, service_with_address, split_address
from kubedoctor.replay.status.stated import suspended

_GROUP: Final = "keda.sh"
_AUTHENTICATIONS: Final = ("TriggerAuthentication", "ClusterTriggerAuthentication")
_FAILING: Final = "Failing"
_MOST_CHANCE_FAILURES: Final = 4
"""So often in a row a source may fail by chance (`pkg/fallback/fallback.go`, v2.17, counts each time that it is asked)."""
_WORDS: Final = {
    ScalerFault.OTHER_AUTOSCALER: ("another autoscaler scales its target", "Keep one: delete the other autoscaler, or this object"),
    ScalerFault.TARGET: ("its target does not exist or cannot be scaled", "Correct spec.scaleTargetRef"),
    ScalerFault.MISSING_OBJECT: ("what it authenticates with does not exist", "Create the object, or correct its name"),
    ScalerFault.SETTING: ("a field of a trigger is missing or wrong", "Correct the trigger's metadata"),
    ScalerFault.NAME: ("the name of the source does not resolve", "Correct the address of the source: the operator resolves it in its own namespace"),
    ScalerFault.CERTIFICATE: ("the certificate of the source is not accepted", "Give the trigger the CA of the source, or correct its certificate"),
    ScalerFault.UNREACHABLE: ("the source cannot be reached", "Repair the source, or let the operator reach it"),
    ScalerFault.RIGHTS: ("the source denies a right", "Grant the user or identity that KEDA uses there what the message names"),
    ScalerFault.CREDENTIALS: ("the source refuses the credentials", "Correct the credentials in the TriggerAuthentication or its Secret"),
    ScalerFault.NO_VALUE: ("the source has no value for the metric", "Correct the query or the name of the queue, or have the metric exported"),
    ScalerFault.OTHER: ("", "Repair what the message says"),
}  # fmt: skip


@diagnostic(
    code="KD1307",
    subject="ScaledObject.keda.sh",
    also_subjects=("ScaledJob.keda.sh",),
    severity=Severity.WARNING,
    reads=(Event, Service, Namespace, *OPERATOR_KINDS, *(f"{kind}.{_GROUP}" for kind in _AUTHENTICATIONS)),
    also_known_as=("KEDAScalerFailed",),
    symptoms=("ScaledObjectCheckFailed", "ScaledJobCheckFailed", "KEDAMetricSourceFailed", "TriggerError"),
)
def scaler_fails(scaler: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    troubles = troubles_of(scaler, cluster)
    health = () if troubles or scaler.metadata.deletion_timestamp is not None or suspended(scaler) else _health(scaler)
    if not troubles and not health:
        return
    event = _newest(scaler, cluster)
    stated = said(troubles[0]).removeprefix(": ") if troubles else ""
    vague = event is None and scaler_failure(stated).fault is ScalerFault.OTHER
    view = operator_view(scaler, cluster) if vague else None
    text = (visible_end(event.message, LONGEST_MESSAGE) if event else (view.message if view else "") or stated).rstrip(
        "."
    )
    failure = scaler_failure(text)
    missing = next(_missing(scaler, cluster), None)
    if missing is not None:
        name, proof, near = missing
        clause, repair = f"{name.title} does not exist", f"Create {name.title}, or correct the name"
        clause, text = f"{clause}; did you mean {near}?" if near else clause, ""
    else:
        proof = ()
        clause, repair = _WORDS[failure.fault]
    service = _source(failure, scaler, cluster) if missing is None else None
    yield Finding(
        about=ref(scaler),
        summary=": ".join(part for part in ("scaler of KEDA fails", clause, text) if part),
        evidence=(
            *proof,
            *((quote(event, "message", f"event {event.reason}"),) if event else ()),
            *(view.evidence if view is not None else ()),
            *dict.fromkeys(fact for trouble in troubles[:2] for fact in quoted(scaler, trouble)),
            *health[:2],
        ),
        confidence=Confidence.CERTAIN if missing or failure.fault is not ScalerFault.OTHER else Confidence.LIKELY,
        detail=_meanwhile(scaler),
        fixes=(Fix(repair),),
        commands=(Command(ref(scaler).describe_command, "its conditions and events"),),
        because_of=(
            *((service,) if service is not None else ()),
            *((view.workload,) if view is not None and view.unready else ()),
        ),
    )


def _health(scaler: CustomResource) -> tuple[Evidence, ...]:
    """The triggers whose source keeps failing, of an object whose Ready condition does not say so (before v2.9)."""
    rows = (scaler.status or {}).get("health")
    return tuple(
        quote(scaler, f"status.health[{name}].numberOfFailures", "so often in a row the source of this trigger failed")
        for name, row in (rows.items() if isinstance(rows, dict) else ())
        if isinstance(row, dict)
        and row.get("status") == _FAILING
        and isinstance(row.get("numberOfFailures"), int)
        and row["numberOfFailures"] > _MOST_CHANCE_FAILURES
    )


def _newest(scaler: CustomResource, cluster: Cluster) -> Event | None:
    """The newest event of the reason that says most."""
    events = [event for event in cluster.events_about(ref(scaler)) if event.message]
    for reason in FAILURES:
        if of_reason := [event for event in events if event.reason == reason]:
            return of_reason[-1]
    return None


def _missing(scaler: CustomResource, cluster: Cluster) -> Iterator[tuple[Ref, tuple[Evidence, ...], str]]:
    """The objects that its triggers authenticate with and that do not exist, with the nearest name."""
    triggers = (scaler.spec or {}).get("triggers")
    for at, trigger in enumerate(triggers if isinstance(triggers, list) else ()):
        reference: Any = trigger.get("authenticationRef") if isinstance(trigger, dict) else None
        name = reference.get("name") if isinstance(reference, dict) else None
        kind = (reference.get("kind") or _AUTHENTICATIONS[0]) if isinstance(reference, dict) else ""
        if not isinstance(name, str) or not name or kind not in _AUTHENTICATIONS:
            continue
        namespace = scaler.namespace if kind == _AUTHENTICATIONS[0] else ""
        existing = [item.name for item in cluster.maybe.custom(kind, _GROUP, namespace)]
        unseen = any(gap.kind == f"{kind}.{_GROUP}" for gap in cluster.gaps)
        if name not in existing and not unseen:
            proof = (quote(scaler, f"spec.triggers[{at}].authenticationRef.name", "no such object"),)
            yield Ref(f"{kind}.{_GROUP}", namespace, name), proof, next(iter(misspellings(name, existing, 1)), "")


def _source(failure: ScalerFailure, scaler: CustomResource, cluster: Cluster) -> Ref | None:
    """The Service that it could not reach; a short name may be one of the operator's namespace or of its own."""
    host, _ = split_address(failure.address)
    if failure.fault not in (ScalerFault.NAME, ScalerFault.UNREACHABLE) or not host:
        return None
    if (found := service_with_address(host, cluster.maybe.all(Service))) is not None:
        return ref(found)
    named = service_named(host, scaler.namespace, [item.name for item in cluster.maybe.all(Namespace)])
    if named is None or cluster.maybe.get(Service, named.namespace, named.name) is None:
        return None
    return Ref("Service", named.namespace, named.name)


def _meanwhile(scaler: CustomResource) -> str:
    """What runs while it fails."""
    if scaler.kind == "ScaledJob":
        return "KEDA creates no Job for the work that this trigger counts."
    fallback = (scaler.spec or {}).get("fallback")
    replicas = fallback.get("replicas") if isinstance(fallback, dict) else None
    if replicas is not None:
        return f"Meanwhile its target runs the fallback of {replicas} replicas."
    return "Meanwhile its target keeps the number of pods that it has, 0 included."
