"""A tour of the demo cluster `lost-connections`: five connections that fail, each for a reason of its own, as the screens
at 80 columns show them. To renew a golden file, look at the difference first, then write the new text into the file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from kubedoctor.cli import main
from kubedoctor.sandbox import recording_path

GOLDEN = Path(__file__).parent / "golden" / "tour"
RECORDING = str(recording_path("lost-connections"))
Capture = pytest.CaptureFixture[str]

SCREENS = {
    "wrong-target-port": "reach deploy/storefront catalog -n shop",
    "egress-without-dns": "resolve deploy/billing db.data -n payments",
    "namespace-label-missing": "reach deploy/importer db.data:5432 -n orders",
    "misspelt-host": "resolve deploy/mailer smpt -n shop",
    "udp-for-tcp": "reach deploy/reporter graphite:2003 -n shop",
    "pod": "deploy/reporter -n shop",
}
TOLD = {
    "wrong-target-port": ("targetPort", "8080", "8081", "service/catalog"),
    "egress-without-dns": ("payments/default-deny", "UDP 53", "kube-dns"),
    "namespace-label-missing": ("data/db-clients", "db-access=granted", "kubectl label namespace/orders"),
    "misspelt-host": ("did you mean", "smtp"),
    "udp-for-tcp": ("no port 2003/TCP", "2003/UDP"),
    "pod": ("KD2009", "UDP", "service/graphite"),
}
"""What each screen must tell, whatever else it says."""
_COUNT = re.compile(r"\n\d+ diagnostics checked [^$]*$")
"""The last line of a report: a new diagnostic changes it."""


@pytest.mark.parametrize("name", SCREENS)
def test_screen(name: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    main([*SCREENS[name].split(), "-f", RECORDING])
    text = capsys.readouterr().out
    plain = " ".join(text.split())
    assert [words for words in TOLD[name] if words not in plain] == []
    assert _COUNT.sub("", text) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def test_the_scan_finds_the_five_and_nothing_else(capsys: Capture) -> None:
    main(["scan", "-A", "-f", RECORDING, "-o", "json"])
    report = json.loads(capsys.readouterr().out)
    findings = {row["id"]: row for row in report["findings"]}
    roots = {(findings[row["cause"]]["code"], findings[row["cause"]]["about"]["name"]) for row in report["incidents"]}
    assert roots == {
        ("KD2002", "catalog"),
        ("KD2201", "default-deny"),
        ("KD2202", "db-clients"),
        ("KD1003", "mailer"),
        ("KD2009", "graphite"),
    }
