"""Proven fixes of symptoms stand where their cause is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubedoctor.cluster import Cluster, PersistentVolumeClaim, Pod, Ref
from kubedoctor.engine import Catalogue, Report, scan
from kubedoctor.findings import Explains, Finding, Fix
from tests.engine.clinic import complete, made, pod, said

CLAIM = Ref("PersistentVolumeClaim", "shop", "data")
SMALLER = Fix("ask for less", "kubectl patch pvc/data", verified=True, changes=CLAIM)
RELEASE = Fix("let the volume be claimed", "kubectl patch pv/disk")
PROVEN = Fix("let the volume be claimed → fits n1", RELEASE.command, verified=True)
ELSEWHERE = Fix("lower the request", "kubectl set resources", verified=True, changes=Ref("Deployment", "shop", "web"))
UNPROVEN = Fix("another class", "kubectl patch pvc/data --class", changes=CLAIM)
LAST = Fix("add a volume")
MOUNTED = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}
CLAIM_AND_POD = (
    {"kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "shop"}, "spec": {}},
    {**pod("web-1"), "spec": MOUNTED},
)


def unbound(one: PersistentVolumeClaim, cluster: Cluster) -> Iterator[Finding]:
    yield said(one, "no volume", fixes=(RELEASE, LAST))


def report(*fixes: Fix) -> Report:
    def pending(one: Pod, cluster: Cluster) -> Iterator[Finding]:
        yield said(one, "fits nowhere", fixes=fixes)

    cause: Any = made(unbound, code="KD9001", subject=PersistentVolumeClaim, explains=(Explains("mounts"),))
    symptom: Any = made(pending, code="KD9002", subject=Pod)
    return scan(Catalogue((cause, symptom)), complete(*CLAIM_AND_POD), lambda wants: None)


def of_the_cause(made_of: Report) -> tuple[Fix, ...]:
    (incident,) = made_of.incidents
    assert incident.consequences
    return made_of.finding(incident.cause).fixes


def test_a_proven_change_of_the_culprit_comes_first() -> None:
    assert of_the_cause(report(SMALLER)) == (SMALLER, RELEASE, LAST)


def test_a_proof_takes_the_place_of_the_same_command_without_one() -> None:
    assert of_the_cause(report(PROVEN)) == (PROVEN, LAST)


def test_what_is_unproven_or_changes_something_else_stays_with_the_symptom() -> None:
    assert of_the_cause(report(ELSEWHERE, UNPROVEN)) == (RELEASE, LAST)
