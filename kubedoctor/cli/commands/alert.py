"""`kubedoctor alert`: the diagnosis of what an alert is about."""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from kubedoctor.cli.arguments.command import Subcommand
from kubedoctor.cli.commands.scan import scanned
from kubedoctor.cli.diagnosing import examined
from kubedoctor.cli.formats import FORMATS, check_format
from kubedoctor.cli.reading import finish, opened
from kubedoctor.cli.subject import find_subject
from kubedoctor.cli.suppressing import add_config, heeded, settings_of
from kubedoctor.cli.targets import Target, meant_kind
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.cluster.kinds.core import Node
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.kinds.resources import ResourceKind, kind_from_word
from kubedoctor.collect.alerts.payload import Alert, read_alerts
from kubedoctor.collect.alerts.subjects import AlertSubject, meant_by, owners_of_lost
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.engine import Report, load_catalogue
from kubedoctor.problems import NoSuchObject, UsageProblem

_MOST_BYTES: Final = 16 << 20
_NAME: Final = re.compile(r"^[A-Za-z_]\w*$")
_LABEL: Final = re.compile(r"^(?P<key>[A-Za-z_]\w*)=(?P<value>.*)$", re.DOTALL)
_UNEXPLAINED: Final = "It fires, and nothing that was checked explains it."


class _Read(msgspec.Struct, frozen=True):
    """An alert and what was found for it. said: why the object is not the one of its labels, or why
    none is. always: the rule fires while nothing is wrong."""

    alert: Alert
    subject: Ref | None = None
    namespace: str = ""
    said: str = ""
    always: bool = False

    @property
    def line(self) -> str:
        over = "" if self.alert.firing else " (resolved)"
        title = self.subject.title if self.subject is not None else ""
        return f"Alert {visible(self.alert.name)}{over}: {visible('; '.join(filter(None, (self.said, title))))}"

    def data(self) -> dict[str, Any]:
        from kubedoctor.cli.formats.document import ref_data

        named = ref_data(self.subject) if self.subject is not None else None
        return {"name": self.alert.name, "firing": self.alert.firing, "about": named, "note": self.said}


def diagnose_alerts(options: argparse.Namespace) -> int:
    """Examine what the alerts are about and print what is wrong."""
    started = time.perf_counter()
    check_format(options.output)
    settings = settings_of(options)
    alerts = read_alerts(_text(options.words))
    catalogue = load_catalogue()
    with opened(options) as source:
        rows = tuple(_read(alert, source, options) for alert in alerts)
        examines = ""
        subjects = tuple(dict.fromkeys(row.subject for row in rows if row.subject is not None))
        if subjects:
            kinds = dict.fromkeys(kind for name in subjects if (kind := _kind(name.kind, source)) is not None)
            report, listing = examined(subjects, tuple(Target(kind) for kind in kinds), source, options)
        else:
            places = {row.namespace for row in rows}
            place = options.namespace or (places.pop() if len(places) == 1 else "")
            report, listing = heeded(scanned(source, catalogue, place), source, catalogue, settings), None
            examines = f"So {f'namespace {place}' if place else 'the whole cluster'} was examined."
    if options.output in (None, "text", "wide"):
        unexplained = not report.incidents and any(row.alert.firing and not row.always for row in rows)
        lines = (*(row.line for row in rows), examines, _UNEXPLAINED if unexplained else "")
        print("\n".join(filter(None, lines)), end="\n\n")
    if options.output in ("json", "yaml"):
        return _finish_as_data(report, rows, options)
    return finish(report, options, started, listing)


def _finish_as_data(report: Report, rows: Sequence[_Read], options: argparse.Namespace) -> int:
    from kubedoctor.cli.exit_codes import exit_code
    from kubedoctor.cli.formats.document import json_text, to_data, yaml_text
    from kubedoctor.findings import Severity

    data = {**to_data(report), "alerts": [row.data() for row in rows]}
    print((json_text if options.output == "json" else yaml_text)(data), end="")
    return exit_code(report, Severity(options.fail_on), allow_gaps=options.allow_gaps)


