"""Memory that is promised more often than a node has it, in words."""

from __future__ import annotations

from typing import NamedTuple

from kubedoctor.cluster import Cluster, Evidence, Node, Pod, counted, format_bytes, listed, quote, workload_of
from kubedoctor.findings import Fix, fix_by_hand
from kubedoctor.replay.kubelet.endings import last_ending
from kubedoctor.replay.kubelet.memory_commitment import MemoryCommitment, Share, memory_commitment
from kubedoctor.replay.kubelet.outcome_facts import SIGKILL

_MOST = 3
_ALLOCATABLE = "status.allocatable[memory]"


class Overcommitted(NamedTuple):
    """clause: `memory limits add up to 24Gi, 3.2 times its 7.5Gi allocatable`. sentence: the pods that may use most."""

    clause: str
    sentence: str
    evidence: tuple[Evidence, ...]
    fixes: tuple[Fix, ...]


def overcommitted_memory(node: Node, pods: tuple[Pod, ...], cluster: Cluster) -> Overcommitted | None:
    """None where the limits are not far above what the node has."""
    memory = memory_commitment(node, pods)
    if memory is None or not memory.is_far_above or not memory.shares:
        return None
    shares = sorted(memory.shares, key=_order)
    largest = shares[0]
    about = workload_of(largest.pod, cluster)
    fix = fix_by_hand(
        about,
        f"Set a memory request near the real use, and a limit close to it, for {about.title} and those that follow",
    )
    return Overcommitted(
        _clause(memory),
        f"What may use most above its request: {listed(map(_words, shares), _MOST)}.",
        (quote(node, _ALLOCATABLE, f"requests on it add up to {format_bytes(memory.requests)}"),),
        (fix,),
    )


def _order(share: Share) -> tuple[bool, bool]:
    """Whose memory has run out before comes first; the pods of the system come last, which often have no limit."""
    ends = (last_ending(status) for status in share.pod.status.container_statuses or ())
    killed = any(end is not None and (end.is_out_of_memory or end.exit_code == SIGKILL) for end in ends)
    return (not killed, share.pod.namespace == "kube-system")


def _clause(memory: MemoryCommitment) -> str:
    allocatable = format_bytes(memory.allocatable)
    parts = []
    if memory.limits > memory.allocatable:
        times = memory.limits / memory.allocatable
        parts.append(
            f"the memory limits of its pods add up to {format_bytes(memory.limits)}, {times:.1f} times its {allocatable} allocatable"
        )
    if memory.unlimited:
        verb = "has" if len(memory.unlimited) == 1 else "have"
        of = "" if parts else f" of its {allocatable}"
        parts.append(f"{counted(len(memory.unlimited), 'pod')} {verb} no memory limit and may use all{of}")
    return ", and ".join(parts)


def _words(share: Share) -> str:
    limit = "no limit" if share.limit is None else f"limit {format_bytes(share.limit)}"
    request = f"requests {format_bytes(share.request)}" if share.request else "no request"
    return f"{share.pod.namespace}/{share.pod.name} ({request}, {limit})"
