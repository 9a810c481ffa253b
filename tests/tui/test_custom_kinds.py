"""The terminal interface sees kinds of extensions: those with objects are followed, the others listed again."""

from __future__ import annotations

import json
import time

import pytest

from kubedoctor.engine import load_catalogue
from kubedoctor.tui import extensions
from kubedoctor.tui.rows import View
from kubedoctor.tui.session import Session
from tests.collect.live.test_extensions import GROUP, WIDGETS, definition, widget
from tests.collect.served import live


def test_the_terminal_interface_sees_them_and_follows_those_that_exist() -> None:
    with live(objects=WIDGETS) as (source, sandbox):
        session = Session(source, load_catalogue())
        session.load_for_diagnosis("shop")
        report = session.scan("shop")
        assert [str(one.about) for one in report.unexplained] == [f"Widget.{GROUP}/shop/w1"]
        session.watch("shop", lambda _: None)
        try:
            ends = time.monotonic() + 5
            while time.monotonic() < ends and not any(
                request.path.endswith("widgets") and "watch" in json.dumps(request.query)
                for request in sandbox.requests
            ):
                time.sleep(0.01)
            assert time.monotonic() < ends
        finally:
            session.close()


def test_kinds_that_are_not_followed_are_listed_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extensions, "MOST_WATCHED", 0)
    with live(objects=[*WIDGETS, definition("Gadget")]) as (source, sandbox):
        session = Session(source, load_catalogue())
        session.load_for_diagnosis("shop")
        session.watch("shop", lambda _: None)
        try:
            sandbox.put(widget("w2"))
            sandbox.put(widget("g1", "Gadget"))
            session.load_for_diagnosis("shop")
            assert len(session.scan("shop").unexplained) == 1, "the lists are still used"
            monkeypatch.setattr(extensions, "LASTS", 0.0)
            session.load_for_diagnosis("shop")
            assert {item.about.name for item in session.scan("shop").unexplained} == {"w1", "w2", "g1"}
        finally:
            session.close()


def test_a_kind_that_is_followed_is_not_listed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extensions, "LASTS", 0.0)
    with live(objects=[*WIDGETS, definition("Gadget")]) as (source, sandbox):
        session = Session(source, load_catalogue())
        session.load_for_diagnosis("shop")
        session.watch("shop", lambda _: None)
        try:
            before = len(sandbox.requests)
            session.load_for_diagnosis("shop")
            asked = [request.path for request in list(sandbox.requests)[before:] if "watch" not in request.query]
            lists = [path.rpartition("/")[2] for path in asked if GROUP in path]
            assert lists.count("gadgets") == 1
            assert lists.count("widgets") <= 1, "by the watch itself"
        finally:
            session.close()


def test_the_rows_of_a_kind_have_an_age_and_those_of_no_namespace_too() -> None:
    objects = [*WIDGETS, definition("Zone", "Cluster"), widget("north", "Zone", "")]
    with live(objects=objects) as (source, _):
        session = Session(source, load_catalogue())
        assert not session.extensions.kinds
        session.load_for_diagnosis("shop")
        assert [kind.plural for kind in session.extensions.kinds] == ["widgets", "zones"]
        report = session.scan("shop")
        shown = {"": "w1", f"Widget.{GROUP}": "w1", f"Zone.{GROUP}": "north"}
        for kind, name in shown.items():
            rows = session.rows(View(kind, "shop"), report, "health")
            assert [row.created is not None for row in rows if row.ref.name == name] == [True]
        session.close()
