"""Scenarios: a small cluster in YAML and the complete list of findings that the whole catalogue must make of it.

```yaml
scenario: The selector has a typo, three ready pods stand beside it
taken_at: 2026-01-15T10:00:00Z
kubernetes: v1.37.2                   # optional
cluster: [...]                        # manifests; only the fields that matter
logs: {shop/checkout-1/app: {current: "…", previous: "…"}}
unreadable: {Pod: pods is forbidden}  # kinds that cannot be listed
totals: {Job: 41000}                  # how many there are, where the scenario has only some
expect:
  - {code: KD2001, about: Service/shop/checkout, confidence: certain, says: did you mean app=checkout,
     evidence: {spec.selector: {app: chekout}}, fixes: [verified],
     suggests: kubectl patch}         # words of one of its fixes or of the fix's command
incidents: 1                          # optional: how many are left after folding
not_checked: [KD2001]
unexplained: [HorizontalPodAutoscaler/shop/web]  # objects that report a problem that no finding explains
not_ready: [Deployment/shop/web]      # workloads that are not ready and have no finding: they may still start
```
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from kubedoctor.cluster.seen.snapshot import Snapshot, Source
from kubedoctor.collect.recording import SCENARIO_VERSION, add_logs, plain, whole_state
from kubedoctor.engine import Catalogue, Report, ReportedFinding, scan

KEYS = frozenset(
    {
        "scenario",
        "taken_at",
        "kubernetes",
        "cluster",
        "logs",
        "unreadable",
        "totals",
        "expect",
        "incidents",
        "not_checked",
        "unexplained",
        "not_ready",
    }
)


EXPECTED_KEYS = frozenset(
    {
        "code",
        "about",
        "aspect",
        "confidence",
        "severity",
        "says",
        "evidence",
        "fixes",
        "suggests",
        "affects",
        "because_of",
        "gaps",
    },
)
"""The keys of an entry of `expect`."""


class ScenarioError(ValueError):
    """An invalid scenario file; the text names the file and the error."""


@dataclass(frozen=True)
class Scenario:
    """One story. `expect` holds an entry for each finding, `not_checked` codes, `unexplained` and `not_ready` objects."""

    path: Path
    title: str
    taken_at: datetime
    objects: tuple[dict[str, Any], ...]
    kubernetes: str = SCENARIO_VERSION
    logs: Mapping[str, Any] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)
    totals: Mapping[str, int] = field(default_factory=dict)
    expect: tuple[dict[str, Any], ...] = ()
    incidents: int | None = None
    not_checked: tuple[str, ...] = ()
    unexplained: tuple[str, ...] = ()
    not_ready: tuple[str, ...] = ()

    def snapshot(self) -> Snapshot:
        """The cluster of the scenario, complete except for the unreadable kinds. Raises ScenarioError."""
        source = Source("files", self.path.stem, self.kubernetes)
        snapshot = whole_state(self.taken_at, source, self.objects, self.unreadable)
        if snapshot.problems:
            raise ScenarioError(f"{self.path}: {snapshot.problems[0]}")
        add_logs(snapshot, self.logs)
        for kind, total in self.totals.items():
            snapshot.note_total(kind, total)
        return snapshot

    def run(self, catalogue: Catalogue) -> Report:
        """Scan the cluster of the scenario with the whole catalogue."""
        return scan(catalogue, self.snapshot(), lambda wants: None)

    def differences(self, report: Report, catalogue: Catalogue) -> list[str]:
        """Where the report is not what the scenario expects, a sentence each; empty if it is."""
        wrong: list[str] = []
        unmatched = list(report.findings)
        for expected in self.expect:
            match = next((finding for finding in unmatched if _is_meant(finding, expected)), None)
            if match is None:
                wrong.append(f"missing: {expected.get('code')} about {expected.get('about')}")
                continue
            unmatched.remove(match)
            wrong.extend(_mismatches(match, expected))
        wrong.extend(f"not expected: {finding.code} about {finding.about}: {finding.summary}" for finding in unmatched)
        unexplained = sorted(str(item.about) for item in report.unexplained)
        if unexplained != sorted(self.unexplained):
            wrong.append(f"not explained: {unexplained}, expected {sorted(self.unexplained)}")
        not_ready = sorted(str(item.about) for item in report.not_ready)
        if not_ready != sorted(self.not_ready):
            wrong.append(f"not ready: {not_ready}, expected {sorted(self.not_ready)}")
        codes = {diagnostic.id: diagnostic.code for diagnostic in catalogue.diagnostics}
        blind = sorted({codes.get(gap.diagnostic, gap.diagnostic) for gap in report.not_checked})
        if blind != sorted(self.not_checked):
            wrong.append(f"not checked: {blind}, expected {sorted(self.not_checked)}")
            wrong.extend(gap.traceback for gap in report.not_checked if gap.traceback)
        if self.incidents is not None and len(report.incidents) != self.incidents:
            wrong.append(f"{len(report.incidents)} incidents, expected {self.incidents}")
        return wrong


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file. Raises ScenarioError."""
    data = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    if not isinstance(data, dict) or not isinstance(data.get("cluster"), list):
        raise ScenarioError(f"{path}: not a scenario: it has no list `cluster`")
    if not data["cluster"]:
        raise ScenarioError(f"{path}: its cluster is empty: fill in the objects")
    _refuse_unknown(f"{path}", data, KEYS)
    expect = data.get("expect") or ()
    if not isinstance(expect, list | tuple):
        raise ScenarioError(f"{path}: `expect` is not a list")
    for number, expected in enumerate(expect, 1):
        if not isinstance(expected, dict):
            raise ScenarioError(f"{path}: expect, entry {number}: {expected!r} is not a mapping")
        _refuse_unknown(f"{path}: expect, entry {number} ({expected.get('code')})", expected, EXPECTED_KEYS)
    taken_at = data.get("taken_at")
    if not isinstance(taken_at, datetime):
        raise ScenarioError(f"{path}: taken_at is missing or is not a timestamp")
    return Scenario(
        path=path,
        title=str(data.get("scenario", path.stem)),
        taken_at=taken_at.replace(tzinfo=taken_at.tzinfo or UTC),
        objects=tuple(plain(item) for item in data["cluster"]),
        kubernetes=str(data.get("kubernetes", SCENARIO_VERSION)),
        logs=data.get("logs") or {},
        unreadable=data.get("unreadable") or {},
        totals=data.get("totals") or {},
        expect=tuple(expect),
        incidents=data.get("incidents"),
        not_checked=tuple(data.get("not_checked") or ()),
        unexplained=tuple(data.get("unexplained") or ()),
        not_ready=tuple(data.get("not_ready") or ()),
    )


