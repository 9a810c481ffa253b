"""Incidents that began and ended between two examinations."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.engine import Report, load_catalogue, scan
from kubedoctor.engine.over_time.marks import marks_between
from kubedoctor.sandbox import recording_path


def report_of(name: str) -> Report:
    source = open_source(Options(from_=(str(recording_path(name)),)))
    return scan(load_catalogue(), source.snapshot, source.gather, "")


def test_what_began_and_what_ended_is_marked_once() -> None:
    sick = report_of("oom-killed")
    well = replace(sick, incidents=(), findings=(), taken_at=sick.taken_at - timedelta(minutes=1))
    (began,) = marks_between(well, sick)
    assert (began.began, began.code, began.about.name) == (True, "KD1005", "checkout")
    assert well.taken_at < began.at <= sick.taken_at
    later = replace(well, taken_at=sick.taken_at + timedelta(minutes=1))
    (ended,) = marks_between(sick, later)
    assert (ended.began, ended.about, ended.at) == (False, began.about, later.taken_at)
    assert marks_between(sick, sick) == ()
