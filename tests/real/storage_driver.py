"""A CSI driver with the sidecars of Kubernetes CSI: it creates, attaches, mounts, grows and copies disks on the real node.

The driver is `go/disks`; its storage system is a folder of the node, and refuses what `refuse` and `limit` say.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.images import DISKS, SIDECARS, SNAPSHOT_CONTROLLER
from tests.real.cluster.layout import REGISTRY, SNAPSHOT_KINDS, Document
from tests.real.workloads import RBAC, manifest

DRIVER, PLACE = "disks.csi.shop.example", "kube-system"
CONTROLLER, NODE_PART = "disks-csi-controller", "disks-csi-node"
KUBELET, STORAGE = "/var/lib/kubelet", "/var/lib/disks"
ZONE = "zone-a"
GROUP = "snapshot.storage.k8s.io"
LARGEST = 16 << 30
"""Bytes: the storage system has no larger disk."""
SNAPSHOT_OBJECTS = f"volumesnapshots.{GROUP},volumesnapshotcontents.{GROUP},volumesnapshotclasses.{GROUP}"
READS = ["get", "list", "watch"]
WRITES = [*READS, "create", "update", "patch", "delete"]
RULES = (
    {"apiGroups": [""], "resources": ["persistentvolumes", "persistentvolumeclaims", "events"], "verbs": WRITES},
    {"apiGroups": [""], "resources": ["persistentvolumeclaims/status"], "verbs": ["patch"]},
    {"apiGroups": [""], "resources": ["nodes", "pods"], "verbs": READS},
    {"apiGroups": ["apps"], "resources": ["replicasets"], "verbs": ["get"]},
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": WRITES},
    {
        "apiGroups": ["storage.k8s.io"],
        "resources": ["storageclasses", "csinodes", "volumeattachments", "volumeattributesclasses"],
        "verbs": [*READS, "patch"],
    },
    {"apiGroups": ["storage.k8s.io"], "resources": ["volumeattachments/status"], "verbs": ["patch"]},
    {"apiGroups": ["storage.k8s.io"], "resources": ["csistoragecapacities"], "verbs": WRITES},
    {
        "apiGroups": [GROUP],
        "resources": [
            *("volumesnapshots", "volumesnapshotcontents", "volumesnapshotclasses"),
            *("volumesnapshots/status", "volumesnapshotcontents/status"),
        ],
        "verbs": WRITES,
    },
)
"""As the sidecars' own manifests have them, in one role."""
SWITCHES = {
    "csi-provisioner": ["--feature-gates=Topology=true", "--extra-create-metadata"],
    "csi-attacher": [],
    "csi-resizer": ["--handle-volume-inuse-error=false"],
    "csi-snapshotter": [],
}
QUICKLY = ["--retry-interval-max=20s"]
"""A person waits minutes between two tries; a recording need not."""


@contextmanager
def disks_provided(cluster: RealCluster) -> Iterator[None]:
    """Until the end; the disks themselves stay."""
    cluster.kubectl("apply", "--server-side", "-f", str(SNAPSHOT_KINDS))
    limit(cluster)
    cluster.apply(*account(), *controller(), *node_part(), *snapshot_controller(), csi_driver())
    for name in ("snapshots", "classes"):
        cluster.wait_for(name, lambda: bool(cluster.kubectl("api-resources", f"--api-group={GROUP}", "-o", "name")))
    cluster.apply(*classes())
    for workload in (f"deployment/{CONTROLLER}", f"daemonset/{NODE_PART}", "deployment/snapshot-controller"):
        cluster.kubectl("rollout", "status", workload, "-n", PLACE, "--timeout=180s")
    cluster.wait_for("the driver on the node", lambda: registered(cluster))
    yield
    cluster.kubectl("delete", "deployment", CONTROLLER, "snapshot-controller", "-n", PLACE)
    cluster.kubectl("delete", "daemonset", NODE_PART, "-n", PLACE)


def registered(cluster: RealCluster) -> bool:
    nodes = cluster.items("csinodes", "default")
    return any(row["name"] == DRIVER for node in nodes for row in node["spec"].get("drivers") or [])


def limit(cluster: RealCluster, **limits: object) -> None:
    """What the storage system allows from now on; without any, what it allows at the start."""
    folder = cluster.folder / "var-lib/disks"
    folder.mkdir(exist_ok=True)
    (folder / "limits.json").write_text(json.dumps({"MostBytes": LARGEST, **limits}))


def refuse(cluster: RealCluster, call: str, code: int, message: str) -> None:
    """call: as CSI names it; code: of gRPC."""
    limit(cluster, Refused={call: {"Code": code, "Message": message}})


def account() -> list[Document]:
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "disks-csi"}
    names = (CONTROLLER, NODE_PART, "snapshot-controller")
    subjects = [{"kind": "ServiceAccount", "name": name, "namespace": PLACE} for name in names]
    return [
        *(manifest("ServiceAccount", name, PLACE) for name in names),
        manifest("ClusterRole", "disks-csi", None, f"{RBAC}/v1", rules=list(RULES)),
        manifest("ClusterRoleBinding", "disks-csi", None, f"{RBAC}/v1", roleRef=role, subjects=subjects),
    ]


