"""Nothing from a cluster may command a terminal or deceive a reader."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubedoctor.cluster.grammar.text import counted, visible, visible_end, visible_ends, with_article

any_text = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)

DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "BN"}
"""Characters that turn the direction of a text or show nothing."""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("web-7d9f", "web-7d9f"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x1b]8;;http://evil\x1b\\click\x1b]8;;\x07", r"\x1b]8;;http://evil\x1b" + "\\" + r"click\x1b]8;;\x07"),
        ("\x9b2J\x9d0;title\x9c", r"\x9b2J\x9d0;title\x9c"),
        ("bell\a back\b\x7f nul\0", r"bell\x07 back\x08\x7f nul\x00"),
        ("a\tb\nc\rd", r"a\tb\nc\rd"),
        ("user\u202egpj.exe", r"user\u202egpj.exe"),
        ("\u2066x\u2069\u200e\u061c", r"\u2066x\u2069\u200e\u061c"),
        ("pay\u200bments", r"pay\u200bments"),
        ("\ufeffid\u2028next", r"\ufeffid\u2028next"),
        ("half \ud83d of one", r"half \ud83d of one"),
        ("\U000e0041\U000e007f", r"\U000e0041\U000e007f"),
        ("grüße, 東京, שלום", "grüße, 東京, שלום"),
        ("👩\u200d🚀 ❤️ می\u200cخواهم", "👩\u200d🚀 ❤️ می\u200cخواهم"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_lines_and_tabs_stay_on_request() -> None:
    assert visible("a\tb\r\nc\nd\re\x1b", lines=True) == "a\tb\nc\nd\\re\\x1b"


def test_long_texts_are_cut() -> None:
    assert visible("abcdef", 6) == "abcdef"
    assert visible("abcdefg", 6) == "abcde…"
    assert visible("a\r\n" * 4, 8, lines=True) == "a\n" * 4
    assert visible("a\r\n" * 5, 8, lines=True) == "a\na\na\na…"
    assert visible("no such file", 11) == "no such…"
    assert visible("no such file", 8) == "no such…"
    assert visible("abc", 1) == "…"
    assert visible("abc", 0) == ""
    assert visible("", 0) == ""


@given(any_text, st.booleans())
def test_nothing_is_left_that_a_terminal_obeys(text: str, lines: bool) -> None:
    shown = visible(text, lines=lines)
    shown.encode()
    allowed = "\u200c\u200d" + ("\n\t" if lines else "")
    for character in shown:
        assert character in allowed or unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"}
        turns = unicodedata.bidirectional(character) in DIRECTIONS and unicodedata.category(character) != "Cn"
        assert character in allowed or not turns
    assert visible(shown, lines=lines) == shown


@given(any_text, st.integers(0, 30))
def test_a_limit_is_kept_and_only_cuts(text: str, limit: int) -> None:
    shown, whole = visible(text, limit), visible(text)
    assert len(shown) <= limit
    assert shown == whole or limit == 0 or (shown[-1] == "…" and whole.startswith(shown[:-1]) and len(whole) > limit)


@given(
    st.text(
        st.characters(
            categories=["L", "M", "N", "P", "S", "Zs"],
            exclude_characters="\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u180b\u180c\u180d\u180f",
        ),
        max_size=60,
    )
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("number", "noun", "plural", "shown"),
    [
        (1, "pod", "", "1 pod"),
        (0, "pod", "", "0 pods"),
        (3, "pod", "", "3 pods"),
        (150_000, "pod", "", "150,000 pods"),
        (1, "NetworkPolicy", "NetworkPolicies", "1 NetworkPolicy"),
        (2, "NetworkPolicy", "NetworkPolicies", "2 NetworkPolicies"),
    ],
)
def test_a_number_and_its_noun(number: int, noun: str, plural: str, shown: str) -> None:
    assert counted(number, noun, plural) == shown


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("exec: no such file", 40, "exec: no such file"),
        ("failed to create task:\n  exec: no such file", 19, "…exec: no such file"),
        ("stat /bin/x\x1b", 8, r"…n/x\x1b"),
        ("failed to create task: exec: no such file", 25, "…task: exec: no such file"),
        ("failed to create task: exec: no such file", 24, "…exec: no such file"),
    ],
)
def test_the_end_of_a_long_message_stays(text: str, limit: int, shown: str) -> None:
    assert visible_end(text, limit) == shown


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("exec: no such file", 40, "exec: no such file"),
        ("Failed to pull image: failed to resolve it: 429 Too Many Requests", 30, "Failed to … Many Requests"),
        ("a" * 50, 12, "aaaa … aaaaa"),
    ],
)
def test_both_ends_of_a_long_value_stay(text: str, limit: int, shown: str) -> None:
    assert visible_ends(text, limit) == shown
    assert len(shown) <= limit


def test_an_article_is_chosen_as_the_word_is_spoken() -> None:
    kinds = ("Pod", "Ingress", "User", "HTTPRoute", "CSIDriver", "APIService", "EndpointSlice", "UDPRoute", "SMTPRelay")
    said = [with_article(kind).partition(" ")[0] for kind in kinds]
    assert said == ["a", "an", "a", "an", "a", "an", "an", "a", "an"]
