"""The change that lets a DaemonSet run on nodes with a taint."""

from __future__ import annotations

from kubedoctor.cluster.changes import put
from kubedoctor.cluster.kinds.apps import DaemonSet
from kubedoctor.cluster.kinds.core import Taint
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.findings.commands import command_line
from kubedoctor.findings.model import Effect, Fix
from kubedoctor.replay.scheduler.plugins.taint_toleration import taint_text


def tolerate(daemon_set: DaemonSet, taint: Taint) -> Fix:
    """A toleration of the taint, whatever its value."""
    value = {"key": taint.key, "operator": "Exists", "effect": taint.effect}
    line = command_line(put(ref(daemon_set), ("spec", "template", "spec", "tolerations", "-"), value), daemon_set)
    return Fix(f"If these nodes need it, add a toleration for {taint_text(taint)}", line, Effect.DISRUPTS)
