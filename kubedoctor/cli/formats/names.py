"""The objects that have findings, as `kubectl -o name` prints objects."""

from __future__ import annotations

from kubedoctor.cli.listing import Listing, names_with_findings
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.engine.report import Report


def to_names(report: Report, listing: Listing | None) -> str:
    """A line for each object, worst first; nothing where nothing was found."""
    return "".join(f"{visible(_resource(name))}\n" for name in names_with_findings(report, listing))


def _resource(name: Ref) -> str:
    """`pod/web-1`, `deployment.apps/web`."""
    row = kind_named(name.kind)
    kind, _, group = (row.kind, "", row.group) if row is not None else name.kind.partition(".")
    return f"{kind.lower()}{'.' if group else ''}{group}/{name.name}"
