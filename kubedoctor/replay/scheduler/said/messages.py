"""What the scheduler says of a pod that fits nowhere, taken apart.

The texts of Kubernetes 1.28 to 1.37: `pkg/scheduler/framework/types.go` (FitError), the plugins below
`pkg/scheduler/framework/plugins`, and `framework/preemption/preemption.go`.
"""

from __future__ import annotations

import enum
import re
from typing import Final

import msgspec


class Obstacle(enum.Enum):
    """What keeps a pod from a node, or from all nodes at once."""

    RESOURCE = "resource"
    TOO_MANY_PODS = "too many pods"
    TAINT = "taint"
    CORDONED = "cordoned"
    NODE_NAME = "node name"
    NODE_AFFINITY = "node affinity"
    ENFORCED_AFFINITY = "enforced affinity"
    HOST_PORT = "host port"
    TOPOLOGY_SPREAD = "topology spread"
    TOPOLOGY_LABEL = "topology label"
    POD_AFFINITY = "pod affinity"
    POD_ANTI_AFFINITY = "pod anti-affinity"
    EXISTING_ANTI_AFFINITY = "existing anti-affinity"
    VOLUME_NODE_AFFINITY = "volume node affinity"
    VOLUME_ZONE = "volume zone"
    VOLUME_LIMIT = "volume limit"
    VOLUME_CONFLICT = "volume conflict"
    VOLUME_MISSING = "volume missing"
    NO_VOLUME = "no volume"
    FREE_STORAGE = "free storage"
    CLAIM_IN_USE = "claim in use"
    CLAIM_UNBOUND = "claim unbound"
    CLAIM_MISSING = "claim missing"
    CLAIM_DELETING = "claim deleting"
    CLAIM_NOT_YET_MADE = "claim not yet made"
    CSI_DRIVER = "csi driver"
    RESOURCE_CLAIM = "resource claim"
    NODE_FEATURES = "node features"
    PLUGINS = "plugins"
    GATED = "gated"
    GROUP = "group"
    NO_NODES = "no nodes"
    PREEMPTION_USELESS = "preemption is not helpful"
    NO_VICTIMS = "no preemption victims"
    OTHER = "other"


class Reason(msgspec.Struct, frozen=True):
    """One reason. `count` is the number of nodes, None where it holds for the pod as a whole; `detail` is the name
    in the text: the resource, `key: value` of the taint, the claim, the plugins."""

    count: int | None
    obstacle: Obstacle
    detail: str
    text: str


class StatedPreemption(msgspec.Struct, frozen=True):
    """What the scheduler says about making room. `node` and `victims` where it has found a place."""

    text: str
    node: str = ""
    victims: int = 0
    reasons: tuple[Reason, ...] = ()


class SchedulingMessage(msgspec.Struct, frozen=True):
    """A message taken apart. `nodes` is None where it does not begin with `0/N nodes are available`: then the
    whole text is the one reason. `cut`: reasons are missing at the end, as in long events
    (`pkg/scheduler/schedule_one.go`, truncateMessage, v1.37)."""

    nodes: int | None
    reasons: tuple[Reason, ...]
    preemption: StatedPreemption | None = None
    rest: str = ""
    cut: bool = False


_SHORTEST_CUT: Final = 1000
_HEAD: Final = re.compile(r"\s*0/(\d+) nodes are available:\s*")
_HIDDEN: Final = re.compile(r"\{[^{}]*\}|\"[^\"]*\"|\[[^\[\]]*\]")
_NEXT: Final = re.compile(r", (?=\d+ )")
_ENTRY: Final = re.compile(r"(\d+) (.+)", re.DOTALL)
_PLACE: Final = re.compile(r"found a potential placement for pod on node (\S+), preempting (\d+) victims?")

