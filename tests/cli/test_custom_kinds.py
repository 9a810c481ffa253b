"""Kinds of extensions are named on the command line as kubectl names them, on a cluster and in a recording."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kubedoctor.cli import main
from kubedoctor.sandbox import SandboxState, serve
from tests.bad_input.said import say
from tests.collect.fake_api import kubeconfig
from tests.collect.live.test_extensions import definition, widget
from tests.collect.served import make

Capture = pytest.CaptureFixture[str]
OBJECTS = [
    make("Namespace", "shop", ""),
    make("Namespace", "other", ""),
    definition("Widget"),
    widget("notready"),
    widget("distant", namespace="other"),
    definition("Zone", "Cluster"),
    widget("north", "Zone", ""),
    definition("Gadget"),
    definition("Gadget", group="tools.example"),
    widget("bent", "Gadget"),
]
OBJECTS[2]["spec"]["names"]["shortNames"] = ["wd"]
NOT_READY, DISTANT, NORTH, BENT = "Widget shop/notready", "Widget other/distant", "Zone north", "Gadget shop/bent"
FOUND = {
    "widget notready": NOT_READY,
    "widgets notready": NOT_READY,
    "Widget notready": NOT_READY,
    "wd notready": NOT_READY,
    "wd/notready": NOT_READY,
    "get widget notready": NOT_READY,
    "widgets.acme.example notready": NOT_READY,
    "widget.acme notready": NOT_READY,
    "widgets.v1.acme.example/notready": NOT_READY,
    "widgets -n shop": NOT_READY,
    "widgets.acme.example -n shop": NOT_READY,
    "widgets -A": DISTANT,
    "widget distant -n other": DISTANT,
    "widgets,zones -n shop": NORTH,
    "zones": NORTH,
    "zone north": NORTH,
    "gadgets.acme.example bent": BENT,
}
SHORT = ("wd notready", "wd/notready")
REFUSED = {
    "gadgets bent": "'gadgets' is a kind of 2 groups Say which: gadgets.acme.example, gadgets.tools.example",
    "gadget": "'gadget' is a kind of 2 groups",
    "widgett notready": "unknown kind 'widgett' Did you mean widget, widgets",
    "widget.other.example notready": "unknown kind 'widget.other.example'",
    "quux notready": "unknown kind 'quux' All commands: kubedoctor --help",
    "podd notready": "unknown kind 'podd' Did you mean pod",
    "widgett": "'widgett' is no command and no kind",
    "widget notredy": "Widget notredy not found",
    "widget/": "'widget/' has no name after the slash Write widget/NAME, or widgets for all of them",
}
BARE = "recording without definitions"
"""Where short names and the singular cannot be known, and the plural is guessed."""
PLACES = ("cluster", "recording", BARE)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[str, str]]]:
    whole, bare = (tmp_path_factory.mktemp("state") / name for name in ("whole", "bare"))
    with serve(SandboxState(OBJECTS, {}, namespace="shop")) as served:
        main(["capture", "-o", str(whole), "--kubeconfig", str(served.kubeconfig)])
        main(["capture", "-o", str(bare), "--kubeconfig", str(served.kubeconfig)])
        (bare / "objects" / "CustomResourceDefinition.json").unlink()
        places = (("--kubeconfig", str(served.kubeconfig)), ("--from", str(whole)), ("--from", str(bare)))
        yield dict(zip(PLACES, places, strict=True))


@pytest.mark.parametrize(
    ("words", "place"), [(words, place) for place in PLACES for words in FOUND if words not in SHORT or place != BARE]
)
def test_a_custom_resource_is_found_by_its_kind(
    words: str, place: str, places: dict[str, tuple[str, str]], capsys: Capture
) -> None:
    said = say(capsys, *words.split(), *places[place])
    assert FOUND[words] in said.text
    assert said.code == 3


@pytest.mark.parametrize("place", PLACES[:2])
@pytest.mark.parametrize("words", REFUSED)
def test_what_is_no_kind_or_many_is_said(
    words: str, place: str, places: dict[str, tuple[str, str]], capsys: Capture
) -> None:
    said = say(capsys, *words.split(), *places[place])
    assert REFUSED[words] in said.text
    assert said.code == 2


def test_a_recording_finds_them_by_name_alone(places: dict[str, tuple[str, str]], capsys: Capture) -> None:
    assert BENT in say(capsys, "bent", *places["recording"]).text


def test_without_a_cluster_an_unknown_kind_stays_one(tmp_path: Path, capsys: Capture) -> None:
    config = kubeconfig(tmp_path / "config", "https://127.0.0.1:9")
    said = say(capsys, "podd", "x", "--kubeconfig", config)
    assert said.code == 2
    assert "unknown kind 'podd' Did you mean pod" in said.text
    assert "Kinds of extensions cannot be looked up: https://127.0.0.1:9 refuses the connection" in said.text
