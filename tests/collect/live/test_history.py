"""A watch keeps what happened, in a history that leads back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kubedoctor.cluster import Ref
from kubedoctor.cluster.history.ring import Ring
from kubedoctor.cluster.history.travelling import rewound
from kubedoctor.collect.live import following
from kubedoctor.sandbox import Fault
from tests.collect.live.watched import watched
from tests.collect.served import pod


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(following, "LONGEST_PAUSE", 0.05)


def test_what_was_added_changed_and_deleted_can_be_undone() -> None:
    ring = Ring()
    with watched(history=ring) as made:
        made.until(made.is_("Pod", "watching"))
        assert ring.since is not None
        assert len(ring) == 0, "the first list is no change"
        before = made.names("Pod")
        made.sandbox.put(pod("web-3"))
        made.until(lambda: len(ring) == 1)
        made.sandbox.put(pod("web-3", node="n9"))
        made.sandbox.delete(pod("web-1"))
        made.until(lambda: len(ring) == 3)
        past = rewound(made.source.snapshot, ring, ring.entries()[0].at - timedelta(seconds=1))
        assert sorted(found.metadata.name for found in past.of_kind("Pod")) == before
        assert [entry.about for entry in ring.entries()] == [
            Ref("Pod", "shop", "web-3"),
            Ref("Pod", "shop", "web-3"),
            Ref("Pod", "shop", "web-1"),
        ]


def test_what_happened_while_a_watch_was_lost_is_in_the_history() -> None:
    ring = Ring()
    with watched(history=ring) as made:
        made.until(made.is_("Pod", "watching"))
        broken = Fault(503, "ServiceUnavailable", "down", verbs=("watch", "list"))
        made.sandbox.faults.append(broken)
        made.until(lambda: made.disturbed("Pod"))
        made.sandbox.put(pod("web-4"))
        made.sandbox.forget_history()
        made.sandbox.faults.remove(broken)
        made.until(lambda: "web-4" in made.names("Pod"))
        made.until(lambda: len(ring) == 1)
        before = ring.entries()[0].at - timedelta(seconds=1)
        assert rewound(made.source.snapshot, ring, before).get(Ref("Pod", "shop", "web-4")) is None
