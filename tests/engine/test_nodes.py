"""A node is not blamed for a fault that only a pod on it has."""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cli.formats.text import to_text
from kubedoctor.cluster import Cluster, Node, Pod, Ref, quote, ref
from kubedoctor.engine import Catalogue, Report, focus, load_catalogue
from kubedoctor.findings import Confidence, Finding
from tests.engine.clinic import complete, made, node, pod, said
from tests.tui.recordings import opened

N1 = Ref("Node", "", "n1")


def own_fault(one: Pod, cluster: Cluster) -> Iterator[Finding]:
    yield said(one, "it used too much memory")


def fault_of_the_node(one: Pod, cluster: Cluster) -> Iterator[Finding]:
    yield said(one, "the runtime failed", because_of=(Ref("Node", "", one.spec.node_name),))


def quotes_the_node(one: Pod, cluster: Cluster) -> Iterator[Finding]:
    where = cluster.get(Node, "", one.spec.node_name)
    assert where is not None
    yield Finding(ref(one), "there is no room", (quote(where, "metadata.name"),), Confidence.CERTAIN)


def on_n1(check: object) -> Report:
    catalogue = Catalogue((made(check, code="KD9001", subject=Pod),))  # type: ignore[arg-type]  # a check of pods
    return focus(catalogue, N1, complete(node("n1"), pod("web", node="n1")), lambda wants: None)


def test_what_only_its_pods_have_stands_apart() -> None:
    report = on_n1(own_fault)
    assert report.incidents == ()
    assert report.findings == ()
    assert [finding.about.name for finding in report.on_it] == ["web"]
    text = to_text(report)
    assert text.startswith("✓ Node n1: no problems found")
    assert "Only of pods on it\n  ✗ Pod shop/web: it used too much memory (KD9001)" in text


def test_what_blames_or_quotes_the_node_is_its_incident() -> None:
    for check in (fault_of_the_node, quotes_the_node):
        report = on_n1(check)
        assert len(report.incidents) == 1
        assert report.on_it == ()


def test_an_out_of_memory_kill_at_the_pods_own_limit_is_no_incident_of_the_node() -> None:
    source = opened("oom-killed")
    pods = source.snapshot.of_kind("Pod", "shop")
    where = next(one.spec.node_name for one in pods if isinstance(one, Pod) and one.name.startswith("checkout-"))
    report = focus(load_catalogue(), Ref("Node", "", where), source.snapshot, source.gather)
    assert report.incidents == ()
    assert [finding.code for finding in report.on_it] == ["KD1005"]
