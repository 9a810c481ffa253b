"""The files of a new diagnostic: its page, a sick scenario and a healthy near-miss, to be filled in.

They are valid, and their tests fail until they are filled in: the scenarios have no cluster.
"""

from __future__ import annotations

import keyword
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from kubedoctor.engine.catalogue import GROUP, RETIRED_CODES
from kubedoctor.findings import HEADINGS
from kubedoctor.problems import UsageProblem

_CODE = re.compile(r"""\bcode=["']([A-Z]{2,5})(\d{3,5})["']""")
_WORD = re.compile(r"[a-z][a-z0-9_]*")
_BUILT_IN = "KD"
_BY_AREA = 100  # The digits before the last two are the area's.
_FIRST = 1001


class Project(NamedTuple):
    """The folders of a package of diagnostics and its scenarios."""

    package: Path
    scenarios: Path


class Diagnosis(NamedTuple):
    """The parts of a diagnostic's name: area, folders, problem, in Python's spelling."""

    area: str
    folders: tuple[str, ...]
    problem: str

    @property
    def id(self) -> str:
        return f"{self.area}/{self.problem}".replace("_", "-")


def scaffold(name: str, into: Path) -> tuple[Path, ...]:
    """Write the files of `area/problem` into the project or package of diagnostics at `into`; returns their paths.

    Nothing is overwritten. Raises UsageProblem.
    """
    diagnosis = parse_name(name)
    project = find_project(into)
    code = next_code(project.package, diagnosis.area)
    folder = project.package.joinpath(diagnosis.area, *diagnosis.folders)
    page = folder / f"{diagnosis.problem}.py"
    stories = project.scenarios / diagnosis.area / diagnosis.problem
    files = {
        page: _page(diagnosis, code),
        stories / "sick.yaml": _scenario("What is broken, in a sentence", code),
        stories / "healthy.yaml": _scenario("A near-miss, almost the same and well", ""),
    }
    for parent in (folder, *folder.parents):
        if parent == project.package:
            break
        if not (parent / "__init__.py").exists():
            files[parent / "__init__.py"] = f'"""{parent.name.replace("_", " ").capitalize()}."""\n'
    if existing := [path for path in (page, stories / "sick.yaml", stories / "healthy.yaml") if path.exists()]:
        raise UsageProblem(f"{existing[0]} exists already", "Give the diagnostic another name")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tuple(files)


def parse_name(name: str) -> Diagnosis:
    """`pods/image-not-found` or `pods/images/image_not_found`. Raises UsageProblem."""
    parts = name.strip("/").replace("-", "_").split("/")
    wrong = [part for part in parts if not _WORD.fullmatch(part) or keyword.iskeyword(part)]
    if len(parts) < 2 or wrong:
        raise UsageProblem(
            f"{name!r} does not name a diagnostic", "AREA/PROBLEM in small letters, for example services/no-endpoints"
        )
    return Diagnosis(parts[0], tuple(parts[1:-1]), parts[-1])


def find_project(folder: Path) -> Project:
    """The package of diagnostics that is at `folder`, or that the pyproject.toml of the project around it offers to
    kubedoctor. Raises UsageProblem."""
    here = folder.resolve()
    for project in (here, *here.parents):
        modules = _offered_modules(project / "pyproject.toml")
        if not modules:
            continue
        packages = _packages(project, modules)
        around = next((package for package in packages if here.is_relative_to(package)), None)
        if around is not None:
            return Project(around, _scenarios(project))
        if _is_package(here) and not any(package.is_relative_to(here) for package in packages):
            break  # it is to be offered yet
        if packages:
            return Project(packages[0], _scenarios(project))
        path = f"{modules[0].replace('.', '/')}/__init__.py"
        raise UsageProblem(
            f"{project / 'pyproject.toml'} names {modules[0]}, which is not there", f"Create {path} or src/{path}"
        )
    if _is_package(here):
        return Project(here, _scenarios(here.parent))
    raise UsageProblem(
        f"{folder} has no package of diagnostics",
        f'Name its folder with --into, or an entry point [project.entry-points."{GROUP}"] in its pyproject.toml',
    )


def _offered_modules(settings: Path) -> list[str]:
    """The modules that a pyproject.toml offers to kubedoctor; none where there is no such file. Raises UsageProblem."""
    if not settings.is_file():
        return []
    try:
        data = tomllib.loads(settings.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageProblem(f"{settings} cannot be read: {error}", "Correct it") from None
    return [str(module) for module in data.get("project", {}).get("entry-points", {}).get(GROUP, {}).values()]


def _packages(project: Path, modules: Iterable[str]) -> list[Path]:
    inside = [module.replace(".", "/") for module in modules]
    return [package for path in inside for package in (project / path, project / "src" / path) if _is_package(package)]


def _is_package(folder: Path) -> bool:
    return (folder / "__init__.py").is_file()


def next_code(package: Path, area: str) -> str:
    """The next free number of the area; a new area takes the next free hundred. Letters are those of the package's codes."""
    used = {path: _codes(path) for path in sorted(package.rglob("*.py"))}
    letters = next((codes[0][0] for codes in used.values() if codes), "") or _letters(package.name)
    numbers = [number for codes in used.values() for name, number in codes if name == letters]
    mine = [
        number
        for path, codes in used.items()
        if path.is_relative_to(package / area)
        for name, number in codes
        if name == letters
    ]
    retired = {int(code.removeprefix(letters)) for code in RETIRED_CODES if code.startswith(letters)}
    start = max(mine) + 1 if mine else _next_area([*numbers, *retired])
    return f"{letters}{next(n for n in range(start, start + 10_000) if n not in {*numbers, *retired})}"


def _next_area(numbers: Iterable[int]) -> int:
    highest = max(numbers, default=0)
    return (highest // _BY_AREA + 1) * _BY_AREA + 1 if highest else _FIRST


def _codes(path: Path) -> list[tuple[str, int]]:
    return [(letters, int(number)) for letters, number in _CODE.findall(path.read_text(encoding="utf-8"))]


def _letters(package: str) -> str:
    """Two letters of the package's name; never those of the built-in diagnostics."""
    letters = re.sub(r"[^A-Z]", "", package.removesuffix("_diagnostics").upper())[:2]
    return letters if len(letters) == 2 and letters != _BUILT_IN else "XX"


def _scenarios(project: Path) -> Path:
    """The folder of the scenarios, which may not exist yet."""
    folders = (project / "tests" / "scenarios", project / "scenarios")
    return next((folder for folder in folders if folder.is_dir()), folders[0])


def _page(diagnosis: Diagnosis, code: str) -> str:
    sections = "\n\n".join(f"## {heading}\n\nTODO" for heading in HEADINGS)
    return f'''\
"""TODO: the problem in a few words.

{sections}
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster import Cluster, Pod
from kubedoctor.findings import Finding, Severity, diagnostic


@diagnostic(code="{code}", subject=Pod, severity=Severity.CRITICAL, reads=(Pod,))
def {diagnosis.problem}(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    # TODO: return early for what is well; then yield Finding(about, summary, evidence read with quote(), confidence).
    yield from ()
'''


def _scenario(title: str, code: str) -> str:
    expect = f"\n  - {{code: {code}, about: Pod/NAMESPACE/NAME, confidence: certain}}" if code else " []"
    return f"""\
scenario: {title}
taken_at: 2026-01-15T10:00:00Z
cluster: []  # TODO: the objects, with the fields that matter; the scenario fails while there are none
expect:{expect}
"""
