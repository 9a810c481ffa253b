"""Where many pending pods may go: `python -m tests.bench.scheduling [PODS [NODES]]` (default 1,000 and 5,000).

Every filter has something to do: taints, cordons, selectors, host ports, requests, claims with zones and limits, spreading,
pods that want to be together and apart. 50 replicas of each workload are pending. CPU time; compare ratios.
The loop that replays every pod anew is run for a sample of the pods and extrapolated. At last pods of many kinds are
explained as a scan does it, every third kind with a priority that lets it preempt.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from kubedoctor.cluster import Cluster, Snapshot, Source
from kubedoctor.cluster.kinds.core import Node
from kubedoctor.cluster.kinds.meta import ObjectMeta
from kubedoctor.cluster.kinds.pods import Pod, PodSpec, PodStatus
from kubedoctor.cluster.kinds.storage import CSINode, PersistentVolume, PersistentVolumeClaim, StorageClass
from kubedoctor.replay.scheduler.cycle import SchedulingVerdict, schedule
from kubedoctor.replay.scheduler.many.by_classes import schedule_by_classes
from kubedoctor.replay.scheduler.many.equivalence import equivalence_key
from kubedoctor.replay.scheduler.many.node_classes import NodeClasses
from kubedoctor.replay.scheduler.pending import explain_pending
from kubedoctor.replay.scheduler.snapshot import ClusterState

REPLICAS = 50
PODS_OF_A_NODE = 20
NAMESPACES = 50
SAMPLE = 40
ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
T = TypeVar("T")


def nodes(count: int) -> list[Node]:
    """In 3 zones, some of them tainted, cordoned or with other disks."""
    return [
        msgspec.convert(
            {
                "metadata": {
                    "name": f"n{n:05}",
                    "labels": {
                        HOST: f"n{n:05}",
                        ZONE: f"z{n % 3}",
                        "topology.kubernetes.io/region": "r",
                        "node.kubernetes.io/instance-type": f"m{n % 4}",
                        "disk": "ssd" if n % 5 else "hdd",
                    },
                },
                "spec": {
                    "unschedulable": n % 50 == 0,
                    "taints": [{"key": "team", "value": f"t{n % 3}", "effect": "NoSchedule"}] if n % 10 == 0 else [],
                },
                "status": {"allocatable": {"cpu": str(4 + 4 * (n % 4)), "memory": "32Gi", "pods": "110"}},
            },
            Node,
        )
        for n in range(count)
    ]


def running_spec(workload: int) -> PodSpec:
    """What a workload's pods ask for; one in ten keeps its pods apart, one in twenty has a host port."""
    ports = [{"containerPort": 80, "hostPort": 8000 + workload % 5}] if workload % 20 == 0 else []
    requests = {"cpu": f"{25 + workload * 37 % 300}m", "memory": f"{64 + workload * 53 % 500}Mi"}
    data: dict[str, Any] = {"containers": [{"name": "app", "ports": ports, "resources": {"requests": requests}}]}
    if workload % 10 == 0:
        data["affinity"] = {"podAntiAffinity": required(workload, HOST)}
    return msgspec.convert(data, PodSpec)


def required(workload: int, key: str) -> dict[str, Any]:
    selector = {"matchLabels": {"app": f"w{workload}"}}
    return {"requiredDuringSchedulingIgnoredDuringExecution": [{"labelSelector": selector, "topologyKey": key}]}


def running(count: int) -> list[Pod]:
    """`PODS_OF_A_NODE` on each node."""
    specs: dict[int, PodSpec] = {}
    status = PodStatus(phase="Running")
    found = []
    for n in range(count * PODS_OF_A_NODE):
        workload = (n * 2654435761 >> 9) % (count // 5 or 1)
        spec = specs.setdefault(workload, running_spec(workload))
        name = f"w{workload}-{n}"
        metadata = ObjectMeta(
            name=name, namespace=f"ns{workload % NAMESPACES}", uid=name, labels={"app": f"w{workload}"}
        )
        placed = replace(spec, node_name=f"n{n // PODS_OF_A_NODE:05}")
        found.append(Pod(metadata=metadata, spec=placed, status=status))
    return found


def pending_spec(workload: int) -> PodSpec:
    """Too big for every node, so that all of them are looked at; each with something for every filter."""
    selector = {"matchLabels": {"app": f"w{workload}"}}
    spread = {"maxSkew": 1, "topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule", "labelSelector": selector}
    data = {
        "containers": [
            {
                "name": "app",
                "ports": [{"containerPort": 80, "hostPort": 8000 + workload % 5}],
                "resources": {"requests": {"cpu": str(17 + workload % 7), "memory": "1Gi"}},
            }
        ],
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "team", "operator": "Equal", "value": f"t{workload % 3}", "effect": "NoSchedule"}],
        "topologySpreadConstraints": [spread],
        "affinity": {"podAntiAffinity": required(workload, HOST), "podAffinity": required(workload, ZONE)},
        "volumes": [
            {"name": "data", "persistentVolumeClaim": {"claimName": f"data-{workload}"}},
            {"name": "more", "persistentVolumeClaim": {"claimName": f"more-{workload}"}},
        ],
    }
    return msgspec.convert(data, PodSpec)


def pending(count: int) -> list[Pod]:
    found = []
    for n in range(count):
        workload = n // REPLICAS
        labels = {"app": f"w{workload}"}
        name = f"w{workload}-new-{n}"
        metadata = ObjectMeta(name=name, namespace=f"ns{workload % NAMESPACES}", uid=name, labels=labels)
        found.append(Pod(metadata=metadata, spec=pending_spec(workload), status=PodStatus(phase="Pending")))
    return found