def _text(words: Sequence[str]) -> str:
    """The notification: of a file, of standard input, or the words themselves: a name and labels."""
    if not words:
        raise UsageProblem(
            "which alert?",
            "Name a file, - for standard input, or the alert: kubedoctor alert NAME pod=web-1 namespace=shop",
        )
    labels = [found for word in words[1:] if (found := _LABEL.match(word))]
    if len(labels) < len(words) - 1:
        raise UsageProblem("more than one word is an alert's name and its labels", "Write labels as LABEL=VALUE")
    if labels or (_NAME.match(words[0]) and not Path(words[0]).exists()):
        return json.dumps({"alertname": words[0], **{one["key"]: one["value"] for one in labels}})
    if "{" in words[0]:
        return words[0]
    if words[0] == "-":
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageProblem("- reads standard input, which is a terminal", "Pipe the alert into it")
        content = sys.stdin.buffer.read(_MOST_BYTES + 1)
    else:
        try:
            with Path(words[0]).open("rb") as file:
                content = file.read(_MOST_BYTES + 1)
        except OSError as problem:
            raise UsageProblem(
                f"{words[0]} cannot be read: {problem.strerror}",
                "To write an alert itself: kubedoctor alert NAME pod=web-1 namespace=shop",
            ) from problem
    if len(content) > _MOST_BYTES:
        raise UsageProblem(f"{words[0]} is larger than {_MOST_BYTES >> 20} MiB, which no notification is")
    return content.decode("utf-8", "replace")


def _read(alert: Alert, source: ReadableCluster, options: argparse.Namespace) -> _Read:
    meant = meant_by(alert)
    place = options.namespace or meant.namespace
    if meant.always:
        return _Read(alert, None, place, "it always fires, to show that alerts arrive", always=True)
    if meant.address:
        return _of_address(alert, meant.address, source)
    kind = _kind(meant.kind, source) if meant.kind else None
    if kind is None:
        unknown = f"the kind {meant.kind}, which is unknown here" if meant.kind else "no object"
        return _Read(alert, None, place, f"its labels name {unknown}")
    try:
        found = find_subject(Target(kind, meant.name), source, place or None, everywhere=not place)
    except (NoSuchObject, UsageProblem) as problem:
        return _instead(alert, kind, meant, place, problem, source)
    return _Read(alert, found, place)


def _instead(
    alert: Alert,
    kind: ResourceKind,
    meant: AlertSubject,
    place: str,
    problem: NoSuchObject | UsageProblem,
    source: ReadableCluster,
) -> _Read:
    """What is left of a pod that is gone; else its namespace."""
    if kind.kind == "Pod" and isinstance(problem, NoSuchObject):
        for owner_kind, name in owners_of_lost(meant.name):
            owner = kind_from_word(owner_kind)
            if owner is None:
                continue
            try:
                found = find_subject(Target(owner, name), source, place or None, everywhere=not place)
            except (NoSuchObject, UsageProblem):
                continue
            return _Read(alert, found, place, f"Pod {meant.name} no longer exists")
    return _Read(alert, None, place, problem.what)


def _of_address(alert: Alert, address: str, source: ReadableCluster) -> _Read:
    """The node of an exporter: Prometheus knows its address only."""
    source.list_all(("Node",))
    for node in _nodes(source):
        if address == node.name or any(row.address == address for row in node.status.addresses or ()):
            return _Read(alert, Ref("Node", "", node.name))
    return _Read(alert, None, "", f"no node has the address {address}")


def _nodes(source: ReadableCluster) -> Iterator[Node]:
    for node in source.snapshot.of_kind("Node"):
        if isinstance(node, Node):
            yield node


def _kind(word: str, source: ReadableCluster) -> ResourceKind | None:
    return kind_from_word(word) or meant_kind(word, source.extension_kinds())


def _add_options(parser: argparse.ArgumentParser) -> None:
    add_config(parser)


COMMAND = Subcommand(
    name="alert",
    summary="diagnose what an alert is about",
    usage=("FILE|- [flags]", "NAME LABEL=VALUE... [flags]"),
    section="Diagnose",
    details="Reads what monitoring sends: webhooks of Alertmanager, Grafana, PagerDuty and Opsgenie, the APIs of Alertmanager and "
    "Prometheus, and text with their labels. The labels name the object; of a pod that is gone its workload is examined, and "
    "where no object is named, the namespace or the cluster.",
    examples=(
        ("alert notification.json", "what a webhook received"),
        ("alert KubePodCrashLooping namespace=shop pod=web-1", "the labels by hand"),
        ("""alert 'KubeNodeNotReady{node="worker-b"}'""", "as Prometheus shows it"),
        ("alert - -o json", "in a pipe"),
    ),
    run=diagnose_alerts,
    formats=FORMATS,
    gates=True,
    add_options=_add_options,
)
