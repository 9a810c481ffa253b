"""Questions that no generator thought of: generated ones with parts left out, taken from one another, or repeated.

What an API server always fills in, and what ties objects together, stays; so a varied question is one that could be
asked of a real cluster, if an odd one.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

Row = dict[str, Any]
Visit = Callable[[Any, str, str], None]

MAPS = frozenset(
    {
        "labels",
        "annotations",
        "matchLabels",
        "nodeSelector",
        "requests",
        "limits",
        "overhead",
        "allocatable",
        "capacity",
    }
)
"""Maps with keys of the user's choice: all their values count as the same part."""
FIXED = frozenset(
    {"apiVersion", "kind", "metadata", "spec", "status", "name", "namespace", "uid", "nodeName"}
    | {"maxSkew", "whenUnsatisfiable", "nodeAffinityPolicy", "nodeTaintsPolicy"}
)
OPTIONAL = frozenset(
    """affinity allocatable allowedTopologies annotations claimRef conditions deletionTimestamp disruptedPods drivers
    hostIP hostPort initContainers labelSelector labels limits matchExpressions matchFields matchLabelKeys matchLabels
    maximumVolumeSize minDomains mismatchLabelKeys namespaceSelector namespaces nodeAffinity nodeSelector
    nodeSelectorTerms nodeTopology nominatedNodeName overhead ownerReferences podAffinity podAntiAffinity ports
    preemptionPolicy priority requests required resources startTime storageCapacity storageClassName taints tolerations
    topologyKeys topologySpreadConstraints unschedulable volumeName""".split()  # noqa: SIM905  # fifty lines otherwise
)
NEVER_EMPTY = frozenset({"containers", "values"})
LENDERS = 600
"""Questions whose parts are lent to others."""
MOST_CHANGES = 5


def varied(rows: Sequence[Row], seed: int) -> Iterator[Row]:
    """Each `schedule` question with one to five changes; the same for the same arguments."""
    parts: dict[str, list[Any]] = {}

    def lend(parent: Any, key: str, path: str) -> None:
        parts.setdefault(path, []).append(parent[key])

    for row in rows[:LENDERS]:
        for kind, one in _objects(row):
            _walk(one, kind, lend)
    for row in rows:
        dice = random.Random(f"{seed}/{row['id']}")
        changed = copy.deepcopy(row)
        for _ in range(dice.randint(1, MOST_CHANGES)):
            _change(dice, _objects(changed), parts)
        yield changed | {"id": f"{row['id']}-varied-{seed}"}


def _objects(row: Row) -> list[tuple[str, Any]]:
    """The pending pod first."""
    request = row["request"]
    return [("Pod", request["pod"]), *((one["kind"], one) for one in request.get("objects") or ())]


def _walk(data: Any, path: str, visit: Visit) -> None:
    """Every part that may be changed: what holds it, its key, and its path without names and numbers."""
    if isinstance(data, list):
        for one in data:
            _walk(one, f"{path}[]", visit)
    elif isinstance(data, dict):
        inside = path.rpartition(".")[2]
        for key in list(data):
            where = f"{path}.*" if inside in MAPS else f"{path}.{'containers' if key == 'initContainers' else key}"
            if key not in FIXED:
                visit(data, key, where)
            _walk(data[key], where, visit)


def _change(dice: random.Random, objects: list[tuple[str, Any]], parts: dict[str, list[Any]]) -> None:
    places: list[tuple[Any, str, str]] = []
    kind, one = objects[0] if dice.random() < 0.5 else dice.choice(objects)
    _walk(one, kind, lambda parent, key, path: places.append((parent, key, path)))
    if not places:
        return
    parent, key, path = dice.choice(places)
    how = dice.random()
    if how < 0.25 and key in OPTIONAL:
        del parent[key]
    elif how < 0.85:
        parent[key] = copy.deepcopy(dice.choice(parts.get(path) or [parent[key]]))
    elif isinstance(parent[key], list) and parent[key]:
        if dice.random() < 0.5:
            parent[key].append(copy.deepcopy(dice.choice(parent[key])))
        elif key not in NEVER_EMPTY:
            del parent[key][dice.randrange(len(parent[key]))]
