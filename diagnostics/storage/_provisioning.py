"""Claims whose class has a provisioner: it fails, or no scheduler triggers it."""

from __future__ import annotations

import re
from datetime import timedelta

from diagnostics.storage._hung import (
    HUNG,
    deciding,
    ill_storage,
    is_about_parameters,
    is_hung,
    is_over_quota,
    repair_of,
)
from diagnostics.storage._provisioner import (
    ControllerState,
    identity_refused,
    key_refused,
    named_parameter,
    not_on_the_node,
    shared_modes,
    silent_controller,
    smaller_than_its_source,
    snapshot_elsewhere,
)
from diagnostics.storage._volumes import requested
from diagnostics.storage.drivers._driver import absent_driver
from kubedoctor.cluster import (
    Cluster,
    PersistentVolumeClaim,
    StorageClass,
    pods_mounting,
    quote,
    ref,
    times,
)
from kubedoctor.findings import Confidence, Evidence, Finding, Fix
from kubedoctor.replay.messages.shown import shown_reason

LONGEST = 300
_STEP = re.compile(r'^failed to provision volume(?: with StorageClass "[^"]*")?: ')
"""As `sig-storage-lib-external-provisioner` begins each failure; the claim and its class are named already."""
PATIENCE = timedelta(minutes=1)
SLOW = timedelta(minutes=5)
"""File servers of clouds take minutes to create; a provisioner that fails writes an event."""


_PASSES = re.compile(
    r"Unavailable|DeadlineExceeded|Aborted|ResourceExhausted|timed? ?out|connection|topolog", re.IGNORECASE
)
"""What a second try, or a try on another node, may cure."""
_TRIES = 3


def is_refused(claim: PersistentVolumeClaim, cluster: Cluster) -> bool:
    """Whether the provisioner has said what no time cures, or keeps failing."""
    failed = [event for event in cluster.events_about(ref(claim)) if event.reason == "ProvisioningFailed"]
    failure, tries = deciding(failed), sum(event.times for event in failed)
    return failure is not None and (tries >= _TRIES or is_over_quota(failure) or not _PASSES.search(failure.message))


def not_provisioned(claim: PersistentVolumeClaim, storage_class: StorageClass, cluster: Cluster) -> Finding | None:
    """The finding that the provisioner failed, or took too long; None while it may still be working."""
    failed = [event for event in cluster.events_about(ref(claim)) if event.reason == "ProvisioningFailed"]
    failure = deciding(failed)
    absent = absent_driver(storage_class, cluster) if failure is None else ControllerState()
    if failure is None and not absent.clause and _time_given(claim, storage_class, cluster) < SLOW:
        return None
    answer: tuple[Evidence, ...] = ()
    if failure is not None:
        state = identity_refused(failure, storage_class, cluster)
        encrypted = key_refused(failure, storage_class, cluster)
        answer = (quote(failure, "message", "the provisioner's message"),)
        why = f": {shown_reason(_STEP.sub('', failure.message), LONGEST)}"
        fix = repair_of(failure)
        elsewhere = snapshot_elsewhere(failure, claim, cluster)
        if (shared := shared_modes(failure, claim)).clause:
            state, why = shared, why + shared.clause
        if (smaller := smaller_than_its_source(failure, claim)).clause:
            state, why = smaller, why + smaller.clause
        if not state.fixes and is_about_parameters(failure):
            named = named_parameter(failure, storage_class)
            state, why = (named, why + named.clause) if named.clause else (state, why)
        if encrypted.clause:
            state, why = encrypted, f": {encrypted.clause}"
        if elsewhere.clause:
            state, why = elsewhere, why + elsewhere.clause
        if (absent := not_on_the_node(failure, claim, storage_class, cluster)).clause:
            state, why = absent, why + absent.clause
        if is_hung(failure):
            state = ill_storage(storage_class, cluster)
            why += f"; {HUNG}{state.clause}"
    else:
        state = absent
        if not state.clause:
            state = silent_controller(storage_class.provisioner, claim, cluster)
        why = state.clause or "; no event says why"
        fix = f"Check that the controller of {storage_class.provisioner} runs, and read its log"
    return Finding(
        about=ref(claim),
        summary=f"provisioner {storage_class.provisioner} of class {storage_class.name} has created no volume{why}",
        evidence=(
            *answer,
            *state.evidence,
            quote(storage_class, "provisioner", "must create the volume"),
            *requested(claim),
        ),
        confidence=Confidence.CERTAIN if failure is not None else Confidence.LIKELY,
        fixes=state.fixes or (Fix(fix),),
        commands=state.commands,
        because_of=state.because_of,
    )


def by_its_event(claim: PersistentVolumeClaim, cluster: Cluster) -> Finding | None:
    """What the newest event of a claim tells, where its class or the volumes cannot be seen."""
    events = cluster.events_about(ref(claim))
    newest = events[-1] if events else None
    if newest is None or newest.type != "Warning" or not newest.message:
        return None
    return Finding(
        about=ref(claim),
        summary=f"the claim is not bound ({newest.reason}): {shown_reason(newest.message, 240)}",
        evidence=(quote(newest, "message", f"seen {times(newest.times)}"), *requested(claim)),
        confidence=Confidence.LIKELY,
        fixes=(Fix("Fix the cause that the event message names"),),
    )


def _time_given(claim: PersistentVolumeClaim, storage_class: StorageClass, cluster: Cluster) -> timedelta:
    """How long the provisioner has had: since the first pod of the claim where the class waits for it."""
    since = [claim.metadata.creation_timestamp]
    if storage_class.waits_for_first_consumer:
        pods = [pod.metadata.creation_timestamp for pod in pods_mounting(claim, cluster.maybe)]
        since.append(min((created for created in pods if created is not None), default=None))
    return min((cluster.taken_at - start for start in since if start is not None), default=timedelta.max)


def bypassed(claim: PersistentVolumeClaim, storage_class: StorageClass, cluster: Cluster) -> Finding | None:
    """WaitForFirstConsumer waits for the scheduler; a pod that sets nodeName bypasses it."""
    pod = next((pod for pod in pods_mounting(claim, cluster) if pod.spec.node_name), None)
    if pod is None:
        return None
    return Finding(
        about=ref(claim),
        summary=f"class {storage_class.name} waits for the scheduler (WaitForFirstConsumer), but pod {pod.name} sets nodeName and bypasses it",
        evidence=(quote(pod, "spec.nodeName", "set in the pod"), quote(storage_class, "volumeBindingMode", "")),
        confidence=Confidence.LIKELY,
        fixes=(Fix("Use a nodeSelector on kubernetes.io/hostname instead of nodeName"),),
    )
