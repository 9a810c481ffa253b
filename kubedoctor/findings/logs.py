"""Evidence from logs."""

from __future__ import annotations

from kubedoctor.cluster.seen.quoting import Evidence
from kubedoctor.cluster.seen.wants import LogTail

LONGEST_LINE = 500


def quote_line(tail: LogTail, index: int, shows: str = "") -> Evidence:
    """One line of a log as evidence; `index` counts from the oldest line read, negative from the newest."""
    line = tail.lines[index]
    position = index % len(tail.lines) - len(tail.lines)
    run = "previous " if tail.previous else ""
    return Evidence(tail.pod, f"{run}log[{tail.container}][{position}]", line[:LONGEST_LINE], shows)


def quote_measured(tail: LogTail, index: int, shows: str = "") -> Evidence:
    """What the kubelet of a node measured of the volume of a claim, as evidence; see `Cluster.volumes_of_node`."""
    claim, _, numbers = tail.lines[index].partition(" ")
    return Evidence(tail.pod, f"stats/summary[{claim}]", numbers, shows)
