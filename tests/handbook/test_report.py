"""The report as a page: what it holds, that it loads nothing, and that text of the cluster has no effect in it."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from kubedoctor.cluster import Evidence, Ref, Source
from kubedoctor.cluster.kinds.core import Event
from kubedoctor.cluster.kinds.meta import ObjectMeta, ObjectReference
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.seen.snapshot import UNKNOWN_TIME, Snapshot
from kubedoctor.engine import Incident, NotChecked, Report, Unexplained
from kubedoctor.findings import Command, Fix
from kubedoctor.handbook.report import story_html, story_markdown, story_of
from kubedoctor.handbook.report.picture import cause_picture
from kubedoctor.handbook.report.story import MOST_ENTRIES, tree
from kubedoctor.sandbox import recording_path
from tests.cli.recordings import OOM
from tests.cli.test_formats import FULL, HOSTILE, STARTING, finding, id_of, report
from tests.cli.test_run import Capture, run

NOW = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
POD = Ref("Pod", "shop", "checkout-1")


def seen(*objects: Any) -> Snapshot:
    snapshot = Snapshot(NOW, Source("live", "prod"), complete=True)
    snapshot.add(objects)
    return snapshot


def pages(one: Report, snapshot: Snapshot | None = None) -> dict[str, str]:
    story = story_of(one, snapshot or seen())
    return {"html": story_html(story), "markdown": story_markdown(story)}


class Elements(HTMLParser):
    """Elements and attributes; everything that is opened is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in ("meta", "wbr", "br", "path", "rect", "circle", "line"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("path", "rect", "circle", "line"):
            assert self.open.pop() == tag


def test_the_page_says_all_that_the_report_says() -> None:
    for text in pages(FULL).values():
        plain = re.sub(r"<wbr>|\\", "", text)
        for part in (
            "Deployment shop/checkout",
            "128Mi",
            "It was killed 47 times.",
            "raise the limit",
            "verified",
            "kubectl set resources deploy/checkout -n shop --limits=memory=256Mi",
            "4m before: rollout 12 → 13: limits.memory 512Mi → 256Mi",
            "status.containerStatuses[name=app].lastState.terminated.exitCode",
            "137",
            "Service shop/checkout",
            "restarts pods",
            "list events is forbidden",
            "list deployments in kube-system is forbidden",
            "spec is unreadable",
            "FailedGetResourceMetric",
            "somebody drains it",
            "v1.37.2",
        ):
            assert part in plain, part


def test_the_html_loads_nothing_and_runs_nothing() -> None:
    for one in (FULL, report(), report(not_ready=STARTING), report(taken_at=UNKNOWN_TIME)):
        html = pages(one)["html"]
        elements = Elements(html)
        assert not elements.open
        assert not elements.names & {
            "script",
            "link",
            "img",
            "iframe",
            "object",
            "embed",
            "base",
            "form",
            "use",
            "image",
        }
        assert not [
            name for name, _ in elements.attributes if name.startswith("on") or name in ("src", "style", "srcset")
        ]
        assert all(value.startswith("#") for name, value in elements.attributes if name in ("href", "xlink:href"))
        assert "default-src 'none'" in html
        assert "url(" not in html
        assert "@import" not in html
        assert "prefers-color-scheme:dark" in html


def test_text_of_the_cluster_is_shown_and_not_obeyed() -> None:
    markup = f"{HOSTILE}\"'></text></svg><img src=x onerror=alert(1)>&amp;<!--"
    name = Ref("Pod", "shop", markup)
    event = Event(
        metadata=ObjectMeta(name="e", namespace="shop"),
        involved_object=ObjectReference(kind="Pod", namespace="shop", name=markup),
        reason=markup,
        message=markup,
        type="Warning",
        last_timestamp=NOW,
    )
    pod = Pod(metadata=ObjectMeta(name=markup, namespace="shop", creation_timestamp=NOW - timedelta(hours=1)))
    hostile = report(
        finding(
            1,
            about=name,
            summary=markup,
            detail=markup,
            evidence=(Evidence(name, markup, markup, markup),),
            fixes=(Fix(markup, markup),),
            commands=(Command(markup, markup),),
            gaps=(markup,),
            affects=(name,),
        ),
        finding(2, about=name, summary=markup),
        incidents=(Incident(id_of(1), (id_of(2),), (id_of(1),)),),
        source=Source("live", markup, markup),
        namespaces=(markup,),
        subject=None,
        not_checked=(NotChecked(markup, None, markup),),
        problems=(markup,),
        unexplained=(Unexplained(name, markup, (Evidence(name, markup, markup, markup),)),),
    )
    made = pages(hostile, seen(pod, event))
    for text in made.values():
        assert not set(text) & {"\x1b", "\x07", "\u202e", "\r"}
    elements = Elements(made["html"])
    assert not elements.names & {"img", "script"}
    assert not [one for one, _ in elements.attributes if one.startswith("on")]
    for picture in re.findall(r"<svg.*?</svg>", made["html"], re.DOTALL):
        ElementTree.fromstring(picture)
    assert made["html"].count("<svg") == made["html"].count("</svg>") >= 1


def chain(number: int) -> Report:
    """1 causes `number` others that say the same, the first of which causes another."""
    others = [
        finding(at, code="KD9002", summary="no room", about=Ref("Pod", "shop", f"p{at}")) for at in range(2, 2 + number)
    ]
    last = finding(900, code="KD9003")
    return report(
        finding(1),
        *others,
        last,
        incidents=(
            Incident(id_of(1), (*(one.id for one in others), last.id), (*(id_of(1) for _ in others), others[0].id)),
        ),
    )


def test_what_says_the_same_below_one_cause_is_one_box() -> None:
    one = chain(180)
    (root,) = tree(one.incidents[0], one)
    assert [(len(node.names), node.depth) for node in root] == [(1, 0), (180, 1), (1, 2)]
    picture = cause_picture((root,))
    assert "shop/p2 and 179 more" in picture
    assert picture.count("<rect") == 6
    assert cause_picture(tree(Incident(id_of(1)), one)) == ""


def test_causes_alike_lead_together() -> None:
    one = report(
        finding(1),
        finding(2, code="KD9001", about=Ref("Deployment", "shop", "web")),
        finding(3, code="KD9003"),
        incidents=(Incident(id_of(1), (id_of(3),), (id_of(2),), (id_of(2),)),),
    )
    (root,) = tree(one.incidents[0], one)
    assert [(len(node.names), node.depth) for node in root] == [(2, 0), (1, 1)]


def events(number: int) -> list[Event]:
    return [
        Event(
            metadata=ObjectMeta(name=f"e{at}", namespace="shop"),
            involved_object=ObjectReference(kind="Pod", namespace="shop", name=POD.name),
            reason="Odd",
            message=f"number {at}",
            type="Warning",
            last_timestamp=NOW - timedelta(minutes=at),
        )
        for at in range(number)
    ]


def test_the_timeline_keeps_what_is_near_the_beginning() -> None:
    pod = Pod(metadata=ObjectMeta(name=POD.name, namespace="shop"))
    (one,) = story_of(report(finding(1, about=POD)), seen(pod, *events(100))).incidents
    assert (len(one.timeline), one.left_out) == (MOST_ENTRIES, 60)
    assert one.timeline[-1].at == NOW
    assert list(one.timeline) == sorted(one.timeline, key=lambda entry: entry.at)
    html = pages(report(finding(1, about=POD)), seen(pod, *events(100)))["html"]
    assert "60 entries farther from the beginning left out" in html
    assert "number 0" in html


def test_the_same_input_gives_the_same_bytes() -> None:
    assert pages(FULL) == pages(FULL)


@pytest.mark.parametrize("name", ["report.html", "report.md", "REPORT.HTM"])
def test_the_command_writes_the_file(name: str, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / name
    for words in ((), ("deploy", "checkout"), ("pods", "-n", "shop"), ("checkout-797c86bfff-q29bm",)):
        code, out, err = run(capsys, "report", *words, "--from", OOM, "-o", str(path))
        assert (code, out) == (1, "")
        assert err.startswith(f"{path}: ")
        assert "1 incident" in err
        assert "OOMKilled" in path.read_text(encoding="utf-8")
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_what_is_suppressed_stands_in_the_page(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "c.yaml").write_text("suppressions:\n- {code: KD1005, until: 2099-01-01, reason: being repaired}\n")
    path = tmp_path / "r.html"
    code, _, err = run(capsys, "report", "--from", OOM, "-o", str(path), "--config", str(tmp_path / "c.yaml"))
    assert code == 0
    assert "1 suppressed" in err
    assert "being repaired" in path.read_text()


def test_no_secret_of_the_cluster_is_in_the_page(tmp_path: Path, capsys: Capture) -> None:
    state = json.loads(recording_path("oom-killed").read_text())
    pod = next(
        one for one in state["objects"] if one["kind"] == "Pod" and one["metadata"]["name"].startswith("checkout")
    )
    pod["spec"]["containers"][0]["env"] = [{"name": "DB_PASSWORD", "value": "hunter2-hunter2"}]
    pod["metadata"]["annotations"] = {"api-token": "hunter2-hunter2"}
    (tmp_path / "s.json").write_text(json.dumps(state))
    for name in ("r.html", "r.md"):
        run(capsys, "report", "--from", str(tmp_path / "s.json"), "-o", str(tmp_path / name))
        assert "hunter2" not in (tmp_path / name).read_text()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "report needs -o"),
        (("-o", "-"), "report cannot write to standard output"),
        (("-o", "report.pdf"), "report cannot write report.pdf\n  Name a file that ends with .html or .md"),
        (("-o", "nowhere/report.html"), "no folder nowhere"),
        (("-o", "other.html"), "other.html exists and is no report of kubedoctor"),
        (("-o", "r.html", "-l", "a=b"), "-l needs a kind"),
        (("-o", "r.html", "deploy", "chekout"), "did you mean checkout"),
        (("-o", "r.html", "deploy"), ""),
        (("-o", "r.html", "-n", "nowhere"), "namespace nowhere not found"),
    ],
)
def test_bad_input(
    words: tuple[str, ...], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.html").write_text("<p>mine</p>")
    code, out, err = run(capsys, "report", *words, "--from", OOM)
    assert (code, out) == (2 if sentence else 1, "")
    assert sentence in err
    assert (tmp_path / "other.html").read_text() == "<p>mine</p>"


FOREIGN = {
    "README.md": "# Tools\n\nWe use kubedoctor.\n",
    "notes.md": "mine\n<!-- generator: kubedoctor 0.1.0 -->\n",
    "page.html": '<!doctype html>\n<html lang="en">\n<head>\n<title>kubedoctor</title>\n'
    '<meta name="generator" content="kubedoctor 0.1.0">\n',
    "made.html": '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="generator" content="Hugo 0.1 for kubedoctor 1">\n',
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_that_only_speaks_of_kubedoctor_is_not_replaced(name: str, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / name
    path.write_text(FOREIGN[name])
    code, _, err = run(capsys, "report", "--from", OOM, "-o", str(path))
    assert code == 2
    assert "exists and is no report of kubedoctor" in err
    assert path.read_text() == FOREIGN[name]


def test_a_page_whose_first_elements_came_in_another_order_is_a_report(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "r.html"
    path.write_text(
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="generator" content="kubedoctor 0.0.9">\n'
    )
    assert run(capsys, "report", "--from", OOM, "-o", str(path))[0] == 1
    (tmp_path / "empty.md").touch()
    assert run(capsys, "report", "--from", OOM, "-o", str(tmp_path / "empty.md"))[0] == 1


def test_who_may_read_the_file_stays_and_a_link_stays_a_link(tmp_path: Path, capsys: Capture) -> None:
    path, link = tmp_path / "kept" / "r.md", tmp_path / "latest.md"
    path.parent.mkdir()
    link.symlink_to(path)
    before = os.umask(0o027)
    try:
        run(capsys, "report", "--from", OOM, "-o", str(link))
        assert path.stat().st_mode & 0o777 == 0o640
        path.chmod(0o604)
        run(capsys, "report", "--from", OOM, "-o", str(link))
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o604
    assert link.is_symlink()
    assert [one.name for one in path.parent.iterdir()] == ["r.md"]


@pytest.mark.parametrize("name", ["sel.html", "sel.md"])
def test_a_page_about_a_list_says_what_was_examined(name: str, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / name
    said = run(capsys, "svc", "-n", "shop", "--from", OOM)[1].splitlines()[0]
    assert re.match(r"\S* ?\d+ services in namespace shop: ", said)
    _, _, err = run(capsys, "report", "svc", "-n", "shop", "--from", OOM, "-o", str(path))
    assert err == f"{path}: {said}\n"
    text = path.read_text()
    assert text.count(said) == (2 if name.endswith("html") else 1)
