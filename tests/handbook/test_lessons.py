"""Lessons as pages."""

from __future__ import annotations

from typing import Any

import pytest

from kubedoctor.engine import load_catalogue
from kubedoctor.findings import HEADINGS, Diagnostic
from kubedoctor.handbook import WIDTH, lesson_markdown, lesson_text

ALL = load_catalogue().diagnostics


@pytest.mark.parametrize("one", ALL, ids=[one.id for one in ALL])
def test_a_lesson_fits_the_terminal_and_keeps_its_sections(one: Diagnostic[Any]) -> None:
    text = lesson_text(one)
    assert [line for line in text.splitlines() if line in HEADINGS] == list(HEADINGS)
    long = [line for line in text.splitlines() if len(line) > WIDTH and "http" not in line]
    assert not long
    assert "##" not in text


def test_markdown_keeps_the_headings_and_names_the_code() -> None:
    page = lesson_markdown(ALL[0])
    assert page.startswith(f"# {ALL[0].code}: {ALL[0].title}\n")
    assert all(f"## {heading}" in page for heading in HEADINGS)


def test_a_page_tells_what_kubectl_shows() -> None:
    page = next(page for page in ALL if page.id == "pods/out-of-memory")
    assert "\nseen as: OOMKilled, exit code 137" in lesson_text(page)
    assert "\nSeen as: OOMKilled, exit code 137" in lesson_markdown(page)


def test_colour_is_only_for_headings() -> None:
    plain, coloured = lesson_text(ALL[0]), lesson_text(ALL[0], colour=True)
    assert "\x1b[" not in plain
    assert coloured.replace("\x1b[1m", "").replace("\x1b[0m", "") == plain
