"""The controller of a volume driver: the identity that it has at the cloud, and what it writes about a claim."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from diagnostics.storage.drivers._node_part import unregistered
from kubedoctor.cluster import (
    Cluster,
    CSINode,
    Event,
    PersistentVolumeClaim,
    Ref,
    StorageClass,
    format_bytes,
    holder_of,
    human_duration,
    lease_of,
    misspellings,
    not_ready,
    pod_that_said,
    provisioning_container,
    quote,
    ref,
    visible_end,
)
from kubedoctor.cluster.changes import put
from kubedoctor.findings import (
    Command,
    Effect,
    Evidence,
    Fix,
    command_line,
    has_path,
    look_at,
    look_at_log,
    quote_line,
)
from kubedoctor.replay.logs.log_lines import parse_line
from kubedoctor.replay.logs.naming import failure_with
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.messages.message import Message
from kubedoctor.replay.messages.reader import read_message
from kubedoctor.replay.messages.shown import shown_reason

_IDENTITY: Final = frozenset({
    MessageClass.PROVISION_DENIED,
    MessageClass.PROVISION_IDENTITY,
    MessageClass.CLOUD_IDENTITY_DENIED,
    MessageClass.CLOUD_IDENTITY_FEDERATION,
    MessageClass.CLOUD_IDENTITY_NO_PROVIDER,
    MessageClass.CLOUD_IDENTITY_POD_IDENTITY,
    MessageClass.CLOUD_IDENTITY_TRUST_POLICY,
})  # fmt: skip
_KEYS: Final = (
    *("parameters[kmsKeyId]", "parameters[disk-encryption-kms-key]", "parameters[diskEncryptionSetID]"),
    "parameters[encryptionKMSID]",
)
"""Parameters that name the key: EBS, Compute Engine, Azure disks, Ceph."""
_SNAPSHOT: Final = re.compile(r'volumesnapshots\.snapshot\.storage\.k8s\.io "(?P<name>[^"]+)" not found')
_NOT_READY: Final = re.compile(r"snapshot \S+ is not (?:R|r)eady|is not ready to use")
_SHARED: Final = ("ReadWriteMany", "ReadOnlyMany")
_MODES: Final = re.compile(r"capabilit|access ?mode|MULTI_NODE|ReadWriteMany", re.IGNORECASE)
_UNREGISTERED: Final = re.compile(r"no topology key found (?:for node|on CSINode) (?P<node>[\w.-]*\w)")
"""`kubernetes-csi/external-provisioner`, `pkg/controller/topology.go`, GenerateAccessibilityRequirements, 6.2."""
_SMALLER: Final = re.compile(r"requested volume size \d+ is less than the size (?P<bytes>\d+) for the source")
_SIZE: Final = "spec.resources.requests[storage]"
_EXPORTS: Final = re.compile(r"access denied by server")
_SECRET_NAMESPACE: Final = "csi.storage.k8s.io/provisioner-secret-namespace"
_SECRET: Final = "parameters[csi.storage.k8s.io/provisioner-secret-name]"
_OF_A_CLOUD: Final = re.compile(r"aws|amazon|azure|gke|gcp|google|gce-pd")
"""Drivers whose controllers sign in by the role of a ServiceAccount or of their machine."""
_SHORT: Final = 2
"""Letters: shorter values, as `io`, stand in many words."""
SILENT: Final = 60.0
"""Seconds: a leader renews its lease every few."""
_LONGEST: Final = 240


class ControllerState(NamedTuple):
    """What is known of the controller: a clause that follows the summary, and what goes with it."""

    clause: str = ""
    evidence: tuple[Evidence, ...] = ()
    fixes: tuple[Fix, ...] = ()
    commands: tuple[Command, ...] = ()
    because_of: tuple[Ref, ...] = ()


def identity_refused(failure: Event, storage_class: StorageClass, cluster: Cluster) -> ControllerState:
    """Whose identity the storage refuses, where the message of a failure says that it does."""
    reading = read_message(Message(text=failure.message, reason=failure.reason, kind="PersistentVolumeClaim"))
    if reading is None or reading.message_class not in _IDENTITY:
        return ControllerState()
    pod = pod_that_said(failure, cluster)
    if _EXPORTS.search(failure.message):
        node = f"node {pod.spec.node_name}, where the driver's controller runs," if pod is not None else "the nodes"
        return ControllerState(fixes=(Fix(f"Admit {node} in the exports of the NFS server, and reload them"),))
    if has_path(storage_class, _SECRET):
        name = quote(storage_class, _SECRET, "the Secret with the credentials")
        place = f"parameters[{_SECRET_NAMESPACE}]"
        secret = f"{quote(storage_class, place).text}/{name.text}" if has_path(storage_class, place) else name.text
        return ControllerState(
            evidence=(name,),
            fixes=(
                Fix(
                    f"Correct the credentials in Secret {secret}, or give their user the rights that the message names"
                ),
            ),
        )
    if not _OF_A_CLOUD.search(storage_class.provisioner):
        return ControllerState(
            fixes=(
                Fix(
                    f"Give the user that {storage_class.provisioner} signs in with (in the configuration of its controller) the"
                    " rights that the message names, or correct its password"
                ),
            )
        )
    if pod is None or not pod.spec.service_account_name:
        return ControllerState(
            fixes=(Fix("Give the ServiceAccount of the driver's controller the rights that the message names"),)
        )
    account = Ref("ServiceAccount", pod.namespace, pod.spec.service_account_name)
    return ControllerState(
        evidence=(quote(pod, "spec.serviceAccountName", "the identity of the driver's controller"),),
        fixes=(Fix(f"Give {account.title} its role at the cloud, and the role the rights that the message names"),),
        commands=(
            look_at(account, "its role at the cloud"),
            look_at_log(pod, provisioning_container(pod), previous=False, why="the calls of the driver"),
        ),
    )


def key_refused(failure: Event, storage_class: StorageClass, cluster: Cluster) -> ControllerState:
    """Whose use of which key the storage does not let happen, where the message says so. EC2 answers with a volume id
    first, and removes the volume when the role may not use the key: the message then only misses the volume."""
    reading = read_message(Message(text=failure.message, reason=failure.reason, kind="PersistentVolumeClaim"))
    if reading is None or reading.message_class is not MessageClass.PROVISION_ENCRYPTION:
        return ControllerState()
    pod = pod_that_said(failure, cluster)
    account = Ref("ServiceAccount", pod.namespace, pod.spec.service_account_name) if pod is not None else None
    who = f"the role of {account.title}" if account is not None and account.name else "the driver's role"
    path = next((path for path in _KEYS if has_path(storage_class, path)), "")
    key = quote(storage_class, path, "the key of its volumes") if path else None
    which = (
        f" {key.text}" if key is not None else " that encrypts the volumes (of the class, the snapshot or the account)"
    )
    vanishes = "InvalidVolume.NotFound" in failure.message or "IdempotentParameterMismatch" in failure.message
    clause = (
        f"EC2 created the volume and removed it at once, as it does where {who} may not use the KMS key"
        if vanishes
        else "the encryption key of the volume cannot be used"
    )
    answer = " ".join(failure.message.rpartition(" api error ")[2].split()) or reading.deciding
    clause += f": {visible_end(answer.rstrip('.'), _LONGEST)}"
    rights = "kms:GenerateDataKeyWithoutPlaintext, kms:Decrypt, kms:DescribeKey and kms:CreateGrant on "
    return ControllerState(
        clause,
        evidence=(key,) if key is not None else (),
        fixes=(
            Fix(f"Allow {who} {rights if vanishes else 'to use '}the key{which}, and check that the key is enabled"),
        ),
        commands=(look_at(account, "its role at the cloud"),) if account is not None and account.name else (),
    )


def snapshot_elsewhere(failure: Event, claim: PersistentVolumeClaim, cluster: Cluster) -> ControllerState:
    """A VolumeSnapshot to restore that is in another namespace than the claim, or that is not taken."""
    found = _SNAPSHOT.search(failure.message)
    if found is None:
        return _snapshot_not_ready(failure, claim, cluster)
    for other in cluster.maybe.custom("VolumeSnapshot", "snapshot.storage.k8s.io"):
        if other.name == found["name"] and other.namespace != claim.namespace:
            return ControllerState(
                f"; VolumeSnapshot {other.namespace}/{other.name} is not used: it has to be in namespace {claim.namespace}",
                evidence=(quote(other, "metadata.namespace", "where it is"),),
                fixes=(
                    Fix(
                        f"Create a VolumeSnapshotContent for the same snapshot, and a VolumeSnapshot of it in namespace"
                        f" {claim.namespace}; a claim restores snapshots of its own namespace"
                    ),
                ),
            )
    return _misspelled_snapshot(found["name"], claim, cluster)


def _misspelled_snapshot(name: str, claim: PersistentVolumeClaim, cluster: Cluster) -> ControllerState:
    own = cluster.maybe.custom("VolumeSnapshot", "snapshot.storage.k8s.io", claim.namespace)
    near = next(iter(misspellings(name, sorted(row.name for row in own))), "")
    if not near:
        return ControllerState()
    return ControllerState(
        f"; did you mean VolumeSnapshot {near}?",
        fixes=(Fix(f"Recreate the claim with dataSource {near}: it has no volume, so no data is lost"),),
    )


def smaller_than_its_source(failure: Event, claim: PersistentVolumeClaim) -> ControllerState:
    """A claim that requests less than the snapshot or the claim that it is a copy of
    (`kubernetes-csi/external-provisioner`, `pkg/controller`, getSnapshotSource, 6.4)."""
    found = _SMALLER.search(failure.message)
    if found is None or not has_path(claim, _SIZE):
        return ControllerState()
    least = format_bytes(int(found["bytes"]))
    change = put(ref(claim), ("spec", "resources", "requests", "storage"), str(least))
    return ControllerState(
        f"; the claim requests {quote(claim, _SIZE).text}, its source has {least}",
        evidence=(quote(claim, _SIZE, "what the claim requests"),),
        fixes=(
            Fix(
                f"Recreate the claim with size {least} or more: it has no volume, so no data is lost",
                command_line(change, claim),
                Effect.CHANGES,
                changes=ref(claim),
            ),
        ),
    )


def named_parameter(failure: Event, storage_class: StorageClass) -> ControllerState:
    """The parameter of the class that the driver's message names."""
    for key, value in sorted((storage_class.parameters or {}).items()):
        path = f"parameters[{key}]"
        by_key, by_value = _stands_in(key, failure.message), _stands_in(value, failure.message)
        if not (by_key or by_value) or not has_path(storage_class, path):
            continue
        right = f"with another {key}" if by_value else f"without {key}, or with the name that the driver knows"
        return ControllerState(
            f"; class {storage_class.name} sets {key}: {value}",
            evidence=(quote(storage_class, path, f"set by StorageClass {storage_class.name}"),),
            fixes=(
                Fix(
                    f"Delete class {storage_class.name} and create it again {right}: a class cannot be changed in"
                    " place; volumes that exist are not touched"
                ),
            ),
        )
    return ControllerState()


