"""`python -m tests.real.recording [NAME...]`: make faults in a real cluster and write each state down.

Faults of one namespace are made all at once in one cluster; each file holds its own namespace, those of the cluster and
what has no namespace. Faults of the node follow one after the other. Files: `tests/captures/recorded/NAME.json.gz`.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.layout import BINARIES, DEBIAN_ROOT, PROJECT, RUNS, Document
from tests.real.cluster.node import NETWORKS
from tests.real.ingress_controller import ingresses_served
from tests.real.metrics import measured
from tests.real.namespace import Namespace
from tests.real.policy_engine import enforced
from tests.real.recording.autoscalers import AUTOSCALERS, MEASURED
from tests.real.recording.changes import CHANGES
from tests.real.recording.containers import CONTAINERS
from tests.real.recording.disks import DISKS, DISKS_OF_THE_CLUSTER
from tests.real.recording.fault import Fault
from tests.real.recording.images import IMAGES
from tests.real.recording.machines import MACHINES
from tests.real.recording.networks import INGRESSES, INGRESSES_OF_THE_CLUSTER, NETWORK, NETWORK_OF_THE_CLUSTER
from tests.real.recording.nodes import NODES, ready
from tests.real.recording.pods import PODS
from tests.real.recording.state import state_of
from tests.real.recording.strays import STRAYS
from tests.real.recording.workloads import WORKLOADS
from tests.real.storage_driver import SNAPSHOT_OBJECTS, disks_provided
from tests.real.workloads import cluster_dns, manifest

FOLDER = PROJECT / "tests/captures/recorded"
AT_ONCE = 12
PATIENCE = 400.0
RUN = "recording"
USUAL_PLACES = {
    str(DEBIAN_ROOT / "usr/lib/cni"): "/opt/cni/bin",
    str(BINARIES): "/usr/local/bin",
    str(RUNS / RUN / NETWORKS): "/etc/cni/net.d",
}
"""Where the programs of this node would lie on another."""


def named(culprit: tuple[str, str], own: str, items: list[Document]) -> Iterator[Document]:
    """The objects that a culprit of a fault stands for, see `Fault`."""
    kind, text = culprit
    namespace, _, name = text.rpartition("/") if "/" in text else (own, "", text)
    names = [item["metadata"]["name"] for item in items if item["kind"] == kind]
    chosen = [one for one in names if one.startswith(name[:-1])] if name.endswith("*") else [name]
    yield from ({"kind": kind, "namespace": namespace, "name": one} for one in chosen)


def record(at: Namespace, fault: Fault, more_kinds: str = "") -> None:
    seen = state_of(at, datetime.now(UTC), more_kinds)
    state: Document = {
        "name": fault.name,
        "story": fault.story,
        "how": "real control plane + real kubelet",
        **seen,
        "expect": {
            "culprit": [one for culprit in fault.culprit for one in named(culprit, at.name, seen["objects"])],
            "cause": fault.cause,
            "summary": fault.summary,
        },
    }
    FOLDER.mkdir(exist_ok=True)
    text = json.dumps(state, separators=(",", ":"), sort_keys=True)
    for here, usual in USUAL_PLACES.items():
        text = text.replace(here, usual)
    (FOLDER / f"{fault.name}.json.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))


class Recorder:
    """Makes faults in one cluster."""

    def __init__(self, cluster: RealCluster) -> None:
        self.cluster = cluster
        self.made = 0
        self.more_kinds = ""
        """To record besides those that every cluster has, parted by commas."""
        self.failed: list[str] = []

    def make(self, fault: Fault) -> Namespace:
        self.made += 1
        name = f"shop-{self.made}"
        self.cluster.apply(manifest("Namespace", name, None))
        self.cluster.wait_for("account", lambda: bool(self.cluster.get("serviceaccount", "default", name)))
        at = Namespace(self.cluster, name)
        if objects := fault.objects(name):
            at.apply(*objects)
        return at

    def end(self, at: Namespace) -> None:
        self.cluster.kubectl("delete", "namespace", at.name, "--wait=false")
        if at.cluster.items("pods", at.name):
            self.cluster.kubectl(
                "delete", "pods", "--all", "-n", at.name, "--force", "--grace-period=0", "--wait=false"
            )

    def tell(self, fault: Fault, began: float, error: str = "") -> None:
        print(f"{'FAIL' if error else 'ok  '} {fault.name} {time.monotonic() - began:.0f} s {error}", flush=True)
        if error:
            self.failed.append(fault.name)

    def all_at_once(self, faults: list[Fault]) -> None:
        """Each in its namespace; recorded when it has shown for its time."""
        waiting = list(faults)
        made: dict[str, tuple[Fault, Namespace, float, float]] = {}
        while waiting or made:
            while waiting and len(made) < AT_ONCE:
                fault = waiting.pop(0)
                began = time.monotonic()
                try:
                    at = self.make(fault)
                    if fault.steps:
                        fault.steps(at)
                    made[fault.name] = (fault, at, began, 0.0)
                except (RuntimeError, AssertionError) as error:
                    self.tell(fault, began, str(error)[:300])
            for name, (fault, at, began, since) in list(made.items()):
                now = time.monotonic()
                if not since and fault.shown(at):
                    made[name] = (fault, at, began, since := now)
                if since and now - since >= fault.settle:
                    record(at, fault, self.more_kinds)
                    self.tell(fault, began)
                elif not since and now - began > PATIENCE:
                    self.tell(
                        fault, began, "not shown: " + self.cluster.kubectl("get", "pods,events", "-n", at.name)[:1500]
                    )
                else:
                    continue
                self.end(at)
                del made[name]
            time.sleep(1)

    def one_by_one(self, faults: list[Fault]) -> None:
        for fault in faults:
            began = time.monotonic()
            at = self.make(fault)
            try:
                if fault.steps:
                    fault.steps(at)
                self.cluster.wait_for(fault.name, lambda fault=fault, at=at: fault.shown(at), PATIENCE)  # type: ignore[misc]  # mypy cannot infer a lambda with defaults
                time.sleep(fault.settle)
                record(at, fault, self.more_kinds)
                self.tell(fault, began)
            except (RuntimeError, AssertionError) as error:
                self.tell(fault, began, str(error)[:1500])
            if fault.repair:
                fault.repair(at)
                self.cluster.wait_for("the node is well", lambda at=at: ready("True")(at))  # type: ignore[misc]  # mypy cannot infer a lambda with defaults
            self.end(at)
            self.forget()

    def forget(self) -> None:
        """What the cluster keeps of a fault of its node, and the next must not show."""
        self.cluster.kubectl("delete", "events", "--all", "-n", "default")
        self.cluster.kubectl("delete", "certificatesigningrequests", "--all")


def main() -> int:
    names = set(sys.argv[1:])
    of_namespaces = (*CONTAINERS, *IMAGES, *WORKLOADS, *CHANGES, *STRAYS, *PODS, *AUTOSCALERS)
    of_networks = (NETWORK, NETWORK_OF_THE_CLUSTER, INGRESSES, INGRESSES_OF_THE_CLUSTER)
    groups = (of_namespaces, MEASURED, *of_networks, DISKS, DISKS_OF_THE_CLUSTER, (*NODES, *MACHINES))
    wanted = [[fault for fault in faults if fault.name in names or not names] for faults in groups]
    chosen, with_metrics, networks, cluster_network, ingresses, cluster_ingresses, disks, cluster_disks, of_nodes = (
        wanted
    )
    with RealCluster(RUN, node=True) as cluster:
        cluster.wait_for("account", lambda: bool(cluster.get("serviceaccount", "default", "kube-system")))
        cluster.apply(*cluster_dns())
        cluster.kubectl("rollout", "status", "deployment/coredns", "-n", "kube-system", "--timeout=120s")
        recorder = Recorder(cluster)
        recorder.all_at_once(chosen)
        if with_metrics:
            with measured(cluster, cpu="400m", memory="60Mi"):
                recorder.all_at_once(with_metrics)
        if networks or cluster_network:
            with enforced(cluster):
                recorder.all_at_once(networks)
                recorder.one_by_one(cluster_network)
        if ingresses or cluster_ingresses:
            with enforced(cluster), ingresses_served(cluster):
                recorder.all_at_once(ingresses)
                recorder.one_by_one(cluster_ingresses)
        if disks or cluster_disks:
            with disks_provided(cluster):
                recorder.more_kinds = SNAPSHOT_OBJECTS
                recorder.all_at_once(disks)
                recorder.one_by_one(cluster_disks)
            recorder.more_kinds = ""
        recorder.one_by_one(of_nodes)
    print(f"{sum(map(len, wanted)) - len(recorder.failed)} recorded in {FOLDER.relative_to(Path.cwd())}")
    return bool(recorder.failed)


if __name__ == "__main__":
    sys.exit(main())
