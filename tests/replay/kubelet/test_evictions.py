"""The order in which a kubelet evicts pods."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.cluster import Pod, ref
from kubedoctor.cluster.seen.decoding import convert_object
from kubedoctor.replay.kubelet.evictions import Pressure, eviction_order, may_be_evicted

MI = 2**20


def pod(name: str, request: str = "", priority: int | None = None, *, resource: str = "memory", **more: Any) -> Pod:
    requests = {resource: request} if request else {}
    spec: dict[str, Any] = {"containers": [{"name": "app", "image": "web:1", "resources": {"requests": requests}}]}
    if priority is not None:
        spec["priority"] = priority
    metadata = {"name": name, "namespace": "shop", "annotations": more.get("annotations", {})}
    status = {"phase": more.get("phase", "Running")}
    (made,) = convert_object("Pod", {"kind": "Pod", "metadata": metadata, "spec": spec, "status": status}).objects
    assert isinstance(made, Pod)
    return made


def order(pressure: Pressure, *rows: tuple[Pod, int | None]) -> list[str]:
    usages = {ref(one): usage for one, usage in rows if usage is not None}
    return [found.pod.name for found in eviction_order([one for one, _ in rows], pressure, usages)]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # Usage above the request comes before priority, and priority before the amount.
        ([(pod("within", "200Mi", -5), 100 * MI), (pod("above", "50Mi", 1000), 60 * MI)], ["above", "within"]),
        ([(pod("high", "", 100), 900 * MI), (pod("low", "", 10), 5 * MI)], ["low", "high"]),
        ([(pod("less", "1Gi"), 1100 * MI), (pod("more", "100Mi"), 300 * MI)], ["more", "less"]),
        # Within their requests too the one nearest to its request goes first.
        ([(pod("far", "1Gi"), 100 * MI), (pod("near", "200Mi"), 190 * MI)], ["near", "far"]),
        # As much as requested is not more.
        ([(pod("equal", "100Mi", -9), 100 * MI), (pod("above", "99Mi"), 100 * MI)], ["above", "equal"]),
        # Nothing measured: what requests nothing is above its request, of the others that is not known.
        ([(pod("asks", "100Mi", -9), None), (pod("nothing"), None)], ["nothing", "asks"]),
        ([(pod("b"), None), (pod("a"), None)], ["a", "b"]),
    ],
)
def test_short_of_memory(rows: list[tuple[Pod, int | None]], expected: list[str]) -> None:
    assert order(Pressure.MEMORY, *rows) == expected


def test_short_of_disk_the_requests_of_ephemeral_storage_count() -> None:
    asks = pod("asks", "1Gi", -9, resource="ephemeral-storage")
    assert order(Pressure.DISK, (asks, 100 * MI), (pod("memory", "1Gi"), 5 * MI)) == ["memory", "asks"]


def test_short_of_process_ids_only_priority_and_number_count() -> None:
    rows = [(pod("few", "", 0), 10), (pod("many", "1Gi", 0), 400), (pod("low", "9Gi", -1), 1)]
    assert order(Pressure.PID, *rows) == ["low", "many", "few"]


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (pod("plain"), True),
        (pod("user", priority=1_000_000_000), True),
        (pod("critical", priority=2_000_000_000), False),
        (pod("static", annotations={"kubernetes.io/config.mirror": "3f2a"}), False),
        (pod("ended", phase="Failed"), False),
    ],
)
def test_some_pods_are_never_evicted(one: Pod, expected: bool) -> None:
    assert may_be_evicted(one) is expected
    assert bool(eviction_order([one], Pressure.MEMORY, {})) is expected