def storage(workloads: int, names: Iterable[str]) -> dict[str, Any]:
    """A bound claim in a zone and one that waits for its pod for each workload; a limit on every node."""
    claims, volumes = [], []
    for n in range(workloads):
        where = {"namespace": f"ns{n % NAMESPACES}"}
        bound = {"name": f"data-{n}", "annotations": {"pv.kubernetes.io/bind-completed": "yes"}, **where}
        claims.append({"metadata": bound, "spec": {"volumeName": f"pv-{n}", "accessModes": ["ReadWriteOnce"]}})
        claims.append({"metadata": {"name": f"more-{n}", **where}, "spec": {"storageClassName": "late"}})
        term = {"matchExpressions": [{"key": ZONE, "operator": "In", "values": [f"z{n % 3}"]}]}
        affinity = {"required": {"nodeSelectorTerms": [term]}}
        csi = {"driver": "csi.example.com", "volumeHandle": f"h{n}"}
        metadata = {"name": f"pv-{n}", "labels": {ZONE: f"z{n % 3}"}}
        volumes.append({"metadata": metadata, "spec": {"nodeAffinity": affinity, "csi": csi}})
    driver = {"name": "csi.example.com", "nodeID": "n", "allocatable": {"count": 20}}
    late = {"metadata": {"name": "late"}, "provisioner": "csi.example.com", "volumeBindingMode": "WaitForFirstConsumer"}
    return {
        "claims": msgspec.convert(claims, list[PersistentVolumeClaim]),
        "volumes": msgspec.convert(volumes, list[PersistentVolume]),
        "classes": [msgspec.convert(late, StorageClass)],
        "csi_nodes": [
            msgspec.convert({"metadata": {"name": name}, "spec": {"drivers": [driver]}}, CSINode) for name in names
        ],
    }


def schedule_many(pods: Sequence[Pod], state: ClusterState) -> list[SchedulingVerdict]:
    """In their order; those that are alike share a verdict, as in `explain_pending`."""
    known: dict[bytes, SchedulingVerdict] = {}
    for pod in pods:
        key = equivalence_key(pod)
        if key not in known:
            known[key] = schedule_by_classes(pod, state)
    return [known[equivalence_key(pod)] for pod in pods]


def spent(work: Callable[[], T]) -> tuple[float, T]:
    """CPU seconds, and what came of it."""
    gc.collect()
    before = time.process_time()
    result = work()
    return time.process_time() - before, result


def measure(count: int, most_nodes: int) -> None:
    fleet = nodes(most_nodes)
    placed = running(most_nodes)
    objects = storage(10 * count // REPLICAS + 1, [node.name for node in fleet])
    gc.freeze()

    def state() -> ClusterState:
        """A fresh one: what filters have learnt of the cluster is part of the cost."""
        return ClusterState.of(fleet, placed, **objects)

    made, first = spent(state)
    print(f"{'the cluster as the scheduler knows it':<60} {made:8.2f} s")
    gc.freeze()
    classes = NodeClasses(first)
    rooms = {
        (node.most_pods, len(node.pods), *node.allocatable.items(), *node.requested.items()) for node in first.nodes
    }
    kinds = len(classes.by_class.examples)
    print(f"  nodes: {kinds} kinds by labels and taints, {len(rooms)} by the room that is left")
    pods = pending(count)
    one, verdicts = spent(lambda: schedule_many(pods, first))
    print(f"{f'{count} pods, {count // REPLICAS} kinds, on {most_nodes} nodes':<60} {one:8.2f} s")
    print(f"  every plugin that objects somewhere: {' '.join(sorted(plugins(verdicts)))}")
    sample = pods[:: max(1, count // SAMPLE)]
    naive, again = spent(lambda: [schedule(pod, first) for pod in sample])
    assert again == [verdicts[pods.index(pod)] for pod in sample]
    naive *= count / len(sample)
    print(f"{f'each anew (from {len(sample)} of them, extrapolated)':<60} {naive:8.2f} s = {naive / one:.0f} times")
    fresh = state()
    many = pending(10 * count)
    gc.freeze()
    ten, _ = spent(lambda: schedule_many(many, fresh))
    print(f"{f'{10 * count} pods':<60} {ten:8.2f} s = {ten / one:.1f} times")


def measure_explained(count: int, kinds: int, most_nodes: int) -> None:
    """From the objects to the answer: what the scheduler knows, verdict, groups of nodes, preemption."""
    fleet = nodes(most_nodes)
    snapshot = Snapshot(datetime(2026, 1, 1, tzinfo=UTC), Source("files", "bench", "v1.37.0"), complete=True)
    waiting = [
        replace(one, spec=replace(one.spec, priority=1000 if n // REPLICAS % 3 == 0 else 0))
        for n, one in enumerate(pending(kinds * REPLICAS))
        if n % REPLICAS < count // kinds
    ]
    for found in (fleet, running(most_nodes), waiting, *storage(kinds, [node.name for node in fleet]).values()):
        snapshot.add(found)
    cluster = Cluster(snapshot)
    gc.freeze()
    seconds, answers = spent(lambda: [explain_pending(pod, cluster) for pod in waiting])
    assert not any(answer.verdict.feasible for answer in answers)
    print(f"{f'{len(answers)} pods, {kinds} kinds, on {most_nodes} nodes, explained':<60} {seconds:8.2f} s")


def plugins(verdicts: Iterable[SchedulingVerdict]) -> set[str]:
    return {
        each.plugin
        for verdict in {id(one): one for one in verdicts}.values()
        for node in verdict.nodes
        for each in node.blockers
    }


if __name__ == "__main__":
    measure(*(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, int(sys.argv[2]) if len(sys.argv) > 2 else 5000))
    measure_explained(300, 150, 3000)
