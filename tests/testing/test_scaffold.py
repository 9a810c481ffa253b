"""A new diagnostic starts as files that are valid, and fail until they are filled in."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kubedoctor.engine.catalogue import RETIRED_CODES
from kubedoctor.problems import UsageProblem
from kubedoctor.testing import ScenarioError, load_scenario
from kubedoctor.testing.scaffold import find_project, next_code, parse_name, scaffold

ROOT = Path(__file__).resolve().parents[2]
ACME = ROOT / "tests" / "third_party" / "acme"
FILLED = """\
    if pod.labels.get("tier") != "gold":
        return
    yield Finding(ref(pod), "is gold", (quote(pod, "metadata.labels[tier]"),), Confidence.CERTAIN)
"""
CLUSTER = "cluster: [{kind: Pod, metadata: {name: web, namespace: shop, labels: {tier: %s}}}]"


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    """A copy of a third party's project."""
    return Path(shutil.copytree(ACME, tmp_path / "acme", ignore=shutil.ignore_patterns("__pycache__")))


def test_page_and_scenarios_are_written_where_the_project_has_them(acme: Path) -> None:
    files = scaffold("licenses/not-signed", acme)
    assert [str(path.relative_to(acme)) for path in files] == [
        "acme_diagnostics/licenses/not_signed.py",
        "scenarios/licenses/not_signed/sick.yaml",
        "scenarios/licenses/not_signed/healthy.yaml",
    ]
    page = files[0].read_text()
    assert 'code="AC1002"' in page
    compile(page, "not_signed.py", "exec")


def test_a_new_area_is_a_package_with_numbers_of_its_own(acme: Path) -> None:
    files = scaffold("queues/dead/letters-pile-up", acme)
    names = {str(path.relative_to(acme)) for path in files}
    assert {"acme_diagnostics/queues/__init__.py", "acme_diagnostics/queues/dead/__init__.py"} <= names
    assert "scenarios/queues/letters_pile_up/sick.yaml" in names
    assert 'code="AC1101"' in files[0].read_text()


def test_its_scenarios_fail_in_a_clear_way_until_they_are_filled_in(acme: Path) -> None:
    _, sick, healthy = scaffold("licenses/not-signed", acme)
    for path in (sick, healthy):
        with pytest.raises(ScenarioError, match="its cluster is empty: fill in the objects"):
            load_scenario(path)


def test_filled_in_it_is_a_diagnostic_whose_scenarios_hold(acme: Path) -> None:
    page, sick, healthy = scaffold("licenses/not-signed", acme)
    text = page.read_text().replace("    yield from ()\n", FILLED)
    text = text.replace("import Cluster, Pod", "import Cluster, Pod, quote, ref")
    page.write_text(text.replace("import Finding", "import Confidence, Finding"))
    for path, tier in ((sick, "gold"), (healthy, "tin")):
        lines = path.read_text().replace("NAMESPACE/NAME", "shop/web").splitlines()
        path.write_text("\n".join(CLUSTER % tier if line.startswith("cluster:") else line for line in lines))
    told = subprocess.run(
        [sys.executable, "-c", RUN, str(sick), str(healthy)],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": f"{ROOT}:{acme}"},
    )
    assert (told.stdout, told.stderr) == ("", "")


RUN = """\
import sys
from pathlib import Path
import acme_diagnostics
from kubedoctor.engine import load_package
from kubedoctor.testing import load_scenario
catalogue = load_package(acme_diagnostics)
for path in map(Path, sys.argv[1:]):
    scenario = load_scenario(path)
    print(*scenario.differences(scenario.run(catalogue), catalogue), sep="", end="")
"""


def test_nothing_is_overwritten(acme: Path) -> None:
    with pytest.raises(UsageProblem, match=r"expired\.py exists already"):
        scaffold("licenses/expired", acme)


@pytest.mark.parametrize("name", ["pods", "pods/", "Pods/x", "pods/two words", "pods/class", "../x/y", "pods/1st"])
def test_a_name_that_is_no_module_is_refused(name: str) -> None:
    with pytest.raises(UsageProblem, match="does not name a diagnostic"):
        parse_name(name)


def test_the_project_is_found_by_its_entry_point_or_as_a_package(acme: Path, tmp_path: Path) -> None:
    assert find_project(acme) == (acme / "acme_diagnostics", acme / "scenarios")
    assert find_project(acme / "acme_diagnostics") == find_project(acme)
    assert find_project(ROOT) == (ROOT / "diagnostics", ROOT / "tests" / "scenarios")
    with pytest.raises(UsageProblem, match="has no package of diagnostics"):
        find_project(tmp_path)


@pytest.mark.parametrize("folder", ["acme_diagnostics", "acme_diagnostics/licenses", "scenarios"])
def test_the_project_is_found_from_a_folder_inside_it(folder: str, acme: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(acme / folder)
    assert find_project(Path()) == (acme / "acme_diagnostics", acme / "scenarios")


def test_a_package_that_the_project_names_and_does_not_have_is_named(acme: Path) -> None:
    shutil.rmtree(acme / "acme_diagnostics")
    with pytest.raises(UsageProblem, match=r"pyproject\.toml names acme_diagnostics, which is not there") as caught:
        find_project(acme)
    assert "acme_diagnostics/__init__.py" in caught.value.hint


def test_retired_numbers_are_passed_over(acme: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RETIRED_CODES, "AC1002", "see AC1001")
    assert next_code(acme / "acme_diagnostics", "licenses") == "AC1003"


def test_a_package_without_codes_gets_letters_of_its_name(tmp_path: Path) -> None:
    package = tmp_path / "wayne_diagnostics"
    package.mkdir()
    assert next_code(package, "caves") == "WA1001"
