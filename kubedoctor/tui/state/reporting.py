"""The report of incidents as files: Markdown, and HTML that loads nothing. A file that exists is never touched."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path

from kubedoctor.cluster import Snapshot
from kubedoctor.cluster.seen.snapshot import UNKNOWN_TIME
from kubedoctor.engine import Report
from kubedoctor.engine.over_time import Healing
from kubedoctor.problems import Problem


def write_report(
    report: Report, snapshot: Snapshot, folder: Path, followed: Sequence[Healing] = ()
) -> tuple[Path, Path]:
    """Write both files, named after the moment of the report; returns their paths. followed: incidents whose causes were
    changed. Raises Problem."""
    from kubedoctor.handbook.report import story_html, story_markdown, story_of  # see `work.LATER`

    story = story_of(report, snapshot, followed)
    moment = f"-{report.taken_at:%Y%m%d-%H%M%S}" if report.taken_at != UNKNOWN_TIME else ""
    for number in count(1):
        name = f"kubedoctor-report{moment}{f'-{number}' if number > 1 else ''}"
        html, markdown = folder / f"{name}.html", folder / f"{name}.md"
        if html.exists() or markdown.exists():
            continue
        try:
            _write(html, story_html(story))
            _write(markdown, story_markdown(story))
        except FileExistsError:  # made by another in this moment
            continue
        except OSError as error:
            what = f"the report cannot be written to {folder}: {error.strerror or error}"
            raise Problem(what, "Start kubedoctor in a folder that can be written to.") from None
        return html, markdown
    raise AssertionError  # the numbers do not end


def _write(path: Path, text: str) -> None:
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
