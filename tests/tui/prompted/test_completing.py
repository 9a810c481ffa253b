"""What a command is completed to, word by word."""

from __future__ import annotations

import pytest

from kubedoctor.tui.prompted.completing import CommandSuggester, KnownWords, completed

KNOWN = KnownWords(
    kinds=lambda: ("widgets",),
    namespaces=lambda: ("default", "shop", "shop-test"),
    contexts=lambda: ("prod-us", "prod-eu"),
    themes=lambda: ("dark", "light"),
    names=lambda kind: {"deploy": ("cart", "checkout")}.get(kind, ()),
)


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ("deploym", "deployment"),
        ("DEPLOYM", None),
        ("widg", "widgets"),
        ("deploy s", "deploy shop"),
        ("deploy shop-", "deploy shop-test"),
        ("deploy a", "deploy all"),
        ("deploy -n d", "deploy -n default"),
        ("deploy web -n d", "deploy web -n default"),
        ("po @", "po @prod-eu"),
        ("po shop @prod-u", "po shop @prod-us"),
        ("ctx prod-u", "ctx prod-us"),
        ("ctx ", "ctx prod-eu"),
        ("ns d", "ns default"),
        ("theme l", "theme light"),
        ("deploy/ch", "deploy/checkout"),
        ("deploy/x", None),
        ("deploy shop c", None),
        ("deploy shop", None),
        ("deploy shop-test", None),
        ("deploy ", None),
        ("", None),
        (" ", None),
    ],
)
async def test_each_word_is_completed(typed: str, suggested: str | None) -> None:
    assert completed(typed, KNOWN) == suggested
    assert await CommandSuggester(KNOWN).get_suggestion(typed) == suggested
