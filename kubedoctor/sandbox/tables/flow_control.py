"""How flow schemas and priority levels are printed (`pkg/printers/internalversion`, v1.37)."""

from __future__ import annotations

from datetime import datetime

from kubedoctor.sandbox.exchange import Object
from kubedoctor.sandbox.tables.printing import NONE, Cells, Printer, at, created, name


def _flow_schema(obj: Object, now: datetime) -> Cells:
    conditions = at(obj, "status", "conditions", default=[])
    dangling = next((stated.get("status", "") for stated in conditions if stated.get("type") == "Dangling"), "?")
    return [
        name(obj),
        at(obj, "spec", "priorityLevelConfiguration", "name", default=""),
        at(obj, "spec", "matchingPrecedence", default=0),
        at(obj, "spec", "distinguisherMethod", "type", default=NONE),
        created(obj, now),
        dangling,
    ]


def _priority_level(obj: Object, now: datetime) -> Cells:
    limited = at(obj, "spec", "limited", default={})
    queuing = at(limited, "limitResponse", "queuing", default={})
    shares = limited.get("nominalConcurrencyShares", 0) if limited else NONE
    queues = [queuing.get(field, 0) if queuing else NONE for field in ("queues", "handSize", "queueLengthLimit")]
    return [name(obj), at(obj, "spec", "type", default=""), shares, *queues, created(obj, now)]


PRINTERS = {
    "FlowSchema": Printer("Name, PriorityLevel, MatchingPrecedence, DistinguisherMethod, Age, MissingPL", _flow_schema),
    "PriorityLevelConfiguration": Printer(
        "Name, Type, NominalConcurrencyShares, Queues, HandSize, QueueLengthLimit, Age", _priority_level
    ),
}
