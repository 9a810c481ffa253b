"""Custom resource is not reconciled by its operator.

## What it means
The status of a custom resource states trouble without saying why. Its operator, the program that turns the resource into
pods, Services or objects elsewhere, writes the reason into its own log, or does not run.

## Why it happens
- The operator fails each time that it handles the resource: a right that it lacks, an object that does not exist, a value
  that it does not accept, a server that it cannot reach.
- A field of the resource has a value that the operator does not accept: a version that it does not know any more.
- The operator itself is not ready: then no change of the resource has any effect.

## How to fix it
1. Read the line of the operator's log: only lines that name this resource count.
2. Correct the resource, or give the operator what it lacks; it tries again by itself.
3. If the operator is not ready, repair it first.

## References
- https://kubernetes.io/docs/concepts/extend-kubernetes/operator/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from diagnostics.operators._api_server import UNACCEPTED, first_sentence, is_refused
from diagnostics.operators._chain import composition_that_differs, has_a_worse_part, in_words, waiting_for
from diagnostics.operators._provisioned import is_composite, is_managed
from kubedoctor.answers.operators import operator_view, operator_words
from kubedoctor.cluster import (
    OPERATOR_KINDS,
    Cluster,
    CustomResource,
    Evidence,
    has_path,
    quote,
    ref,
    visible_end,
    visible_ends,
)
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic
from kubedoctor.replay.status.conditions import lasting_conditions
from kubedoctor.replay.status.extensions import bad_states, is_past, states_trouble
from kubedoctor.replay.status.messages import says_why
from kubedoctor.replay.status.stated import suspended

_ASKED_ALREADY: Final = ("cert-manager.io", "external-secrets.io", "bitnami.com", "secrets.hashicorp.com")
"""Groups whose own diagnostics ask the operator."""
_SAY_WHY: Final = (
    "argoproj.io",
    "toolkit.fluxcd.io",
    "gateway.networking.k8s.io",
    "karpenter.sh",
    "keda.sh",
    "route.openshift.io",
)
"""Groups whose diagnostics look at what the objects name."""

_LONGEST: Final = 300
_REFUSALS: Final = (
    (
        re.compile(r"cannot set blockOwnerDeletion"),
        "its operator{operator} lacks the right to set finalizers on it, which owner references need here",
        "Allow the operator verb update on {plural}/finalizers of API group {group}",
    ),
    (
        re.compile(r"only dynamically provisioned pvc can be resized"),
        "the StorageClass of its claims does not let them grow",
        "Set the former size again, or move the data to volumes of a class with allowVolumeExpansion: true",
    ),
    (
        re.compile(r"exceeded quota"),
        "a ResourceQuota refuses what its operator creates",
        "Raise the quota, or lower what the object requests",
    ),
)
"""What the API server's admission says to an operator, what that means, and what repairs it."""


class _Stated(NamedTuple):
    """A trouble that the status states. `why`: the quoted message that should explain it."""

    clause: str
    message: str
    state: Evidence
    why: tuple[Evidence, ...]

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        return (self.state, *self.why)


