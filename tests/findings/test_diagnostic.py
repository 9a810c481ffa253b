"""The declaration of a diagnostic."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import pytest

from kubedoctor.cluster import Cluster, Deployment, KubernetesObject, Snapshot, Source, StatefulSet, quote, ref
from kubedoctor.engine import Catalogue, scan
from kubedoctor.findings import Confidence, Finding, Severity, diagnostic
from kubedoctor.findings.diagnostic import diagnostic_id


def _named(workload: KubernetesObject, _: Cluster) -> Iterator[Finding]:
    evidence = (quote(workload, "metadata.name"),)
    yield Finding(about=ref(workload), summary="is here", evidence=evidence, confidence=Confidence.CERTAIN)


def test_one_check_runs_on_several_kinds() -> None:
    one = diagnostic(
        code="KD9999",
        subject=Deployment,
        also_subjects=(StatefulSet,),
        severity=Severity.NOTICE,
        reads=(),
    )(_named)
    assert one.subject_kinds == ("Deployment", "StatefulSet")
    assert one.read_kinds == {"Deployment", "StatefulSet"}
    snapshot = Snapshot(datetime(2026, 1, 1, tzinfo=UTC), Source("files", "test", "v1.37.2"), complete=True)
    snapshot.add(
        [
            msgspec.convert({"metadata": {"name": "a", "namespace": "n"}}, Deployment),
            msgspec.convert({"metadata": {"name": "b", "namespace": "n"}}, StatefulSet),
        ]
    )
    report = scan(Catalogue((one,)), snapshot, lambda wants: None)
    assert [str(found.about) for found in report.findings] == ["Deployment/n/a", "StatefulSet/n/b"]


def test_a_code_is_letters_and_digits() -> None:
    with pytest.raises(ValueError, match="is not a code"):
        diagnostic(code="nonsense", subject=Deployment, severity=Severity.NOTICE, reads=())


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("diagnostics.pods.evicted", "pods/evicted"),
        ("diagnostics.pods.images.image_not_found", "pods/image-not-found"),
        ("acme_diagnostics.certificates.acme.expired", "certificates/expired"),
        ("acme.diagnostics.certificates.expired", "certificates/expired"),
        ("acme.certificates.expired", "certificates/expired"),
        ("acme_diagnostics.expired", "acme-diagnostics/expired"),
        ("alone", "alone/alone"),
    ],
)
def test_the_id_is_the_area_and_the_problem_at_any_depth(module: str, expected: str) -> None:
    assert diagnostic_id(module) == expected