def csi_driver() -> Document:
    spec = {"attachRequired": True, "podInfoOnMount": False, "fsGroupPolicy": "File"}
    return manifest("CSIDriver", DRIVER, None, "storage.k8s.io/v1", spec=spec)


def controller(without: tuple[str, ...] = ()) -> list[Document]:
    """The controller's Deployment. without: sidecars that it lacks."""
    socket = {"name": "socket", "mountPath": "/csi"}
    sidecars = [
        {
            "name": name,
            "image": f"{REGISTRY}/{SIDECARS[name]}",
            "args": [
                *("--csi-address=/csi/csi.sock", "--leader-election", "--v=2", *switches),
                *(QUICKLY if name != "csi-attacher" else ["--retry-interval-max=20s"]),
            ],
            "volumeMounts": [socket],
        }
        for name, switches in SWITCHES.items()
        if name not in without
    ]
    driver = {
        "name": "disks",
        "image": f"{REGISTRY}/{DISKS}",
        "args": ["-part=controller", f"-driver-name={DRIVER}", f"-zone={ZONE}"],
        "volumeMounts": [socket, {"name": "storage", "mountPath": "/storage"}],
    }
    pod: Document = {
        "serviceAccountName": CONTROLLER,
        "priorityClassName": "system-cluster-critical",
        "containers": [*sidecars, driver],
        "volumes": [{"name": "socket", "emptyDir": {}}, _folder("storage", STORAGE)],
    }
    labels = {"app": CONTROLLER}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": labels},
        "strategy": {"type": "Recreate"},
        "template": template,
    }
    return [manifest("Deployment", CONTROLLER, PLACE, "apps/v1", spec=spec)]


def node_part(selector: dict[str, str] | None = None, limit: int = 0) -> list[Document]:
    """The DaemonSet that mounts. limit: how many volumes a node may have; 0 for any number."""
    plugin = f"{KUBELET}/plugins/{DRIVER}"
    both = {"mountPropagation": "Bidirectional"}
    driver: Document = {
        "name": "disks",
        "image": f"{REGISTRY}/{DISKS}",
        "args": [
            *("-part=node", f"-driver-name={DRIVER}", f"-zone={ZONE}", f"-volume-attach-limit={limit}"),
            f"-kubelet-endpoint={plugin}/csi.sock",
        ],
        "env": [{"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "securityContext": {"privileged": True},
        "volumeMounts": [
            {"name": "plugin", "mountPath": "/csi"},
            {"name": "registration", "mountPath": "/registration"},
            {"name": "kubelet", "mountPath": KUBELET, **both},
            {"name": "storage", "mountPath": "/storage"},
        ],
    }
    pod: Document = {
        "serviceAccountName": NODE_PART,
        "priorityClassName": "system-node-critical",
        "tolerations": [{"operator": "Exists"}],
        "containers": [driver],
        "volumes": [
            _folder("plugin", plugin),
            _folder("registration", f"{KUBELET}/plugins_registry"),
            _folder("kubelet", KUBELET),
            _folder("storage", STORAGE),
        ],
        "nodeSelector": {"kubernetes.io/os": "linux", **(selector or {})},
    }
    labels = {"app": NODE_PART}
    template = {"metadata": {"labels": labels}, "spec": pod}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    return [manifest("DaemonSet", NODE_PART, PLACE, "apps/v1", spec=spec)]


def snapshot_controller() -> list[Document]:
    name = "snapshot-controller"
    container = {"name": name, "image": f"{REGISTRY}/{SNAPSHOT_CONTROLLER}", "args": ["--leader-election", "--v=2"]}
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"serviceAccountName": name, "containers": [container]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return [manifest("Deployment", name, PLACE, "apps/v1", spec=spec)]


def classes() -> list[Document]:
    """All classes that the faults use: a class belongs to the cluster, so each recording has them all."""
    copies = manifest("VolumeSnapshotClass", "disks", None, f"{GROUP}/v1", driver=DRIVER, deletionPolicy="Delete")
    copies["metadata"]["annotations"] = {"snapshot.storage.kubernetes.io/is-default-class": "true"}
    elsewhere = {"key": f"topology.{DRIVER}/zone", "values": ["zone-b"]}
    return [
        storage_class("disks", default=True),
        storage_class("disks-at-once", volumeBindingMode="Immediate"),
        storage_class("disks-kept", reclaimPolicy="Retain"),
        storage_class("disks-fast", parameters={"tpye": "fast"}),
        manifest(
            "VolumeAttributesClass",
            "disks-faster",
            None,
            "storage.k8s.io/v1",
            driverName=DRIVER,
            parameters={"type": "faster"},
        ),
        storage_class("disks-zone-b", allowedTopologies=[{"matchLabelExpressions": [elsewhere]}]),
        copies,
    ]


def storage_class(name: str, *, default: bool = False, **fields: object) -> Document:
    settings = {"volumeBindingMode": "WaitForFirstConsumer", "allowVolumeExpansion": True, **fields}
    made = manifest("StorageClass", name, None, "storage.k8s.io/v1", provisioner=DRIVER, **settings)
    if default:
        made["metadata"]["annotations"] = {"storageclass.kubernetes.io/is-default-class": "true"}
    return made


def _folder(name: str, path: str) -> Document:
    return {"name": name, "hostPath": {"path": path, "type": "DirectoryOrCreate"}}
