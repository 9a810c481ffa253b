"""Fixes come from changes: patches are written in one place, and one place proves that a fix helps."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.engine import load_catalogue
from kubedoctor.testing import find_scenarios, load_scenario

ROOT = Path(__file__).parents[2]
PROOF = ROOT / "kubedoctor" / "answers" / "proof.py"
BY_HAND = ("kubectl patch", "json.dumps", "shlex.")
"""What only `kubedoctor/findings/commands` may write."""
POSITIONAL = 3
"""How many arguments of a Fix stand before `verified`."""


def sources(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def patches_by_hand(text: str) -> list[str]:
    """The lines that write a patch or quote for the shell; docstrings are for people."""
    documentation: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            first = node.body[0]
            documentation.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    lines = enumerate(text.splitlines(), 1)
    return [line for number, line in lines if number not in documentation and any(word in line for word in BY_HAND)]


def claims_of_proof(text: str) -> Iterator[str]:
    """Calls that may give a fix a `verified` of their own."""
    if "verified" not in text and "Fix(" not in text:
        return
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        given = [keyword.value for keyword in node.keywords if keyword.arg == "verified"]
        if any(not (isinstance(value, ast.Constant) and value.value is False) for value in given):
            yield f"line {node.lineno}: {ast.unparse(node)[:80]}"
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called == "Fix" and len(node.args) > POSITIONAL:
            yield f"line {node.lineno}: {ast.unparse(node)[:80]}"


def test_nobody_writes_a_patch_by_hand() -> None:
    found = {path: patches_by_hand(path.read_text()) for path in sources("diagnostics", "kubedoctor/answers")}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_only_the_proof_verifies_a_fix() -> None:
    found = {path: list(claims_of_proof(path.read_text())) for path in sources("diagnostics", "kubedoctor")}
    assert [path for path, calls in found.items() if calls] == [PROOF]


@pytest.mark.parametrize(
    "text",
    [
        "Fix('scale up', line, verified=True)",
        "Fix('scale up', line, verified=count > 0)",
        "Fix('scale up', line, Effect.CHANGES, True)",
        "msgspec.structs.replace(fix, verified=proof)",
    ],
)
def test_what_would_be_noticed(text: str) -> None:
    assert list(claims_of_proof(text))
    assert not list(claims_of_proof("Fix('scale up', line, verified=False)"))
    assert patches_by_hand("line = f'kubectl patch {name}'")
    assert not patches_by_hand('"""Type kubectl patch."""')


COMMAND_BY_HAND = re.compile(r"""\bf["']kube(?:ctl|doctor) [a-z-]+ .*""")
"""Names are quoted for the shell by `kubectl()`, and by `own_command()` for kubedoctor."""


def test_the_words_of_a_command_are_quoted_in_one_place() -> None:
    found = {path: COMMAND_BY_HAND.findall(path.read_text()) for path in sources("diagnostics", "kubedoctor")}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_a_command_by_hand_is_found() -> None:
    assert COMMAND_BY_HAND.search('line = f"kubectl get {kind} -n {namespace}"')
    assert not COMMAND_BY_HAND.search('line = f"kubectl logs, exec and top fail for {names}"')


ODD = """sh$(x) o'p"`y`"""
"""A name that a shell would take apart."""


def with_odd_names(data: Any) -> Any:
    if isinstance(data, str):
        return data.replace("shop", ODD)
    if isinstance(data, dict):
        return {with_odd_names(key): with_odd_names(value) for key, value in data.items()}
    return [with_odd_names(item) for item in data] if isinstance(data, list | tuple) else data


def test_a_shell_takes_no_name_apart() -> None:
    catalogue, lines = load_catalogue(), []
    for path in find_scenarios(ROOT / "tests" / "scenarios")[::8]:
        scenario = load_scenario(path)
        odd = replace(scenario, objects=tuple(map(with_odd_names, scenario.objects)))
        for finding in odd.run(catalogue).findings:
            lines += [fix.command for fix in finding.fixes] + [command.line for command in finding.commands]
    words = [word.replace('\\"', '"').replace(ODD, "") for line in lines for word in shlex.split(line)]
    assert len(words) > len(lines) > 0
    assert [word for word in words if "$(x)" in word or "`y`" in word] == []


NAMESPACE_BY_HAND = re.compile(r' -n \{[\w.\[\]]*namespace\}|"-n", [\w.\[\]]*namespace\b')
"""Manifests have no namespace, and `-n` without a name is no command: `kubectl()` leaves it out."""


@pytest.mark.parametrize("path", sources("diagnostics", "kubedoctor/answers"), ids=lambda path: path.stem)
def test_no_command_has_a_namespace_by_hand(path: Path) -> None:
    assert not NAMESPACE_BY_HAND.findall(path.read_text(encoding="utf-8"))


def test_a_namespace_by_hand_is_found() -> None:
    assert NAMESPACE_BY_HAND.search('f"kubectl get pods -n {pod.namespace}"')
    assert NAMESPACE_BY_HAND.search('kubectl("get", "pods", "-n", service.namespace)')
