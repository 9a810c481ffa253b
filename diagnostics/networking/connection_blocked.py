"""NetworkPolicy blocks a connection that a program tries.

## What it means
A program waits for an answer and gets none: its connections time out. On k3s and with kube-router they are refused at once,
as if nothing listened. The replay of the policies denies exactly this connection, and the program's log shows that it was
tried.

## Why it happens
- The pods were isolated (a policy selects them), and no rule allows this connection.
- A rule has a `podSelector` without `namespaceSelector`: it selects pods of the policy's own namespace only.
- A rule allows the port of the Service; policies apply to the port of the pod behind it.
- A rule allows the Service's address; policies apply to the pods behind it.
- Both ends need a rule: egress of the client, ingress of the server.
- A policy of the administrators (AdminNetworkPolicy, ClusterNetworkPolicy) denies it, whatever NetworkPolicies allow.
- DNS goes to a cache on the node (NodeLocal DNSCache, usually 169.254.20.10), which no pod selector matches.

## How to fix it
Allow the connection with the smallest rule: the client's labels and namespace, and the port. The command under *fix* adds
it; the replay allows the connection then.

## References
- https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.answers.reach.attempts import failed_attempts
from kubedoctor.answers.reach.connections import Denial, denial, is_ready
from kubedoctor.answers.reach.denials import allowing_fix, deciding_parts, in_words
from kubedoctor.answers.reach.meant import address_allowed, rule_meant
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    ConfigMap,
    EndpointSlice,
    Namespace,
    NetworkPolicy,
    Node,
    Pod,
    Service,
    troubled,
)
from kubedoctor.findings import (
    Command,
    Confidence,
    Explains,
    Finding,
    Severity,
    at_fault,
    diagnostic,
    kubectl,
    quote,
    quote_line,
    ref,
)
from kubedoctor.replay.network import ADMIN_KINDS


@diagnostic(
    code="KD2202",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(NetworkPolicy, *ADMIN_KINDS, Namespace, Node, Pod, Service, EndpointSlice, ConfigMap, *WORKLOADS),
    when=troubled,
    explains=(Explains("isolates", ("KD1003", "KD1012", "KD1013", "KD1014", "KD1016", "KD1029")),),
    symptoms=("NetworkPolicy", "timed out", "i/o timeout", "ETIMEDOUT", "no route to host"),
)
def connection_blocked(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    for attempt in failed_attempts(pod, cluster):
        found = denial(pod, attempt.targets, cluster)
        if found is None or (attempt.lookup and found.target.pod is not None and isinstance(found, Denial)):
            continue  # Of lookups at the DNS servers that NetworkPolicies deny, another diagnostic tells.
        server = attempt.server
        certain = all(is_ready(target) for target in attempt.targets) and not attempt.refused and server is None
        policy = ref(found.policy)
        meant = rule_meant(found, cluster) if isinstance(found, Denial) else None
        hint = (meant.clause, meant.evidence) if meant is not None else None
        if hint is None and isinstance(found, Denial):
            hint = address_allowed(found, cluster)
        allowing = allowing_fix(found, cluster)
        yield Finding(
            about=policy,
            aspect=f"{found.direction}-{found.target.title}-{found.target.port}",
            summary=f"blocks the connection of {at_fault(pod, cluster).title} to {found.target.title} "
            f"({found.target.protocol} {found.target.port}): {in_words(found)}{f'; {hint[0]}' if hint is not None else ''}",
            evidence=(
                *deciding_parts(found),
                *((hint[1],) if hint is not None else ()),
                quote_line(
                    attempt.tail,
                    attempt.line,
                    "the connection is refused" if attempt.refused else "the connection got no answer",
                ),
                *((quote(server.obj, server.path, "the server that it connects to"),) if server is not None else ()),
            ),
            confidence=Confidence.CERTAIN if certain else Confidence.LIKELY,
            affects=(ref(pod),),
            fixes=meant.beside(allowing) if meant is not None else (allowing,),
            commands=(
                Command(
                    kubectl("describe", policy.kind.lower(), namespace=found.policy.namespace),
                    "all NetworkPolicies of the namespace" if policy.namespace else "all policies of this kind",
                ),
            ),
        )
