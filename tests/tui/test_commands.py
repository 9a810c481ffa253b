"""What is typed after `:`."""

from __future__ import annotations

import pytest

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


def test_a_word_like_nothing_points_to_the_help() -> None:
    with pytest.raises(CommandError, match=r"'zzzzqq'.*for the commands"):
        parse("zzzzqq")


def test_completions_are_shortest_first() -> None:
    assert completions("dep")[0] == "deploy"
    assert "theme" in completions("")