def _stands_in(word: str, message: str) -> bool:
    return len(word) > _SHORT and re.search(rf"(?<![\w./-]){re.escape(word)}(?![\w/-])", message) is not None


def shared_modes(failure: Event, claim: PersistentVolumeClaim) -> ControllerState:
    """A claim for pods of several nodes at a driver whose volumes only one node can use."""
    modes = [mode for mode in claim.spec.access_modes or () if mode in _SHARED]
    if not modes or not _MODES.search(failure.message) or not has_path(claim, "spec.accessModes"):
        return ControllerState()
    return ControllerState(
        f"; the claim requests {modes[0]}, which disks cannot give",
        evidence=(quote(claim, "spec.accessModes", "what the claim requests"),),
        fixes=(
            Fix(
                "Recreate the claim with ReadWriteOnce, if pods of one node use it: it has no volume, so no data is lost"
            ),
            Fix("Or use a class of a file server: EFS, Azure Files, Filestore, NFS, CephFS"),
        ),
    )


def not_on_the_node(
    failure: Event, claim: PersistentVolumeClaim, storage_class: StorageClass, cluster: Cluster
) -> ControllerState:
    """A driver that is not registered on the node that the scheduler has chosen, so that nothing tells the zone of the node."""
    found = _UNREGISTERED.search(failure.message)
    if found is None:
        return ControllerState()
    driver, node = storage_class.provisioner, found["node"]
    path = "metadata.annotations[volume.kubernetes.io/selected-node]"
    where = (quote(claim, path, "the node that the scheduler has chosen"),) if has_path(claim, path) else ()
    registered = _registration(driver, node, cluster)
    if registered is not None:
        return ControllerState(
            f": {driver} is registered on node {node} without topology keys",
            evidence=(
                *where,
                quote(registered, f"spec.drivers[name={driver}].nodeID", "registered, without topologyKeys"),
            ),
            fixes=(
                Fix(
                    f"Restart the part of {driver} on node {node} with its topology, or its provisioner with"
                    " --feature-gates=Topology=false if its volumes can be reached from every node"
                ),
            ),
        )
    there = unregistered(driver, node, where, cluster)
    return ControllerState(
        f": {driver} is not registered on node {node}{there.words}",
        evidence=there.evidence,
        fixes=(Fix(f"Let the part of {driver} on the nodes run on node {node}: it tells the zone of the node"),),
        because_of=there.blamed,
    )


