"""Claims whose class has a provisioner: whether it does its work, or is not even asked."""

from __future__ import annotations

from datetime import timedelta

from diagnostics.storage._volumes import asked
from kubedoctor.cluster import Cluster, PersistentVolumeClaim, StorageClass, quote, ref
from kubedoctor.cluster.relations.claims import pods_mounting
from kubedoctor.findings import Confidence, Finding, Fix

PATIENCE = timedelta(minutes=1)
SLOW = timedelta(minutes=5)
"""File servers of clouds take minutes to make; a provisioner that fails says so."""


def not_provisioned(claim: PersistentVolumeClaim, found: StorageClass, cluster: Cluster) -> Finding | None:
    """It has been asked and has had its time; None while it may still be at work."""
    failed = [event for event in cluster.events_about(ref(claim)) if event.reason == "ProvisioningFailed"]
    said = failed[-1] if failed and failed[-1].message else None
    if said is None and _asked_for(claim, found, cluster) < SLOW:
        return None
    answer = (quote(said, "message", "the provisioner's answer"),) if said is not None else ()
    told = f": {' '.join(said.message.split())}" if said is not None else " and nobody says why"
    return Finding(
        about=ref(claim),
        summary=f"provisioner {found.provisioner} of class {found.name} has made no volume{told}",
        evidence=(*answer, quote(found, "provisioner", "must make the volume"), *asked(claim)),
        confidence=Confidence.CERTAIN if said is not None else Confidence.LIKELY,
        fixes=(Fix(f"see that the controller of {found.provisioner} runs, and what its log says"),),
    )


def _asked_for(claim: PersistentVolumeClaim, found: StorageClass, cluster: Cluster) -> timedelta:
    """How long the provisioner has been asked: from the claim's first pod on where it waits for one."""
    since = [claim.metadata.creation_timestamp]
    if found.waits_for_first_consumer:
        pods = [pod.metadata.creation_timestamp for pod in pods_mounting(claim, cluster.maybe)]
        since.append(min((made for made in pods if made is not None), default=None))
    return min((cluster.taken_at - start for start in since if start is not None), default=timedelta.max)


def bypassed(claim: PersistentVolumeClaim, found: StorageClass, cluster: Cluster) -> Finding | None:
    """WaitForFirstConsumer waits for the scheduler; a pod that names its node never meets it."""
    pod = next((pod for pod in pods_mounting(claim, cluster) if pod.spec.node_name), None)
    if pod is None:
        return None
    return Finding(
        about=ref(claim),
        summary=f"class {found.name} waits for the scheduler to place a pod, but a pod names its node itself",
        evidence=(quote(pod, "spec.nodeName", "set in the pod"), quote(found, "volumeBindingMode", "")),
        confidence=Confidence.LIKELY,
        fixes=(Fix("use a nodeSelector on kubernetes.io/hostname instead of nodeName"),),
    )
