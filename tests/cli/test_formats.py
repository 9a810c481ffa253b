"""The formats: golden files, the schema, and foreign text that must not be obeyed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from kubedoctor.answers.timeline.changed import NewestChange
from kubedoctor.answers.timeline.onset import Basis, Onset
from kubedoctor.cli.exit_codes import ExitCode, exit_code
from kubedoctor.cli.formats import render
from kubedoctor.cli.formats.style import Style
from kubedoctor.cluster import Evidence, Ref, Source
from kubedoctor.engine import Incident, NotChecked, Report, ReportedFinding, Unexplained
from kubedoctor.findings import Command, Confidence, Effect, Fix, Severity

GOLDEN = Path(__file__).parent / "golden"
CHECKOUT = Ref("Deployment", "shop", "checkout")
POD = Ref("Pod", "shop", "checkout-1")
AUTOSCALER = Ref("HorizontalPodAutoscaler", "shop", "web")
HOSTILE = "\x1b[2J\x1b]0;owned\x07 <script> | `rm` \u202e[x](y)"


UNWELL = (
    Unexplained(
        AUTOSCALER,
        "ScalingActive is False for 3m: FailedGetResourceMetric",
        (Evidence(AUTOSCALER, "status.conditions[type=ScalingActive].status", "False", "FailedGetResourceMetric"),),
    ),
)


def id_of(number: int) -> str:
    return f"KD900{number}-{number:010x}"


def finding(number: int, **more: object) -> ReportedFinding:
    fields: dict[str, object] = {
        "id": id_of(number),
        "code": f"KD900{number}",
        "diagnostic": "pods/example",
        "severity": Severity.CRITICAL,
        "confidence": Confidence.CERTAIN,
        "about": CHECKOUT,
        "summary": "container app was killed at its memory limit of 128Mi",
        "evidence": (
            Evidence(POD, "status.containerStatuses[name=app].lastState.terminated.exitCode", 137),
            Evidence(POD, "metadata.labels", {"app": "checkout"}, "what it is"),
            Evidence(CHECKOUT, "spec.replicas", 3),
        ),
    }
    return ReportedFinding(**{**fields, **more})  # type: ignore[arg-type]  # the fields are checked by the tests


def report(*findings: ReportedFinding, **more: object) -> Report:
    fields: dict[str, object] = {
        "taken_at": datetime(2026, 1, 15, 10, 0, tzinfo=UTC),
        "source": Source("live", "prod", "v1.37.2"),
        "subject": CHECKOUT,
        "namespaces": ("shop",),
        "incidents": tuple(Incident(one.id) for one in findings),
        "findings": findings,
        "not_checked": (),
        "diagnostics_run": 15,
        "objects_seen": 1234,
        "requests": 7,
    }
    return Report(**{**fields, **more})  # type: ignore[arg-type]  # the fields are checked by the tests


WHY_UNWELL = Evidence(CHECKOUT, "status.conditions[type=Available].message", "the pods never start")
STARTING = (
    Unexplained(
        CHECKOUT,
        "0/2 ready",
        (Evidence(Ref("Event", "shop", "web.2"), "message", "back-off pulling", "event BackOff, once, 5s ago"),),
    ),
)
FULL = report(
    finding(
        1,
        detail="It was killed 47 times.",
        fixes=(
            Fix(
                "raise the limit", "kubectl set resources deploy/checkout -n shop --limits=memory=256Mi", verified=True
            ),
            Fix("make it use less"),
        ),
        commands=(
            Command("kubectl logs deploy/checkout -n shop --previous", "what it did last"),
            Command("kubectl rollout restart deploy/checkout -n shop", "start anew", Effect.DISRUPTS),
        ),
        affects=(POD, Ref("Pod", "shop", "checkout-2")),
        gaps=("Event: list events is forbidden",),
        also_known_as=("XY0001",),
        since=Onset(datetime(2026, 1, 15, 9, 50, tzinfo=UTC), Basis.LAST_WELL),
        changed=NewestChange(
            CHECKOUT, datetime(2026, 1, 15, 9, 46, tzinfo=UTC), "rollout 12 → 13: limits.memory 512Mi → 256Mi"
        ),
    ),
    finding(2, about=Ref("Service", "shop", "checkout"), summary="no pod is ready", severity=Severity.WARNING),
    finding(
        3,
        about=Ref("Node", "", "n1"),
        summary="it is cordoned",
        severity=Severity.NOTICE,
        confidence=Confidence.POSSIBLE,
        would_disprove="somebody drains it at the moment",
    ),
    incidents=(Incident(id_of(1), (id_of(2),)), Incident(id_of(3))),
    not_checked=(NotChecked("dns/coredns-down", None, "Deployment: list deployments in kube-system is forbidden"),),
    problems=("Pod shop/odd: spec is unreadable and was left out",),
    unexplained=UNWELL,
)


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("text", "txt"),
        ("json", "json"),
        ("yaml", "yaml"),
        ("markdown", "md"),
        ("junit", "junit.xml"),
        ("sarif", "sarif"),
    ],
)
def test_golden_files(name: str, suffix: str) -> None:
    """To renew one, look at the difference first, then write the new text into the file."""
    assert render(FULL, name) == (GOLDEN / f"report.{suffix}").read_text(encoding="utf-8")


def test_the_document_keeps_the_published_schema() -> None:
    schema = json.loads(files("kubedoctor.cli.formats").joinpath("report.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    unread = (NotChecked("a/b", CHECKOUT, "events: forbidden"), NotChecked("a/b", POD, "events: forbidden"))
    for one in (FULL, report(), report(subject=None), report(not_ready=STARTING), report(not_checked=unread)):
        validator.validate(json.loads(render(one, "json")))
    broken = json.loads(render(FULL, "json"))
    broken["findings"][0]["evidence"] = []
    assert not validator.is_valid(broken)


@pytest.mark.parametrize("name", ["text", "json", "yaml", "markdown", "junit", "sarif"])
def test_foreign_text_is_shown_and_not_obeyed(name: str) -> None:
    hostile = report(
        finding(
            1,
            about=Ref("Pod", "shop", HOSTILE),
            summary=HOSTILE,
            detail=HOSTILE,
            evidence=(Evidence(Ref("Pod", "shop", HOSTILE), HOSTILE, HOSTILE, HOSTILE),),
            fixes=(Fix(HOSTILE, HOSTILE),),
            commands=(Command(HOSTILE, HOSTILE),),
            gaps=(HOSTILE,),
        ),
        source=Source("live", HOSTILE, HOSTILE),
        namespaces=(HOSTILE,),
        subject=None,
        not_checked=(NotChecked(HOSTILE, None, HOSTILE),),
        problems=(HOSTILE,),
        unexplained=(Unexplained(Ref("Pod", "shop", HOSTILE), HOSTILE, (Evidence(POD, HOSTILE, HOSTILE, HOSTILE),)),),
    )
    text = render(hostile, name)
    assert not set(text) & {"\x1b", "\x07", "\u202e", "\r"}
    if name == "markdown":
        lines = [line for line in text.splitlines() if not line.startswith("      ")]  # The rest are code blocks.
        assert not [line for line in lines if "<script>" in line.replace("\\<script\\>", "")]


def test_in_a_scan_the_sentences_of_the_status_and_of_events_are_shown() -> None:
    seen = Evidence(
        Ref("Event", "shop", "web.1"), "message", "no free address", "event FailedCreate, 7 times, last 2m ago"
    )
    unwell = report(subject=None, unexplained=(Unexplained(CHECKOUT, "Available is False", (WHY_UNWELL, seen)),))
    assert (
        "  Deployment shop/checkout: Available is False\n"
        "    the pods never start\n"
        "    event FailedCreate, 7 times, last 2m ago: no free address\n"
        "    kubectl describe deployment/checkout -n shop\n"
    ) in render(unwell, "text")
    starting = render(report(subject=None, not_ready=STARTING), "text")
    assert "Not ready, no cause found yet\n  Deployment shop/checkout: 0/2 ready\n    event BackOff, once" in starting
    assert "## Not ready, no cause found yet" in render(report(subject=None, not_ready=STARTING), "markdown")


def test_colour_only_where_it_is_asked_for() -> None:
    assert "\x1b[" in render(FULL, "text", Style(colour=True))
    assert "\x1b[" not in render(FULL, "text")


def test_debug_shows_tracebacks_of_modules_that_cannot_be_imported() -> None:
    broken = report(problems=("acme.checks cannot be imported",), tracebacks=("Traceback: there",))
    assert "Traceback: there" in render(broken, "text", Style(debug=True))
    assert "Traceback: there" not in render(broken, "text", Style())
    assert "Traceback: there" not in render(broken, "json", Style(debug=True))


def test_json_counts_the_objects_that_one_reason_keeps_from_a_check() -> None:
    pods = [Ref("Pod", "shop", f"web-{number}") for number in range(300)]
    unread = tuple(NotChecked("a/b", pod, "events: forbidden") for pod in pods)
    other = NotChecked("a/c", pods[0], "events: forbidden")
    data = json.loads(render(report(not_checked=(*unread, other)), "json"))
    first = {"kind": "Pod", "namespace": "shop", "name": "web-0"}
    assert data["not_checked"] == [
        {"diagnostic": "a/b", "about": first, "why": "events: forbidden", "count": 300},
        {"diagnostic": "a/c", "about": first, "why": "events: forbidden"},
    ]


def test_debug_shows_tracebacks() -> None:
    failed = report(not_checked=(NotChecked("a/b", CHECKOUT, "the check failed: KeyError", "Traceback: here"),))
    assert "Traceback: here" in render(failed, "text", Style(debug=True))
    assert "Traceback: here" not in render(failed, "text")


@pytest.mark.parametrize(
    ("one", "fail_on", "allow", "code"),
    [
        (report(), Severity.WARNING, False, ExitCode.HEALTHY),
        (report(finding(1)), Severity.CRITICAL, False, ExitCode.FOUND),
        (report(finding(1, severity=Severity.NOTICE)), Severity.WARNING, False, ExitCode.HEALTHY),
        (report(finding(1, severity=Severity.NOTICE)), Severity.NOTICE, False, ExitCode.FOUND),
        (report(finding(1, severity=Severity.WARNING)), Severity.WARNING, False, ExitCode.FOUND),
        (report(not_checked=(NotChecked("a/b", None, "forbidden"),)), Severity.WARNING, False, ExitCode.GAPS),
        (report(not_checked=(NotChecked("a/b", None, "forbidden"),)), Severity.WARNING, True, ExitCode.HEALTHY),
        (report(problems=("broken off",)), Severity.WARNING, False, ExitCode.GAPS),
        (report(finding(1), problems=("broken off",)), Severity.WARNING, True, ExitCode.FOUND),
        (report(unexplained=UNWELL), Severity.WARNING, False, ExitCode.GAPS),
        (report(not_ready=STARTING), Severity.WARNING, False, ExitCode.GAPS),
        (report(not_ready=STARTING), Severity.WARNING, True, ExitCode.HEALTHY),
        (report(finding(1), unexplained=UNWELL), Severity.WARNING, False, ExitCode.FOUND),
    ],
)
def test_exit_code(one: Report, fail_on: Severity, allow: bool, code: ExitCode) -> None:
    assert exit_code(one, fail_on, allow_gaps=allow) is code


@pytest.mark.parametrize(
    ("one", "line"),
    [
        (report(), "✓ Deployment shop/checkout: no problems found"),
        (report(subject=CHECKOUT, not_ready=STARTING), "? Deployment shop/checkout: not ready, no cause found yet"),
        (
            report(subject=AUTOSCALER, unexplained=UNWELL),
            "? HorizontalPodAutoscaler shop/web: reports a problem that no diagnostic explains",
        ),
        (
            report(subject=AUTOSCALER, unexplained=UNWELL, problems=("broken off",)),
            "? HorizontalPodAutoscaler shop/web: reports a problem; the cause may be in what could not be checked",
        ),
        (
            report(unexplained=UNWELL),
            "? Deployment shop/checkout: no findings, but 1 related object reports a problem that no diagnostic explains",
        ),
        (
            report(subject=None, unexplained=UNWELL, problems=("broken off",)),
            "? namespace shop: no findings, but 1 object reports a problem that no diagnostic explains; "
            "not everything could be checked",
        ),
        (
            report(subject=None, unexplained=UNWELL * 2),
            "? namespace shop: no findings, but 2 objects report a problem that no diagnostic explains",
        ),
        (report(finding(1), unexplained=UNWELL), "Deployment shop/checkout: 1 incident, 1 not explained"),
    ],
)
def test_the_verdict_never_calls_well_what_says_that_it_is_not(one: Report, line: str) -> None:
    assert render(one, "text", Style(width=200)).splitlines()[0] == line


def test_a_scan_names_a_few_and_counts_the_rest() -> None:
    many = tuple(
        Unexplained(Ref("Pod", "shop", f"web-{number}"), "it should", UNWELL[0].evidence) for number in range(9)
    )
    text = render(report(subject=None, unexplained=many), "text")
    assert "Pod shop/web-4: it should" in text
    assert "web-5" not in text
    assert "and 4 more; -o wide lists all" in text
    assert "ScalingActive" not in text
    assert len(json.loads(render(report(subject=None, unexplained=many), "json"))["unexplained"]) == 9
