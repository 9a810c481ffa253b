"""From the lines of several containers to a page: chosen by a filter, coloured by pod, the deciding line marked. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from kubedoctor.cluster import LogWant, Ref
from kubedoctor.cluster.grammar.text import counted, visible
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS
from kubedoctor.collect.live.followed_logs import LogPeriod
from kubedoctor.engine import Report
from kubedoctor.findings.commands import kubectl
from kubedoctor.replay.logs.levels import Level
from kubedoctor.replay.logs.log_lines import parse_line
from kubedoctor.tui.look import DECIDES
from kubedoctor.tui.pages.page import Page
from kubedoctor.tui.texts.search_screen import pattern_of

MOST_SHOWN: Final = 2_000
"""Lines; older ones are found with the filter."""
WHO: Final = ("who-1", "who-2", "who-3", "who-4", "who-5", "who-6")
_ROLES: Final = {Level.WARNING: "warn", Level.ERROR: "broken", Level.FATAL: "broken"}
_OF_ALL_PODS: Final = WORKLOAD_KINDS - {"CronJob", "Pod"}
"""The kinds of which `kubectl logs --all-pods` reads the logs."""
_MOST_OF_KUBECTL: Final = 5
"""Logs that kubectl follows at once, without `--max-log-requests`."""
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


class LogMark(msgspec.Struct, frozen=True):
    """A rule that a person has drawn behind the lines up to a time; empty: lines without times, behind all of them."""

    behind: str
    label: str


class LogLook(msgspec.Struct, frozen=True):
    """What of the lines is shown, and how. container: only this one; empty for all. cleared: lines up to this time are not
    shown any more."""

    filter: str = ""
    cleared: str = ""
    marks: tuple[LogMark, ...] = ()
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
    if look.cleared:
        page.add(("… cleared: older lines are not shown, 0 reads them again", "dim"))
    place, marks = -1, list(look.marks)
    width = max(map(len, names), default=0)
    for line in chosen[-MOST_SHOWN:]:
        while marks and line.at > marks[0].behind:
            _add_mark(page, marks.pop(0))
        want = wants[line.source]
        decides = deciding.get((want.about, want.container))
        is_deciding = decides is not None and bool(decides.text) and line.text.startswith(decides.text)
        if is_deciding:
            place = len(page.paragraphs)
        _add(page, line, names[line.source].ljust(width), look, marked=is_deciding, several=len(wants) > 1)
        if is_deciding and decides is not None:
            page.add((f"decides {decides.code}: ", "broken"), decides.says, indent=4, hang=4)
    for mark in marks:
        _add_mark(page, mark)
    if not chosen:
        page.add(("No line matches." if lines else "No lines.", "dim"))
    for want, state in zip(wants, states, strict=True):
        if state not in ("following", "reading", "read", "recorded") and look.container in ("", want.container):
            page.add((f"{want.pod}/{want.container}: {state}", "dim"))
    return page, place


def _chosen(lines: Sequence[MergedLine], wants: Sequence[LogWant], look: LogLook) -> list[MergedLine]:
    matches = filter_of(look.filter)
    lines = [line for line in lines if line.at > look.cleared] if look.cleared else lines
    chosen = [line for line in lines if not look.container or wants[line.source].container == look.container]
    if look.errors:
        chosen = [line for line in chosen if parse_line(line.text).level >= Level.ERROR]
    return [line for line in chosen if matches(line.text)]


def saved_lines(lines: Sequence[MergedLine], wants: Sequence[LogWant], look: LogLook) -> list[str]:
    """The chosen lines as a file has them: the time where it is known, the pod and the container where there are several."""
    names = [f"{want.pod}/{want.container}" if len(wants) > 1 else "" for want in wants]
    return [" ".join(filter(None, (line.at, names[line.source], line.text))) for line in _chosen(lines, wants, look)]


def logs_command(
    subject: Ref, wants: Sequence[LogWant], look: LogLook, period: LogPeriod, *, previous: bool, follow: bool
) -> str:
    """The line of kubectl that prints the same lines; of a kind whose pods kubectl does not find, those of the first pod."""
    pods = tuple(dict.fromkeys(want.pod for want in wants)) or (subject.name,)
    several = len(pods) > 1 and subject.kind in _OF_ALL_PODS
    flags = ["-c", look.container] if look.container else ["--all-containers"]
    flags += ["--all-pods"] if several else []
    if previous:
        flags.append("--previous")
    elif follow and period.first is None:
        flags.append("-f")
        flags += [f"--max-log-requests={len(wants)}"] if len(wants) > _MOST_OF_KUBECTL else []
    if period.seconds is not None:
        flags.append(f"--since={period.seconds}s")
    elif period.first is not None:
        flags.append(f"--limit-bytes={period.first}")
    elif period.tail is not None:
        flags.append(f"--tail={period.tail}")
    if look.times:
        flags.append("--timestamps")
    return kubectl("logs", subject.argument if several else pods[0], *flags, namespace=subject.namespace)


def _add_mark(page: Page, mark: LogMark) -> None:
    page.add((f"──── {mark.label} {'─' * 24}", "key"))


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
