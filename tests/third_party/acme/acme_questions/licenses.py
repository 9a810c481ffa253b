"""Which Licenses are there?"""

from __future__ import annotations

from kubedoctor.answers import Cell, Choices, Conclusion, Sheet, SheetRow, Table, question
from kubedoctor.cluster import Cluster, Ref, ref


@question(help="the Licenses of a namespace")
def licenses(subject: Ref, _: Choices, cluster: Cluster) -> Sheet:
    found = cluster.custom("License", "acme.example", subject.name)
    rows = tuple(SheetRow((Cell(one.metadata.name),), ref(one)) for one in found)
    title = f"Namespace {subject.name}" if subject.name else "All namespaces"
    return Sheet(title, f"has {len(rows)} Licenses", Conclusion.WELL, tables=(Table(("license",), rows),))
