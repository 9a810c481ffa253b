"""How a diagnostic reads: several readings at once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kubedoctor.cluster.kinds.core import ConfigMap, Service
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.snapshot import Snapshot, Source
from kubedoctor.cluster.seen.wants import CannotSee, NotCollected, Want


def live() -> Cluster:
    return Cluster(Snapshot(datetime(2026, 1, 15, 10, 0, tzinfo=UTC), Source("live", "test", "v1.37.2")))


def test_together_asks_for_all_that_is_missing() -> None:
    cluster = live()
    cluster.snapshot.cover(Want("Service", "shop"))
    with pytest.raises(NotCollected) as missing:
        cluster.together(
            lambda: cluster.all(Pod, "shop"),
            lambda: cluster.all(Service, "shop"),
            lambda: cluster.get(ConfigMap, "shop", "settings"),
        )
    assert set(missing.value.wants) == {Want("Pod", "shop"), Want("ConfigMap", "shop", "settings")}


def test_together_leaves_refusals_to_the_reading_itself() -> None:
    cluster = live()
    cluster.snapshot.refuse(Want("Pod", "shop"), "forbidden")
    cluster.together(lambda: cluster.all(Pod, "shop"))
    with pytest.raises(CannotSee):
        cluster.all(Pod, "shop")
