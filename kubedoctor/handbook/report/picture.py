"""Pictures of an incident as SVG: how it spread, and when. They have no colours of their own but those of the page's style,
so that they follow light and dark, and every text in them is escaped."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from html import escape
from typing import Final

import msgspec

from kubedoctor.cluster.grammar.text import visible, visible_end
from kubedoctor.engine.words import MARKS, RELATIONS
from kubedoctor.handbook.report.look import ROLE_OF
from kubedoctor.handbook.report.story import IncidentStory, StoryNode

_WIDTH: Final = 290
_GAP: Final = 124
_LINE: Final = 17
_AIR: Final = 14
_LETTERS: Final = 40
"""Letters in a line of a box."""
_LETTERS_OF_TITLE: Final = 30
_LETTERS_OF_CODE: Final = 40
_MOST_LINES: Final = 3
_MOST_BOXES: Final = 40
_STRIP: Final = 1000
_TICKS: Final = 6


class _Box(msgspec.Struct):
    """A node with its place. left, top: of the box, in pixels."""

    node: StoryNode
    lines: list[str]
    left: int
    top: int = 0
    above: _Box | None = None

    @property
    def height(self) -> int:
        return 12 + _LINE * (2 + len(self.lines))

    @property
    def middle(self) -> int:
        return self.top + self.height // 2


def cause_picture(roots: Sequence[StoryNode]) -> str:
    """A graph from the cause at the left to what follows; empty where nothing follows."""
    if not any(node.below for node in roots):
        return ""
    boxes: list[_Box] = []
    bottom = 0
    for root in roots:
        bottom = _placed(root, None, bottom, boxes)
    width = max(box.left for box in boxes) + _WIDTH + 2
    parts = [
        f'<svg role="img" width="{width}" height="{bottom}" viewBox="-1 0 {width} {bottom}" '
        'xmlns="http://www.w3.org/2000/svg">',
        "<title>From the cause to what follows from it</title>",
        *(line for box in boxes for line in _edge(box)),
        *(line for box in boxes for line in _drawn(box)),
        "</svg>",
    ]
    return "\n".join(parts)


def _placed(node: StoryNode, above: _Box | None, top: int, boxes: list[_Box]) -> int:
    """Places a node beside the first of those below it; returns where the next one may begin."""
    lines = textwrap.wrap(visible(node.finding.summary), _LETTERS, break_on_hyphens=False)
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], lines[_MOST_LINES - 1][: _LETTERS - 1].rstrip() + "…"]
    box = _Box(node, lines, node.depth * (_WIDTH + _GAP), top, above)
    boxes.append(box)
    bottom = top
    for child in node.below:
        if len(boxes) < _MOST_BOXES:
            bottom = _placed(child, box, bottom, boxes)
    return max(bottom, top + box.height + _AIR)


def _edge(box: _Box) -> Iterator[str]:
    if box.above is None:
        return
    start, end = box.above.left + _WIDTH, box.left
    middle = start + 12
    from_, to = box.above.top + 18, box.top + 18
    yield f'<path class="edge" d="M{start} {from_}H{middle}V{to}H{end - 7}"/>'
    yield f'<path class="tip" d="M{end - 8} {to - 5}L{end - 1} {to}L{end - 8} {to + 5}z"/>'
    if words := RELATIONS.get(box.node.relation, box.node.relation):
        yield f'<text class="code" x="{end - 11}" y="{to - 5}" text-anchor="end">{escape(visible(words))}</text>'


def _drawn(box: _Box) -> Iterator[str]:
    finding = box.node.finding
    role = ROLE_OF[finding.severity]
    more = f" and {len(box.node.names) - 1} more" if len(box.node.names) > 1 else ""
    place = f"{finding.about.namespace}/{finding.about.name}" if finding.about.namespace else finding.about.name
    title = visible_end(place, _LETTERS_OF_TITLE - len(more)) + more
    yield f'<rect class="box" x="{box.left}" y="{box.top}" width="{_WIDTH}" height="{box.height}" rx="4"/>'
    yield f'<rect class="{role}" x="{box.left}" y="{box.top}" width="4" height="{box.height}" rx="2"/>'
    left, line = box.left + 14, box.top + 22
    yield f'<text class="title" x="{left}" y="{line}">{MARKS[finding.severity]} {escape(title)}</text>'
    for text in box.lines:
        line += _LINE
        yield f'<text class="small" x="{left}" y="{line}">{escape(text)}</text>'
    line += _LINE
    words = [visible(finding.about.short_kind), finding.code, finding.confidence.value]
    words += ["suppressed"] if finding.suppressed else []
    while len(" · ".join(words)) > _LETTERS_OF_CODE and len(words) > 1:
        words.pop()
    yield f'<text class="code" x="{left}" y="{line}">{escape(" · ".join(words))}</text>'


def time_picture(story: IncidentStory) -> str:
    """A strip of what happened: a diamond for a change, a bar for a failure, a dot for all else, a line at the onset; empty
    where too little happened at different times."""
    if len({entry.at for entry in story.timeline}) < 3:
        return ""
    times = [entry.at for entry in story.timeline]
    first, last = min(times), max(times)
    if story.since is not None:
        # What is long before tells less than the minutes before the fault.
        first = max(first, min(story.since - (last - story.since), story.since - timedelta(minutes=10)))
    span = max((last - first).total_seconds(), 1.0)

    def place(at: datetime) -> int:
        return 10 + round(max(0.0, (at - first).total_seconds()) / span * (_STRIP - 20))

    parts = [
        f'<svg role="img" width="{_STRIP}" height="66" viewBox="0 0 {_STRIP} 66" xmlns="http://www.w3.org/2000/svg">',
        "<title>When it happened</title>",
        f'<line class="axis" x1="10" y1="40.5" x2="{_STRIP - 10}" y2="40.5"/>',
    ]
    if story.since is not None and first <= story.since <= last:
        x = place(story.since)
        side, anchor = (x - 6, "end") if x > _STRIP // 2 else (x + 6, "start")
        parts.append(f'<line class="onset" x1="{x}" y1="2" x2="{x}" y2="46"/>')
        parts.append(f'<text class="bad" x="{side}" y="13" text-anchor="{anchor}">began</text>')
    drawn = set()
    for entry in story.timeline:
        if entry.at < first:
            continue
        x, kind = place(entry.at), "bad" if entry.bad else "change" if entry.change else ""
        if (x, kind) in drawn:
            continue
        drawn.add((x, kind))
        if kind == "change":
            parts.append(f'<path class="change" d="M{x} 18l6 7l-6 7l-6 -7z"/>')
        elif kind == "bad":
            parts.append(f'<rect class="bad" x="{x - 2}" y="24" width="4" height="17"/>')
        else:
            parts.append(f'<circle class="quiet" cx="{x}" cy="37" r="2.5"/>')
    for number in range(_TICKS):
        at = first + (last - first) * number / (_TICKS - 1)
        anchor = "start" if number == 0 else "end" if number == _TICKS - 1 else "middle"
        parts.append(f'<text class="small" x="{place(at)}" y="60" text-anchor="{anchor}">{at:%H:%M:%S}</text>')
    return "\n".join([*parts, "</svg>"])
