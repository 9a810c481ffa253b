"""Claims without a volume on a real control plane: each proven change, made by its command, gets the pod a node."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from kubedoctor.answers.placement.fixing.fixes import placement_fixes
from kubedoctor.cluster import Cluster, Pod
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.findings import Fix
from kubedoctor.replay.scheduler.observed import REPLAY_READS
from kubedoctor.replay.scheduler.pending import explain_pending
from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.layout import Document
from tests.real.cluster.requirements import why_not_run
from tests.real.cluster.simulated_nodes import SimulatedNode, SimulatedNodes
from tests.real.namespace import Namespace
from tests.real.pending import HOSTNAME, storage_class
from tests.real.workloads import deployment, manifest

pytestmark = pytest.mark.real

NAMESPACE = "claims"
NODES = (SimulatedNode("one", "zone-a"), SimulatedNode("two", "zone-b"))
WAITS, AT_ONCE = "WaitForFirstConsumer", "Immediate"
NO_PROVISIONER = "kubernetes.io/no-provisioner"


def claim(name: str = "data", size: str = "5Gi", mode: str = "ReadWriteOnce", **more: Any) -> Document:
    specification = {"accessModes": [mode], "resources": {"requests": {"storage": size}}, **more}
    return manifest("PersistentVolumeClaim", name, NAMESPACE, spec=specification)


def volume(name: str, size: str = "5Gi", mode: str = "ReadWriteOnce", node: str = "one", **more: Any) -> Document:
    expressions = [{"key": HOSTNAME, "operator": "In", "values": [node]}]
    specification = {
        "accessModes": [mode],
        "capacity": {"storage": size},
        "local": {"path": f"/data/{name}"},
        "persistentVolumeReclaimPolicy": "Retain",
        "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": expressions}]}},
        **more,
    }
    return manifest("PersistentVolume", name, None, spec=specification)


def manual(mode: str, name: str = "manual") -> Document:
    return storage_class(name, NO_PROVISIONER, mode)


def stateful_set() -> Document:
    template = deployment("app", NAMESPACE, "serve", pod={})["spec"]["template"]
    asked = claim(storageClassName="manaul")
    templates = [{"metadata": {"name": "data"}, "spec": asked["spec"]}]
    specification = {
        "selector": {"matchLabels": {"app": "app"}},
        "serviceName": "app",
        "template": template,
        "volumeClaimTemplates": templates,
    }
    return manifest("StatefulSet", "app", NAMESPACE, "apps/v1", spec=specification)


@dataclass(frozen=True)
class Case:
    """says: how the proven changes begin."""

    name: str
    objects: tuple[Document, ...]
    says: tuple[str, ...]
    workload: Document | None = None

    @property
    def manifests(self) -> list[Document]:
        mount = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}
        return [*self.objects, self.workload or deployment("app", NAMESPACE, "serve", pod=mount)]


HELD = {"namespace": NAMESPACE, "name": "data", "uid": "6f0c52f3-0000-4000-8000-000000000000"}
IN_MANUAL = {"storageClassName": "manual"}
RECREATE = "Recreate claim data"
CASES = (
    *(
        Case(
            f"class-misspelled-{mode}",
            (manual(mode), volume("x", **IN_MANUAL), claim(storageClassName="manaul")),
            (f"{RECREATE}: storage class manual",),
        )
        for mode in (WAITS, AT_ONCE)
    ),
    Case(
        "no-class", (manual(AT_ONCE), volume("x", **IN_MANUAL), claim()), ("Change claim data: storage class manual",)
    ),
    *(
        Case(
            f"too-large-{mode}",
            (
                manual(mode),
                volume("x", "2Gi", **IN_MANUAL),
                volume("y", "3Gi", node="two", **IN_MANUAL),
                claim(**IN_MANUAL),
            ),
            (f"{RECREATE}: size 3Gi",),
        )
        for mode in (WAITS, AT_ONCE)
    ),
    Case(
        "access-mode",
        (manual(WAITS), volume("x", **IN_MANUAL), claim(mode="ReadWriteMany", **IN_MANUAL)),
        (f"{RECREATE}: access mode ReadWriteOnce",),
    ),
    *(
        Case(
            f"selector-{mode}",
            (manual(mode), volume("x", **IN_MANUAL), claim(selector={"matchLabels": {"disk": "big"}}, **IN_MANUAL)),
            ("Change claim data: volume x",),
        )
        for mode in (WAITS, AT_ONCE)
    ),
    *(
        Case(
            f"released-{mode}",
            (manual(mode), volume("x", claimRef=HELD, **IN_MANUAL), claim(**IN_MANUAL)),
            ("Release volume x",),
        )
        for mode in (WAITS, AT_ONCE)
    ),
    Case(
        "class-and-size",
        (manual(AT_ONCE), volume("x", "3Gi", **IN_MANUAL), claim(storageClassName="other")),
        (f"{RECREATE}: storage class manual instead of other, size 3Gi",),
    ),
    Case(
        "stateful",
        (manual(WAITS), volume("x", **IN_MANUAL)),
        ("Recreate claim data-app-0: storage class manual",),
        stateful_set(),
    ),
)


@pytest.fixture(scope="module")
def claims() -> Iterator[Namespace]:
    """A control plane of their own, with nodes that have no kubelet."""
    if reason := why_not_run():
        pytest.skip(reason)
    with RealCluster(f"pytest-claims-{os.getpid()}", node=False) as cluster, SimulatedNodes(cluster, *NODES):
        cluster.apply(manifest("Namespace", NAMESPACE, None))
        cluster.wait_for("service account", lambda: bool(cluster.get("serviceaccount", "default", NAMESPACE)))
        yield Namespace(cluster, NAMESPACE)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_proven_change_gets_the_pod_a_node(claims: Namespace, case: Case) -> None:
    _start(claims, case)
    proven = [fix for fix in _fixes(claims) if fix.verified and not fix.summary.startswith("Add a node like")]
    assert [fix.summary[: len(said)] for fix, said in zip(proven, case.says, strict=True)] == list(case.says)

    for number, fix in enumerate(proven):
        if number:
            _start(claims, case)
        claims.cluster.paste(fix.command)
        claims.cluster.wait_for(
            f"a placed pod after: {fix.command}",
            lambda: any(pod["spec"].get("nodeName") for pod in claims.pods("app")),
            30,
        )
        _clear(claims)


def _start(claims: Namespace, case: Case) -> None:
    claims.apply(*case.manifests)
    released = "released" in case.name
    claims.cluster.wait_for(
        "the scheduler's word",
        lambda: (
            any("conditions" in pod["status"] for pod in claims.pods("app"))
            and (not released or claims.cluster.get("pv", "x")["status"].get("phase") == "Released")
        ),
        30,
    )


def _fixes(claims: Namespace) -> tuple[Fix, ...]:
    source = open_source(Options(kubeconfig=str(claims.cluster.visitor_kubeconfig)))
    try:
        kinds = [kind.__name__ for kind in REPLAY_READS]
        source.list_all([*kinds, "Event", "Deployment", "ReplicaSet", "StatefulSet"])
    finally:
        source.close()
    cluster = Cluster(source.snapshot)
    (waiting,) = cluster.all(Pod, NAMESPACE)
    return placement_fixes(explain_pending(waiting, cluster), cluster)


def _clear(claims: Namespace) -> None:
    """The pod first, which no kubelet would end."""
    kubectl = claims.cluster.kubectl
    kubectl("delete", "deployment,statefulset", "--all", "-n", NAMESPACE, "--cascade=orphan")
    kubectl("delete", "replicaset", "--all", "-n", NAMESPACE, "--cascade=orphan")
    kubectl("delete", "pods", "--all", "-n", NAMESPACE, "--force", "--grace-period=0")
    kubectl("delete", "pvc", "--all", "-n", NAMESPACE)
    kubectl("delete", "pv", "--all")
    kubectl("delete", "storageclass", "--all")
