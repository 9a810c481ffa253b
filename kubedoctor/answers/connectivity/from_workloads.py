"""Who of a namespace, or of all of them, reaches B: the answer for each workload in a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from kubedoctor.answers.connectivity.everywhere import standing_for_workloads
from kubedoctor.answers.reach.destination import parse_destination
from kubedoctor.answers.reach.reach_sheet import reach_sheet
from kubedoctor.answers.sheet import Cell, Conclusion, Mark, Sheet, SheetRow, Table
from kubedoctor.cluster.grammar.text import counted, listed
from kubedoctor.cluster.kinds.core import Namespace, Service
from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.problems import NoSuchObject, UsageProblem
from kubedoctor.replay.services.hosts import is_address

_EVERYONE: Final = "every workload"


def from_workloads(namespace: str, text: str, cluster: Cluster, *, everywhere: bool) -> Sheet:
    """namespace: of the workloads, empty for all; with `everywhere` only the one where the name of B is looked up."""
    everywhere = everywhere or not namespace
    cluster.require(Pod, Namespace, NetworkPolicy)
    names = sorted(standing_for_workloads(cluster))
    if everywhere:
        return _from_everywhere(names, _in_full(text, namespace, cluster), text, cluster)
    names = [name for name in names if name.namespace == namespace]
    if not names:
        raise NoSuchObject(f"Namespace {namespace} has no pods that connect", "", ())
    sheets = [(name, reach_sheet(name, text, cluster)) for name in names]
    by = {
        conclusion: [sheet for _, sheet in sheets if sheet.conclusion is conclusion]
        for conclusion in (Conclusion.TROUBLE, Conclusion.UNKNOWN, Conclusion.WELL)
    }
    worst = next(conclusion for conclusion, found in by.items() if found)
    deciding = by[worst][0]
    rows = [SheetRow((Cell(name.title), Cell(sheet.verdict, sheet.conclusion.mark)), name) for name, sheet in sheets]
    return Sheet(
        title=f"Namespace {namespace} → {text}",
        verdict=_verdict(worst, by[worst], sheets),
        conclusion=worst,
        tables=(Table(("from", "result"), tuple(rows)),),
        chain=deciding.chain,
        fixes=tuple(dict.fromkeys(fix for _, sheet in sheets for fix in sheet.fixes)),
        next=deciding.next,
        gaps=tuple(dict.fromkeys(gap for _, sheet in sheets for gap in sheet.gaps)),
        data={"source": Ref("Namespace", "", namespace), "destination": text, "sources": [s.data for _, s in sheets]},
    )


def _verdict(worst: Conclusion, found: Sequence[Sheet], sheets: Sequence[tuple[Ref, Sheet]]) -> str:
    same = {sheet.verdict for sheet in found}
    if len(found) == len(sheets) and len(same) == 1:
        return next(iter(same))
    total = counted(len(sheets), "workload")
    if worst is Conclusion.WELL:
        return f"each of {total} reaches it"
    what = "does not reach it" if worst is Conclusion.TROUBLE else "is not known to reach it"
    verb = what if len(found) == 1 else what.replace("does", "do").replace("is ", "are ")
    return (
        f"{len(found)} of {total} {verb}: {found[0].verdict.rpartition(': ')[2] if len(same) == 1 else 'see the table'}"
    )


def _from_everywhere(names: Sequence[Ref], text: str, asked: str, cluster: Cluster) -> Sheet:
    """The hops up to the target are those of any pod; which policies let whom pass is in the table."""
    if not names:
        raise NoSuchObject("there are no pods that connect", "", ())
    sheet = reach_sheet(names[0], text, cluster, everywhere=True)
    title = f"{_EVERYONE} → {asked}"
    table = next((row for row in sheet.tables if row.columns[0] == "from"), None)
    if table is None:
        return msgspec.structs.replace(sheet, title=title)
    passing = [row for row in table.rows if all(cell.mark is not Mark.NO for cell in row.cells)]
    verdict = f"policies let {len(passing)} of {counted(len(table.rows), 'workload')} connect"
    data = {"destination": asked, "sources": [{"source": r.about, "reaches": r in passing} for r in table.rows]}
    return msgspec.structs.replace(
        sheet,
        title=title,
        verdict=verdict,
        conclusion=Conclusion.ACCOUNT,
        tables=(table,),
        chain=(),
        fixes=(),
        next=(),
        data=data,
    )


def _in_full(text: str, namespace: str, cluster: Cluster) -> str:
    """With the namespace where the name is looked up: each source would look a short name up in its own. Raises UsageProblem
    where several namespaces have it and none was chosen."""
    end = parse_destination(text)
    if "." in end.host or is_address(end.host) or end.kind not in ("", "Service"):
        return text
    places = sorted(row.namespace for row in cluster.maybe.all(Service) if row.name == end.host)
    if not namespace and len(places) > 1:
        raise UsageProblem(
            f"Service {end.host} exists in namespaces {listed(places, 5)}",
            f"Write {end.host}.NAMESPACE, or -n NAMESPACE",
        )
    place = namespace or next(iter(places), "")
    return text.replace(end.host, f"{end.host}.{place}", 1) if place else text
