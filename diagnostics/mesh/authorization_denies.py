"""Istio: AuthorizationPolicy denies a client.

## What it means
The proxy of the server answers `403 RBAC: access denied` (TCP: it closes the connection). Policies with the action ALLOW
select the server, and none of their rules takes this client; or a policy with the action DENY takes it.

## Why it happens
- The rule names another namespace, service account or trust domain than the client has.
- The client has no sidecar, or mutual TLS is off: then it has no identity, and no rule with `principals` or `namespaces` takes
  it.
- A policy without rules (`spec: {}`) denies all that no other policy allows.
- The rule allows other paths, methods or ports.
- The rule has fields of HTTP (methods, paths, hosts), and the port is TCP: there an ALLOW rule matches nothing, and a DENY
  rule all that its other fields match.

## How to fix it
Add the client's namespace or principal to the rule, or inject the sidecar into the client.

## References
- https://istio.io/latest/docs/concepts/security/#authorization-policies
- https://istio.io/latest/docs/ops/common-problems/security-issues/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from diagnostics.mesh._config import Seen, requests_seen
from kubedoctor.answers.reach.attempts import may_tell, reset_attempts, told_in
from kubedoctor.answers.reach.connections import targets
from kubedoctor.cluster import WORKLOADS, Cluster, CustomResource, LogTail, Namespace, Pod, Service, listed, not_ready
from kubedoctor.findings import (
    Command,
    Confidence,
    Explains,
    Finding,
    Fix,
    Severity,
    at_fault,
    diagnostic,
    edit_command,
    kubectl,
    quote,
    quote_line,
    ref,
)
from kubedoctor.replay.mesh import injection
from kubedoctor.replay.mesh.access_log import Access
from kubedoctor.replay.mesh.attachment import attached_policies
from kubedoctor.replay.mesh.authorization import (
    AllowedSource,
    Caller,
    http_field,
    in_force,
    never_on_tcp,
    source_denied,
)
from kubedoctor.replay.mesh.config import AUTHORIZATION_POLICY, SECURITY, rows
from kubedoctor.replay.services.hosts import split_address

DENIED: Final = "RBAC: access denied"
"""Envoy's body of the answer (`source/extensions/filters/http/rbac/rbac_filter.cc`)."""
_URL: Final = re.compile(r"https?://(?P<address>[\w.\-:\[\]]+)")
_MATCHED: Final = re.compile(
    r"matched_policy\[ns\[(?P<namespace>[^\]]+)\]-policy\[(?P<name>[^\]]+)\](?:-rule\[(?P<rule>\d+)\])?"
)
_NEAR: Final = 5
"""Lines before the answer in which a program names the address."""


class DeniedCall(NamedTuple):
    """What the client's log says, the server's pod, and its proxy's line about it."""

    tail: LogTail
    line: int
    server: Pod
    seen: Seen | None


