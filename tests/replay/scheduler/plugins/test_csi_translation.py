"""Volumes of built-in plugins, by the tables of upstream's own tests (csi-translation-lib/plugins/*_test.go)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kubedoctor.cluster.kinds.storage import CSINode, PersistentVolume
from kubedoctor.replay.scheduler.plugins.csi_translation import (
    BUILT_IN,
    MIGRATED_PLUGINS,
    Untranslatable,
    built_in_of,
    handle,
    inline_handle,
    topology_terms,
)


def volume(labels: dict[str, str] | None = None, **spec: Any) -> PersistentVolume:
    return msgspec.convert({"metadata": {"name": "v", "labels": labels or {}}, "spec": spec}, PersistentVolume)


def translated(one: PersistentVolume) -> str:
    built_in = built_in_of(one)
    assert built_in is not None
    return handle(built_in, one)


BETA = "failure-domain.beta.kubernetes.io/zone"
ZONE = "topology.kubernetes.io/zone"


@pytest.mark.parametrize(
    ("labels", "spec", "expected"),
    [
        ({}, {"awsElasticBlockStore": {"volumeID": "vol-01234"}}, "vol-01234"),
        ({}, {"awsElasticBlockStore": {"volumeID": "aws://us-east-1a/vol-01234"}}, "vol-01234"),
        ({}, {"awsElasticBlockStore": {"volumeID": "aws:///vol-01234"}}, "vol-01234"),
        ({}, {"gcePersistentDisk": {"pdName": "d"}}, "projects/UNSPECIFIED/zones/UNSPECIFIED/disks/d"),
        (
            {ZONE: "us-central1-b"},
            {"gcePersistentDisk": {"pdName": "d"}},
            "projects/UNSPECIFIED/zones/us-central1-b/disks/d",
        ),
        (
            {BETA: "us-central1-a__us-central1-c", ZONE: "other"},
            {"gcePersistentDisk": {"pdName": "d"}},
            "projects/UNSPECIFIED/regions/us-central1/disks/d",
        ),
        ({}, {"azureDisk": {"diskURI": "/subscriptions/d", "kind": "managed"}}, "/subscriptions/d"),
        ({}, {"cinder": {"volumeID": "c"}}, "c"),
        ({}, {"portworxVolume": {"volumeID": "x"}}, "x"),
    ],
)
def test_the_handle_of_the_driver(labels: dict[str, str], spec: dict[str, Any], expected: str) -> None:
    assert translated(volume(labels, **spec)) == expected


@pytest.mark.parametrize(
    ("labels", "spec"),
    [
        ({}, {"awsElasticBlockStore": {"volumeID": "aws://us-east-1a/disk"}}),
        ({ZONE: "us-central1-a__europe-west1-b"}, {"gcePersistentDisk": {"pdName": "d"}}),
        ({ZONE: "us-central1-a__"}, {"gcePersistentDisk": {"pdName": "d"}}),
        ({}, {"azureDisk": {"diskURI": "d", "kind": "Dedicated"}}),
    ],
)
def test_volumes_without_a_handle(labels: dict[str, str], spec: dict[str, Any]) -> None:
    with pytest.raises(Untranslatable):
        translated(volume(labels, **spec))


def test_a_disk_that_a_pod_spells_out_has_no_zone() -> None:
    disk = next(one for one in BUILT_IN if one.driver == "pd.csi.storage.gke.io")
    assert inline_handle(disk, {"pdName": "d"}) == "projects/UNSPECIFIED/zones/UNSPECIFIED/disks/d"


def node(plugins: str) -> CSINode:
    return msgspec.convert({"metadata": {"name": "n", "annotations": {MIGRATED_PLUGINS: plugins}}}, CSINode)


def keys(one: PersistentVolume, csi_node: CSINode | None) -> list[tuple[str, tuple[str, ...] | None]]:
    terms = topology_terms(one, csi_node)
    assert terms is not None
    return [(each.key, each.values) for term in terms for each in term.match_expressions or ()]


def in_zone(key: str) -> dict[str, Any]:
    expression = {"key": key, "operator": "In", "values": ["us-east-1a"]}
    return {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}


def test_zones_are_renamed_only_where_the_node_has_the_driver() -> None:
    one = volume(awsElasticBlockStore={"volumeID": "vol-1"}, nodeAffinity=in_zone(BETA))
    assert keys(one, node("kubernetes.io/aws-ebs")) == [("topology.ebs.csi.aws.com/zone", ("us-east-1a",))]
    for other in (None, node(""), node("kubernetes.io/gce-pd")):
        assert keys(one, other) == [(BETA, ("us-east-1a",))]


def test_a_zone_label_becomes_a_term() -> None:
    one = volume({ZONE: "us-east-1b__us-east-1a"}, awsElasticBlockStore={"volumeID": "vol-1"})
    migrated = node("kubernetes.io/cinder,kubernetes.io/aws-ebs")
    assert keys(one, migrated) == [("topology.ebs.csi.aws.com/zone", ("us-east-1a", "us-east-1b"))]
    assert topology_terms(one, None) is None


def test_a_driver_s_own_volume_stays_as_it_is() -> None:
    one = volume({ZONE: "a"}, csi={"driver": "ebs.csi.aws.com", "volumeHandle": "h"}, nodeAffinity=in_zone(ZONE))
    assert keys(one, node("kubernetes.io/aws-ebs")) == [(ZONE, ("us-east-1a",))]
