"""What is typed after `:`."""

from __future__ import annotations

import re

import pytest

from kubedoctor.cluster.kinds.resources import ResourceKind
from kubedoctor.tui.commands import CommandError, Help, Quit, Show, Theme, UseContext, completions, parse


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("po", Show("Pod")),
        (":po", Show("Pod")),
        ("PODS", Show("Pod")),
        ("deploy shop", Show("Deployment", "shop")),
        ("deploy -n shop", Show("Deployment", "shop")),
        ("deploy all", Show("Deployment", "")),
        ("po shop /web", Show("Pod", "shop", "web")),
        ("po -l app=web shop", Show("Pod", "shop", "-l app=web")),
        ("ns", Show("Namespace")),
        ("ns shop", Show("", "shop")),
        ("ns all", Show("", "")),
        ("netpol", Show("NetworkPolicy")),
        ("deployments.apps", Show("Deployment")),
        ("workloads", Show("")),
        ("", Show("")),
        ("findings", Show("Finding")),
        ("ctx", Show("Context")),
        ("ctx prod", UseContext("prod")),
        ("theme light", Theme("light")),
        ("theme", Theme("")),
        ("?", Help()),
        ("q", Quit()),
        ("quit", Quit()),
    ],
)
def test_commands(typed: str, meant: object) -> None:
    assert parse(typed) == meant


def test_a_misspelt_kind_names_the_nearest() -> None:
    with pytest.raises(CommandError, match=r"Unknown command or kind 'deploymnt'.*:deployment"):
        parse("deploymnt")


@pytest.mark.parametrize("typed", ["zzzzqq", "nonsense"])
def test_a_word_like_nothing_points_to_the_help(typed: str) -> None:
    with pytest.raises(CommandError, match=f"'{typed}'.*for the commands"):
        parse(typed)


def test_completions_are_shortest_first() -> None:
    assert completions("dep")[0] == "deploy"
    assert "theme" in completions("")


def extension(kind: str, group: str, *short_names: str) -> ResourceKind:
    word = kind.lower()
    return ResourceKind(f"{kind}.{group}", group, "v1", f"{word}s", word, True, short_names)


EXTENSIONS = (extension("Widget", "acme.example", "wd"), extension("Pump", "a.example"), extension("Pump", "b.example"))


@pytest.mark.parametrize("typed", ["widgets", "widget", "Widget", "wd", "widgets.acme.example", "widget.acme"])
def test_kinds_of_extensions_are_shown(typed: str) -> None:
    assert parse(typed, EXTENSIONS) == Show("Widget.acme.example")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("pumps", "'pumps' is a kind of 2 groups: :pumps.a.example, :pumps.b.example"),
        ("widgett", "Unknown command or kind 'widgett'. Did you mean :widgets?"),
    ],
)
def test_what_is_no_kind_of_an_extension_is_said(typed: str, said: str) -> None:
    with pytest.raises(CommandError, match=re.escape(said)):
        parse(typed, EXTENSIONS)
