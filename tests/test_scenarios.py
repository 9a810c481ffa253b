"""Every scenario file is a test: the whole catalogue finds in it exactly what the file expects."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubedoctor.engine import load_catalogue
from kubedoctor.testing import find_scenarios, load_scenario

FOLDER = Path(__file__).parent / "scenarios"


@pytest.mark.parametrize(
    "path", [pytest.param(path, id=path.relative_to(FOLDER).as_posix()) for path in find_scenarios(FOLDER)]
)
def test_the_catalogue_finds_what_the_scenario_expects(path: Path) -> None:
    catalogue = load_catalogue()
    scenario = load_scenario(path)
    differences = scenario.differences(scenario.run(catalogue), catalogue)
    assert not differences, "\n".join(differences)
