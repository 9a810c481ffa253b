"""Fixes come from changes: patches are written in one place, and one place proves that a fix helps."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

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


NAMESPACE_BY_HAND = re.compile(r' -n \{[\w.\[\]]*namespace\}|"-n", [\w.\[\]]*namespace\b')
"""Manifests have no namespace, and `-n` without a name is no command: `namespace_flag` and `kubectl()` leave it out."""


@pytest.mark.parametrize("path", sources("diagnostics", "kubedoctor/answers"), ids=lambda path: path.stem)
def test_no_command_has_a_namespace_by_hand(path: Path) -> None:
    assert not NAMESPACE_BY_HAND.findall(path.read_text(encoding="utf-8"))


def test_a_namespace_by_hand_is_found() -> None:
    assert NAMESPACE_BY_HAND.search('f"kubectl get pods -n {pod.namespace}"')
    assert NAMESPACE_BY_HAND.search('kubectl("get", "pods", "-n", service.namespace)')
