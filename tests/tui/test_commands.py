"""What is typed after `:`."""

from __future__ import annotations

import re

import pytest

from kubedoctor.cluster import Ref
from kubedoctor.cluster.kinds.resources import ResourceKind
from kubedoctor.tui.commands import Ask, CommandError, Help, Lesson, Quit, Show, Theme, UseContext, completions, parse
from kubedoctor.tui.rows import View
from kubedoctor.tui.screens.places import place_of
from tests.tui.recordings import recorded


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
        ("po app=web,tier!=db shop", Show("Pod", "shop", "-l app=web,tier!=db")),
        ("po /-f chk", Show("Pod", None, "-f chk")),
        ("po @prod", Show("Pod", context="prod")),
        ("deploy/web shop @prod", Show("Deployment", "shop", name="web", context="prod")),
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
        ("deploy/checkout", Show("Deployment", name="checkout")),
        ("deploy/checkout shop", Show("Deployment", "shop", name="checkout")),
        ("explain OOMKilled", Lesson("OOMKilled")),
        ("matrix", Ask("connectivity")),
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


@pytest.mark.parametrize("typed", ["q x", "help x", "theme light x", "ctx prod x", "ns shop x", "po shop x"])
def test_a_word_too_many_is_refused(typed: str) -> None:
    with pytest.raises(CommandError, match=r"Unexpected argument: x\."):
        parse(typed)


@pytest.mark.parametrize(
    ("typed", "current", "place"),
    [
        ("deploy shop", "", (View("Deployment", "shop"), "", None)),
        ("deploy/checkout", "", (View("Deployment"), "", Ref("Deployment", "shop", "checkout"))),
        ("deploy checkout", "shop", (View("Deployment", "shop"), "", Ref("Deployment", "shop", "checkout"))),
        ("wk/check", "shop", (View("", "shop"), "check", None)),
    ],
)
def test_a_command_leads_to_a_namespace_or_to_an_object(typed: str, current: str, place: object) -> None:
    command = parse(typed)
    assert isinstance(command, Show)
    assert place_of(command, current, recorded("oom-killed")) == place


@pytest.mark.parametrize(
    ("typed", "said"),
    [("ns zzz", "no namespace zzz"), ("pods zzz", "no namespace zzz"), ("deploy/zzz", "no Deployment zzz")],
)
def test_what_does_not_exist_is_said(typed: str, said: str) -> None:
    command = parse(typed)
    assert isinstance(command, Show)
    with pytest.raises(CommandError, match=said):
        place_of(command, "shop", recorded("oom-killed"))


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
