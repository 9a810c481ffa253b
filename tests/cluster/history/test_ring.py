"""What a watch has told leads back to every earlier state, within its bounds and without secrets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from kubedoctor.cluster import Ref, Snapshot, Source, Want, ref
from kubedoctor.cluster.history.object_changes import decoded_change, encoded_change, plain_object, redone, undone
from kubedoctor.cluster.history.ring import OF_ENTRY, Ring
from kubedoctor.cluster.history.travelling import object_of, rewound, stops
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.seen.decoding import convert_object
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.sandbox import recording_path

BEGAN = datetime(2026, 11, 28, 10, 0, tzinfo=UTC)
NAMES = ("shop-at-night", "oom-killed", "insufficient-cpu", "quota-exceeded")


def pairs() -> Iterator[tuple[KubernetesObject, KubernetesObject]]:
    """Objects of one kind, which differ in everything in which versions may differ, and more."""
    for name in NAMES:
        snapshot = open_source(Options(from_=(str(recording_path(name)),))).snapshot
        for kind in snapshot.kinds():
            yield from pairwise(snapshot.of_kind(kind))


def unversioned(obj: KubernetesObject | None) -> Any:
    assert obj is not None
    data = plain_object(obj)
    data["metadata"].pop("resourceVersion", None)
    return data


def pod(name: str, phase: str = "Running", **more: Any) -> KubernetesObject:
    data = {"metadata": {"name": name, "namespace": "shop", **more}, "status": {"phase": phase}}
    return convert_object("Pod", data).objects[0]


def test_every_difference_leads_to_both_versions() -> None:
    seen = 0
    for before, after in pairs():
        change = decoded_change(encoded_change(before, after))
        name = ref(after)
        assert unversioned(object_of(name, undone(plain_object(after), change))) == unversioned(before)
        assert unversioned(object_of(name, redone(plain_object(before), change))) == unversioned(after)
        seen += 1
    assert seen > 200


def test_an_addition_and_a_deletion_lead_to_both_versions() -> None:
    obj = pod("a")
    added, gone = encoded_change(None, obj, whole=True), encoded_change(obj, None)
    assert undone(plain_object(obj), decoded_change(added)) is None
    assert object_of(ref(obj), redone(None, decoded_change(added))) == obj
    assert object_of(ref(obj), undone(None, decoded_change(gone))) == obj
    assert redone(plain_object(obj), decoded_change(gone)) is None


def test_a_new_version_without_a_difference_is_no_change() -> None:
    assert encoded_change(pod("a", resourceVersion="1"), pod("a", resourceVersion="2")) == b""


def test_secrets_are_removed_before_anything_is_kept() -> None:
    text = "dial postgres://app:hunter2secret@db:5432 failed"
    secret = {"metadata": {"name": "s", "namespace": "shop"}, "data": {"password": "aHVudGVyMnNlY3JldA=="}}
    before = convert_object("Secret", {**secret, "data": {}}).objects[0]
    after = convert_object("Secret", secret).objects[0]
    told = pod("a", annotations={"note": text})
    kept = b"".join(
        (
            encoded_change(before, after),
            encoded_change(after, None),
            encoded_change(None, after, whole=True),
            encoded_change(pod("a"), told),
            encoded_change(told, None),
        )
    )
    assert b"note" in kept
    for word in (b"hunter2secret", b"aHVudGVyMnNlY3JldA"):
        assert word not in kept


def test_the_ring_is_bounded_in_bytes_and_in_time() -> None:
    ring = Ring(most_bytes=4_000, longest=timedelta(minutes=10))
    ring.begin(BEGAN)
    for number in range(1_000):
        ring.note(BEGAN + timedelta(seconds=number / 10), pod("a"), pod("a", phase=f"P{number}"))
        assert ring.size <= 4_000
    assert 5 < len(ring) <= 4_000 // OF_ENTRY
    assert ring.since is not None
    assert ring.since > BEGAN + timedelta(seconds=90)
    ring.note(BEGAN + timedelta(hours=1), pod("a"), pod("a", phase="Late"))
    assert len(ring) == 1


def test_the_state_of_every_moment_comes_back() -> None:
    snapshot, ring = Snapshot(BEGAN, Source("live", "here")), Ring()
    snapshot.cover(Want("Pod"))
    snapshot.history = ring
    ring.begin(BEGAN)
    states: list[tuple[datetime, set[str]]] = []

    def step(seconds: int, obj: KubernetesObject, *, gone: bool = False) -> None:
        at = BEGAN + timedelta(seconds=seconds)
        ring.note(at, snapshot.get(ref(obj)), None if gone else obj)
        if gone:
            snapshot.remove(ref(obj))
        else:
            snapshot.add((obj,))
        snapshot.taken_at = at
        states.append((at, {repr(found) for found in snapshot.of_kind("Pod")}))

    step(1, pod("a", "Pending"))
    step(2, pod("a", "Running"))
    step(3, pod("b", "Pending"))
    step(10, pod("a"), gone=True)
    step(11, pod("a", "Pending"))
    step(30, pod("b", "Failed"))
    for at, expected in states:
        past = rewound(snapshot, ring, at)
        assert {repr(found) for found in past.of_kind("Pod")} == expected
        assert (past.taken_at, past.closed) == (at, True)
    assert {repr(found) for found in snapshot.of_kind("Pod")} == states[-1][1], "the present stays as it was"
    assert [stop.entries[0].at.second for stop in stops(ring)] == [1, 10, 30]


def test_what_is_damaged_changes_nothing() -> None:
    change = decoded_change(b'{"fields":[{"p":["status",7,"x"],"o":1},{"p":["spec","containers",9],"n":2}]}')
    assert object_of(ref(pod("a")), undone(plain_object(pod("a")), change)) is not None


def test_only_names_come_back_as_names() -> None:
    snapshot, ring = Snapshot(BEGAN, Source("live", "here")), Ring()
    secret = convert_object("Secret", {"metadata": {"name": "s", "namespace": "shop"}}, names_only=True).objects[0]
    snapshot.add_names((secret,))
    ring.note(BEGAN + timedelta(seconds=5), secret, None, names_only=True)
    name = Ref("Secret", "shop", "s")
    snapshot.remove(name)
    past = rewound(snapshot, ring, BEGAN)
    assert past.get(name) is not None
    assert not past.is_whole(name)


@pytest.mark.parametrize("body", [b"", b"{", b'{"fields":[{"p":1}]}'])
def test_what_is_no_change_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decoded_change(body)
