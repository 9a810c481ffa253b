"""Readings that are tried together leave no trace: a report of a closed snapshot has the same gaps without the trial."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubedoctor.cli.formats.document import to_json
from kubedoctor.cluster import Cluster
from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.engine import load_catalogue, scan
from tests.bench.scan import generate, generator


def reported(folder: Path) -> str:
    source = open_source(Options(from_=(str(folder),)))
    return to_json(scan(load_catalogue(), source.snapshot, source.gather))


@pytest.mark.parametrize("missing", [(), ("nodes",), ("events", "namespaces")])
def test_trying_readings_together_changes_no_report(
    missing: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        module = generator()
    except SystemExit as absent:
        pytest.skip(str(absent))
    generate(tmp_path, 120, module, pending=12)
    for name in missing:
        (tmp_path / f"{name}.json").unlink()
    with_trial = reported(tmp_path)
    monkeypatch.setattr(Cluster, "together", lambda *_: None)
    assert with_trial == reported(tmp_path)
