"""A command line read back is the change that it was written for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kubedoctor.answers.what_if import UnreadChange, read_change
from kubedoctor.cluster import Cluster, KubernetesObject, Ref, Snapshot, Source
from kubedoctor.cluster.changes import Change, apply_to_snapshot, as_data
from kubedoctor.cluster.kinds.apps import Deployment
from kubedoctor.cluster.kinds.meta import ManagedMeta
from tests.findings.commands.changes import IN_PLACE, NODE, OTHERS, WEB, typed

CORDON_TAINT = "node.kubernetes.io/unschedulable"
ABSENT = ("two nodes", "a field of an object that is not known")
"""Of these an object is not there, which is refused."""


def seen() -> Cluster:
    snapshot = Snapshot(datetime(2026, 1, 15, 10, 0, tzinfo=UTC), Source("files", "t"), closed=True, complete=True)
    snapshot.add(typed().values())
    return Cluster(snapshot)


def plain(item: KubernetesObject | None) -> Any:
    """Without what is empty, and without the taint that Kubernetes sets and removes with a cordon."""
    return _full(as_data(item)) if item is not None else None


def _full(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: full for key, value in data.items() if (full := _full(value)) not in (None, {}, [], "", 0, False)}
    if isinstance(data, list):
        return [_full(value) for value in data if not (isinstance(value, dict) and value.get("key") == CORDON_TAINT)]
    return data


WRITTEN = {name: case for name, case in {**IN_PLACE, **OTHERS}.items() if case[1] and name not in ABSENT}


@pytest.mark.parametrize(("change", "line"), WRITTEN.values(), ids=WRITTEN)
def test_what_is_written_is_read(change: Change, line: str) -> None:
    cluster = seen()
    meant = apply_to_snapshot(cluster.snapshot, change)
    read = apply_to_snapshot(cluster.snapshot, read_change(line, cluster).change)
    for name in {*change.objects, *read_change(line, cluster).change.objects}:
        assert plain(read.get(name)) == plain(meant.get(name)), name


@pytest.mark.parametrize(
    ("line", "path", "value"),
    [
        ("scale deploy web --replicas 5 -n shop", ("spec", "replicas"), 5),
        ("replicas=5", ("spec", "replicas"), 5),
        ("kubectl -n shop scale deployments.apps/web --replicas=5", ("spec", "replicas"), 5),
        ("label deploy/web tier=front -n shop", ("metadata", "labels", "tier"), "front"),
        ("labels.tier=front", ("metadata", "labels", "tier"), "front"),
        ("app.image=web:9", ("spec", "template", "spec", "containers", 0, "image"), "web:9"),
        ("set image deploy/web *=web:9", ("spec", "template", "spec", "containers", 1, "image"), "web:9"),
        ("app.requests.cpu=1 replicas=7", ("spec", "replicas"), 7),
        ("replicas=7 && app.requests.cpu=1", ("spec", "replicas"), 7),
        ("scale deploy/web --replicas=7 && scale deploy/web --replicas=8", ("spec", "replicas"), 8),
    ],
)
def test_what_people_type(line: str, path: tuple[str | int, ...], value: object) -> None:
    cluster = seen()
    data = as_data(apply_to_snapshot(cluster.snapshot, read_change(line, cluster, WEB).change).get(WEB))  # type: ignore[arg-type]  # it is there
    for part in path:
        data = data[part]
    assert data == value


def test_a_taint_that_is_added_is_seen_by_the_command_that_follows() -> None:
    cluster = seen()
    read = read_change("taint nodes n1 a=b:NoSchedule && kubectl taint nodes n1 a-", cluster)
    after = apply_to_snapshot(cluster.snapshot, read.change)
    assert plain(after.get(NODE)) == plain(cluster.snapshot.get(NODE))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "nothing to try"),
        ("kubectl get pods", "kubectl get only reads"),
        ("kubectl frobnicate x", "is no command that can be tried"),
        ("kubectl edit deploy/web -n shop", "made by hand"),
        ("kubectl drain n1", "can-drain"),
        ("kubectl scale deploy/web -n shop", "--replicas"),
        ("kubectl scale deploy/other --replicas=1 -n shop", "there is no Deployment shop/other"),
        ("kubectl scale svc/web --replicas=1 -n shop", "cannot be scaled"),
        ("kubectl scale widget/web --replicas=1 -n shop", "no kind that is known here"),
        ("kubectl taint nodes n1 nothing-", "has no taint nothing"),
        ("kubectl taint nodes n1 a=b:Never", "no effect of a taint"),
        ("kubectl set resources deploy/web -c nobody --requests=cpu=1 -n shop", "no container 'nobody'"),
        ("kubectl patch deploy/web -n shop -p '{'", "the patch cannot be applied"),
        ("kubectl patch deploy/web -n shop --type=json -p '[{\"op\": \"remove\", \"path\": \"/spec/x/y\"}]'", "no /spec/x/y"),
        ("kubectl scale deploy/web --replicas='3", "quotation mark"),
        ("kubectl rollout undo deploy/web -n shop", "no previous revision"),
        ("kubectl create deployment x --image=y -n shop", "can be tried"),
        ("kubectl delete deploy -n shop", "no name"),
        ("nobody.requests.cpu=1", "no container 'nobody'"),
    ],
)  # fmt: skip
def test_what_cannot_be_tried_is_said(line: str, says: str) -> None:
    with pytest.raises(UnreadChange, match=says.replace("(", "\\(")):
        read_change(line, seen(), WEB)


@pytest.mark.parametrize("line", ["image=web:9", "app.image=web:9", "requests.cpu=1", "limits.memory=1Gi"])
def test_a_template_without_containers_is_said(line: str) -> None:
    empty = Ref("Deployment", "shop", "empty")
    cluster = seen()
    cluster.snapshot.add((Deployment(metadata=ManagedMeta(name=empty.name, namespace=empty.namespace)),))
    with pytest.raises(UnreadChange, match="the pod has no containers"):
        read_change(line, cluster, empty)


def test_without_a_namespace_it_asks_for_one() -> None:
    with pytest.raises(UnreadChange, match="which namespace"):
        read_change("kubectl scale deploy/web --replicas=1", seen())
    assert read_change("kubectl scale deploy/web --replicas=1", seen(), namespace="shop").change.objects == (WEB,)


def test_an_object_that_is_replaced_is_named() -> None:
    line = OTHERS["a bare pod"][1]
    assert read_change(line, seen()).recreated == {Ref("Pod", "shop", "bare")}
