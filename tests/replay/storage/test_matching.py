"""Volumes for claims, by upstream's own choices."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import msgspec

from kubedoctor.cluster.grammar.selectors import node_selector_of
from kubedoctor.cluster.kinds.meta import LabelSelector
from kubedoctor.cluster.kinds.storage import PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec
from kubedoctor.replay.storage.matching import Mismatch, capacity, rejection, rejections, reserved_for


def _reachable(volume: PersistentVolume, node: dict[str, object] | None) -> bool:
    required = volume.spec.node_affinity.required if volume.spec.node_affinity else None
    if node is None or required is None:
        return True
    metadata = node["metadata"]
    assert isinstance(metadata, dict)
    return node_selector_of(required.node_selector_terms).matches(metadata.get("labels"), metadata["name"])


def test_what_upstream_chooses_fits_and_what_fits_is_chosen(shared: Path) -> None:
    """Upstream answers one volume; ours must have nothing against it, and against all where it answers none."""
    chosen = none = 0
    with gzip.open(shared / "conformance" / "fuzz" / "storage.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            request, node = row["request"], row["request"].get("node")
            # Without a node the controller chooses; it looks at the access modes before it asks the function.
            answers = row["answer"]["controller"] if "controller" in row["answer"] else [row["answer"]["volume"]]
            answers = [name for name in answers if name]
            claim = msgspec.convert(request["claim"], PersistentVolumeClaim, strict=False)
            volumes = [msgspec.convert(one, PersistentVolume, strict=False) for one in request["volumes"]]
            fits = {one.volume.name: one.volume for one in rejections(claim, volumes) if not one.reasons}
            reserved = [name for name, volume in fits.items() if reserved_for(volume, claim)]
            assert set(answers) <= set(fits), row["id"]
            if answers:
                chosen += 1
            elif not reserved and (node is not None or not request["delayBinding"]):
                # A volume reserved elsewhere ends the search; a claim that waits for its pod takes nothing by itself.
                assert not [name for name, volume in fits.items() if _reachable(volume, node)], row["id"]
                none += 1
    assert chosen > 100
    assert none > 100


def test_every_reason_is_given() -> None:
    claim = msgspec.convert(
        {
            "metadata": {"name": "c", "namespace": "n", "uid": "2"},
            "spec": {"storageClassName": "fast", "resources": {"requests": {"storage": "5Gi"}}},
        },
        PersistentVolumeClaim,
    )
    volume = msgspec.convert(
        {
            "metadata": {"name": "v"},
            "spec": {
                "capacity": {"storage": "1Gi"},
                "storageClassName": "slow",
                "claimRef": {"namespace": "n", "name": "c", "uid": "1"},
            },
            "status": {"phase": "Released"},
        },
        PersistentVolume,
    )
    assert rejection(claim, volume).reasons == (Mismatch.RELEASED, Mismatch.TOO_SMALL, Mismatch.CLASS)
    assert str(capacity(volume)) == "1Gi"


def test_a_selector_that_is_not_valid_selects_no_volume() -> None:
    claim = PersistentVolumeClaim(spec=PersistentVolumeClaimSpec(selector=LabelSelector(match_labels={"a": "-5"})))
    assert Mismatch.SELECTOR in rejection(claim, PersistentVolume()).reasons
