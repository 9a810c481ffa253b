"""What the operator of a custom resource is known to do about it: whether it runs, and what its log says."""

from __future__ import annotations

import msgspec

from kubedoctor.cluster.grammar.text import visible_end
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.operators import CLEAR, operator_container, operator_pod
from kubedoctor.cluster.seen.quoting import Evidence
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import ready
from kubedoctor.findings import Command, look_at_log, quote_line
from kubedoctor.replay.logs.log_lines import parse_line
from kubedoctor.replay.logs.naming import failure_of

LONGEST_LINE = 240


class OperatorView(msgspec.Struct, frozen=True):
    """What the operator of an object says. `message`: of its newest error about the object; empty where its log has
    none. `unready`: it is not ready, so that it handles nothing."""

    pod: Pod
    workload: Ref
    unready: bool
    message: str = ""
    evidence: tuple[Evidence, ...] = ()
    commands: tuple[Command, ...] = ()


def operator_view(obj: CustomResource, cluster: Cluster) -> OperatorView | None:
    """None where no operator of the kind is seen. Of a log only lines about this object count."""
    found = operator_pod(obj, cluster)
    if found is None:
        return None
    pod, workload = found.pod, ref(found.workload)
    if not ready(pod):
        return OperatorView(pod, workload, unready=True) if found.score >= CLEAR else None
    container = operator_container(pod)
    look = (look_at_log(pod, container, previous=False, why="what its operator does"),)
    tail = cluster.log_tail(pod, container)
    index = failure_of(tail.lines, obj.namespace, obj.name, obj.metadata.uid) if tail is not None else None
    if tail is None or index is None:
        return OperatorView(pod, workload, unready=False, commands=look)
    message = visible_end(" ".join(parse_line(tail.lines[index]).message.split()), LONGEST_LINE)
    line = quote_line(tail, index, "the newest error of its operator about it")
    return OperatorView(pod, workload, False, message, (line,), look)


def operator_words(view: OperatorView | None) -> str:
    """What follows a summary; empty where nothing is known."""
    if view is None:
        return ""
    if view.unready:
        return f"; its operator, {view.workload.title}, is not ready"
    return f"; the log of its operator says: {view.message}" if view.message else ""
