"""What a person has written for the screens."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.engine import load_catalogue
from kubedoctor.tui.app import KubedoctorApp
from kubedoctor.tui.home.columns_screen import ColumnsScreen
from kubedoctor.tui.session import Session
from kubedoctor.tui.state.choices import KeptChoices
from kubedoctor.tui.state.own_settings import FILE_NAME, OwnSettings, OwnView, read_own_settings
from tests.tui.recordings import command
from tests.tui.running import heard, running
from tests.tui.served.test_served_columns import OBJECTS, lines
from tests.tui.test_live import until


def written(folder: Path, text: str) -> OwnSettings:
    (folder / FILE_NAME).write_text(text)
    return read_own_settings(folder / "tui.json")


def test_without_a_file_nothing_is_set(tmp_path: Path) -> None:
    assert read_own_settings(tmp_path / "tui.json") == read_own_settings(None) == OwnSettings()


def test_aliases_stand_for_the_first_word(tmp_path: Path) -> None:
    own = written(tmp_path, "aliases: {pp: po shop}")
    assert [own.expanded(text) for text in ("pp", ":pp /web", "ppp", "po pp", "")] == [
        "po shop",
        "po shop /web",
        "ppp",
        "po pp",
        "",
    ]


def test_views_are_found_by_the_words_of_kubectl(tmp_path: Path) -> None:
    own = written(tmp_path, "views: {po: {columns: [NAME, 'Team:.metadata.labels.team']}, widgets: {sort: -Size}}")
    pods = OwnView(("NAME", "Team:.metadata.labels.team"))
    assert own.view_of("Pod") == pods
    assert (pods.titles, pods.paths) == (("NAME", "TEAM"), {"TEAM": ".metadata.labels.team"})
    assert own.view_of("Widget.acme.example") == OwnView(sort="-Size")
    assert own.view_of("Service") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("views: {po: {columns: NAME}}\naliases: {a: po}", "views.po: Expected `array`"),
        ("views: {po: {colums: [NAME]}}\naliases: {a: po}", "unknown field `colums`"),
        ("hotkeys: [f6]\naliases: {a: po}", "hotkeys must be a mapping"),
        ("plugins: {}\naliases: {a: po}", "plugins is unknown"),
        ("aliases: {a: po, b: [1]}", "aliases.b: Expected `str`"),
    ],
)
def test_what_cannot_be_used_is_said_and_the_rest_is_kept(tmp_path: Path, text: str, said: str) -> None:
    own = written(tmp_path, text)
    assert said in " ".join(own.problems)
    assert own.aliases == {"a": "po"}


@pytest.mark.parametrize("text", ["a: [", "- po", "\x00", "!!python/object:os.system x"])
def test_a_file_that_cannot_be_read_is_said(tmp_path: Path, text: str) -> None:
    own = written(tmp_path, text)
    assert len(own.problems) == 1
    assert FILE_NAME in own.problems[0]


async def test_the_screens_obey_it(tmp_path: Path) -> None:
    file = tmp_path / "objects.json"
    file.write_bytes(msgspec.json.encode({"apiVersion": "v1", "kind": "List", "items": OBJECTS}))
    own = OwnSettings(
        aliases={"www": "po shop"},
        hotkeys={"f7": "widgets", "j": "po"},
        views={
            "po": OwnView(("cpu", "APP:.metadata.labels.app", "name"), "-CPU"),
            "widgets": OwnView(("SIZE", "OF:.spec.size"), "-size"),
        },
    )
    app = KubedoctorApp(lambda: Session(open_source(Options(from_=(str(file),))), load_catalogue()), None)
    app.use(KeptChoices(), own)
    async with running(app, (160, 30)) as (pilot, screen):
        await command(pilot, app, "www")
        await until(lambda: lines(screen)[0].split()[:3] == ["CPU↑", "APP", "NAME"])
        await until(lambda: [row.ref.name for row in screen.rows] == ["web-2", "web-1"])
        assert lines(screen)[2].split()[1:] == ["252m", "web", "web-1"]
        await pilot.press("ctrl+w")
        await until(lambda: "RESTARTS" in lines(screen)[0])
        assert lines(screen)[0].split()[:3] == ["CPU↑", "APP", "NAME"], "its own columns stay the first"
        await pilot.press("ctrl+w", "f7")
        await until(lambda: lines(screen)[0].split() == ["NAME", "SIZE↑", "OF"])
        assert lines(screen)[1].split()[2:] == ["w3", "9", "9"]
        said = heard(screen)
        ColumnsScreen.on_mount(screen)
        assert f"{FILE_NAME}: hotkeys.j: this key has a meaning already." in said