def _refuse_unknown(where: str, data: Mapping[Any, Any], allowed: frozenset[str]) -> None:
    if unknown := sorted(str(key) for key in data if key not in allowed):
        keys = f"the key {unknown[0]} is" if len(unknown) == 1 else f"the keys {', '.join(unknown)} are"
        raise ScenarioError(f"{where}: {keys} unknown; known are {', '.join(sorted(allowed))}")


def find_scenarios(folder: Path) -> list[Path]:
    """The scenario files below a folder, sorted."""
    return sorted(folder.rglob("*.yaml"))


def _is_meant(reported_finding: ReportedFinding, expected: Mapping[str, Any]) -> bool:
    return (
        reported_finding.code == expected.get("code")
        and str(reported_finding.about) == expected.get("about")
        and ("aspect" not in expected or reported_finding.aspect == expected["aspect"])
    )


def _mismatches(reported_finding: ReportedFinding, expected: Mapping[str, Any]) -> Iterator[str]:
    head = f"{reported_finding.code} about {reported_finding.about}"
    for key in ("confidence", "severity"):
        if key in expected and getattr(reported_finding, key).value != expected[key]:
            yield f"{head}: {key} is {getattr(reported_finding, key).value}, expected {expected[key]}"
    texts = expected.get("says", ())
    for text in [texts] if isinstance(texts, str) else texts:
        if text not in f"{reported_finding.summary}\n{reported_finding.detail}":
            yield f"{head}: does not say {text!r}: {reported_finding.summary}"
    values = {item.path: item.value for item in reported_finding.evidence}
    for path, value in (expected.get("evidence") or {}).items():
        if path not in values:
            yield f"{head}: no evidence at {path}; it has {sorted(values)}"
        elif values[path] != plain(value):
            yield f"{head}: {path} is {values[path]!r}, expected {value!r}"
    if "fixes" in expected:
        fixes = ["verified" if fix.verified else "unverified" for fix in reported_finding.fixes]
        if fixes != expected["fixes"]:
            yield f"{head}: fixes are {fixes}, expected {expected['fixes']}"
    suggested = [f"{fix.summary}: {fix.command}" for fix in reported_finding.fixes]
    words = expected.get("suggests", ())
    for text in [words] if isinstance(words, str) else words:
        if not any(text in fix for fix in suggested):
            yield f"{head}: no fix has {text!r}: {suggested}"
    for key, names in (("affects", reported_finding.affects), ("because_of", reported_finding.because_of)):
        if key in expected and (found := [str(name) for name in names]) != sorted(expected[key]):
            yield f"{head}: {key} {found}, expected {sorted(expected[key])}"
    for gap in expected.get("gaps", ()):
        if not any(gap in text for text in reported_finding.gaps):
            yield f"{head}: no gap {gap!r} in {reported_finding.gaps}"
