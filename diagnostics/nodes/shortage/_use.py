"""How to see what the pods of a node use."""

from __future__ import annotations

from typing import Final

from kubedoctor.cluster import Node
from kubedoctor.findings import Command, kubectl

_NAMES: Final = {"cpu": "CPU", "memory": "memory"}


def use_of_pods(node: Node, resource: str) -> tuple[Command, Command]:
    """`resource`: cpu or memory. The metrics API knows no nodes of pods: its field selector is for names only."""
    return (
        Command(
            kubectl("top", "pods", "-A", f"--sort-by={resource}"),
            f"{_NAMES[resource]} of all pods: look for those of the node",
        ),
        Command(kubectl("get", "pods", "-A", "--field-selector", f"spec.nodeName={node.name}"), "the pods of the node"),
    )
