"""Nodes, what already runs on them, and pods that none of them takes, each for a reason of its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.real.cluster.layout import Document
from tests.real.cluster.simulated_nodes import SimulatedNode
from tests.real.workloads import deployment, manifest

NAMESPACE = "checkout"
ZONE, HOSTNAME = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
FPGA = "example.com/fpga"
NODES = (
    SimulatedNode("control-1", "zone-a", cpu="2", memory="4Gi", taints={"example.com/control": "NoSchedule"}),
    SimulatedNode("small-1", "zone-a", cpu="2", memory="4Gi"),
    SimulatedNode("dense-1", "zone-b", pods=2, labels={"pool": "dense"}),
    SimulatedNode("big-1", "zone-b", cpu="8", memory="16Gi", labels={"disk": "ssd"}),
    SimulatedNode(
        "gpu-1",
        "zone-c",
        cpu="8",
        labels={"accelerator": "nvidia"},
        taints={"nvidia.com/gpu": "NoSchedule"},
        extended={"nvidia.com/gpu": "1"},
    ),
    SimulatedNode("old-1", "zone-c", labels={"disk": "archive"}, cordoned=True),
)


@dataclass(frozen=True)
class Case:
    """said: parts of what the real scheduler must say. about: the object that is to blame; the pod's workload unless
    given. patience: seconds that such a pod is left before it counts as stuck."""

    name: str
    said: tuple[str, ...]
    pod: Document
    container: Document | None = None
    objects: tuple[Document, ...] = ()
    code: str = "KD1101"
    about: tuple[str, str] = ("Deployment", "")
    patience: int = 0
    bare: bool = False
    """A pod without a workload."""

    @property
    def subject(self) -> tuple[str, str]:
        """As the command line takes it."""
        return ("pod" if self.bare else "deploy"), self.name

    @property
    def culprit(self) -> tuple[str, str]:
        kind, name = self.about
        return ("Pod" if self.bare and kind == "Deployment" else kind), name or self.name

    @property
    def manifests(self) -> list[Document]:
        made = deployment(self.name, NAMESPACE, "serve", container=self.container, pod=self.pod)
        if self.bare:
            template = made["spec"]["template"]
            made = manifest("Pod", self.name, NAMESPACE, spec=template["spec"])
            made["metadata"]["labels"] = template["metadata"]["labels"]
        return [*self.objects, made]


def requests(**amounts: str) -> Document:
    return {"resources": {"requests": amounts}}


def node_affinity(*expressions: tuple[str, str, tuple[str, ...]]) -> Document:
    rows = [{"key": key, "operator": operator, "values": list(values)} for key, operator, values in expressions]
    terms = {"nodeSelectorTerms": [{"matchExpressions": rows}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


def anti_affinity(topology_key: str, **labels: str) -> Document:
    term = {"topologyKey": topology_key, "labelSelector": {"matchLabels": labels}}
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def mounts(claim: str) -> Document:
    return {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]}


def claim(name: str, storage_class: str, volume: str = "", mode: str = "ReadWriteOnce") -> Document:
    specification: dict[str, Any] = {
        "accessModes": [mode],
        "storageClassName": storage_class,
        "resources": {"requests": {"storage": "1Gi"}},
    }
    if volume:
        specification["volumeName"] = volume
    return manifest("PersistentVolumeClaim", name, NAMESPACE, spec=specification)


def volume(name: str, bound_to: str, node: str, mode: str = "ReadWriteOnce") -> Document:
    """A volume on the disk of one node."""
    expressions = [{"key": HOSTNAME, "operator": "In", "values": [node]}]
    specification = {
        "accessModes": [mode],
        "capacity": {"storage": "1Gi"},
        "storageClassName": "manual",
        "claimRef": {"namespace": NAMESPACE, "name": bound_to},
        "local": {"path": f"/data/{name}"},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": expressions}]}},
    }
    return manifest("PersistentVolume", name, None, spec=specification)


def storage_class(name: str, provisioner: str, mode: str) -> Document:
    return manifest("StorageClass", name, None, "storage.k8s.io/v1", provisioner=provisioner, volumeBindingMode=mode)


def running(
    name: str, node: str, labels: Document | None = None, container: Document | None = None, **pod: Any
) -> Document:
    """A pod that a node has."""
    main = {"name": "app", "image": "example.com/app:1", **(container or {})}
    made = manifest("Pod", name, NAMESPACE, spec={"nodeName": node, "containers": [main], **pod})
    made["metadata"]["labels"] = labels or {}
    return made


LOWER = partial(manifest, "PriorityClass", namespace=None, version="scheduling.k8s.io/v1")
METRICS = {"ports": [{"containerPort": 9100, "hostPort": 9100}]}
GROUND = (
    LOWER("steady", value=1000),
    LOWER("urgent", value=500),
    storage_class("no-provisioner", "example.com/nobody", "Immediate"),
    storage_class("local", "kubernetes.io/no-provisioner", "WaitForFirstConsumer"),
    volume("single", "single", "small-1", "ReadWriteOncePod"),
    claim("single", "manual", "single", "ReadWriteOncePod"),
)
RUNNING = (
    running("metrics-small", "small-1", container=METRICS),
    running("metrics-big", "big-1", container=METRICS),
    running("dense-a", "dense-1", priorityClassName="steady"),
    running("dense-b", "dense-1", priorityClassName="steady"),
    running("web-a", "small-1", {"app": "web"}),
    running("web-b", "big-1", {"app": "web"}),
    running("ledger-small", "small-1", {"app": "ledger"}, requests(cpu="1500m"), priorityClassName="steady"),
    running("ledger-big", "big-1", {"app": "ledger"}, requests(cpu="6"), priorityClassName="steady"),
    running("batch", "big-1", {}, requests(cpu="500m")),
    running("noisy", "big-1", {}, affinity=anti_affinity(ZONE, app="loud")),
    running("reader", "small-1", {}, volumes=mounts("single")["volumes"]),
)

TOLERATES_GPU = {"tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}]}
TOLERATES_CONTROL = {"tolerations": [{"key": "example.com/control", "operator": "Exists"}]}
SPREAD = {"maxSkew": 1, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule"}
WEB_AND_SPREAD = {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "spread"]}]}
CASES = (
    Case("nobody-schedules", (), {"schedulerName": "fair-scheduler"}, patience=60),
    Case("gated", ("gates",), {"schedulingGates": [{"name": "example.com/quota"}]}, code="KD1102", patience=5),
    Case("huge-cpu", ("3 Insufficient cpu", "2 node(s) had untolerated taint"), {}, requests(cpu="20")),
    Case("huge-memory", ("3 Insufficient memory", "1 Too many pods"), {}, requests(memory="64Gi")),
    Case(
        "tainted",
        ("2 node(s) had untolerated taint", "3 node(s) didn't match Pod's node affinity/selector"),
        {"nodeSelector": {"accelerator": "nvidia"}},
    ),
    Case("typo", ("3 node(s) didn't match Pod's node affinity/selector",), {"nodeSelector": {"disk": "sdd"}}),
    Case(
        "archive",
        ("1 node(s) were unschedulable", "3 node(s) didn't match Pod's node affinity/selector"),
        {"affinity": node_affinity(("disk", "In", ("archive",)))},
    ),
    Case("port-taken", ("2 node(s) didn't have free ports for the requested pod ports",), {}, METRICS),
    Case(
        "spread",
        ("2 node(s) didn't match pod topology spread constraints",),
        {"topologySpreadConstraints": [{**SPREAD, "labelSelector": WEB_AND_SPREAD}]},
    ),
    Case(
        "apart",
        ("2 node(s) didn't match pod anti-affinity rules",),
        {"affinity": anti_affinity(HOSTNAME, app="web")},
    ),
    Case(
        "loud",
        ("1 node(s) didn't satisfy existing pods anti-affinity rules",),
        {"affinity": node_affinity((ZONE, "In", ("zone-b",)))},
    ),
    Case("claim-missing", ('persistentvolumeclaim "orders" not found',), mounts("orders"), code="KD3002"),
    Case(
        "claim-unbound",
        ("pod has unbound immediate PersistentVolumeClaims",),
        mounts("unbound"),
        objects=(claim("unbound", "no-such-class"),),
        code="KD3001",
        about=("PersistentVolumeClaim", "unbound"),
    ),
    Case(
        "claim-young",
        ("pod has unbound immediate PersistentVolumeClaims",),
        mounts("young"),
        objects=(claim("young", "no-provisioner"),),
        patience=60,
    ),
    Case(
        "no-volume",
        ("node(s) didn't find available persistent volumes to bind",),
        mounts("waiting"),
        objects=(claim("waiting", "local"),),
        code="KD3001",
        about=("PersistentVolumeClaim", "waiting"),
        patience=10,
    ),
    Case(
        "volume-elsewhere",
        ("node(s) didn't match PersistentVolume's node affinity",),
        mounts("archived"),
        objects=(volume("archived", "archived", "old-1"), claim("archived", "manual", "archived")),
    ),
    Case(
        "claim-in-use", ("2 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod",), mounts("single")
    ),
    Case("dense", ("1 Too many pods",), {"nodeSelector": {"pool": "dense"}}),
    Case("fpga", (f"3 Insufficient {FPGA}",), {}, {"resources": {"limits": {FPGA: "1"}}}),
    Case(
        "urgent",
        ("1 Insufficient cpu, 1 No preemption victims found for incoming pod, 4 Preemption is not helpful",),
        {"priorityClassName": "urgent"},
        requests(cpu="2500m"),
    ),
    Case(
        "mixed",
        (
            "1 Insufficient cpu",
            "2 node(s) didn't have free ports",
            "1 Too many pods",
            "1 node(s) had untolerated taint",
        ),
        {**TOLERATES_CONTROL, "affinity": node_affinity((ZONE, "NotIn", ("zone-c",)))},
        {**METRICS, **requests(cpu="3")},
    ),
    Case(
        "alone",
        ("1 Too many pods", "4 Insufficient cpu", "1 node(s) had untolerated taint"),
        TOLERATES_GPU,
        requests(cpu="9"),
        bare=True,
    ),
)
