"""Command lines for people: commands that read, and the kubectl command that makes a change. No other module writes a
patch."""

from kubedoctor.findings.commands.changing import command_line, container_change, container_command, resize_command
from kubedoctor.findings.commands.immutable import is_recreated
from kubedoctor.findings.commands.lines import (
    RESTARTABLE,
    SETTABLE,
    delete_by_force,
    edit_command,
    fix_by_hand,
    in_context,
    kubectl,
    look_at,
    look_at_log,
    look_at_pod,
    own_command,
    restart,
    roll_back,
    rollout,
)

__all__ = [
    "RESTARTABLE",
    "SETTABLE",
    "command_line",
    "container_change",
    "container_command",
    "delete_by_force",
    "edit_command",
    "fix_by_hand",
    "in_context",
    "is_recreated",
    "kubectl",
    "look_at",
    "look_at_log",
    "look_at_pod",
    "own_command",
    "resize_command",
    "restart",
    "roll_back",
    "rollout",
]