def _registration(driver: str, node: str, cluster: Cluster) -> CSINode | None:
    found = cluster.maybe.get(CSINode, "", node)
    here = found is not None and any(one.name == driver and one.node_id for one in found.spec.drivers or ())
    return found if here else None


def _snapshot_not_ready(failure: Event, claim: PersistentVolumeClaim, cluster: Cluster) -> ControllerState:
    """The snapshot itself has the fault, which its own findings name."""
    source = claim.spec.data_source or claim.spec.data_source_ref or {}
    name = str(source.get("name") or "")
    if source.get("kind") != "VolumeSnapshot" or not _NOT_READY.search(failure.message):
        return ControllerState()
    for row in cluster.maybe.custom("VolumeSnapshot", "snapshot.storage.k8s.io", claim.namespace):
        if row.name != name or (row.status or {}).get("readyToUse") is True:
            continue
        path = "status.error.message"
        error = quote(row, path, "why it is not taken") if has_path(row, path) else None
        why = f": {shown_reason(error.text, _LONGEST)}" if error is not None else ""
        return ControllerState(
            f"; {ref(row).title} is not ready{why}",
            evidence=(error,) if error is not None else (),
            fixes=(Fix(f"Fix what prevents {ref(row).title}, or restore another snapshot"),),
            because_of=(ref(row),),
        )
    return ControllerState()


