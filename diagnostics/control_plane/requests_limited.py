"""API server limits requests (429 Too Many Requests).

## What it means
The API server serves only so many requests at a time. What exceeds the share of a priority level waits in a queue, and what waits
too long is refused with 429. Programs try again, so that everything still happens, but late: pods are created late, nodes
report late, leases are renewed late and leaders are replaced.

## Why it happens
- A program lists or watches large kinds over and over: an operator, a script in a loop, an agent on each node.
- Many clients start at once, after an upgrade or when a node pool grows.
- One kind of object has grown very large, so that each list takes seconds.
- The API server is short of CPU or memory, or etcd is slow, so that each request takes longer.

## How to fix it
1. `kubectl get --raw /debug/api_priority_and_fairness/dump_priority_levels` shows which level is full, `dump_requests` whose
   requests wait there.
2. Have that program ask less often, or give it a FlowSchema that leads to a priority level of its own.
3. Give the API server more CPU, memory, or replicas.

## References
- https://kubernetes.io/docs/concepts/cluster-administration/flow-control/
- https://kubernetes.io/docs/reference/debug-cluster/flow-control/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from diagnostics.control_plane._triage import of_the_control_plane
from kubedoctor.cluster import (
    Cluster,
    Event,
    FlowSchema,
    Namespace,
    PriorityLevelConfiguration,
    Ref,
    counted,
    has_path,
    listed,
    quote,
    ref,
    times,
)
from kubedoctor.findings import Command, Confidence, Explains, Finding, Fix, Severity, diagnostic
from kubedoctor.replay.fairness.flows import level_of, requests_of, shares, taking

_LATELY: Final = timedelta(minutes=10)
_SEVERAL: Final = 3
"""One object may be refused by an API server that has just started."""
_MOST: Final = 3
_REFUSED: Final = re.compile(r"the server has received too many (?:API )?requests and has asked us to try again later")
"""Of client-go for an answer with status 429 (`apimachinery/pkg/api/errors`, v1.37). An eviction that a budget refuses has
the same status, and other words."""


@diagnostic(
    code="KD4108",
    subject=Namespace,
    severity=Severity.WARNING,
    reads=(Event, FlowSchema, PriorityLevelConfiguration),
    when=of_the_control_plane,
    explains=(Explains("affects", ("KD1201", "KD1204", "KD1302", "KD5103")),),
    also_known_as=("TooManyRequests", "apiserver overloaded"),
    symptoms=("the server has received too many requests and has asked us to try again later", "429"),
)
def requests_limited(namespace: Namespace, cluster: Cluster) -> Iterator[Finding]:
    """Only where events have been read anyway."""
    if not of_the_control_plane(namespace) or not cluster.has_all(Event, ""):
        return
    refused = [
        event
        for event in cluster.all(Event)
        if event.seen_at is not None
        and timedelta() <= cluster.taken_at - event.seen_at <= _LATELY
        and _REFUSED.search(event.message)
    ]
    about = list(dict.fromkeys(map(_subject, refused)))
    if len(about) < _SEVERAL:
        return
    components = sorted({event.source.component or event.reporting_component for event in refused} - {""})
    yield Finding(
        about=ref(namespace),
        aspect="requests",
        summary=f"the API server limits requests (429 Too Many Requests): in the last 10m those for"
        f" {counted(len(about), 'object')} were refused"
        + (f", sent by {listed(components, _MOST)}" if components else ""),
        detail=" ".join(_levels(components, cluster)),
        evidence=tuple(
            quote(event, "message", f"seen {times(event.times)}")
            for event in refused[:_MOST]
            if has_path(event, "message")
        ),
        confidence=Confidence.CERTAIN,
        affects=tuple(about),
        fixes=(
            Fix(
                "Find whose requests fill the priority level, and have that program ask less often, or give it a"
                " FlowSchema that leads to a level of its own"
            ),
        ),
        commands=(
            Command(
                "kubectl get --raw /debug/api_priority_and_fairness/dump_priority_levels",
                "which levels are full: requests that wait and were refused",
            ),
            Command(
                "kubectl get --raw /debug/api_priority_and_fairness/dump_requests", "whose requests wait in which level"
            ),
        ),
    )


def _subject(event: Event) -> Ref:
    name = event.involved_object
    return Ref(name.kind, name.namespace, name.name)


def _levels(components: list[str], cluster: Cluster) -> Iterator[str]:
    """Where the requests of these components belong."""
    schemas, levels = cluster.maybe.all(FlowSchema), cluster.maybe.all(PriorityLevelConfiguration)
    whole = sum(map(shares, levels))
    for component in components:
        request = requests_of(component)
        schema = taking(request, schemas, levels) if request is not None else None
        level = level_of(schema, levels) if schema is not None else None
        if schema is not None and level is not None:
            yield (
                f"Those of {component} belong to priority level {level.name} (FlowSchema {schema.name}), which has"
                f" {shares(level)} of {whole} shares."
            )
