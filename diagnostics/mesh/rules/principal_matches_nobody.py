"""Istio: principal of an AuthorizationPolicy matches no client.

## What it means
A principal is the identity in a client's certificate: `<trust domain>/ns/<namespace>/sa/<service account>`. A value of
another form, without `*`, matches no client at all. An ALLOW rule with it lets none in; a DENY rule with it denies none.

## Why it happens
- It was written with `spiffe://`, which Istio leaves out.
- Only the service account was written, or `namespace/account`.

## How to fix it
Write the whole identity, `cluster.local/ns/shop/sa/web`, or use `serviceAccounts` (from Istio 1.27 on) or `namespaces`.

## References
- https://istio.io/latest/docs/reference/config/security/authorization-policy/#Source
- https://istio.io/latest/docs/concepts/security/#istio-identity
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubedoctor.answers.proof import prove, proven
from kubedoctor.cluster import Cluster, CustomResource
from kubedoctor.cluster.changes import put
from kubedoctor.findings import (
    Command,
    Confidence,
    Finding,
    Fix,
    Severity,
    command_line,
    diagnostic,
    edit_command,
    kubectl,
    quote,
    ref,
)
from kubedoctor.replay.mesh.config import AUTHORIZATION_POLICY, SECURITY, part, rows, text, words

_IDENTITY = re.compile(r"[^/]+/ns/[^/]+/sa/[^/]+")
_SPIFFE = "spiffe://"


@diagnostic(
    code="KD6018",
    subject=AUTHORIZATION_POLICY,
    severity=Severity.WARNING,
    reads=(),
    symptoms=("403", "RBAC: access denied"),
)
def principal_matches_nobody(policy: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    if policy.metadata.deletion_timestamp is not None:
        return
    for where, written in _wrong(policy):
        yield _finding(policy, where, written, cluster)


def _wrong(policy: CustomResource) -> Iterator[tuple[tuple[int, int, int], str]]:
    """The principals that are no identity, with the indexes of rule, source and value."""
    for at, rule in rows(policy.spec, "rules"):
        for index, row in rows(rule, "from"):
            for position, written in enumerate(words(part(row, "source"), "principals")):
                if "*" not in written and not _IDENTITY.fullmatch(written):
                    yield (at, index, position), written


def _finding(policy: CustomResource, where: tuple[int, int, int], written: str, cluster: Cluster) -> Finding:
    at, index, position = where
    action = text((policy.spec or {}).get("action")) or "ALLOW"
    effect = {"DENY": "so that it denies none", "ALLOW": "so that it lets none in"}.get(
        action, "so that it has no effect"
    )
    meant = _meant(written, policy.namespace)
    fix = Fix("Write the whole identity of the client", edit_command(ref(policy)))
    if meant:
        path = ("spec", "rules", at, "from", index, "source", "principals", position)
        change = put(ref(policy), path, meant)

        def is_identity(after: Cluster) -> bool:
            changed = after.get_ref(ref(policy))
            return isinstance(changed, CustomResource) and where not in dict(_wrong(changed))

        fix = proven(Fix(f"Write {meant}", command_line(change, policy)), prove(change, cluster, is_identity))
    guess = f"; did you mean {meant}?" if meant else ""
    foreign = "/" in written and not written.startswith(_SPIFFE)
    return Finding(
        about=ref(policy),
        aspect=f"{at}-{index}-{position}",
        summary=f"principal {written} matches no client{' of the mesh' if foreign else ''}, {effect}{guess}",
        evidence=(
            quote(
                policy,
                f"spec.rules[{at}].from[{index}].source.principals[{position}]",
                "not <trust domain>/ns/<namespace>/sa/<account>",
            ),
        ),
        confidence=Confidence.LIKELY if foreign else Confidence.CERTAIN,
        would_disprove=f"a client outside the mesh has a certificate for {_SPIFFE}{written}" if foreign else "",
        fixes=(fix,),
        commands=(
            Command(
                kubectl("get", "serviceaccounts", "-A"), "the service accounts, which are the identities of clients"
            ),
            Command(
                kubectl("get", f"authorizationpolicies.{SECURITY}", "-o", "yaml", namespace=policy.namespace),
                "the policies of the namespace",
            ),
        ),
    )


def _meant(written: str, namespace: str) -> str:
    """The identity that a value of another common form stands for; empty where it could be many."""
    bare = written.removeprefix(_SPIFFE)
    if _IDENTITY.fullmatch(bare):
        return bare
    space, slash, account = bare.rpartition("/")
    if bare.count("/") > 1 or not account:
        return ""
    return f"cluster.local/ns/{space if slash else namespace}/sa/{account}"
