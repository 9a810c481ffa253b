"""Scenarios: a small cluster in YAML and the complete list of findings that the whole catalogue must make of it.

```yaml
scenario: The selector has a typo, three ready pods stand beside it
taken_at: 2026-01-15T10:00:00Z
kubernetes: v1.37.2                   # optional
cluster: [...]                        # manifests; only the fields that matter
logs: {shop/checkout-1/app: {current: "…", previous: "…"}}
unreadable: {Pod: pods is forbidden}  # kinds that cannot be listed
expect:
  - {code: KD2001, about: Service/shop/checkout, confidence: certain, says: did you mean app=checkout,
     evidence: {spec.selector: {app: chekout}}, fixes: [verified]}
incidents: 1                          # optional: how many are left after folding
not_checked: [KD2001]
unexplained: [HorizontalPodAutoscaler/shop/web]  # objects that report a problem that no finding explains
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
        "expect",
        "incidents",
        "not_checked",
        "unexplained",
    }
)


EXPECTED_KEYS = frozenset(
    {"code", "about", "aspect", "confidence", "severity", "says", "evidence", "fixes", "affects", "gaps"},
)
"""Of an entry of `expect`."""


class ScenarioError(ValueError):
    """A scenario file that is not one; names the file and what is wrong."""


@dataclass(frozen=True)
class Scenario:
    """One story. `expect` holds an entry for each finding, `not_checked` codes, `unexplained` objects."""

    path: Path
    title: str
    taken_at: datetime
    objects: tuple[dict[str, Any], ...]
    kubernetes: str = SCENARIO_VERSION
    logs: Mapping[str, Any] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)
    expect: tuple[dict[str, Any], ...] = ()
    incidents: int | None = None
    not_checked: tuple[str, ...] = ()
    unexplained: tuple[str, ...] = ()

    def snapshot(self) -> Snapshot:
        """The cluster of the scenario, complete but for the unreadable kinds. Raises ScenarioError."""
        source = Source("files", self.path.stem, self.kubernetes)
        snapshot = whole_state(self.taken_at, source, self.objects, self.unreadable)
        if snapshot.problems:
            raise ScenarioError(f"{self.path}: {snapshot.problems[0]}")
        add_logs(snapshot, self.logs)
        return snapshot

    def run(self, catalogue: Catalogue) -> Report:
        """Scan the cluster of the scenario with the whole catalogue."""
        return scan(catalogue, self.snapshot(), lambda wants: None)

    def differences(self, report: Report, catalogue: Catalogue) -> list[str]:
        """Where the report is not what the scenario expects, a sentence each; empty if it is."""
        wrong: list[str] = []
        left = list(report.findings)
        for wanted in self.expect:
            found = next((one for one in left if _is_meant(one, wanted)), None)
            if found is None:
                wrong.append(f"missing: {wanted.get('code')} about {wanted.get('about')}")
                continue
            left.remove(found)
            wrong.extend(_mismatches(found, wanted))
        wrong.extend(f"not expected: {one.code} about {one.about}: {one.summary}" for one in left)
        unexplained = sorted(str(one.about) for one in report.unexplained)
        if unexplained != sorted(self.unexplained):
            wrong.append(f"not explained: {unexplained}, expected {sorted(self.unexplained)}")
        codes = {diagnostic.id: diagnostic.code for diagnostic in catalogue.diagnostics}
        blind = sorted({codes.get(one.diagnostic, one.diagnostic) for one in report.not_checked})
        if blind != sorted(self.not_checked):
            wrong.append(f"not checked: {blind}, expected {sorted(self.not_checked)}")
            wrong.extend(one.traceback for one in report.not_checked if one.traceback)
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
    for number, wanted in enumerate(expect, 1):
        if not isinstance(wanted, dict):
            raise ScenarioError(f"{path}: expect, entry {number}: {wanted!r} is not a mapping")
        _refuse_unknown(f"{path}: expect, entry {number} ({wanted.get('code')})", wanted, EXPECTED_KEYS)
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
        expect=tuple(expect),
        incidents=data.get("incidents"),
        not_checked=tuple(data.get("not_checked") or ()),
        unexplained=tuple(data.get("unexplained") or ()),
    )


def _refuse_unknown(where: str, data: Mapping[Any, Any], known: frozenset[str]) -> None:
    if unknown := sorted(str(key) for key in data if key not in known):
        keys = f"the key {unknown[0]} is" if len(unknown) == 1 else f"the keys {', '.join(unknown)} are"
        raise ScenarioError(f"{where}: {keys} unknown; known are {', '.join(sorted(known))}")


def find_scenarios(folder: Path) -> list[Path]:
    """The scenario files below a folder, sorted."""
    return sorted(folder.rglob("*.yaml"))


def _is_meant(reported_finding: ReportedFinding, wanted: Mapping[str, Any]) -> bool:
    return (
        reported_finding.code == wanted.get("code")
        and str(reported_finding.about) == wanted.get("about")
        and ("aspect" not in wanted or reported_finding.aspect == wanted["aspect"])
    )


def _mismatches(reported_finding: ReportedFinding, wanted: Mapping[str, Any]) -> Iterator[str]:
    head = f"{reported_finding.code} about {reported_finding.about}"
    for key in ("confidence", "severity"):
        if key in wanted and getattr(reported_finding, key).value != wanted[key]:
            yield f"{head}: {key} is {getattr(reported_finding, key).value}, expected {wanted[key]}"
    says = wanted.get("says", ())
    for text in [says] if isinstance(says, str) else says:
        if text not in f"{reported_finding.summary}\n{reported_finding.detail}":
            yield f"{head}: does not say {text!r}: {reported_finding.summary}"
    values = {one.path: one.value for one in reported_finding.evidence}
    for path, value in (wanted.get("evidence") or {}).items():
        if path not in values:
            yield f"{head}: no evidence at {path}; it has {sorted(values)}"
        elif values[path] != plain(value):
            yield f"{head}: {path} is {values[path]!r}, expected {value!r}"
    if "fixes" in wanted:
        fixes = ["verified" if fix.verified else "unverified" for fix in reported_finding.fixes]
        if fixes != wanted["fixes"]:
            yield f"{head}: fixes are {fixes}, expected {wanted['fixes']}"
    if "affects" in wanted and (affects := [str(name) for name in reported_finding.affects]) != sorted(
        wanted["affects"]
    ):
        yield f"{head}: affects {affects}, expected {sorted(wanted['affects'])}"
    for gap in wanted.get("gaps", ()):
        if not any(gap in text for text in reported_finding.gaps):
            yield f"{head}: no gap {gap!r} in {reported_finding.gaps}"