def silent_controller(driver: str, claim: PersistentVolumeClaim, cluster: Cluster) -> ControllerState:
    """Where no event says why: whether a controller of the driver is at work, and what its log says about the claim."""
    lease = lease_of(driver, cluster)
    if lease is None or not has_path(lease, "spec.renewTime") or lease.spec.renew_time is None:
        return ControllerState()
    silent = cluster.taken_at - lease.spec.renew_time
    pod = holder_of(lease, cluster)
    if silent.total_seconds() > SILENT:
        return ControllerState(
            f"; its controller has not renewed its lease for {human_duration(silent)}",
            (quote(lease, "spec.renewTime", "the leader renews it every few seconds"),),
            (Fix(f"Let the controller of {driver} run again"),),
            because_of=(ref(pod) if pod is not None else Ref("CSIDriver", "", driver),),
        )
    if pod is None or not_ready(pod):
        return ControllerState(because_of=(ref(pod),) if pod is not None else ())
    container = provisioning_container(pod)
    tail = cluster.log_tail(pod, container)
    names = [
        f"{claim.namespace}/{claim.name}",
        f'"{claim.name}"',
        *([claim.metadata.uid] if claim.metadata.uid else []),
    ]
    index = failure_with(tail.lines, names) if tail is not None else None
    if tail is None or index is None:
        return ControllerState(commands=(look_at_log(pod, container, previous=False, why="the calls of the driver"),))
    message = visible_end(" ".join(parse_line(tail.lines[index]).message.split()), _LONGEST)
    return ControllerState(
        f"; the log of its controller says: {message}",
        (quote_line(tail, index, "the newest error about the claim"),),
        commands=(look_at_log(pod, container, previous=False, why="the calls of the driver"),),
    )
