"""From a change to healed, or to what is still wrong."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from kubedoctor.cluster import Ref, Snapshot
from kubedoctor.cluster.changes import apply_to_snapshot, put
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.engine import Report, load_catalogue, scan
from kubedoctor.engine.over_time import Healing, begun, proceeded
from kubedoctor.engine.over_time.healing import FOLLOWED, HOLDS, PATIENCE, SHOWN, HealingStage
from kubedoctor.sandbox import recording_path

SERVICE = Ref("Service", "shop", "checkout")


def sick() -> tuple[Snapshot, Report]:
    snapshot = open_source(Options(from_=(str(recording_path("service-selector-typo")),))).snapshot
    return snapshot, scan(load_catalogue(), snapshot, lambda _: None)


def changed(snapshot: Snapshot, app: str) -> Snapshot:
    return apply_to_snapshot(snapshot, put(SERVICE, ("spec", "selector"), {"app": app}))


def examined(snapshot: Snapshot, later: timedelta) -> Report:
    report = scan(load_catalogue(), snapshot, lambda _: None)
    return replace(report, taken_at=report.taken_at + later)


def followed() -> tuple[Snapshot, Healing]:
    snapshot, report = sick()
    (incident,) = report.incidents
    return snapshot, begun(incident, report, snapshot, fix="Correct the selector")


def test_nothing_happens_before_the_object_changes() -> None:
    snapshot, healing = followed()
    later = proceeded(healing, examined(snapshot, timedelta(minutes=5)), snapshot)
    assert later.progress is HealingStage.COPIED
    assert not later.is_over(later.begun_at + timedelta(minutes=5))
    assert later.is_over(later.begun_at + FOLLOWED + timedelta(seconds=1))


def test_it_is_healed_once_all_is_well_for_a_while() -> None:
    snapshot, healing = followed()
    well = changed(snapshot, "checkout")
    first = proceeded(healing, examined(well, timedelta(seconds=20)), well)
    assert first.progress is HealingStage.VERIFYING
    assert first.words == "verifying"
    last = proceeded(first, examined(well, timedelta(seconds=20) + HOLDS), well)
    assert last.progress is HealingStage.HEALED
    assert last.words == "healed at once"
    assert last.ended_at is not None
    assert not last.is_over(last.ended_at + SHOWN)
    assert last.is_over(last.ended_at + SHOWN + timedelta(seconds=1))


def test_what_is_still_wrong_is_said_after_a_while_and_may_heal_later() -> None:
    snapshot, healing = followed()
    wrong = changed(snapshot, "chekcout")
    first = proceeded(healing, examined(wrong, timedelta(seconds=5)), wrong)
    assert first.progress is HealingStage.VERIFYING
    late = proceeded(first, examined(wrong, timedelta(seconds=5) + PATIENCE), wrong)
    assert late.progress is HealingStage.PERSISTS
    assert late.words.startswith("not healed after 60s: selector app=chekcout matches no pod")
    well = changed(snapshot, "checkout")
    after = proceeded(late, examined(well, PATIENCE * 2), well)
    healed = proceeded(after, examined(well, PATIENCE * 2 + HOLDS), well)
    assert healed.progress is HealingStage.HEALED
    assert healed.words == "healed after 115s"


def test_another_cause_in_its_place_is_told() -> None:
    snapshot, healing = followed()
    other = apply_to_snapshot(
        changed(snapshot, "checkout"), put(SERVICE, ("spec", "ports", 0, "targetPort"), "nowhere")
    )
    found = proceeded(healing, examined(other, timedelta(seconds=5)), other)
    assert found.progress is HealingStage.REPLACED
    assert "the cause is another now: Service shop/checkout: targetPort nowhere" in found.words


def test_a_setback_before_it_has_held_begins_again() -> None:
    snapshot, healing = followed()
    well, wrong = changed(snapshot, "checkout"), changed(snapshot, "chekcout")
    first = proceeded(healing, examined(well, timedelta(seconds=1)), well)
    back = proceeded(first, examined(wrong, timedelta(seconds=4)), wrong)
    again = proceeded(back, examined(well, timedelta(seconds=7)), well)
    assert again.progress is HealingStage.VERIFYING
