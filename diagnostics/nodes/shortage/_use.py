"""How to see what the pods of a node use."""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster import Node
from kubedoctor.findings import Command

_NAMES: Final = {"cpu": "CPU", "memory": "memory"}


def use_of_pods(node: Node, resource: str) -> tuple[Command, Command]:
    """`resource`: cpu or memory. The metrics API knows no nodes of pods: its field selector is for names only."""
    return (
        Command(
            f"kubectl top pods -A --sort-by={resource}", f"{_NAMES[resource]} of all pods: look for those of the node"
        ),
        Command(f"kubectl get pods -A --field-selector spec.nodeName={node.name}", "the pods of the node"),
    )
