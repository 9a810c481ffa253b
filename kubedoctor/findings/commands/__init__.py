"""Command lines for people: commands that read, and the kubectl command that makes a change. No other module writes a
patch."""

from kubedoctor.findings.commands.changing import command_line, container_change, container_command, resize_command
from kubedoctor.findings.commands.immutable import is_recreated
from kubedoctor.findings.commands.lines import (
    RESTARTABLE,
    SETTABLE,
    commands_in_cluster,
    delete_by_force,
    edit_command,
    fix_by_hand,
    fixes_in_cluster,
    in_cluster,
    is_by_hand,
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
    "commands_in_cluster",
    "container_change",
    "container_command",
    "delete_by_force",
    "edit_command",
    "fix_by_hand",
    "fixes_in_cluster",
    "in_cluster",
    "is_by_hand",
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
