"""Provider does not create what an object stands for.

## What it means
An object of the cluster stands for something outside of it: a database, a bucket, a machine. The provider (Crossplane,
the Cluster API, AWS Controllers for Kubernetes, Config Connector, Azure Service Operator) requests it of the cloud, and
the cloud refuses, or it cannot even ask. What was made for it waits: the composite resource, the claim, the MachineDeployment.

## Why it happens
- The identity of the provider lacks a permission.
- A quota of the account is used up.
- The cloud does not accept a field: a version, a size, a name that is taken.
- The ProviderConfig, its Secret, a Composition or another object that it refers to does not exist.

## How to fix it
1. Read the message of the last object of the chain: it has the cloud's answer.
2. Grant the permission, raise the quota, or correct the field where it comes from: the claim or the Composition.
3. The provider tries again by itself.

## References
- https://docs.crossplane.io/latest/guides/troubleshoot-crossplane/
- https://cluster-api.sigs.k8s.io/user/troubleshooting
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from diagnostics.operators._api_server import UNACCEPTED, first_sentence, is_refused
from diagnostics.operators._chain import composition_that_differs, has_a_worse_part, in_words, waiting_for
from diagnostics.operators._provisioned import is_composite, is_managed
from kubedoctor.cluster import Cluster, CustomResource, Evidence, has_path, quote, ref, visible_ends
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic
from kubedoctor.replay.status.conditions import lasting_conditions
from kubedoctor.replay.status.messages import says_why
from kubedoctor.replay.status.stated import StatedCondition, stated_conditions, suspended
from kubedoctor.replay.status.vocabulary import START

_LONGEST: Final = 420
_WAITS: Final = re.compile(
    r"^(?:Unready resources|Claim is waiting|Composite resource claim is waiting|Waiting for|waiting for)|is not (?:yet )?ready$"
    r"|not yet (?:ready|available)|referenced field was empty|\d+ of \d+ completed|Minimum availability requires"
    r"|reference \S+ \S+ is not ready|^\* ?\S*(?:Machine|Node)\S*:|creat(?:ion|ing) in progress|^Scaling (?:up|down)",
    re.MULTILINE,
)
"""What waits for another object says so; that one has the cause."""
_WAITING_REASONS: Final = frozenset(
    {"Waiting", "Creating", "DependencyNotReady", "WaitingForAvailableMachines", "Updating"}
)
_WRAPPERS: Final = re.compile(
    r"^(?:(?:create|update|observe|connect|async create|async update) failed: |failed to (?:create|update) the resource: \[\{\d+ )+"
)
"""What Crossplane's providers put in front of the cloud's answer (`crossplane-runtime`, `upjet`)."""
_REST: Final = re.compile(r" *\[\]\}\]?$")
"""What they leave behind it: the path of the attribute that is wrong, which is often empty."""
_CREATES: Final = re.compile(r"^(?!(?:async )?(?:update|observe|delete) failed).*[Cc]reat", re.DOTALL)
_WHY: Final = (
    (
        re.compile(
            r"[Qq]uota|[Ll]imit ?(?:is |was |has been )?(?:exceeded|reached)|LimitExceeded|Limit of \d+|OperationNotAllowed"
        ),
        "a limit of the account is reached",
        "Have the limit raised, or delete what is no longer used",
    ),
    (
        re.compile(
            r"InsufficientInstanceCapacity|ZONE_RESOURCE_POOL_EXHAUSTED|AllocationFailed|SkuNotAvailable|not available in"
        ),
        "the cloud has none of that size there",
        "Choose another size or zone, or wait",
    ),
    (
        re.compile(r"no compatible Compositions|cannot (?:select|find|get) Composition|compositionRef"),
        "no Composition fits",
        "Correct compositionSelector or compositionRef, or the labels of the Composition",
    ),
    (
        re.compile(
            r"[Cc]redential|ProviderConfig|ExpiredToken|InvalidClientTokenId|AADSTS\d+|invalid_grant|cannot get (?:referenced )?Secret"
        ),
        "the provider has no valid credentials",
        "Correct the ProviderConfig or the Secret that it names",
    ),
    (
        re.compile(
            r"not authori[sz]ed|Unauthori[sz]ed|does not have authorization|\b40[13]\b|Access ?Denied|AuthorizationFailed|Forbidden|[Pp]ermission|LinkedAuthorization"
        ),
        "the provider may not do it",
        "Grant the identity of the provider the permission that the message names",
    ),
)
"""The first that fits counts: a quota is refused with 403 too."""


def may_lack(obj: CustomResource) -> bool:
    """Its status can say that what it stands for is not made."""
    return bool(obj.status) and (is_managed(obj) or is_composite(obj))


@diagnostic(
    code="KD7105",
    subject=CustomResource,
    severity=Severity.WARNING,
    reads=(),
    when=may_lack,
    also_known_as=("CannotCreateExternalResource",),
    symptoms=("ReconcileError", "AsyncCreateFailure", "InstanceProvisionFailed", "Unready resources", "UpdateFailed"),
)
def not_provisioned(obj: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    if obj.metadata.deletion_timestamp is not None or suspended(obj):
        return
    stated = _deciding(obj, cluster)
    if stated is None or has_a_worse_part(obj, cluster):
        return
    waiting = waiting_for(obj, cluster)
    words = _REST.sub("", _WRAPPERS.sub("", first_sentence(stated.message)))
    meaning = next(((clause, fix) for pattern, clause, fix in _WHY if pattern.search(words)), None)
    clause = f"{meaning[0]}: " if meaning else ""
    nearest, shown = composition_that_differs(obj, cluster)
    after = in_words(waiting) if waiting else ""
    yield Finding(
        about=ref(obj),
        summary=f"{_state(obj, stated)}: {clause}{visible_ends(words, _LONGEST)}{nearest}{after}",
        confidence=Confidence.CERTAIN,
        evidence=(*_evidence(obj, stated), *shown),
        affects=tuple(map(ref, waiting)),
        fixes=(Fix(meaning[1] if meaning else "Correct what the message names; the provider tries again by itself"),),
        commands=(Command(ref(obj).describe_command, "its conditions and events"),),
    )


def _state(obj: CustomResource, stated: StatedCondition) -> str:
    if not is_managed(obj):
        return "not ready"
    return "not created" if _CREATES.search(stated.message) else "not as its spec asks"


def _deciding(obj: CustomResource, cluster: Cluster) -> StatedCondition | None:
    """The condition that says why nothing is made; None where it only waits, where another diagnostic reads it, or where
    what was made for it says the same."""
    bad = [
        stated
        for _, stated, _ in lasting_conditions(obj, cluster.taken_at)
        if stated.message
        and says_why(stated.message)
        and not _WAITS.search(stated.message)
        and stated.reason not in _WAITING_REASONS
    ]
    bad = bad or list(_of_ack(obj, cluster))
    if not bad or any(is_refused(stated.message, obj) or UNACCEPTED.search(stated.message) for stated in bad):
        return None
    return bad[0]


def _of_ack(obj: CustomResource, cluster: Cluster) -> Iterator[StatedCondition]:
    """The controllers of AWS state failure by a condition that is True (`aws-controllers-k8s/runtime`, pkg/condition)."""
    conditions = stated_conditions(obj)
    for name in ("ACK.Terminal", "ACK.Recoverable"):
        stated = conditions.get(name)
        if stated is None or stated.status != "True" or not stated.message:
            continue
        if stated.since is None or cluster.taken_at - stated.since >= START:
            yield stated


def _evidence(obj: CustomResource, stated: StatedCondition) -> Iterator[Evidence]:
    yield quote(obj, f"{stated.path}.status", stated.reason)
    if has_path(obj, path := f"{stated.path}.message"):
        yield quote(obj, path, "the provider's message")
