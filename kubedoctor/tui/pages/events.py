"""The page about an Event, and the events of an object as lines of its page. Pure."""

from __future__ import annotations

from kubedoctor.cluster import Cluster, Event, Ref, Snapshot
from kubedoctor.cluster.grammar.durations import human_duration
from kubedoctor.cluster.grammar.text import counted
from kubedoctor.tui.pages.page import Page


def event_page(event: Event, snapshot: Snapshot) -> Page:
    """What it says of which object, how often and when; no diagnostic is about Events themselves."""
    page, about, seen = Page(), event.involved_object, event.seen_at
    page.add((event.reason, "degraded" if event.type == "Warning" else "strong"), f"  {event.type}")
    page.add("/".join(filter(None, (f"{about.kind} {about.namespace}", about.name))), indent=2)
    page.blank()
    page.add(event.message)
    page.blank()
    often = counted(event.times, "time")
    last = f", last {seen:%Y-%m-%d %H:%M:%S} UTC, age {human_duration(snapshot.taken_at - seen)}" if seen else ""
    page.add((f"seen {often}{last}", "dim"))
    if source := event.source.component or event.reporting_component:
        page.add((f"reported by {source}{f' on {event.source.host}' if event.source.host else ''}", "dim"))
    page.blank()
    page.add(("enter", "key"), f" opens the {about.kind}")
    return page


def events_about(ref: Ref, snapshot: Snapshot) -> tuple[Event, ...]:
    """The events about an object that were read; none where the list was refused."""
    if not snapshot.of_kind("Event"):
        return ()
    return Cluster(snapshot, lenient=True).events_about(ref) if snapshot.closed else _known_events(ref, snapshot)


def _known_events(ref: Ref, snapshot: Snapshot) -> tuple[Event, ...]:
    events = snapshot.index("Event", "involved").get((ref.short_kind, ref.namespace, ref.name), ())
    return tuple(sorted(events, key=lambda event: (event.seen_at.timestamp() if event.seen_at else 0.0, event.name)))


def add_event(page: Page, event: Event, snapshot: Snapshot, indent: int = 2) -> None:
    """An event with its age and how often it was seen."""
    age = human_duration(snapshot.taken_at - event.seen_at) if event.seen_at else ""
    often = counted(event.times, "time") if event.times > 1 else ""
    role = "degraded" if event.type == "Warning" else ""
    page.add(
        (event.reason, role),
        f"  {event.message}",
        indent=indent,
        hang=indent + 2,
        right=" · ".join(filter(None, (age, often))),
    )
