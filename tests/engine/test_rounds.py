"""Reading in rounds: what is missing is fetched, but not for ever."""

from __future__ import annotations

import pytest

from kubedoctor.cluster import CannotSee, Cluster, ConfigMap, Gap, LogWant, Pod, Want
from kubedoctor.engine.examination import MOST_ROUNDS
from kubedoctor.engine.rounds import read_in_rounds
from tests.engine.clinic import live, pod
from tests.engine.test_examination import Server


def test_a_reading_is_done_again_until_nothing_is_missing() -> None:
    snapshot = live()
    server = Server(snapshot, pod("web-1"))
    reading = read_in_rounds(lambda cluster: len(cluster.all(Pod)), snapshot, server.gather)
    assert (reading.answer, reading.gaps, reading.rounds) == (1, (), 1)


def test_what_helps_but_cannot_be_seen_is_a_gap() -> None:
    snapshot = live()
    server = Server(snapshot, refused=("ConfigMap",))
    reading = read_in_rounds(lambda cluster: cluster.maybe.all(ConfigMap), snapshot, server.gather)
    assert reading.answer == ()
    assert reading.gaps == (Gap("ConfigMap", "list ConfigMap is forbidden"),)


def test_what_is_needed_but_cannot_be_seen_is_raised() -> None:
    snapshot = live()
    server = Server(snapshot, refused=("Pod",))
    with pytest.raises(CannotSee, match="list Pod is forbidden"):
        read_in_rounds(lambda cluster: cluster.all(Pod), snapshot, server.gather)


def test_a_source_that_never_answers_ends_it() -> None:
    asked: list[frozenset[Want | LogWant]] = []

    def read(cluster: Cluster) -> int:
        return len(cluster.all(Pod))

    with pytest.raises(CannotSee, match="Pod: not fetched"):
        read_in_rounds(read, live(), asked.append)
    assert len(asked) == MOST_ROUNDS
