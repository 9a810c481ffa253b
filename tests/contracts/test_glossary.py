"""Texts use the words of the API and plain English: the words of `glossary.txt` are in none of them."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
GLOSSARY = Path(__file__).with_name("glossary.txt")
QUOTED = "upstream's words"
"""A line with this comment quotes a text of Kubernetes or of another program."""
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")


def entries() -> list[tuple[re.Pattern[str], str]]:
    """The patterns, each with the better words."""
    lines = [line for line in GLOSSARY.read_text().splitlines() if line and not line.startswith("#")]
    return [(re.compile(pattern, re.IGNORECASE), better) for pattern, better in (line.split(" => ") for line in lines)]


WORDS = entries()


def texts(source: str) -> Iterator[tuple[int, str]]:
    """The string literals and docstrings of a Python file with the number of their first line; an f-string as its literal
    parts, with `…` for each value."""
    inner: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            inner |= {id(part) for part in ast.walk(node) if isinstance(part, ast.Constant)}
            parts = (str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
            yield node.lineno, "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner:
            yield node.lineno, node.value


def quoting_lines(path: Path) -> set[int]:
    """The lines that are marked as quotations."""
    with tokenize.open(path) as file:
        return {
            token.start[0]
            for token in tokenize.generate_tokens(file.readline)
            if token.type == tokenize.COMMENT and QUOTED in token.string
        }


def misused(text: str) -> Iterator[str]:
    """What of a text is in the glossary, with the better words."""
    flat = " ".join(text.split())
    for pattern, better in WORDS:
        for match in pattern.finditer(flat):
            yield f"{match[0]!r} ({better}) in: {flat[max(match.start() - 40, 0) : match.end() + 40]}"


def test_the_glossary_finds_its_words() -> None:
    assert list(misused("make it\n anew")) == ["'anew' (again; delete and recreate) in: make it anew"]
    assert list(misused("recreate it")) == []
    source = 'f"a {name} speaks {f\'nobody {x}\'}"\n"b"\n'
    assert list(texts(source)) == [(1, "a … speaks …"), (2, "b"), (1, "nobody …")]


@pytest.mark.parametrize("folder", ["kubedoctor", "diagnostics"])
def test_the_code_uses_plain_words(folder: str) -> None:
    wrong = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        quoting = quoting_lines(path)
        for line, text in texts(path.read_text(encoding="utf-8")):
            if line not in quoting:
                wrong += [f"{path.relative_to(ROOT)}:{line}: {found}" for found in misused(text)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_documents_use_plain_words(name: str) -> None:
    paragraphs = (ROOT / name).read_text(encoding="utf-8").split("\n\n")
    wrong = [found for paragraph in paragraphs for found in misused(paragraph)]
    assert not wrong, "\n".join(wrong)


def test_the_scenarios_use_plain_words() -> None:
    wrong = []
    for path in sorted((ROOT / "tests/scenarios").rglob("*.yaml")):
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        for wanted in data.get("expect") or ():
            says = wanted.get("says") or ()
            for text in [says] if isinstance(says, str) else says:
                wrong += [f"{path.relative_to(ROOT)}: {found}" for found in misused(str(text))]
    assert not wrong, "\n".join(wrong)