@diagnostic(
    code="KD6009",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(AUTHORIZATION_POLICY, Namespace, Pod, Service, *WORKLOADS),
    when=not_ready,
    explains=(Explains("affects", ("KD1003", "KD1012", "KD1013", "KD1014", "KD1016", "KD1029", "KD1201")),),
    symptoms=("403", "RBAC: access denied", "rbac_access_denied"),
)
def authorization_denies(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    if not may_tell(pod, cluster.taken_at):
        return
    policies = cluster.maybe.custom("AuthorizationPolicy", SECURITY)
    closed = next(_closed(pod, cluster), None) if policies else None
    if closed is not None:
        yield from _of_tcp(pod, closed, policies, cluster)
        return
    told = told_in(pod, DENIED, cluster) if policies else None
    refusal = _refusal(pod, *told, cluster) if told is not None else None
    if refusal is None:
        return
    mine = in_force(attached_policies(refusal.server, policies))
    caller = Caller(
        pod.namespace, pod.spec.service_account_name or "default", pod.status.pod_ip, injection.has_sidecar(pod)
    )
    named = _MATCHED.search(refusal.seen.access.details) if refusal.seen is not None else None
    by_name = {(policy.namespace, policy.name): policy for policy in mine}
    denying = by_name.get((named["namespace"], named["name"])) if named is not None else None
    if denying is not None:
        yield _finding(pod, refusal, denying, "denies", "spec.action", cluster)
        return
    decision = source_denied(caller, mine)
    if decision is None:
        return
    allowance = _nearest(decision.allowances, caller)
    if allowance is None:
        yield _finding(pod, refusal, decision.policies[0], "has no rule for", "metadata.name", cluster)
        return
    field = allowance.path.rpartition(".")[2]
    same = [one for one in decision.allowances if one.policy is allowance.policy and one.path.endswith(f".{field}")]
    values = listed((value for one in same for value in one.values), 3)
    why = f"allows {field} {values} only, the client is in namespace {caller.namespace} with service account {caller.account}; it denies"
    if not caller.mutual and allowance.needs_identity:
        why = f"allows {field} {values}, but the client has no sidecar and so no identity; it denies"
    yield _finding(pod, refusal, allowance.policy, why, allowance.path, cluster)


def _refusal(pod: Pod, tail: LogTail, line: int, cluster: Cluster) -> DeniedCall | None:
    """The server by the address that the log names near the answer, and by its proxy's log."""
    for index in range(line, max(line - _NEAR, -1), -1):
        url = _URL.search(tail.lines[index])
        host, port = split_address(url["address"]) if url is not None else ("", 0)
        servers = [target.pod for target in targets(pod, host, port, cluster) if target.pod is not None] if host else []
        servers = [server for server in servers if injection.has_sidecar(server)]
        if servers:

            def of_client(access: Access) -> bool:
                return "rbac_access_denied" in access.details and access.remote.rpartition(":")[0] == pod.status.pod_ip

            seen = next(requests_seen(servers[:2], cluster, of_client), None)
            return DeniedCall(tail, line, servers[0], seen)
    return None


def _closed(pod: Pod, cluster: Cluster) -> Iterator[DeniedCall]:
    """Connections of the pod that a proxy closed, as its log tells: over TCP there is no answer to read."""

    def of_client(access: Access) -> bool:
        denied = "rbac_access_denied" in access.details and not access.code
        return denied and access.remote.rpartition(":")[0] == pod.status.pod_ip

    for attempt in reset_attempts(pod, cluster):
        servers = [one.pod for one in attempt.targets if one.pod is not None and injection.has_sidecar(one.pod)]
        for server in servers[:2]:
            for seen in requests_seen([server], cluster, of_client):
                yield DeniedCall(attempt.tail, attempt.line, server, seen)


def _of_tcp(pod: Pod, call: DeniedCall, policies: tuple[CustomResource, ...], cluster: Cluster) -> Iterator[Finding]:
    account = pod.spec.service_account_name or "default"
    caller = Caller(pod.namespace, account, pod.status.pod_ip, injection.has_sidecar(pod))
    mine = in_force(attached_policies(call.server, policies))
    if call.seen is None:
        return
    port = split_address(call.seen.access.local)[1]
    named = _MATCHED.search(call.seen.access.details)
    if named is not None:
        denying = next((one for one in mine if (one.namespace, one.name) == (named["namespace"], named["name"])), None)
        if denying is not None:
            yield _denied_on_tcp(pod, call, denying, int(named["rule"] or 0), port, cluster)
        return
    field = never_on_tcp(caller, port, mine)
    decision = source_denied(caller, mine)
    if field is not None:
        why = f"has the HTTP field {field.name} in a rule for TCP port {port}, which therefore matches no connection; it denies"
        fix = Fix(
            f"Give TCP port {port} a rule without {field.name}: for TCP only ports, addresses and the identity of the client count",
            edit_command(ref(field.policy)),
        )
        yield _finding(pod, call, field.policy, why, field.path, cluster, fix)
    elif decision is not None:
        yield _finding(pod, call, decision.policies[0], "has no rule for", "metadata.name", cluster)


def _denied_on_tcp(
    pod: Pod, call: DeniedCall, policy: CustomResource, index: int, port: int, cluster: Cluster
) -> Finding:
    """By a policy that the proxy names. One with the action DENY takes more on TCP than its HTTP fields say."""
    rule = next((row for at, row in rows(policy.spec, "rules") if at == index), None)
    field = http_field(policy, index, rule)
    if field is None:
        return _finding(pod, call, policy, "denies", "spec.action", cluster)
    why = f"has the HTTP field {field.name} in a DENY rule, which Istio leaves out for TCP port {port}; it denies"
    fix = Fix(
        f"Give the rule notPorts or ports that leave TCP port {port} out, if it is meant for HTTP only",
        edit_command(ref(policy)),
    )
    return _finding(pod, call, policy, why, field.path, cluster, fix)


def _nearest(allowances: tuple[AllowedSource, ...], caller: Caller) -> AllowedSource | None:
    """One that names the client, had it an identity; else the first."""
    mine = {caller.namespace, f"cluster.local/ns/{caller.namespace}/sa/{caller.account}"}
    return next(iter(sorted(allowances, key=lambda one: not mine & set(one.values))), None)


def _finding(
    pod: Pod,
    refusal: DeniedCall,
    policy: CustomResource,
    why: str,
    path: str,
    cluster: Cluster,
    repair: Fix | None = None,
) -> Finding:
    client, server = at_fault(pod, cluster), at_fault(refusal.server, cluster)
    plain = "no sidecar" in why
    answer = "403" if refusal.seen is None or refusal.seen.access.code else "the connection is closed"
    quoted = (refusal.seen.quoted("the server's proxy denied it"),) if refusal.seen is not None else ()
    fixes = [Fix(f"Add namespace {pod.namespace} or the client's principal to a rule", edit_command(ref(policy)))]
    if repair is not None:
        fixes = [repair]
    if plain:
        fixes = [Fix(f"Inject the sidecar into {client.title}, then restart it")]
    return Finding(
        about=ref(policy),
        aspect=f"{client.title}-{server.title}",
        summary=f"{why} {client.title} at {server.title} ({answer})",
        evidence=(
            quote(policy, path if path != "spec.action" else "metadata.name", "the policy that decides"),
            quote_line(refusal.tail, refusal.line, "the answer that the client got"),
            *quoted,
        ),
        confidence=Confidence.CERTAIN if refusal.seen is not None else Confidence.LIKELY,
        affects=(ref(pod), client),
        fixes=tuple(fixes),
        commands=(
            Command(
                kubectl("get", f"authorizationpolicies.{SECURITY}", "-o", "yaml", namespace=server.namespace),
                "the policies of the server's namespace",
            ),
        ),
    )
