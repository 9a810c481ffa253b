"""What people chose to leave out for a while: how it is written, whether it is in force, and what it leaves of a report."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from kubedoctor.cluster import Ref, Source
from kubedoctor.cluster.kinds.apps import Deployment, ReplicaSet
from kubedoctor.cluster.kinds.core import Namespace
from kubedoctor.cluster.kinds.meta import ManagedMeta, OwnerReference
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.resources import ResourceKind
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.seen.wants import Want
from kubedoctor.engine import Incident, Report, load_catalogue
from kubedoctor.engine.suppressions import (
    ANNOTATION,
    WrittenSuppressions,
    places_unread,
    without_suppressed,
    written_in_file,
)
from kubedoctor.engine.suppressions.writing import written_in_annotation
from kubedoctor.findings import Severity
from tests.cli.test_formats import finding, id_of, report

TODAY = date(2026, 1, 15)
NOW = datetime(2026, 1, 15, 10, tzinfo=UTC)
GOOD = {"code": "KD1005", "until": date(2026, 1, 15), "reason": "known"}
DEPLOYMENT, REPLICA_SET, POD = (
    Ref("Deployment", "shop", "web"),
    Ref("ReplicaSet", "shop", "web-1"),
    Ref("Pod", "shop", "w"),
)


def written(*entries: Any) -> WrittenSuppressions:
    return written_in_file({"suppressions": list(entries)}, ".kubedoctor.yaml", load_catalogue(), TODAY)


@pytest.mark.parametrize(
    "entry",
    [
        GOOD,
        {**GOOD, "code": "kd1005"},
        {**GOOD, "code": "pods/out-of-memory"},
        {**GOOD, "code": ["KD1005", "KD1003"]},
        {**GOOD, "until": "2026-01-15"},
        {**GOOD, "until": NOW},
        {**GOOD, "kind": "deploy", "namespace": "sh*", "name": "web"},
    ],
)
def test_an_entry_in_force(entry: dict[str, Any]) -> None:
    known = {page.id: page.code for page in load_catalogue().diagnostics}
    if entry["code"] == "pods/out-of-memory":
        entry = {**entry, "code": next(name for name, code in known.items() if code == "KD1005")}
    made = written(entry)
    assert made.refused == ()
    (one,) = made.suppressions
    assert (one.until, one.reason, one.by) == (date(2026, 1, 15), "known", ".kubedoctor.yaml, entry 1")
    assert "KD1005" in one.codes


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({**GOOD, "until": date(2026, 1, 14)}, "KD1005 expired on 2026-01-14: repair it, or set a later day"),
        ({**GOOD, "reason": " "}, "KD1005 has no reason"),
        ({"code": "KD1005", "until": date(2027, 1, 1)}, "KD1005 has no reason"),
        ({"code": "KD1005", "reason": "x"}, "KD1005 has no last day"),
        ({**GOOD, "until": "soon"}, "until soon is not a day such as 2026-12-31"),
        ({**GOOD, "until": 7}, "until 7 is not a day"),
        ({**GOOD, "until": "2026-02-30"}, "until 2026-02-30 is not a day"),
        ({**GOOD, "until": 1 << 40000}, "until a long number is not a day"),
        ({**GOOD, "until": [[]]}, "until a list or map is not a day"),
        ({**GOOD, "kind": "configmapp"}, "no kind is called configmapp here. Did you mean configmap"),
        ({**GOOD, "kind": "frobnicator"}, "no kind is called frobnicator here. All kinds: kubectl api-resources"),
        ({**GOOD, "code": "KD9999"}, "no diagnostic has the code KD9999"),
        ({**GOOD, "code": "*"}, "no diagnostic has the code *"),
        ({**GOOD, "code": "OOMKilled"}, "no diagnostic has the code OOMKilled"),
        ({**GOOD, "code": 5}, "it names no code"),
        ({**GOOD, "code": []}, "it names no code"),
        ({**GOOD, "expires": "x"}, "expires is not one of code, kind, namespace, name, until, reason"),
        ({**GOOD, "name": 5}, "its name is not text"),
        ("KD1005", "it is not a map with code, until and reason"),
    ],
)
def test_an_entry_that_is_not_in_force_is_said(entry: Any, why: str) -> None:
    made = written(entry)
    assert made.suppressions == ()
    (sentence,) = made.refused
    assert sentence.startswith(f".kubedoctor.yaml, entry 1: {why}")


ISSUER = ResourceKind("Issuer.example.io", "example.io", "v1", "issuers", "issuer", namespaced=True)


@pytest.mark.parametrize(
    ("word", "fits"),
    [
        ("*", {"Deployment", "ReplicaSet", "Issuer.example.io"}),
        ("*Set", {"ReplicaSet"}),
        ("deploy", {"Deployment"}),
        ("issuers", {"Issuer.example.io"}),
        ("Issuer", {"Issuer.example.io"}),
        ("issuers.example.io", {"Issuer.example.io"}),
        ("gateways.example.net", set()),
    ],
)
def test_the_kind_of_an_entry(word: str, fits: set[str]) -> None:
    data = {"suppressions": [{**GOOD, "kind": word}]}
    made = written_in_file(data, ".kubedoctor.yaml", load_catalogue(), TODAY, lambda: (ISSUER,))
    assert made.refused == ()
    (one,) = made.suppressions
    places = [Ref(kind, "shop", "web") for kind in ("Deployment", "ReplicaSet", "Issuer.example.io")]
    assert {place.kind for place in places if one.fits("KD1005", place, (place,))} == fits


def test_a_kind_is_not_refused_where_extensions_cannot_be_known() -> None:
    data = {"suppressions": [{**GOOD, "kind": "issuer"}]}
    made = written_in_file(data, ".kubedoctor.yaml", load_catalogue(), TODAY, lambda: None)
    assert (len(made.suppressions), made.refused) == (1, ())


@pytest.mark.parametrize("data", [[], "x", {"suppressions": {}}, {"suppressions": None}, {"suppresions": []}])
def test_a_file_of_another_shape_is_said(data: Any) -> None:
    made = written_in_file(data, ".kubedoctor.yaml", load_catalogue(), TODAY)
    assert made.suppressions == ()
    assert made.refused


def test_an_empty_file_says_nothing() -> None:
    assert written_in_file(None, "", load_catalogue(), TODAY) == WrittenSuppressions()


@pytest.mark.parametrize(
    ("text", "codes", "refused"),
    [
        ("KD1005 until 2026-12-31: known: see #5", {"KD1005"}, 0),
        ("KD1005, KD1003 until 2026-12-31: known", {"KD1005", "KD1003"}, 0),
        ("KD1005  until\t2026-12-31 : known", {"KD1005"}, 0),
        ("KD1005 until: known", set(), 1),
        ("KD1005 until 2026-12-31: a\n\nKD1003 until 2020-01-01: b\n", {"KD1005"}, 1),
        ("KD1005", set(), 1),
        ("KD1005 until 2026-12-31", set(), 1),
        ("KD1005: known", set(), 1),
        ("until 2026-12-31: known", set(), 1),
        (": : :", set(), 1),
        ("", set(), 0),
    ],
)
def test_lines_of_an_annotation(text: str, codes: set[str], refused: int) -> None:
    made = written_in_annotation(text, DEPLOYMENT, load_catalogue(), TODAY)
    assert {code for one in made.suppressions for code in one.codes} == codes
    assert len(made.refused) == refused
    assert all(sentence.startswith("annotation of Deployment shop/web: ") for sentence in made.refused)


def owned(owner: Ref) -> tuple[OwnerReference, ...]:
    return (OwnerReference(kind=owner.kind, name=owner.name, controller=True),)


def snapshot(annotated: Ref | None = None, text: str = "KD1005 until 2026-02-01: known") -> Snapshot:
    made = Snapshot(NOW, Source("live", "test"), complete=True)

    def meta(name: Ref, owner: Ref | None = None) -> ManagedMeta:
        return ManagedMeta(
            name=name.name,
            namespace=name.namespace,
            annotations={ANNOTATION: text} if name == annotated else None,
            owner_references=owned(owner) if owner else None,
        )

    made.add(
        [
            Namespace(metadata=meta(Ref("Namespace", "", "shop"))),
            Deployment(metadata=meta(DEPLOYMENT)),
            ReplicaSet(metadata=meta(REPLICA_SET, DEPLOYMENT)),
            Pod(metadata=meta(POD, REPLICA_SET)),
        ]
    )
    return made


NOTHING_WRITTEN = WrittenSuppressions()


def left(one: Report, made: WrittenSuppressions = NOTHING_WRITTEN, seen: Snapshot | None = None) -> Report:
    return without_suppressed(one, made, seen or snapshot(), load_catalogue(), TODAY)


@pytest.mark.parametrize("place", [POD, REPLICA_SET, DEPLOYMENT, Ref("Namespace", "", "shop")], ids=str)
def test_an_annotation_counts_on_the_object_its_owners_and_its_namespace(place: Ref) -> None:
    seen = left(report(finding(1, code="KD1005", about=POD)), seen=snapshot(place))
    assert (seen.findings, seen.incidents, seen.worst()) == ((), (), None)
    assert [one.by for one in seen.suppressed] == [f"annotation of {place.title}"]


@pytest.mark.parametrize("place", [Ref("Pod", "shop", "other"), Ref("Namespace", "", "other")], ids=str)
def test_an_annotation_elsewhere_does_not_count(place: Ref) -> None:
    one = report(finding(1, code="KD1005", about=POD))
    assert left(one, seen=snapshot(place)) is one


def test_an_expired_annotation_is_said_and_the_finding_stays() -> None:
    seen = left(report(finding(1, code="KD1005", about=POD)), seen=snapshot(DEPLOYMENT, "KD1005 until 2020-01-01: x"))
    assert len(seen.incidents) == 1
    assert seen.unheeded == (
        "annotation of Deployment shop/web: KD1005 expired on 2020-01-01: repair it, or set a later day",
    )
    assert left(report(), written({**GOOD, "reason": ""})).worst() is Severity.NOTICE


@pytest.mark.parametrize(
    ("narrowed", "fits"),
    [
        ({}, True),
        ({"kind": "deploy", "name": "web"}, True),
        ({"kind": "pod", "name": "w*"}, True),
        ({"namespace": "shop"}, True),
        ({"namespace": "sh"}, False),
        ({"kind": "service"}, False),
        ({"kind": "deploy", "name": "w"}, False),
        ({"code": "KD1003"}, False),
    ],
)
def test_an_entry_means_the_object_or_its_owners(narrowed: dict[str, str], fits: bool) -> None:
    seen = left(report(finding(1, code="KD1005", about=POD)), written({**GOOD, **narrowed}))
    assert bool(seen.suppressed) is fits


def chain() -> Report:
    """1 causes 2 and 3; 4 follows from 3."""
    return report(
        finding(1, code="KD1005", about=POD),
        finding(2, severity=Severity.WARNING),
        finding(3, severity=Severity.NOTICE),
        finding(4, severity=Severity.WARNING),
        incidents=(Incident(id_of(1), (id_of(2), id_of(3), id_of(4)), (id_of(1), id_of(1), id_of(3))),),
    )


def test_a_suppressed_cause_stays_with_what_follows_from_it_and_makes_it_no_worse() -> None:
    seen = left(chain(), written(GOOD))
    (incident,) = seen.incidents
    assert incident == chain().incidents[0]
    assert seen.finding(incident.cause).suppressed
    assert (seen.severity_of(incident), seen.worst()) == (Severity.WARNING, Severity.WARNING)
    assert len(seen.suppressed) == 1


def test_a_suppressed_consequence_stays_only_where_something_follows_from_it() -> None:
    codes = {2: "KD1005", 3: "KD1005", 4: "KD9004"}
    one = chain()
    findings = tuple(
        finding(number, code=codes.get(number, "KD9001"), severity=known.severity, about=POD)
        for number, known in enumerate(one.findings, 1)
    )
    seen = left(report(*findings, incidents=one.incidents), written(GOOD))
    assert seen.incidents == (Incident(id_of(1), (id_of(3), id_of(4)), (id_of(1), id_of(3))),)
    assert [known.id for known in seen.findings] == [id_of(1), id_of(3), id_of(4)]
    assert len(seen.suppressed) == 2


def test_of_alike_causes_the_next_one_leads() -> None:
    one = report(
        finding(1, code="KD1005", about=POD),
        finding(2),
        finding(3),
        incidents=(Incident(id_of(1), (id_of(3),), (id_of(2),), (id_of(2),)),),
    )
    assert left(one, written(GOOD)).incidents == (Incident(id_of(2), (id_of(3),), (id_of(2),)),)


def test_what_was_not_seen_is_asked_for_and_what_was_refused_is_not() -> None:
    seen = Snapshot(NOW, Source("live", "test"))
    one = report(finding(1, code="KD1005", about=POD))
    pod, namespace = Want("Pod", "shop", "w"), Want("Namespace", "", "shop")
    assert places_unread(one, seen) == {pod, namespace}
    seen.refuse(namespace, "forbidden")
    assert places_unread(one, seen) == {pod}
