"""Run the installed command line on the real cluster and read its JSON report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.real.cluster.layout import Document


@dataclass(frozen=True)
class Diagnosis:
    exit_code: int
    report: Document
    errors: str

    @property
    def findings(self) -> list[Document]:
        return list(self.report["findings"])

    @property
    def culprit(self) -> Document:
        """The cause of the first incident: the finding that a person reads first."""
        assert self.report["incidents"], f"nothing was found: {json.dumps(self.report, indent=1)}"
        return self._finding(self.report["incidents"][0]["cause"])

    def consequences_of(self, cause: Document) -> list[Document]:
        folded = [row["consequences"] for row in self.report["incidents"] if row["cause"] == cause["id"]]
        return [self._finding(name) for names in folded for name in names]

    @property
    def unseen(self) -> list[str]:
        """Everything that the report says it could not see."""
        whole = [row["why"] for row in self.report["not_checked"]]
        return whole + [gap for finding in self.findings for gap in finding["gaps"]]

    def _finding(self, name: str) -> Document:
        (found,) = [finding for finding in self.findings if finding["id"] == name]
        return found


def run(kubeconfig: Path | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `kubedoctor` as a user would, with nothing of the caller's Kubernetes settings. The kubeconfig is not named on the
    command line: the commands that are proposed are pasted by another user, who may change objects."""
    environment = {name: value for name, value in os.environ.items() if name != "KUBECONFIG"}
    command = [sys.executable, "-m", "kubedoctor", *arguments]
    if kubeconfig:
        environment["KUBECONFIG"] = str(kubeconfig)
    return subprocess.run(command, capture_output=True, text=True, cwd="/", env=environment, timeout=120)


def diagnose(kubeconfig: Path | None, *arguments: str) -> Diagnosis:
    done = run(kubeconfig, *arguments, "-o", "json")
    outcome = f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert done.returncode in (0, 1, 3), outcome
    assert done.stdout.startswith("{"), outcome
    return Diagnosis(done.returncode, json.loads(done.stdout), done.stderr)


def quoted(finding: Document) -> list[str]:
    """The values that a finding quotes as evidence."""
    return [str(row["value"]) for row in finding["evidence"]]


def said(finding: Document) -> str:
    """All that a finding says to a person about what it found: summary, detail and evidence."""
    evidence = [f"{row['path']} {row['value']} {row['shows']}" for row in finding["evidence"]]
    return "\n".join([finding["summary"], finding.get("detail") or "", *evidence])


def ask_question(kubeconfig: Path | None, *arguments: str) -> Document:
    """The sheet of a question, as machines read it."""
    done = run(kubeconfig, *arguments, "-o", "json")
    outcome = f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert done.returncode in (0, 1, 3), outcome
    return dict(json.loads(done.stdout))
