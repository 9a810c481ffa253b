"""`--watch`: looks again whenever something changes, and prints each change of the verdict as a line."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from kubedoctor.cli.exit_codes import ExitCode, exit_code
from kubedoctor.cli.formats import render
from kubedoctor.cli.formats.style import Style
from kubedoctor.cli.reading import opened
from kubedoctor.cli.terminal import speak_utf8, text_width, wants_colour
from kubedoctor.cluster.grammar.durations import DurationError, human_duration, parse_duration
from kubedoctor.cluster.grammar.text import counted, visible
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.kinds.resources import is_namespaced
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.problems import NoSuchObject, SourceProblem, UsageProblem

if TYPE_CHECKING:
    from kubedoctor.cli.listing import Listing
    from kubedoctor.collect.live.cluster import LiveSource
    from kubedoctor.engine.over_time import Verdict, WatchedMoment
    from kubedoctor.engine.report import Report

Look = Callable[[ReadableCluster], "tuple[Sequence[Ref], Report, Listing | None]"]
"""Examines the objects that the words mean; of several there is a list."""
SCHEMA: Final = "kubedoctor.dev/watch/v1"
HOLDS: Final = 5.0
"""Seconds for which objects must be healthy: a program that crashes soon is ready at first."""
EVERY: Final = 10.0
"""Seconds after which to look although nothing was seen to change: ages decide too, and not every kind can be watched."""
GONE: Final = 30.0
"""Seconds after which an object that was deleted does not come back."""
_FORMATS: Final = ("text", "json")
_MARKS: Final = {"healthy": "✓", "broken": "✗", "waiting": "…", "unknown": "?", "gone": "✗", "unreachable": "?"}


def add_watching(parser: argparse.ArgumentParser) -> None:
    """`--watch` and what ends it."""
    group = parser.add_argument_group("watching")
    group.add_argument(
        "-w", "--watch", action="store_true", help="go on: each change of the verdict is a line, with -o json too"
    )
    group.add_argument(
        "--until",
        choices=("healthy",),
        metavar="healthy",
        help="end with exit code 0 as soon as the objects are rolled out and healthy, and stay so for 5s; implies --watch",
    )
    group.add_argument(
        "--timeout",
        metavar="DURATION",
        help="the longest time to watch; then the report is printed, with its exit code; with --until 1, or 3 where only "
        "something could not be checked or explained; default: 10m with --until",
    )


def is_watching(options: argparse.Namespace) -> bool:
    """Whether to watch. Raises UsageProblem where the options contradict each other."""
    watching = bool(getattr(options, "watch", False) or getattr(options, "until", None))
    if not watching:
        if getattr(options, "timeout", None):
            raise UsageProblem("--timeout is for --watch", "For a single request: --request-timeout")
        return False
    if options.from_:
        raise UsageProblem(
            "a recording does not change, so it cannot be watched", f"Leave out {_typed(options)}, or -f/--from"
        )
    if options.output not in (None, *_FORMATS):
        typed = _typed(options)
        raise UsageProblem(
            f"{options.output} cannot be printed with {typed}", f"Formats with {typed}: {', '.join(_FORMATS)}"
        )
    _limit(options)
    return True


def _typed(options: argparse.Namespace) -> str:
    """The options that say to watch, of which one implies the other."""
    return " and ".join(
        [*(["-w/--watch"] if options.watch else []), *(["--until"] if options.until else [])],
    )


def watch(options: argparse.Namespace, look: Look) -> int:
    """Looks until the objects are healthy, the time is over, or a person stops it. Raises what the first look raises."""
    from kubedoctor.collect.live.changes import Changes  # only for this
    from kubedoctor.collect.live.cluster import LiveSource

    with opened(options, spinning=False) as source:
        assert isinstance(source, LiveSource), "a recording is refused before it is opened"
        with Changes(source, _limit(options)) as changes:
            return _Watch(options, look, source, changes).run()


class _Watch:
    """One run."""

    def __init__(self, options: argparse.Namespace, look: Look, source: LiveSource, changes: Any) -> None:
        self._options = options
        self._look = look
        self._source = source
        self._changes = changes
        self._shown: Any = None
        self._report: Report | None = None
        self._listing: Listing | None = None
        self._taken_at = ""
        self._since = 0.0
        if options.output == "json":
            speak_utf8()

    def run(self) -> int:
        from kubedoctor.engine.over_time import Verdict

        while True:
            moment = self._moment()
            if (moment.verdict, moment.key) != self._shown:
                self._since = self._changes.elapsed
                self._show(moment)
                self._shown = (moment.verdict, moment.key)
            held = self._changes.elapsed - self._since
            healthy = moment.verdict is Verdict.HEALTHY
            if self._options.until and healthy and held >= HOLDS:
                self._end("healthy", f"healthy for {held:.0f}s", with_report=False)
                return ExitCode.HEALTHY
            if moment.verdict is Verdict.GONE and held >= GONE:
                self._end("gone", "it was deleted, and did not come back", with_report=False)
                return ExitCode.FOUND
            if self._changes.over:
                after = f"after {_written(self._options)}"
                if not self._options.until:
                    after = f"ended {after}"
                elif healthy:
                    after = f"healthy {after}, but not yet for {HOLDS:.0f}s"
                else:
                    after = f"not healthy {after}"
                self._end("timeout", after, with_report=True)
                return self._code(moment.verdict)
            self._changes.wait(max(0.1, HOLDS - held) if self._options.until and healthy else EVERY)

    def _code(self, verdict: Verdict) -> ExitCode:
        """When the time is over: that of the last report, except where the last look says more than that report."""
        from kubedoctor.engine.over_time import Verdict
        from kubedoctor.findings import Severity

        if verdict is Verdict.GONE or self._report is None:
            return ExitCode.FOUND
        code = exit_code(self._report, Severity(self._options.fail_on), allow_gaps=self._options.allow_gaps)
        if not self._options.until:
            return ExitCode.GAPS if verdict is Verdict.UNREACHABLE and code is ExitCode.HEALTHY else code
        if verdict is Verdict.HEALTHY:
            return ExitCode.HEALTHY
        return ExitCode.GAPS if verdict is Verdict.UNKNOWN and code is ExitCode.GAPS else ExitCode.FOUND

    def _moment(self) -> WatchedMoment:
        """The first look raises what is wrong; later ones say it, since servers restart and objects are replaced."""
        from kubedoctor.engine.over_time import Verdict, WatchedMoment, moment_of
        from kubedoctor.findings import Severity

        source = self._source if self._report is None else self._source.anew()
        try:
            subjects, report, listing = self._look(source)
        except (NoSuchObject, SourceProblem) as problem:
            if self._report is None:
                raise
            verdict = Verdict.GONE if isinstance(problem, NoSuchObject) else Verdict.UNREACHABLE
            return WatchedMoment(verdict, problem.what, problem.what)
        if self._report is not None and any(source.snapshot.get(name) is None for name in subjects):
            return WatchedMoment(Verdict.GONE, "it was deleted", "deleted")
        self._report, self._listing = report, listing
        self._taken_at = f"{report.taken_at:%H:%M:%S}Z"
        namespaces = {name.namespace for name in subjects}
        if len(namespaces) == 1:
            kinds = {name.kind for name in subjects}
            kinds |= {"Pod", "Event"} if all(map(is_namespaced, kinds)) else set()
            self._changes.follow(sorted(kinds), next(iter(namespaces)))
        return moment_of(
            report,
            source.snapshot,
            subjects,
            Severity(self._options.fail_on),
            allow_gaps=self._options.allow_gaps,
        )

    def _show(self, moment: WatchedMoment) -> None:
        more = f", and {counted(moment.more, 'more incident')}" if moment.more else ""
        if self._options.output == "json":
            self._print_json({"verdict": moment.verdict.value, "says": moment.sentence, **_cause(moment)})
            return
        if self._shown is None and not self._options.until and self._report is not None:
            style = Style(text_width(), colour=wants_colour(self._options), debug=self._options.debug)
            print(render(self._report, "text", style, self._listing), flush=True)
        mark = _MARKS[moment.verdict.value]
        print(f"{self._taken_at}  {mark} {moment.verdict.value}: {visible(moment.sentence)}{more}", flush=True)

    def _end(self, reason: str, says: str, *, with_report: bool) -> None:
        report = self._report if with_report else None
        if self._options.output == "json":
            from kubedoctor.cli.formats.document import to_data

            self._print_json({"end": reason, "says": says, **({"report": to_data(report)} if report else {})})
            return
        print(f"{self._taken_at}  {says}", flush=True)
        if report is not None:
            style = Style(text_width(), colour=wants_colour(self._options), debug=self._options.debug)
            print("\n" + render(report, "text", style, self._listing), end="", flush=True)

    def _print_json(self, data: dict[str, Any]) -> None:
        import json  # not before the first line

        from kubedoctor.cli.formats.document import moment as written

        at = written(self._report.taken_at) if self._report is not None else None
        print(json.dumps({"schema": SCHEMA, "at": at, **data}, sort_keys=True), flush=True)


def _cause(moment: WatchedMoment) -> dict[str, Any]:
    from kubedoctor.cli.formats.document import ref_data

    cause = moment.cause
    if cause is None:
        return {"cause": None, "more": moment.more}
    return {
        "cause": {
            "id": cause.id,
            "code": cause.code,
            "severity": cause.severity.value,
            "about": ref_data(cause.about),
            "summary": cause.summary,
        },
        "more": moment.more,
    }


def _written(options: argparse.Namespace) -> str:
    return human_duration(timedelta(seconds=_limit(options) or 0))


def _limit(options: argparse.Namespace) -> float | None:
    """Seconds; None without. Raises UsageProblem for what is no duration."""
    text = options.timeout or ("10m" if options.until else "")
    if not text:
        return None
    try:
        seconds = parse_duration(text).total_seconds()
    except DurationError as error:
        raise UsageProblem(f"--timeout {text}: {error}", "Write it like 90s, 10m or 1h") from None
    if seconds <= 0:
        raise UsageProblem(f"--timeout {text}: it must be positive", "Write it like 90s, 10m or 1h")
    return seconds
