"""What authors of diagnostics use."""

from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.seen.quoting import Evidence, has_path, quote
from kubedoctor.findings.commands import (
    RESTARTABLE,
    SETTABLE,
    command_line,
    container_change,
    container_command,
    delete_by_force,
    edit_command,
    fix_by_hand,
    is_recreated,
    kubectl,
    look_at,
    look_at_log,
    look_at_pod,
    own_command,
    resize_command,
    restart,
    roll_back,
    rollout,
)
from kubedoctor.findings.containers import (
    ContainerWithStatus,
    active,
    containers_with_status,
    in_container,
    quote_status,
    waiting_containers,
)
from kubedoctor.findings.deletions import finalizers_in_words, remove_finalizers
from kubedoctor.findings.diagnostic import HEADINGS, Diagnostic, Explains, diagnostic
from kubedoctor.findings.events import newest_event
from kubedoctor.findings.logs import quote_line, quote_measured
from kubedoctor.findings.model import Command, Confidence, Effect, Finding, Fix, Severity
from kubedoctor.findings.relations import CauseRelation, Symptom, cause_relation
from kubedoctor.findings.templates import at_fault, quote_pod_spec, quote_spec

__all__ = [
    "HEADINGS",
    "RESTARTABLE",
    "SETTABLE",
    "CauseRelation",
    "Command",
    "Confidence",
    "ContainerWithStatus",
    "Diagnostic",
    "Effect",
    "Evidence",
    "Explains",
    "Finding",
    "Fix",
    "Ref",
    "Severity",
    "Symptom",
    "active",
    "at_fault",
    "cause_relation",
    "command_line",
    "container_change",
    "container_command",
    "containers_with_status",
    "delete_by_force",
    "diagnostic",
    "edit_command",
    "finalizers_in_words",
    "fix_by_hand",
    "has_path",
    "in_container",
    "is_recreated",
    "kubectl",
    "look_at",
    "look_at_log",
    "look_at_pod",
    "newest_event",
    "own_command",
    "quote",
    "quote_line",
    "quote_measured",
    "quote_pod_spec",
    "quote_spec",
    "quote_status",
    "ref",
    "remove_finalizers",
    "resize_command",
    "restart",
    "roll_back",
    "rollout",
    "waiting_containers",
]
