"""The page about an Event. Pure."""

from __future__ import annotations

from kubedoctor.cluster import Event, Snapshot
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
    page.add((f"seen {often}{f', last {human_duration(snapshot.taken_at - seen)} ago' if seen else ''}", "dim"))
    if source := event.source.component or event.reporting_component:
        page.add((f"reported by {source}{f' on {event.source.host}' if event.source.host else ''}", "dim"))
    page.blank()
    page.add(("enter", "key"), f" opens the {about.kind}")
    return page
