"""`reach --matrix`: the words after the command, and the picture."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

from kubedoctor.answers.grid import Grid, GridCell, GridLine, Shade
from kubedoctor.cli import main
from kubedoctor.cli.formats.grid_svg import to_svg
from kubedoctor.sandbox import recording_path

SHOP = str(recording_path("shop-at-night"))
SVG = "{http://www.w3.org/2000/svg}"
Capture = pytest.CaptureFixture[str]


def asked(capture: Capture, *words: str) -> tuple[int, str, str]:
    code = main(["reach", *words, "-f", SHOP])
    text = capture.readouterr()
    return code, text.out, text.err


@pytest.mark.parametrize(
    ("words", "title"),
    [
        (("--matrix", "-n", "shop"), "Namespace shop: of 176 pairs"),
        (("--matrix", "-n", "batch", "--from-everywhere"), "Namespace batch, from everywhere: of 13 pairs"),
        (("--matrix", "-A"), "all namespaces: of 182 pairs"),
        (("--between", "shop", "batch"), "Namespaces shop and batch: of 22 pairs"),
        (("--matrix", "--between", "shop", "shop"), "Namespaces shop and shop: of 110 pairs"),
    ],
)
def test_which_pairs(capsys: Capture, words: tuple[str, ...], title: str) -> None:
    code, out, _ = asked(capsys, *words)
    assert (code, out.startswith(title)) == (0, True), out[:200]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--matrix", "web", "db:80"), "unexpected argument: web"),
        (("--between", "shop", "nosuch"), "Namespace nosuch not found"),
        (("deploy/web", "db:5432", "-n", "shop", "-o", "svg"), "this answer has no picture"),
        (("--between", "shop"), "expected 2 arguments"),
    ],
)
def test_wrong_words(capsys: Capture, words: tuple[str, ...], problem: str) -> None:
    try:
        code = main(["reach", *words, "-f", SHOP])
    except SystemExit as end:
        code = int(end.code or 0)
    assert code == 2
    assert problem in capsys.readouterr().err


def test_the_picture(capsys: Capture) -> None:
    code, out, _ = asked(capsys, "--matrix", "-n", "shop", "-o", "svg")
    assert code == 0
    picture = ElementTree.fromstring(out)
    assert picture.tag == f"{SVG}svg"
    assert picture.findtext(f"{SVG}title") == "Connections: Namespace shop"
    assert "of 176 pairs" in (picture.findtext(f"{SVG}desc") or "")
    says = {title.text for title in picture.iterfind(f"{SVG}rect/{SVG}title")}
    assert "from Deployment shop/api to StatefulSet shop/db: TCP 8080" in says
    assert "from Deployment shop/web to StatefulSet shop/db: no connection" in says
    assert "prefers-color-scheme: dark" in out
    assert not re.search(r"href|url\(|@import|<script", out), "the file needs nothing else"
    assert out == asked(capsys, "--matrix", "-n", "shop", "-o", "svg")[1]


def test_the_picture_is_as_wide_as_its_sentences() -> None:
    """20 pixels at each side; a letter of this font is seldom wider than 7."""
    long = "lines with equal connections are one, and so are workloads of one namespace "
    for title, sentence, note in ((long, "s", ""), ("t", long * 4, ""), ("t", "s", long)):
        grid = Grid(title, (GridLine("a"),), (GridLine("b"),), ((GridCell(Shade.FULL, says="s"),),), note)
        width = int(ElementTree.fromstring(to_svg(grid, sentence)).get("width", "0"))
        assert width >= 40 + 7 * max(map(len, (title, sentence, note)))


def test_between_two_namespaces_no_third_has_a_line(capsys: Capture) -> None:
    _, out, _ = asked(capsys, "--between", "shop", "batch")
    rows = [line.split()[2] for line in out.splitlines() if line.strip()[:1].isdigit()]
    assert {row.partition("/")[0] for row in rows} == {"shop", "batch"}
    header = next(line for line in out.splitlines() if "from \\ to" in line)
    assert header.split()[-1] == str(len(rows))
    assert all(any(mark in line for mark in "✓✗") for line in out.splitlines() if line.strip()[:1].isdigit())


def test_names_in_the_picture_are_text() -> None:
    hostile = GridLine("<b>&\x1b[2J", "a", members=("<script>", '"'))
    grid = Grid("<x>", (hostile,), (hostile,), ((GridCell(Shade.PART, "<80>", "<&>"),),), "note & more")
    picture = ElementTree.fromstring(to_svg(grid, "<sentence>"))
    assert picture.findtext(f"{SVG}title") == "<x>"
    assert [title.text for title in picture.iterfind(f"{SVG}rect/{SVG}title")] == ["<&>"]
    assert not picture.findall(f".//{SVG}script")


@pytest.mark.parametrize("shade", [Shade.FULL, Shade.EMPTY, Shade.PART, Shade.MIXED])
def test_each_shade_is_told_without_its_colour(shade: Shade) -> None:
    grid = Grid("t", (GridLine("a"),), (GridLine("b"),), ((GridCell(shade, says="s"),),))
    picture = ElementTree.fromstring(to_svg(grid, "s"))
    signs = [text.text for text in picture.iterfind(f"{SVG}text") if "in " in text.get("class", "")]
    assert signs == [{Shade.FULL: "all", Shade.EMPTY: "–"}.get(shade, "some")]
