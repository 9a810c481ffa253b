"""A workload whose template names the node itself, so that its pods go back to a node that has ended them."""

from __future__ import annotations

from typing import NamedTuple

from kubedoctor.cluster import Cluster, template_of, template_path
from kubedoctor.cluster.changes import drop
from kubedoctor.findings import Effect, Evidence, Fix, Ref, command_line, quote

_FIELD = "nodeName"


class Pinned(NamedTuple):
    """clause: for the summary."""

    clause: str
    fix: Fix
    evidence: Evidence


def pinned_by_template(about: Ref, cluster: Cluster) -> Pinned | None:
    """None for a pod without a workload: every pod that runs has a nodeName."""
    workload = cluster.maybe.get_ref(about) if about.kind != "Pod" else None
    template = template_of(workload) if workload is not None else None
    if workload is None or template is None or not template.spec.node_name:
        return None
    path, node = template_path(workload), template.spec.node_name
    line = command_line(drop(about, (*path.split("."), _FIELD)), workload)
    return Pinned(
        f"; its template sets nodeName {node}, so each new pod goes there past the scheduler",
        Fix(
            f"Remove nodeName from the template of {about.title}, so that the scheduler chooses a node that has room",
            line,
            Effect.DISRUPTS if line else Effect.CHANGES,
        ),
        quote(workload, f"{path}.{_FIELD}", "each pod is bound to this node without the scheduler"),
    )
