"""A package of a third party is installed, and kubedoctor finds all that it brings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.testing import find_scenarios, load_scenario

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(__file__).parent / "acme"
SICK = PACKAGE / "scenarios" / "licenses" / "expired" / "program_ends.yaml"
COMPARE = """\
import sys
from pathlib import Path
from kubedoctor.engine import load_catalogue
from kubedoctor.testing import load_scenario
catalogue = load_catalogue()
for path in map(Path, sys.argv[1:]):
    scenario = load_scenario(path)
    for difference in scenario.differences(scenario.run(catalogue), catalogue):
        print(path.stem, difference)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that pip has installed the package into; nothing is fetched for it."""
    target = tmp_path_factory.mktemp("installed")
    command = ["install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--target", str(target)]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *command, str(PACKAGE)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return target


def python(installed: Path, *words: str) -> str:
    """What Python prints where the package is installed; a report with findings exits with 1."""
    surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(installed)))}
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, env=surroundings, cwd=ROOT, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """The sick scenario's cluster as a file of objects."""
    scenario = load_scenario(SICK)
    path = tmp_path / "cluster.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(scenario.objects)}, default=str))
    return path


def report(installed: Path, recorded: Path, *words: str) -> Any:
    return json.loads(python(installed, "-m", "kubedoctor", *words, "--from", str(recorded), "-o", "json"))


def test_its_scenarios_hold(installed: Path) -> None:
    paths = find_scenarios(PACKAGE / "scenarios")
    assert len(paths) == 2
    assert python(installed, "-c", COMPARE, *map(str, paths)) == ""


@pytest.mark.parametrize("words", [("pod", "checkout-1", "-n", "shop"), ("scan",)])
def test_its_finding_is_shown_and_explains_the_pod(installed: Path, recorded: Path, words: tuple[str, ...]) -> None:
    """A pod leads to the License that it needs, as the package's relation says, and the License is the cause."""
    told = report(installed, recorded, *words)
    codes = {one["id"]: one["code"] for one in told["findings"]}
    assert sorted(codes.values()) == ["AC1001", "KD1003"]
    (incident,) = told["incidents"]
    assert codes[incident["cause"]] == "AC1001"
    assert not told.get("problems")


def test_its_page_is_explained(installed: Path) -> None:
    assert "License has expired" in python(installed, "-m", "kubedoctor", "explain", "AC1001")


def test_its_question_is_a_command(installed: Path, recorded: Path) -> None:
    words = ("license-of", "pod", "checkout-1", "-n", "shop")
    text = python(installed, "-m", "kubedoctor", *words, "--from", str(recorded))
    assert "✗ Pod shop/checkout-1: its License gold expired on 2026-01-01" in text
    assert "kubectl edit license.acme.example/gold -n shop" in text
    told = report(installed, recorded, *words)
    assert (told["summary"], told["valid"]) == ("its License gold expired on 2026-01-01", False)
    assert told["license"]["name"] == "gold"
    assert "license-of" in python(installed, "-m", "kubedoctor", "--help")


def test_its_question_with_an_argument(installed: Path, recorded: Path) -> None:
    for words in (("checkout-1", "gold", "-n", "shop"), ("pod", "checkout-1", "gold"), ("pod/checkout-1", "gold")):
        text = python(installed, "-m", "kubedoctor", "uses-license", *words, "--from", str(recorded))
        assert "Pod shop/checkout-1: uses License gold" in text
    assert "uses-license POD LICENSE [-n NAMESPACE]" in python(installed, "-m", "kubedoctor", "uses-license", "--help")


def test_its_question_without_a_subject(installed: Path, recorded: Path) -> None:
    told = report(installed, recorded, "licenses")
    assert (told["title"], told["summary"]) == ("All namespaces", "has 1 Licenses")
    assert report(installed, recorded, "licenses", "-n", "shop")["title"] == "Namespace shop"


def test_without_it_nothing_is_known_of_licenses(tmp_path: Path, recorded: Path) -> None:
    told = report(tmp_path, recorded, "pod", "checkout-1", "-n", "shop")
    assert [one["code"] for one in told["findings"]] == ["KD1003"]
