"""Wrapping: no line beyond the width but for words that are longer, and nothing broken that a person copies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubedoctor.cli.formats.wrapping import columns, padded, wrapped, wrapped_advice

TEXT = "Deployment shop/checkout: container app was OOMKilled at its 128Mi memory limit, 2s after start."


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_no_line_is_longer_than_the_width(width: int) -> None:
    lines = wrapped(TEXT * 3, width, "  evidence     ", " " * 15)
    assert max(map(columns, lines)) <= width
    assert lines[0].startswith("  evidence     Deployment")
    assert all(line.startswith(" " * 15) for line in lines[1:])


def test_a_long_word_stays_whole() -> None:
    image = "registry.example.com/" + "x" * 90
    assert wrapped(f"pull {image} failed", 60) == ["pull", image, "failed"]


def test_spaces_and_line_feeds_of_the_text_are_kept() -> None:
    assert wrapped("cpu = 2  (requested)\nnext", 60, "  ", "    ") == ["  cpu = 2  (requested)", "    next"]


def test_an_item_of_a_list_hangs() -> None:
    assert wrapped("Nodes:\n- cp-1: taint of the control plane, lacks 2050m cpu", 40, "  ") == [
        "  Nodes:",
        "  - cp-1: taint of the control plane,",
        "    lacks 2050m cpu",
    ]


LOGIN = "Log in again, or get a new kubeconfig. Check: kubectl auth whoami --context production-eu"
ADVICE = {
    "a command that fits": (70, "Check: kubectl version", ["  Check: kubectl version"]),
    "a command behind a sentence": (
        60,
        LOGIN,
        [
            "  Log in again, or get a new kubeconfig. Check:",
            "  kubectl auth whoami --context production-eu",
        ],
    ),
    "a command alone, longer than the line": (
        40,
        "kubectl get pods --all-namespaces -o wide",
        ["", "  kubectl get pods --all-namespaces -o wide"],
    ),
    "no command": (
        40,
        "Is the VPN up, or does a firewall block it?",
        ["  Is the VPN up, or does a firewall", "  block it?"],
    ),
}


@pytest.mark.parametrize("name", ADVICE)
def test_a_command_of_an_error_stays_whole(name: str) -> None:
    width, text, lines = ADVICE[name]
    assert wrapped_advice(text, width, "  ") == lines


def test_wide_letters_count_twice_and_break_between() -> None:
    assert columns("日本") == 4
    assert columns("e\u0301") == 1
    assert columns("\x1b[31m✗\x1b[0m") == 1
    lines = wrapped("日本語" * 20, 50)
    assert [columns(line) for line in lines] == [50, 50, 20]
    assert padded("日", 4) == "日  "


def test_a_width_that_no_text_fits_is_not_taken() -> None:
    assert wrapped("a " * 30, 1) == wrapped("a " * 30, 40)


@given(st.text(max_size=300), st.integers(min_value=40, max_value=150))
def test_nothing_but_spaces_is_lost(text: str, width: int) -> None:
    lines = wrapped(text, width, "* ", "  ")
    assert "".join("".join(lines).split()) == "".join(f"* {text}".split())
