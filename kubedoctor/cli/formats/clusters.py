"""The reports of several clusters as one document, in every format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kubedoctor.cli.clusters import ClusterOutcome, worst_code
from kubedoctor.cli.exit_codes import ExitCode
from kubedoctor.cli.formats.style import PLAIN, Style
from kubedoctor.cli.formats.wrapping import wrapped
from kubedoctor.cluster.grammar.text import counted, visible
from kubedoctor.findings import Severity

SCHEMA = "kubedoctor.dev/clusters/v1"


def render_clusters(
    outcomes: Sequence[ClusterOutcome],
    name: str,
    style: Style = PLAIN,
    *,
    fail_on: str = "warning",
    allow_gaps: bool = False,
) -> str:
    """The document in a format of `render`, with its last line feed; the clusters in the order that is given."""
    if name in ("json", "yaml"):
        from kubedoctor.cli.formats.document import json_text, yaml_text

        data = _data(outcomes, Severity(fail_on), allow_gaps=allow_gaps)
        return json_text(data) if name == "json" else yaml_text(data)
    if name == "junit":
        from kubedoctor.cli.formats.junit import clusters_to_junit

        return clusters_to_junit(outcomes, fail_on, allow_gaps=allow_gaps)
    if name == "sarif":
        from kubedoctor.cli.formats.sarif import clusters_to_sarif
        from kubedoctor.engine.catalogue import load_catalogue

        return clusters_to_sarif(outcomes, load_catalogue())
    if name == "name":
        return "".join(_names(outcomes))
    if name == "markdown":
        return _markdown(outcomes)
    return "\n".join(_text(outcomes, style, wide=name == "wide")) + "\n"


def summary(outcomes: Sequence[ClusterOutcome]) -> str:
    """`3 clusters: 1 with incidents, 1 without, 1 not read`."""
    read = [outcome.report for outcome in outcomes if outcome.report is not None]
    found = sum(bool(report.incidents) for report in read)
    parts = ((found, "with incidents"), (len(read) - found, "without"), (len(outcomes) - len(read), "not read"))
    return f"{counted(len(outcomes), 'cluster')}: {', '.join(f'{number} {what}' for number, what in parts if number)}"


def _data(outcomes: Sequence[ClusterOutcome], fail_on: Severity, *, allow_gaps: bool) -> dict[str, Any]:
    from kubedoctor.cli.formats.document import to_data

    codes = [outcome.code(fail_on, allow_gaps=allow_gaps) for outcome in outcomes]
    return {
        "schema": SCHEMA,
        "exit_code": int(worst_code(codes)),
        "clusters": [
            {
                "context": visible(outcome.context),
                "exit_code": int(code),
                "report": to_data(outcome.report) if outcome.report is not None else None,
                "problem": None
                if outcome.report is not None
                else {"what": visible(outcome.what), "hint": visible(outcome.hint, lines=True)},
            }
            for outcome, code in zip(outcomes, codes, strict=True)
        ],
    }


def _text(outcomes: Sequence[ClusterOutcome], style: Style, *, wide: bool) -> Iterator[str]:
    from kubedoctor.cli.formats.text import to_text

    bold, plain = ("\x1b[1m", "\x1b[0m") if style.colour else ("", "")
    yield summary(outcomes)
    for outcome in outcomes:
        yield ""
        title = f"── {visible(outcome.context)} "
        yield f"{bold}{title.ljust(style.width, '─')}{plain}"
        if outcome.report is not None:
            yield to_text(outcome.report, style, wide=wide).rstrip("\n")
            continue
        yield from wrapped(f"? not read: {visible(outcome.what)}", style.width, "", "  ")
        for line in visible(outcome.hint, lines=True).splitlines():
            yield from wrapped(line, style.width, "  ", "  ")


def _markdown(outcomes: Sequence[ClusterOutcome]) -> str:
    from kubedoctor.handbook.report.markdown import report_markdown

    parts = [f"{summary(outcomes)}\n"]
    for outcome in outcomes:
        title = f"# Cluster {visible(outcome.context)}\n"
        if outcome.report is not None:
            parts.append(f"{title}\n{_deeper(report_markdown(outcome.report, ''))}")
        else:
            parts.append(f"{title}\nNot read: {visible(outcome.what)}. {visible(outcome.hint)}\n")
    return "\n".join(parts)


def _deeper(markdown: str) -> str:
    """Its headings one level lower; lines of code stay."""
    lines, in_code = [], False
    for line in markdown.splitlines():
        in_code ^= line.lstrip().startswith("```")
        lines.append(f"#{line}" if line.startswith("#") and not in_code else line)
    return "\n".join(lines) + "\n"


def _names(outcomes: Sequence[ClusterOutcome]) -> Iterator[str]:
    """As of one cluster, after the context and a tab."""
    from kubedoctor.cli.formats.names import to_names

    for outcome in outcomes:
        if outcome.report is not None:
            yield from (f"{visible(outcome.context)}\t{line}\n" for line in to_names(outcome.report, None).splitlines())


def exit_code_of(outcomes: Sequence[ClusterOutcome], fail_on: str, *, allow_gaps: bool) -> ExitCode:
    """The worst of the clusters."""
    return worst_code(outcome.code(Severity(fail_on), allow_gaps=allow_gaps) for outcome in outcomes)
