"""What is used, beside what is requested, limited and there."""

from __future__ import annotations

from typing import Any

from kubedoctor.cluster import Ref
from kubedoctor.cluster.seen.snapshot import UNKNOWN_TIME
from kubedoctor.collect.computed.usage import Use
from kubedoctor.engine.health import Health
from kubedoctor.tui.rows import Row, View, arrange
from kubedoctor.tui.served.served_columns import by_use
from kubedoctor.tui.served.usage_columns import UsageColumns, measured_kind
from tests.tui.test_rows import cluster, meta, pod

MI = 1024 * 1024


def sized(name: str, owner: tuple[str, str] | None, **resources: Any) -> tuple[str, Any]:
    kind, made = pod(name, owner)
    made["spec"]["containers"] = [{"name": "app", "image": "i", "resources": resources}]
    return kind, made


def texts(columns: UsageColumns, name: Ref) -> list[str]:
    return [column.text(Row(name, Health.HEALTHY), UNKNOWN_TIME) for column in columns.columns]


def test_of_a_pod_the_shares_of_requests_and_limits() -> None:
    asked = {"cpu": "200m", "memory": "64Mi"}
    snapshot = cluster(sized("web", None, requests=asked, limits={"memory": "128Mi"}))
    columns = UsageColumns(View("Pod"), {("shop", "web"): Use(100, 48 * MI)}, snapshot)
    assert [column.title for column in columns.columns] == ["CPU", "%CPU/R", "%CPU/L", "MEM", "%MEM/R", "%MEM/L"]
    assert texts(columns, Ref("Pod", "shop", "web")) == ["100m", "50", "n/a", "48Mi", "75", "37"]


def test_without_a_measurement_nothing_is_claimed() -> None:
    columns = UsageColumns(View("Pod"), {}, cluster(pod("web")))
    assert set(texts(columns, Ref("Pod", "shop", "web"))) == {"n/a"}
    assert columns.value(0, Row(Ref("Pod", "shop", "web"), Health.HEALTHY)) < 0


def test_a_container_without_a_limit_leaves_the_pod_without_one() -> None:
    made = sized("web", None, limits={"cpu": "1", "memory": "100Mi"})
    made[1]["spec"]["containers"].append({"name": "side", "image": "i"})
    columns = UsageColumns(View("Pod"), {("shop", "web"): Use(100, 50 * MI)}, cluster(made))
    assert texts(columns, Ref("Pod", "shop", "web"))[2::3] == ["n/a", "n/a"]


def test_the_pods_of_a_workload_are_added_up() -> None:
    replicas = ("ReplicaSet", {"metadata": meta("web-1", ("Deployment", "web")), "spec": {}})
    asked = {"cpu": "200m", "memory": "100Mi"}
    pods = [sized(f"web-1-{letter}", ("ReplicaSet", "web-1"), requests=asked) for letter in "ab"]
    snapshot = cluster(replicas, *pods)
    uses = {("shop", f"web-1-{letter}"): Use(50, 30 * MI) for letter in "ab"}
    for view in (View(), View("Deployment"), View("ReplicaSet")):
        kind, name = ("ReplicaSet", "web-1") if view.kind == "ReplicaSet" else ("Deployment", "web")
        columns = UsageColumns(view, uses, snapshot)
        assert texts(columns, Ref(kind, "shop", name)) == ["100m", "25", "n/a", "60Mi", "30", "n/a"]


def test_of_a_node_the_share_of_what_it_has() -> None:
    node = ("Node", {"metadata": {"name": "n1"}, "status": {"allocatable": {"cpu": "4", "memory": "8Gi"}}})
    columns = UsageColumns(View("Node"), {("", "n1"): Use(1000, 2048 * MI)}, cluster(node))
    assert [column.title for column in columns.columns] == ["CPU", "%CPU", "MEM", "%MEM"]
    assert texts(columns, Ref("Node", "", "n1")) == ["1000m", "25", "2048Mi", "25"]
    row = Row(Ref("Node", "", "n1"), Health.HEALTHY)
    assert [columns.value(place, row) for place in range(4)] == [1000, 0.25, 2048 * MI, 0.25]


def test_what_is_not_known_comes_last_in_both_directions() -> None:
    columns = UsageColumns(View("Pod"), {("shop", name): Use(cpu, MI) for name, cpu in (("a", 5), ("b", 9))}, cluster())
    rows = tuple(Row(Ref("Pod", "shop", name), Health.HEALTHY) for name in "abc")
    for order, names in (("cpu", "bac"), ("-cpu", "abc")):
        key = by_use(columns, 0, backwards=order.startswith("-"))
        assert [row.ref.name for row in arrange(rows, order, key)] == list(names)


def test_lists_without_pods_have_none() -> None:
    kinds = ("", "Pod", "Deployment", "Node", "Service", "Finding")
    assert [measured_kind(View(kind)) for kind in kinds] == ["Pod", "Pod", "Pod", "Node", "", ""]