_RESOURCE_CLAIM: Final = (
    r"resource ?claim.*|.*cannot allocate all claims|.*device class .* does not exist|.*dynamic resource controller.*"
    r"|cannot fit resource|.*resourceclaim.*"
)
_TEXTS: Final = tuple(
    (re.compile(pattern, re.DOTALL), obstacle)
    for pattern, obstacle in (
        (r"Too many pods", Obstacle.TOO_MANY_PODS),
        (r"Insufficient (?P<detail>\S+)", Obstacle.RESOURCE),
        (r"node\(s\) had untolerated taint(?:\(s\))?(?: \{(?P<detail>.*)\})?", Obstacle.TAINT),
        (r"node\(s\) had taints? \{(?P<detail>.*)\}, that the pod didn't tolerate", Obstacle.TAINT),
        (r"node\(s\) were unschedulable", Obstacle.CORDONED),
        (r"node\(s\) didn't match the requested node name", Obstacle.NODE_NAME),
        (r"node\(s\) didn't match Pod's node affinity(?:/selector)?", Obstacle.NODE_AFFINITY),
        (r"node\(s\) didn't match node selector", Obstacle.NODE_AFFINITY),
        (r"pod affinity terms conflict", Obstacle.NODE_AFFINITY),
        (r"node\(s\) didn't match scheduler-enforced node affinity", Obstacle.ENFORCED_AFFINITY),
        (r"node\(s\) didn't have free ports for the requested pod ports", Obstacle.HOST_PORT),
        (
            r"node\(s\) didn't match pod topology spread constraints \(missing required label\)",
            Obstacle.TOPOLOGY_LABEL,
        ),
        (r"node\(s\) didn't match pod topology spread constraints", Obstacle.TOPOLOGY_SPREAD),
        (r"node\(s\) didn't match pod affinity rules", Obstacle.POD_AFFINITY),
        (r"node\(s\) didn't match pod anti-affinity rules", Obstacle.POD_ANTI_AFFINITY),
        (r"node\(s\) didn't satisfy existing pods anti-affinity rules", Obstacle.EXISTING_ANTI_AFFINITY),
        (r"node\(s\) didn't match PersistentVolume's node affinity", Obstacle.VOLUME_NODE_AFFINITY),
        (r"node\(s\) had volume node affinity conflict", Obstacle.VOLUME_NODE_AFFINITY),
        (r"node\(s\) had no available volume zone", Obstacle.VOLUME_ZONE),
        (r"node\(s\) exceed max volume count", Obstacle.VOLUME_LIMIT),
        (r"node\(s\) had no available disk", Obstacle.VOLUME_CONFLICT),
        (r"node\(s\) didn't find available persistent volumes to bind", Obstacle.NO_VOLUME),
        (r"node\(s\) did not have enough free storage", Obstacle.FREE_STORAGE),
        (r"node\(s\) unavailable due to one or more pvc\(s\) bound to non-existent pv\(s\)", Obstacle.VOLUME_MISSING),
        (r'persistentvolume "(?P<detail>[^"]*)" not found', Obstacle.VOLUME_MISSING),
        (
            r'persistentvolumeclaim "[^"]*" bound to non-existent persistentvolume "(?P<detail>[^"]*)"',
            Obstacle.VOLUME_MISSING,
        ),
        (
            r"node\(s\) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use "
            r"by another pod",
            Obstacle.CLAIM_IN_USE,
        ),
        (r"pod has unbound immediate PersistentVolumeClaims.*", Obstacle.CLAIM_UNBOUND),
        (r"PersistentVolumeClaim had no pv name and storageClass name", Obstacle.CLAIM_UNBOUND),
        (r"PersistentVolume had no name", Obstacle.CLAIM_UNBOUND),
        (r'persistentvolumeclaim "(?P<detail>[^"]*)" not found', Obstacle.CLAIM_MISSING),
        (r'persistentvolumeclaim "(?P<detail>[^"]*)" is being deleted', Obstacle.CLAIM_DELETING),
        (
            r'waiting for ephemeral volume controller to create the persistentvolumeclaim "(?P<detail>[^"]*)"',
            Obstacle.CLAIM_NOT_YET_MADE,
        ),
        (r"PVC (?P<detail>\S+) was not created for pod .*", Obstacle.CLAIM_MISSING),
        (r"(?P<detail>\S+) CSI driver is not installed on the node", Obstacle.CSI_DRIVER),
        (r"node\(s\) didn't match Pod's required features", Obstacle.NODE_FEATURES),
        (r"node\(s\) didn't satisfy plugin\(s\) \[(?P<detail>.*)\](?: simultaneously)?", Obstacle.PLUGINS),
        (r"node\(s\) didn't satisfy plugin (?P<detail>\S+)", Obstacle.PLUGINS),
        (r"waiting for scheduling gates: \[(?P<detail>.*)\]", Obstacle.GATED),
        (r"waiting for minCount pods.*", Obstacle.GROUP),
        (r"no nodes available to schedule pods", Obstacle.NO_NODES),
        (r"Preemption is not helpful for scheduling", Obstacle.PREEMPTION_USELESS),
        (r"No preemption victims found for incoming pods?", Obstacle.NO_VICTIMS),
        (_RESOURCE_CLAIM, Obstacle.RESOURCE_CLAIM),
    )
)


