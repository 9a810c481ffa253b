"""Text that flows: widths, indents, and nothing that a terminal obeys."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from kubedoctor.tui.pages.page import Line, Page, Paragraph


def plain(lines: list[Line]) -> list[str]:
    return ["".join(piece.text for piece in line) for line in lines]


def test_lines_hang_below_their_first_word() -> None:
    page = Page()
    page.add(("1 ", "key"), "raise the memory limit of the container", indent=2, hang=4)
    assert plain(page.lines(24)) == ["  1 raise the memory", "    limit of the", "    container"]


def test_long_paths_are_cut_at_their_joints() -> None:
    page = Page()
    page.add("status.containerStatuses[name=app].lastState")
    assert plain(page.lines(30)) == ["status.containerStatuses", "[name=app].lastState"]


def test_what_stands_at_the_right_edge_moves_below_where_there_is_no_room() -> None:
    page = Page()
    page.add("Pod web", right="KD1 · certain")
    assert plain(page.lines(30)) == ["Pod web          KD1 · certain"]
    assert plain(page.lines(20)) == ["Pod web", "KD1 · certain"]


def test_escape_sequences_are_shown() -> None:
    page = Page()
    page.add(("\x1b[31mred\x07", "value"), right="\x1b]52;c;eA==\x07")
    assert page.plain == r"\x1b[31mred\x07  \x1b]52;c;eA==\x07"


def test_line_feeds_start_new_lines() -> None:
    page = Page()
    page.add("one\ntwo", indent=2)
    assert plain(page.lines(40)) == ["  one", "  two"]


def test_empty_lines_never_double_and_never_end_a_page() -> None:
    page = Page()
    page.blank()
    page.add("one")
    page.blank()
    page.blank()
    assert plain(page.lines(40)) == ["one"]


@given(st.lists(st.text(max_size=60), max_size=4), st.integers(20, 90), st.integers(0, 8), st.integers(0, 8))
def test_no_line_is_wider_than_the_page_and_no_letter_is_lost(
    texts: list[str], width: int, indent: int, hang: int
) -> None:
    page = Page()
    page.add(*texts, indent=indent, hang=hang)
    lines = plain(page.lines(width))
    assert all(cell_len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(page.plain.split())


def test_an_item_of_a_list_hangs() -> None:
    page = Page()
    page.add("Nodes:\n- cp-1: taint of the control plane", indent=2)
    assert [part.hang for part in page.paragraphs if isinstance(part, Paragraph)] == [2, 4]
