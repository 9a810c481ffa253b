"""The volumes of pods."""

from __future__ import annotations

import msgspec

from kubedoctor.cluster.kinds.volumes import DISKS, ClaimSource, Volume


def test_a_claim_is_named_or_made_for_the_pod() -> None:
    assert Volume(name="data", persistent_volume_claim=ClaimSource(claim_name="db")).claim_of("web-0") == "db"
    assert Volume(name="data", ephemeral={}).claim_of("web-0") == "web-0-data"
    assert Volume(name="data").claim_of("web-0") is None


def test_disks_are_fields_of_a_volume() -> None:
    assert set(DISKS) < set(Volume.__struct_fields__)
    assert "azureDisk" in msgspec.json.decode(msgspec.json.encode(Volume(azure_disk={})))
