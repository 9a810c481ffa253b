"""Findings from what the controller of a custom resource states in its status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from kubedoctor.answers.operators import operator_view, operator_words
from kubedoctor.cluster.grammar.text import visible_ends
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.references import referenced
from kubedoctor.cluster.seen.quoting import Evidence, quote
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.findings.model import Command, Confidence, Finding, Fix
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.status.extensions import is_past
from kubedoctor.replay.status.messages import StatedTrouble, stated_troubles

LONGEST_MESSAGE = 260
"""Characters of a message in a summary: its end has the reason."""
LONGEST_WHOLE = 400
"""As much of its end, and half as much of its start: a controller begins with what it did."""


class Meaning(NamedTuple):
    """What a class of messages means, as a clause under the object's name, and the repair as an imperative."""

    clause: str
    repair: str


def troubles_of(obj: CustomResource, cluster: Cluster) -> tuple[StatedTrouble, ...]:
    """The trouble that counts, the one that says why first; empty for an attempt that is over, and for what is deleted."""
    if not obj.name or obj.metadata.deletion_timestamp is not None or is_past(obj, cluster.snapshot):
        return ()
    return stated_troubles(obj, cluster.events_about(ref(obj)), cluster.taken_at)


def stated_finding(
    obj: CustomResource,
    troubles: tuple[StatedTrouble, ...],
    meanings: Mapping[MessageClass, Meaning],
    cluster: Cluster,
    *,
    ask_operator: bool = False,
) -> Finding:
    """The finding of the first trouble, which blames the references of the object that report trouble themselves.
    `ask_operator`: where it does not say why, the log of the operator is read.

    Raises KeyError for a class without a meaning."""
    first = troubles[0]
    meaning = meanings[first.reading.message_class]
    place = f"{first.place}: " if first.place else ""
    view = operator_view(obj, cluster) if ask_operator and first.is_vague else None
    evidence = dict.fromkeys(fact for trouble in _unlike(troubles)[:2] for fact in quoted(obj, trouble))
    return Finding(
        about=ref(obj),
        summary=f"{place}{meaning.clause}{said(first)}{operator_words(view)}",
        evidence=(*evidence, *(view.evidence if view is not None else ())),
        confidence=Confidence.CERTAIN if first.reading.known else Confidence.LIKELY,
        fixes=(Fix(meaning.repair),),
        commands=(
            Command(ref(obj).describe_command, "its conditions and events"),
            *(view.commands if view is not None else ()),
        ),
        because_of=(
            *troubled_references(obj, cluster),
            *((view.workload,) if view is not None and view.unready else ()),
        ),
    )


def _unlike(troubles: tuple[StatedTrouble, ...]) -> list[StatedTrouble]:
    """One trouble for each message."""
    return list({trouble.reading.deciding: trouble for trouble in reversed(troubles)}.values())[::-1]


def said(trouble: StatedTrouble) -> str:
    """`: <message>`, both ends of a long one; empty where the reason alone speaks."""
    words = " ".join(trouble.reading.deciding.split()).rstrip(".")
    if trouble.reason and trouble.reason not in words and len(words) < LONGEST_MESSAGE // 2:
        words = f"{trouble.reason}: {words}" if words else trouble.reason
    return f": {visible_ends(words, LONGEST_WHOLE)}" if words else ""


def quoted(obj: CustomResource, trouble: StatedTrouble) -> tuple[Evidence, ...]:
    """The condition and its message, or the event."""
    if trouble.event is not None:
        return (quote(trouble.event, "message", f"event {trouble.reason}"),)
    if trouble.message_path == trouble.path:
        return (quote(obj, trouble.path, trouble.reason),)
    message = quote(obj, trouble.message_path)
    return (message,) if trouble.path.endswith(".type") else (quote(obj, trouble.path, trouble.reason), message)


def troubled_references(obj: CustomResource, cluster: Cluster) -> tuple[Ref, ...]:
    """The custom resources that the spec names and that report trouble themselves."""
    blamed = []
    for name in dict.fromkeys(referenced(obj)):
        if "." not in name.kind:
            continue
        other = cluster.maybe.get_ref(name)
        if isinstance(other, CustomResource) and troubles_of(other, cluster):
            blamed.append(name)
    return tuple(blamed)