@diagnostic(
    code="KD7103",
    subject=CustomResource,
    severity=Severity.WARNING,
    reads=OPERATOR_KINDS,
    when=states_trouble,
    symptoms=("ReconcileError", "ReconcileFailed", "Reconciler error"),
)
def not_reconciled(obj: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    if obj.group.endswith((*_ASKED_ALREADY, *_SAY_WHY)) or obj.metadata.deletion_timestamp is not None:
        return
    if suspended(obj) or is_past(obj, cluster.snapshot):
        return
    stated = tuple(_stated(obj, cluster))
    refused = next((row for row in stated if is_refused(row.message, obj)), None)
    if refused is not None:
        yield _refused(obj, refused, cluster)
        return
    unaccepted = next((row for row in stated if UNACCEPTED.search(row.message)), None)
    if unaccepted is not None:
        yield _unaccepted(obj, unaccepted)
        return
    if is_managed(obj) or is_composite(obj):
        return  # Their own diagnostic knows the answers of clouds.
    why = next((row for row in stated if says_why(row.message)), None)
    if why is not None:
        yield from _for_others(obj, why, cluster)
        return
    if not stated:
        return
    view = operator_view(obj, cluster)
    if view is None or not (view.unready or view.message):
        return
    yield Finding(
        about=ref(obj),
        summary=f"{stated[0].clause}{operator_words(view)}",
        confidence=Confidence.LIKELY,
        evidence=(stated[0].state, *view.evidence),
        commands=(Command(ref(obj).describe_command, "its conditions and events"), *view.commands),
        because_of=(view.workload,) if view.unready else (),
    )


def _refused(obj: CustomResource, stated: _Stated, cluster: Cluster) -> Finding:
    """The API server refuses what the operator requests: its status says who was refused what."""
    words, fix = next(
        ((words, fix) for pattern, words, fix in _REFUSALS if pattern.search(stated.message)),
        ("the API server refuses what its operator requests", "Fix what the API server's message names"),
    )
    view = operator_view(obj, cluster) if "{operator}" in words else None
    named = {
        "plural": _plural(obj.kind),
        "group": obj.group,
        "operator": f", {view.workload.title}," if view is not None else "",
    }
    return Finding(
        about=ref(obj),
        summary=f"{stated.clause}: {words.format(**named)}: {visible_end(' '.join(stated.message.split()), _LONGEST)}",
        confidence=Confidence.CERTAIN,
        evidence=stated.evidence,
        fixes=(Fix(fix.format(**named)),),
        commands=(Command(ref(obj).describe_command, "its conditions and events"),),
    )


def _unaccepted(obj: CustomResource, stated: _Stated) -> Finding:
    """The operator says which value of the spec it cannot use."""
    words = visible_ends(" ".join(stated.message.split()).rstrip("."), _LONGEST)
    return Finding(
        about=ref(obj),
        summary=f"{stated.clause}: its operator does not accept its spec: {words}",
        confidence=Confidence.CERTAIN,
        evidence=stated.evidence,
        fixes=(Fix("Set the field of its spec that the message names to a value that the operator accepts"),),
        commands=(Command(ref(obj).describe_command, "its conditions and events"),),
    )


def _for_others(obj: CustomResource, stated: _Stated, cluster: Cluster) -> Iterator[Finding]:
    """What the status says of an object alone is repeated by every report; here it explains others that wait for it."""
    waiting = waiting_for(obj, cluster)
    if not waiting or has_a_worse_part(obj, cluster):
        return
    words, shown = composition_that_differs(obj, cluster)
    message = visible_ends(first_sentence(stated.message), _LONGEST)
    yield Finding(
        about=ref(obj),
        summary=f"{stated.clause}: {message}{words}{in_words(waiting)}",
        confidence=Confidence.CERTAIN,
        evidence=(*stated.evidence, *shown),
        commands=(Command(ref(obj).describe_command, "its conditions and events"),),
        affects=tuple(ref(one) for one in waiting),
    )


def _plural(kind: str) -> str:
    """As most definitions form it."""
    name = kind.lower()
    if name.endswith(("s", "x", "ch", "sh")):
        return f"{name}es"
    return f"{name[:-1]}ies" if name.endswith("y") and name[-2:-1] not in "aeiou" else f"{name}s"


def _stated(obj: CustomResource, cluster: Cluster) -> Iterator[_Stated]:
    """The trouble that the status states."""
    for _, condition, _ in lasting_conditions(obj, cluster.taken_at):
        place = f"{condition.place}: " if condition.place else ""
        words = f"{place}{condition.type} is {condition.status}" if condition.status else f"{place}{condition.type}"
        path = f"{condition.path}.{'status' if condition.status else 'type'}"
        explained = f"{condition.path}.message"
        said = (quote(obj, explained, "the message"),) if has_path(obj, explained) else ()
        yield _Stated(words, condition.message, quote(obj, path, condition.reason), said)
    for state in bad_states(obj, cluster.taken_at):
        why = tuple(quote(obj, path, "the message") for path in state.explained if has_path(obj, path))[:1]
        words = f"{state.field} is {state.word}" if state.word else f"{state.field} is set"
        yield _Stated(words, why[0].text if why else "", quote(obj, state.path), why)
