"""The command for a change, to the letter."""

from __future__ import annotations

import pytest

from kubedoctor.cluster.changes import Change, put
from kubedoctor.cluster.kinds.meta import ManagedMeta
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.kinds.storage import (
    PersistentVolumeClaim,
    PersistentVolumeClaimSpec,
    PersistentVolumeClaimStatus,
)
from kubedoctor.findings.commands import command_line
from tests.findings.commands.changes import IN_PLACE, OTHERS, typed

CASES = {**IN_PLACE, **OTHERS}


@pytest.mark.parametrize(("change", "line"), CASES.values(), ids=CASES)
def test_the_command_for_a_change(change: Change, line: str) -> None:
    assert command_line(change, *typed().values()) == line


def bound_claim() -> PersistentVolumeClaim:
    return PersistentVolumeClaim(
        metadata=ManagedMeta(name="data", namespace="shop"),
        spec=PersistentVolumeClaimSpec(storage_class_name="fast", volume_name="pv-1"),
        status=PersistentVolumeClaimStatus(phase="Bound", capacity={"storage": "10Gi"}),
    )


@pytest.mark.parametrize(
    ("path", "value"),
    [(("spec", "resources", "requests", "storage"), "20Gi"), (("spec", "volumeAttributesClassName"), "silver")],
)
def test_a_bound_claim_is_changed_in_place(path: tuple[str, ...], value: str) -> None:
    line = command_line(put(ref(bound_claim()), path, value), bound_claim())
    assert line.startswith("kubectl patch persistentvolumeclaim/data -n shop")
    assert "replace" not in line


@pytest.mark.parametrize("path", [("spec", "storageClassName"), ("spec", "accessModes"), ("spec", "volumeName")])
def test_no_command_deletes_a_bound_claim(path: tuple[str, ...]) -> None:
    assert command_line(put(ref(bound_claim()), path, "other"), bound_claim()) == ""