def parse_message(text: str) -> SchedulingMessage:
    """Take apart the message of a PodScheduled condition or of a FailedScheduling event; line breaks become spaces."""
    text = " ".join(text.split())
    head = _HEAD.match(text)
    if head is None:
        return SchedulingMessage(None, (_reason(None, text.rstrip(".")),))
    ends_early = len(text) >= _SHORTEST_CUT and text.endswith("...")
    body, rest = _first_sentence(text[head.end() :].removesuffix("...") if ends_early else text[head.end() :])
    if not ends_early:
        return SchedulingMessage(int(head[1]), _reasons(body), _preemption(rest), rest)
    if rest:
        return SchedulingMessage(int(head[1]), _reasons(body), rest=rest)
    return SchedulingMessage(int(head[1]), _whole_reasons(body), cut=True)


def _masked(text: str) -> str:
    """The text with what stands in braces, brackets and quotes made unreadable, at the same length."""
    return _HIDDEN.sub(lambda found: "#" * len(found[0]), text)


def _first_sentence(text: str) -> tuple[str, str]:
    """The reasons up to the full stop, and what follows. Names hold full stops too, but no space behind them."""
    end = _masked(text).find(". ")
    if end < 0:
        return text.rstrip().rstrip("."), ""
    return text[:end].rstrip("."), text[end + 2 :].strip()


def _whole_reasons(body: str) -> tuple[Reason, ...]:
    """Without the last entry, which is not whole; an open brace hides no comma here."""
    starts = [found.start() for found in _NEXT.finditer(body)]
    return _reasons(body[: starts[-1]]) if starts else ()


def _reasons(body: str) -> tuple[Reason, ...]:
    """The entries `COUNT TEXT, COUNT TEXT`, or the one reason of a pod that no node was asked about."""
    if not body:
        return ()
    starts = [0, *(found.end() for found in _NEXT.finditer(_masked(body)))]
    entries = [body[start:end].removesuffix(", ") for start, end in zip(starts, [*starts[1:], len(body)], strict=True)]
    found = []
    for entry in entries:
        counted = _ENTRY.fullmatch(entry)
        if counted is None:
            return (_reason(None, body),)
        found.append(_reason(int(counted[1]), counted[2]))
    return tuple(found)


def _reason(count: int | None, text: str) -> Reason:
    for pattern, obstacle in _TEXTS:
        if found := pattern.fullmatch(text):
            return Reason(count, obstacle, found.groupdict().get("detail") or "", text)
    return Reason(count, Obstacle.OTHER, "", text)


def _preemption(rest: str) -> StatedPreemption | None:
    _, said, text = rest.partition("preemption: ")
    if not said:
        return None
    if place := _PLACE.match(text):
        return StatedPreemption(text, place[1], int(place[2]))
    if head := _HEAD.match(text):
        return StatedPreemption(text, reasons=_reasons(_first_sentence(text[head.end() :])[0]))
    return StatedPreemption(text)
