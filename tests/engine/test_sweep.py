"""A scan runs each check once for equal subjects, asks each predicate once, and repeats only what missed something."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator

import pytest

from kubedoctor.cluster import Cluster, Node, Pod, Ref, Secret, quote
from kubedoctor.cluster.relations.workloads import controller_of
from kubedoctor.cluster.seen.wants import Want
from kubedoctor.engine import Catalogue, scan
from kubedoctor.findings import Confidence, Finding
from tests.engine.clinic import complete, live, made, node, pod, said
from tests.engine.test_examination import Server

examined: Counter[str] = Counter()


@pytest.fixture(autouse=True)
def forget() -> None:
    examined.clear()


def node_is_full(one: Pod, cluster: Cluster) -> Iterator[Finding]:
    """About the node; a pod without a node gives nothing."""
    examined[one.name] += 1
    if one.spec.node_name:
        about = Ref("Node", "", one.spec.node_name)
        yield Finding(about, "is full", (quote(one, "spec.nodeName"),), Confidence.CERTAIN)


def about_itself(one: Pod | Node, cluster: Cluster) -> Iterator[Finding]:
    examined[one.name] += 1
    yield said(one, "is broken")


def fails(one: Pod, cluster: Cluster) -> Iterator[Finding]:
    examined[one.name] += 1
    yield said(one, str(int(one.name)))


def reads_secrets(one: Pod, cluster: Cluster) -> Iterator[Finding]:
    examined[one.name] += 1
    cluster.maybe.all(Secret)
    yield from ()


def same_node(one: Pod, cluster: Cluster) -> Hashable:
    return one.spec.node_name or None


PODS = [pod(f"web-{n}", node=name) for n, name in enumerate(("n1", "n1", "n2", "n1", "", ""))]


def test_one_of_equal_subjects_speaks_for_the_others() -> None:
    catalogue = Catalogue((made(node_is_full, code="KD9001", subject=Pod, alike=same_node),))
    report = scan(catalogue, complete(*PODS), lambda wants: None)
    assert examined == {"web-0": 1, "web-2": 1, "web-4": 1, "web-5": 1}
    affected = {str(one.about): [name.name for name in one.affects] for one in report.findings}
    assert affected == {"Node/n1": ["web-0", "web-1", "web-3"], "Node/n2": ["web-2"]}


def test_a_finding_about_the_subject_itself_is_nobody_elses() -> None:
    catalogue = Catalogue((made(about_itself, code="KD9001", subject=Pod, alike=same_node),))
    report = scan(catalogue, complete(*PODS), lambda wants: None)
    assert len(examined) == len(report.findings) == len(PODS)


def test_a_check_that_fails_speaks_for_itself_only() -> None:
    catalogue = Catalogue((made(fails, code="KD9001", subject=Pod, alike=same_node),))
    report = scan(catalogue, complete(*PODS), lambda wants: None)
    assert len(examined) == len(PODS)
    said_of_each = {entry.about.name: entry.why for entry in report.not_checked if entry.about}
    assert all(f"'{name}'" in why for name, why in said_of_each.items())
    assert len(said_of_each) == len(PODS)


def test_what_was_not_seen_is_told_of_each_equal_subject() -> None:
    catalogue = Catalogue((made(reads_secrets, code="KD9001", subject=Pod, alike=same_node),))
    snapshot = complete(*PODS)
    snapshot.refuse(Want("Secret"), "list secrets is forbidden")
    report = scan(catalogue, snapshot, lambda wants: None)
    assert len(examined) == 4
    assert sorted(entry.about.name for entry in report.not_checked if entry.about) == [f"web-{n}" for n in range(6)]


def test_a_key_that_cannot_be_computed_is_no_key() -> None:
    def no_key(one: Pod, cluster: Cluster) -> Hashable:
        return controller_of(one).name  # type: ignore[union-attr]  # raises where there is none: the test wants it

    catalogue = Catalogue((made(node_is_full, code="KD9001", subject=Pod, alike=no_key),))
    scan(catalogue, complete(*PODS), lambda wants: None)
    assert len(examined) == len(PODS)


def test_only_those_are_examined_that_the_cluster_does_not_rule_out() -> None:
    def on_no_node(cluster: Cluster) -> Callable[[Pod], bool]:
        nodes = {one.name for one in cluster.all(Node)}
        return lambda one: one.spec.node_name not in nodes

    check = made(about_itself, code="KD9001", subject=Pod, among=on_no_node, when=lambda one: one.name != "web-5")
    report = scan(Catalogue((check,)), complete(*PODS, node("n1")), lambda wants: None)
    assert [one.about.name for one in report.findings] == ["web-2", "web-4"]
    blind = complete(*PODS)
    blind.refuse(Want("Node"), "list nodes is forbidden")
    assert len(scan(Catalogue((check,)), blind, lambda wants: None).findings) == 5


def test_after_the_logs_only_what_asked_for_them_runs_again() -> None:
    def reads_a_log(one: Pod, cluster: Cluster) -> Iterator[Finding]:
        examined[one.name] += 1
        if one.name == "web-2":
            cluster.log_tail(one, "app")
            yield said(one, "has a log")

    snapshot = live()
    server = Server(snapshot, *PODS, node("n1"))
    server.gather(frozenset({Want("Pod"), Want("Node")}))
    report = scan(
        Catalogue((made(reads_a_log, code="KD9001", subject=Pod), made(about_itself, code="KD9002", subject=Node))),
        snapshot,
        server.gather,
    )
    assert examined == {**{f"web-{n}": 1 for n in range(6)}, "web-2": 2, "n1": 1}
    assert sorted(one.summary for one in report.findings) == ["has a log", "is broken"]
    assert report.rounds == 1


def test_a_predicate_is_asked_once_for_all_checks() -> None:
    asked: Counter[str] = Counter()

    def has_node(one: Pod) -> bool:
        asked[one.name] += 1
        return bool(one.spec.node_name)

    first = made(node_is_full, code="KD9001", subject=Pod, when=has_node)
    second = made(about_itself, code="KD9002", subject=Pod, when=has_node)
    scan(Catalogue((first, second)), complete(*PODS), lambda wants: None)
    assert asked == {f"web-{n}": 1 for n in range(len(PODS))}
