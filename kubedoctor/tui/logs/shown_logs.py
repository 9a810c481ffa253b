"""From the lines of several containers to a page: chosen by a filter, coloured by pod, the deciding line marked. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from kubedoctor.cluster import LogWant, Ref
from kubedoctor.cluster.grammar.text import counted, visible
from kubedoctor.engine import Report
from kubedoctor.replay.logs.levels import Level
from kubedoctor.replay.logs.log_lines import parse_line
from kubedoctor.tui.look import DECIDES
from kubedoctor.tui.pages.page import Page
from kubedoctor.tui.texts.search_screen import pattern_of

MOST_SHOWN: Final = 2_000
"""Lines; older ones are found with the filter."""
WHO: Final = ("who-1", "who-2", "who-3", "who-4", "who-5", "who-6")
_ROLES: Final = {Level.WARNING: "warn", Level.ERROR: "broken", Level.FATAL: "broken"}
_SUFFIX: Final = 5
"""The end of a pod's name, which tells it from its siblings."""


class MergedLine(msgspec.Struct, frozen=True):
    """A line of the container at a place of the wants; `at` may be empty."""

    source: int
    text: str
    at: str = ""


class DecidingLine(msgspec.Struct, frozen=True):
    """The line of a container that a finding quotes."""

    code: str
    text: str
    says: str


class LogLook(msgspec.Struct, frozen=True):
    """What of the lines is shown, and how. container: only this one; empty for all."""

    filter: str = ""
    container: str = ""
    errors: bool = False
    times: bool = False
    wrap: bool = True
    unfold: bool = False


def deciding_lines(report: Report | None) -> dict[tuple[Ref, str], DecidingLine]:
    """By pod and container, what findings quote of logs."""
    found: dict[tuple[Ref, str], DecidingLine] = {}
    for finding in report.findings if report is not None else ():
        for evidence in finding.evidence:
            head, bracket, rest = evidence.path.partition("log[")
            if bracket and head in ("", "previous "):
                line = DecidingLine(finding.code, evidence.text, finding.summary)
                found.setdefault((evidence.object, rest.partition("]")[0]), line)
    return found


def filter_of(text: str) -> Callable[[str], bool]:
    """`timeout`, a regular expression, or `!` and one for the other lines; capitals count where there is one. ValueError
    with a sentence for what is none."""
    inverse, expression = text.startswith("!"), text.removeprefix("!")
    if not expression:
        return lambda _: True
    pattern = pattern_of(expression)
    return lambda line: (pattern.search(line) is None) is inverse


def logs_page(
    lines: Sequence[MergedLine],
    wants: Sequence[LogWant],
    states: Sequence[str],
    deciding: Mapping[tuple[Ref, str], DecidingLine],
    look: LogLook,
    dropped: int = 0,
    left_out: int = 0,
) -> tuple[Page, int]:
    """The page, and how many paragraphs stand above the deciding line (-1: there is none). dropped: older lines that were
    let go; left_out: containers that are not read."""
    page, names = Page(), _names(wants)
    chosen = _chosen(lines, wants, look)
    if left_out:
        more = f"{counted(left_out, 'more container')} not read: open the logs of one pod"
        page.add((f"… {more}", "degraded"))
    older = len(chosen) - MOST_SHOWN
    if older > 0 or dropped:
        page.add((f"… {counted(max(older, 0) + dropped, 'older line')} not shown", "dim"))
    place = -1
    width = max(map(len, names), default=0)
    for line in chosen[-MOST_SHOWN:]:
        want = wants[line.source]
        decides = deciding.get((want.about, want.container))
        is_deciding = decides is not None and bool(decides.text) and line.text.startswith(decides.text)
        if is_deciding:
            place = len(page.paragraphs)
        _add(page, line, names[line.source].ljust(width), look, marked=is_deciding, several=len(wants) > 1)
        if is_deciding and decides is not None:
            page.add((f"decides {decides.code}: ", "broken"), decides.says, indent=4, hang=4)
    if not chosen:
        page.add(("No line matches." if lines else "No lines.", "dim"))
    for want, state in zip(wants, states, strict=True):
        if state not in ("following", "reading", "read", "recorded") and look.container in ("", want.container):
            page.add((f"{want.pod}/{want.container}: {state}", "dim"))
    return page, place


def _chosen(lines: Sequence[MergedLine], wants: Sequence[LogWant], look: LogLook) -> list[MergedLine]:
    matches = filter_of(look.filter)
    chosen = [line for line in lines if not look.container or wants[line.source].container == look.container]
    if look.errors:
        chosen = [line for line in chosen if parse_line(line.text).level >= Level.ERROR]
    return [line for line in chosen if matches(line.text)]


def saved_lines(lines: Sequence[MergedLine], wants: Sequence[LogWant], look: LogLook) -> list[str]:
    """The chosen lines as a file has them: the time where it is known, the pod and the container where there are several."""
    names = [f"{want.pod}/{want.container}" if len(wants) > 1 else "" for want in wants]
    return [" ".join(filter(None, (line.at, names[line.source], line.text))) for line in _chosen(lines, wants, look)]


def _add(page: Page, line: MergedLine, name: str, look: LogLook, *, marked: bool, several: bool) -> None:
    parsed = parse_line(line.text)
    text = visible(line.text).expandtabs(4)
    if look.unfold and parsed.structured:
        text = f"{parsed.level.name} {parsed.message}"
    role = "broken-chip" if marked else _ROLES.get(parsed.level, "dim" if parsed.level is Level.INFO else "")
    lead = [(DECIDES if marked else " ", "broken")]
    if look.times and line.at:
        lead.append((f"{line.at[11:23]} ", "faint"))
    if several:
        lead.append((f"{name} ", WHO[line.source % len(WHO)]))
    hang = sum(len(text) for text, _ in lead)
    page.add(*lead, (text if look.wrap else text[:500], role), hang=hang if look.wrap else None)


def _names(wants: Sequence[LogWant]) -> list[str]:
    """The end of the pod's name, with the container where pods have several."""
    several = len({want.container for want in wants}) > 1
    many = len({want.pod for want in wants}) > 1
    return [
        "/".join(part for part in (want.pod[-_SUFFIX:] if many else "", want.container if several else "") if part)
        for want in wants
    ]
