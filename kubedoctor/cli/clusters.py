"""Several clusters in one command: each is read by itself, and one that is slow or dead delays the others only for a while."""

from __future__ import annotations

import argparse
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from threading import Thread
from typing import TYPE_CHECKING, Final

import msgspec

from kubedoctor.cli.exit_codes import ExitCode, exit_code
from kubedoctor.cluster.grammar.durations import human_duration, parse_duration
from kubedoctor.problems import Problem, UsageProblem

if TYPE_CHECKING:
    from queue import SimpleQueue

    from kubedoctor.engine.report import Report
    from kubedoctor.findings import Severity

MOST_AT_ONCE: Final = 4
USUAL_LIMIT: Final = "2m"
_BADNESS: Final = (ExitCode.HEALTHY, ExitCode.GAPS, ExitCode.USAGE, ExitCode.FOUND)


class ClusterOutcome(msgspec.Struct, frozen=True):
    """What came of the cluster of a context: its report, or why there is none and what to try."""

    context: str
    report: Report | None = None
    what: str = ""
    hint: str = ""

    def code(self, fail_on: Severity, *, allow_gaps: bool) -> ExitCode:
        """The exit code of a command about this cluster alone."""
        return exit_code(self.report, fail_on, allow_gaps=allow_gaps) if self.report is not None else ExitCode.USAGE


def worst_code(codes: Iterable[ExitCode]) -> ExitCode:
    """Of several clusters: findings, then one that could not be read, then gaps."""
    return max(codes, key=_BADNESS.index)


def contexts_meant(options: argparse.Namespace) -> tuple[str, ...]:
    """The contexts of `--context a,b` or `--all-contexts`; none where one cluster or a recording is meant. Raises
    UsageProblem and KubeconfigProblem."""
    every, given = getattr(options, "all_contexts", False), options.context or ""
    if not every and "," not in given:
        return ()
    if options.from_:
        raise UsageProblem("a recording is of one cluster", "Leave out --from, or --context and --all-contexts")
    if every and given:
        raise UsageProblem("--context and --all-contexts exclude each other", "Leave one of them out")
    from kubedoctor.collect.connecting.kubeconfig import choose, find_files, no_contexts, read_kubeconfig

    config = read_kubeconfig(find_files(options.kubeconfig, os.environ))
    if every:
        if not config.contexts:
            raise no_contexts(config)
        return tuple(sorted(config.contexts))
    if given in config.contexts:  # a name with a comma
        return ()
    names = tuple(dict.fromkeys(name.strip() for name in given.split(",") if name.strip()))
    for name in names:
        if name not in config.contexts:
            choose(config, name)
    return names


def of_context(options: argparse.Namespace, context: str) -> argparse.Namespace:
    """The options of the command about one of the clusters."""
    return argparse.Namespace(**{**vars(options), "context": context, "all_contexts": False})


def limit_of(options: argparse.Namespace) -> float:
    """Seconds that one cluster may take. Raises UsageProblem."""
    try:
        seconds = parse_duration(options.context_timeout).total_seconds()
    except ValueError as error:
        raise UsageProblem(f"--context-timeout: {error}") from None
    if seconds <= 0:
        raise UsageProblem("--context-timeout must be longer than 0s", f"For example: --context-timeout {USUAL_LIMIT}")
    return seconds


def read_each(contexts: Sequence[str], read: Callable[[str], Report], limit: float) -> tuple[ClusterOutcome, ...]:
    """The outcome of each context, in their order. read: blocks, and raises Problem. limit: seconds; what has not ended by
    then is given up, and its thread ends with the process."""
    from queue import Empty, SimpleQueue  # few commands read several

    waiting, began = deque(contexts), dict[str, float]()
    done: SimpleQueue[ClusterOutcome] = SimpleQueue()
    outcomes: dict[str, ClusterOutcome] = {}
    while len(outcomes) < len(contexts):
        while waiting and len(began) < MOST_AT_ONCE:
            context = waiting.popleft()
            began[context] = time.perf_counter()
            Thread(target=_read, args=(context, read, done), daemon=True, name="kubedoctor-cluster").start()
        oldest = min(began.values(), default=time.perf_counter())
        try:
            outcome = done.get(timeout=max(0.01, oldest + limit - time.perf_counter()))
        except Empty:
            pass
        else:
            if began.pop(outcome.context, None) is not None:
                outcomes[outcome.context] = outcome
        for context in [name for name, start in began.items() if time.perf_counter() - start >= limit]:
            del began[context]
            outcomes[context] = _given_up(context, limit)
    return tuple(outcomes[context] for context in contexts)


def _read(context: str, read: Callable[[str], Report], done: SimpleQueue[ClusterOutcome]) -> None:
    try:
        done.put(ClusterOutcome(context, read(context)))
    except Problem as problem:
        done.put(ClusterOutcome(context, what=problem.what, hint=problem.hint))
    except Exception as error:  # noqa: BLE001  # the other clusters are reported all the same
        what = f"internal error in kubedoctor: {type(error).__name__}: {error}"
        done.put(ClusterOutcome(context, what=what, hint="Please report it"))


def _given_up(context: str, limit: float) -> ClusterOutcome:
    from datetime import timedelta

    within = human_duration(timedelta(seconds=limit))
    return ClusterOutcome(
        context, what=f"it was not read completely within {within}", hint="Give it longer: --context-timeout 10m"
    )


def add_contexts(parser: argparse.ArgumentParser) -> None:
    """`--context-timeout`, for commands that read several clusters."""
    parser.add_argument(
        "--context-timeout",
        metavar="DURATION",
        default=USUAL_LIMIT,
        help=f"with several contexts: how long one cluster may take; default: {USUAL_LIMIT}",
    )
