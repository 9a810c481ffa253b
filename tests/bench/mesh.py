"""`python -m tests.bench.mesh`: what the mesh costs a scan of many pods, Services and VirtualServices, and one answer of `mesh`."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from kubedoctor.answers.question import Choices
from kubedoctor.answers.questions.mesh import mesh
from kubedoctor.cluster import Cluster, Ref, Snapshot
from kubedoctor.cluster.seen.decoding import convert_object
from kubedoctor.engine import Catalogue, load_catalogue, scan
from tests.engine.clinic import complete

PODS, SERVICES, RULES, NAMESPACES = 5000, 500, 300, 50
GOAL_SCAN, GOAL_ANSWER = 1.0, 0.2
Manifest = dict[str, Any]


def _pods() -> Iterable[Manifest]:
    state = {"running": {"startedAt": "2026-01-15T09:00:00Z"}}
    for number in range(PODS):
        app = number % SERVICES
        names = ("app", "istio-proxy")
        yield {
            "kind": "Pod",
            "metadata": {
                "name": f"p{number}",
                "namespace": f"ns{app % NAMESPACES}",
                "labels": {"app": f"a{app}", "version": f"v{number // SERVICES % 2}"},
                "creationTimestamp": "2026-01-15T09:00:00Z",
            },
            "spec": {"nodeName": f"n{number % 100}", "containers": [{"name": name, "image": "a:1"} for name in names]},
            "status": {
                "phase": "Running",
                "podIP": f"10.{number // 250}.{number % 250}.1",
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [{"name": name, "ready": True, "started": True, "state": state} for name in names],
            },
        }


def _services() -> Iterable[Manifest]:
    for number in range(SERVICES):
        ports = [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]
        yield {
            "kind": "Service",
            "metadata": {"name": f"a{number}", "namespace": f"ns{number % NAMESPACES}"},
            "spec": {
                "clusterIP": f"10.200.{number // 250}.{number % 250}",
                "selector": {"app": f"a{number}"},
                "ports": ports,
            },
        }


def _rules() -> Iterable[Manifest]:
    for number in range(RULES):
        host, place = f"a{number}", f"ns{number % NAMESPACES}"
        metadata = {"name": host, "namespace": place, "creationTimestamp": "2026-01-10T09:00:00Z"}
        routes = [{"destination": {"host": host, "subset": f"v{version}"}, "weight": 50} for version in range(2)]
        subsets = [{"name": f"v{version}", "labels": {"version": f"v{version}"}} for version in range(2)]
        first = {"match": [{"uri": {"prefix": "/api"}}], "route": routes[:1]}
        for kind, spec in (
            ("VirtualService", {"hosts": [host], "http": [first, {"route": routes}]}),
            ("DestinationRule", {"host": host, "subsets": subsets}),
        ):
            yield {"apiVersion": "networking.istio.io/v1", "kind": kind, "metadata": metadata, "spec": spec}


def snapshot_of() -> Snapshot:
    """All of it, healthy."""
    spaces = [
        {"kind": "Namespace", "metadata": {"name": f"ns{number}", "labels": {"istio-injection": "enabled"}}}
        for number in range(NAMESPACES)
    ]
    snapshot = complete(*spaces, *_pods(), *_services())
    for manifest in _rules():
        snapshot.add(convert_object(f"{manifest['kind']}.networking.istio.io", manifest).objects)
    return snapshot


def _seconds(catalogue: Catalogue, snapshot: Snapshot) -> float:
    def gather(wants: Iterable[Any]) -> None:
        for want in wants:
            snapshot.refuse(want, "not here")

    before = time.process_time()
    scan(catalogue, snapshot, gather)
    return time.process_time() - before


def main() -> None:
    whole = load_catalogue()
    without = Catalogue(tuple(one for one in whole.diagnostics if not one.id.startswith("mesh/")), whole.problems)
    _seconds(whole, snapshot_of())  # imports
    rest, every = _seconds(without, snapshot_of()), _seconds(whole, snapshot_of())
    print(f"{PODS:,} pods, {SERVICES} Services, {RULES} VirtualServices: scan {every:.2f} s of CPU, of which the mesh")
    print(f"  {every - rest:.2f} s (goal {GOAL_SCAN:.0f})")
    cluster = Cluster(snapshot_of())
    subject, before = Ref("Pod", "ns7", "p7"), time.process_time()
    sheet = mesh.answer(subject, Choices(), cluster)
    print(
        f"  one answer of mesh in {(time.process_time() - before) * 1000:.0f} ms (goal {GOAL_ANSWER * 1000:.0f}): {sheet.verdict}"
    )


if __name__ == "__main__":
    main()
