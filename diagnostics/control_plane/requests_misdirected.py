"""FlowSchema leads requests to a priority level that blocks them or does not exist.

## What it means
The API server shares its capacity among priority levels. Flow schemas decide which level a request belongs to: the first one
by `matchingPrecedence` that matches. Kubelets, the scheduler and the controllers have levels of their own, so that no program
can delay them. Under load a level that is too narrow lets its requests wait and then refuses them: 429 Too Many Requests.

## Why it happens
- The priority level was deleted or is misspelled: the schema is ignored, and its requests go to the next one that matches.
- A schema for all users (`system:authenticated`) has a low `matchingPrecedence`, so that it is asked before those of the
  control plane.
- The level has no shares (`nominalConcurrencyShares: 0`) and may not borrow: a jail for requests, which was not removed.

## How to fix it
1. `kubectl get flowschemas` lists them in their order, with MISSINGPL; `kubectl get prioritylevelconfigurations` the shares.
2. Give the schema a higher `matchingPrecedence` or fewer subjects, or correct the name of its level.

## References
- https://kubernetes.io/docs/concepts/cluster-administration/flow-control/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kubedoctor.answers.proof import prove, proven
from kubedoctor.cluster import (
    Cluster,
    Evidence,
    FlowSchema,
    PriorityLevelConfiguration,
    condition,
    counted,
    has_path,
    listed,
    misspelled,
    quote,
    ref,
)
from kubedoctor.cluster.changes import put
from kubedoctor.findings import Command, Confidence, Effect, Finding, Fix, Severity, command_line, diagnostic
from kubedoctor.replay.fairness.flows import (
    OF_THE_CONTROL_PLANE,
    SentRequest,
    is_closed,
    is_narrower,
    level_of,
    shares,
    taking,
)

_LEVEL = "spec.priorityLevelConfiguration.name"
_AFTER_ALL = 9800
"""Behind the schemas of the control plane and of service accounts, before `global-default` and `catch-all`."""
_ORDER = Command("kubectl get flowschemas", "all, in the order in which they are asked")
_LEVELS = Command("kubectl get prioritylevelconfigurations", "the levels and their shares")


class _Taken(NamedTuple):
    """A request that this schema takes from another one. usual: where it would be without it."""

    request: SentRequest
    usual: PriorityLevelConfiguration


@diagnostic(
    code="KD4111",
    subject=FlowSchema,
    severity=Severity.WARNING,
    reads=(FlowSchema, PriorityLevelConfiguration),
    also_known_as=("API priority and fairness", "429 Too Many Requests"),
    symptoms=("Dangling", "Too many requests, please try again later", "nominalConcurrencyShares"),
)
def requests_misdirected(schema: FlowSchema, cluster: Cluster) -> Iterator[Finding]:
    dangling = condition(schema.status.conditions, "Dangling")
    if schema.metadata.deletion_timestamp is not None:
        return
    if dangling is not None and dangling.status == "True":
        yield _without_level(schema, cluster)
        return
    levels = cluster.maybe.all(PriorityLevelConfiguration)
    level = level_of(schema, levels)
    if level is None:
        return
    taken = _taken(schema, level, cluster)
    if not taken and not is_closed(level):
        return
    limit = "no shares and may borrow none" if is_closed(level) else counted(shares(level), "share")
    callers = listed(list(dict.fromkeys(one.request.caller.title for one in taken)), 3)
    precedence = schema.spec.matching_precedence
    if taken:
        usual = taken[0].usual
        summary = (
            f"takes the requests of {callers} from their own priority levels (matchingPrecedence {precedence}) to"
            f" {level.name}, which has {limit}; {usual.name} has {shares(usual)}"
        )
        change = put(ref(schema), ("spec", "matchingPrecedence"), _AFTER_ALL)
        fix = proven(
            Fix(
                f"Raise matchingPrecedence to {_AFTER_ALL}, behind the schemas of the control plane, or name only the"
                " users that are meant",
                command_line(change, schema),
                Effect.CHANGES,
            ),
            prove(change, cluster, lambda after: not _taken(after.get(FlowSchema, "", schema.name), level, after)),
        )
    else:
        summary = f"leads to priority level {level.name}, which has {limit}: its requests wait, and are refused"
        fix = Fix(f"Delete the FlowSchema, or give {level.name} shares, if these requests shall be served again")
    yield Finding(
        about=ref(schema),
        summary=summary,
        severity=None if taken else Severity.NOTICE,
        evidence=(quote(schema, _LEVEL), quote(schema, "spec.matchingPrecedence"), *_evidence(level)),
        confidence=Confidence.CERTAIN,
        fixes=(fix,),
        commands=(_ORDER, _LEVELS),
    )


def _without_level(schema: FlowSchema, cluster: Cluster) -> Finding:
    wanted = schema.spec.priority_level_configuration.name
    levels = [level.name for level in cluster.maybe.all(PriorityLevelConfiguration)]
    near = next((name for name in levels if misspelled(wanted, name)), "")
    fix = Fix(f"Create PriorityLevelConfiguration {wanted}, or name one that exists")
    if near:
        change = put(ref(schema), ("spec", "priorityLevelConfiguration", "name"), near)
        fix = Fix(f"Name priority level {near}", command_line(change, schema), Effect.CHANGES)
    message = "status.conditions[type=Dangling].message"
    return Finding(
        about=ref(schema),
        severity=Severity.NOTICE,
        summary=f"is ignored: its PriorityLevelConfiguration {wanted} does not exist"
        + (f" (did you mean {near}?)" if near else "")
        + ", so its requests go to the next FlowSchema that matches",
        evidence=(
            quote(schema, _LEVEL),
            *((quote(schema, message, "the API server's own check"),) if has_path(schema, message) else ()),
        ),
        confidence=Confidence.CERTAIN,
        fixes=(fix,),
        commands=(_LEVELS, _ORDER),
    )


def _taken(schema: FlowSchema | None, level: PriorityLevelConfiguration, cluster: Cluster) -> list[_Taken]:
    """Requests of the control plane that would have a wider level without the schema."""
    schemas, levels = cluster.all(FlowSchema), cluster.maybe.all(PriorityLevelConfiguration)
    others = [other for other in schemas if schema is None or other.name != schema.name]
    found = []
    for request in OF_THE_CONTROL_PLANE:
        if schema is None or taking(request, schemas, levels) is not schema:
            continue
        usual = taking(request, others, levels)
        own = usual if usual is not None and usual.name == request.usual else None
        wider = level_of(own, levels) if own is not None else None
        if wider is not None and is_narrower(level, wider):
            found.append(_Taken(request, wider))
    return found


def _evidence(level: PriorityLevelConfiguration) -> Iterator[Evidence]:
    for field in ("nominalConcurrencyShares", "assuredConcurrencyShares", "borrowingLimitPercent"):
        if has_path(level, f"spec.limited.{field}"):
            yield quote(level, f"spec.limited.{field}", f"priority level {level.name}")
