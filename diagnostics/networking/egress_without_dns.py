"""Network policies keep pods from the cluster's DNS.

## What it means
The pods may send only what their network policies allow, and no policy allows UDP port 53 to the
DNS servers. Every lookup of a name times out, or is refused, although the targets are allowed.

## Why it happens
- A default-deny policy for egress was added, and DNS was forgotten.
- The DNS rule has no `protocol`: then it means TCP, and lookups use UDP.
- The DNS rule's selectors match no DNS server: a wrong label, or `podSelector` without
  `namespaceSelector`, which looks in the policy's own namespace only.
- The DNS servers are on their nodes' network, or NodeLocal DNSCache answers: no selector matches
  these, only an `ipBlock` or a rule without `to`.
- A policy beside the DNS servers does not let the pods in.

## How to fix it
Allow UDP and TCP port 53 to the DNS servers, in one policy for all pods of the namespace. Policies
add up: what one allows is allowed.

## References
- https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from functools import partial

from kubedoctor.cluster.core import Namespace, Service
from kubedoctor.cluster.networking import NetworkPolicy
from kubedoctor.cluster.pods import Pod
from kubedoctor.cluster.reading import Cluster
from kubedoctor.cluster.triage import finished, not_ready, terminating
from kubedoctor.findings import (
    Command,
    Confidence,
    Effect,
    Evidence,
    Explains,
    Finding,
    Fix,
    Severity,
    diagnostic,
    has_path,
    quote,
    quote_line,
    ref,
)
from kubedoctor.replay.dns import Resolvers, resolvers
from kubedoctor.replay.dns.blocking import Blocked, allowing_change, blocked_pods
from kubedoctor.replay.kubelet.log_lines import Sign, read_log
from kubedoctor.replay.network_policy import EGRESS, Party
from kubedoctor.replay.network_policy.policies import Block

MOST_LOGS = 3


def _restricts(policy: NetworkPolicy) -> bool:
    """Egress of any pods; ingress matters only beside the DNS servers, which are in few namespaces."""
    types = policy.spec.policy_types or ()
    return (
        EGRESS in types
        or bool(policy.spec.egress and not types)
        or policy.namespace in ("kube-system", "openshift-dns")
    )


@diagnostic(
    code="KD2201",
    subject=NetworkPolicy,
    severity=Severity.CRITICAL,
    reads=(NetworkPolicy, Namespace, Pod, Service),
    when=_restricts,
    explains=(Explains("isolates", ("KD1003", "KD1012", "KD1013", "KD1014", "KD1016")),),
)
def egress_without_dns(policy: NetworkPolicy, cluster: Cluster) -> Iterator[Finding]:
    dns = resolvers(cluster)
    if dns is None:
        return
    for blocked in blocked_pods(policy, dns, cluster):
        # Policies that isolate the same pods all come to the same nearest one: it speaks for them.
        if ref(blocked.policy) == ref(policy) or blocked.direction != EGRESS:
            yield _finding(blocked, dns, cluster)


def _finding(blocked: Blocked, dns: Resolvers, cluster: Cluster) -> Finding:
    policy = blocked.policy
    line = _complaint(blocked.pods, cluster)
    side = "egress" if blocked.direction == EGRESS else "ingress"
    field = "to" if side == "egress" else "from"
    evidence: list[Evidence] = []
    if blocked.miss.rule is not None:
        rule = f"spec.{side}[{blocked.miss.rule.index}]"
        wrong = (
            [f"{rule}.ports", "allows, and not UDP to this port"]
            if not _port_fits(blocked)
            else [f"{rule}.{field}", "does not match"]
        )
        if has_path(policy, wrong[0]):
            evidence.append(quote(policy, wrong[0], wrong[1]))
    types = "spec.policyTypes" if has_path(policy, "spec.policyTypes") else "metadata.name"
    evidence.append(
        quote(policy, types, f"isolates the pods' {side}" if side == "egress" else "isolates the DNS servers")
    )
    evidence.append(quote(dns.service, "spec.clusterIP" if dns.service.spec.cluster_ip else "metadata.name", "the DNS"))
    if line is not None:
        evidence.append(line)
    return Finding(
        about=ref(policy),
        summary=_summary(blocked, dns),
        confidence=Confidence.CERTAIN if line is not None else Confidence.LIKELY,
        severity=None if line is not None else _severity(blocked),
        detail="" if line is not None else "A network plug-in that does not enforce policies, or another kind of policy that allows it, would let lookups through.",
        evidence=tuple(evidence),
        affects=tuple(ref(each) for each in blocked.pods),
        fixes=(_fix(blocked, dns),),
        commands=(
            Command(f"kubectl describe networkpolicy -n {policy.namespace}", "all policies of the namespace"),
            Command(
                f"kubectl debug -n {blocked.pods[0].namespace} {blocked.pods[0].name} -it --image=busybox -- nslookup kubernetes.default",
                "try a lookup from the pod; adds a container to it",
                Effect.CHANGES,
            ),
        ),
    )  # fmt: skip


def _fix(blocked: Blocked, dns: Resolvers) -> Fix:
    policy = blocked.policy
    change = allowing_change(blocked, dns)
    patch = shlex.quote(json.dumps(change.patch, separators=(",", ":")))
    return Fix(
        "allow lookups" if blocked.direction == EGRESS else "let lookups in",
        f"kubectl patch networkpolicy {policy.name} -n {policy.namespace} --type=json -p {patch}",
        verified=change.verified,
    )


def _port_fits(blocked: Blocked) -> bool:
    return blocked.miss.port and blocked.miss.protocol


def _summary(blocked: Blocked, dns: Resolvers) -> str:
    server = f"the DNS servers (UDP {blocked.server.port})"
    count = "1 pod" if len(blocked.pods) == 1 else f"{len(blocked.pods)} pods"
    if blocked.direction != EGRESS:
        return f"it lets no lookups in to {server} from {count}"
    miss = blocked.miss
    if miss.rule is None or not blocked.about_dns:
        return f"it isolates {count}, and no policy of theirs allows egress to {server}"
    rule = f"its egress rule {miss.rule.index + 1}"
    if miss.peer and miss.port and not miss.protocol:
        over = " and ".join(sorted({each.protocol for each in miss.rule.ports or ()}))
        return f"{rule} allows port {blocked.server.port} over {over} only, and lookups use UDP: {count} cannot resolve names"
    if miss.peer and not miss.port:
        return f"{rule} does not cover port {blocked.server.port} on which the DNS servers listen: {count} cannot resolve names"
    address = dns.service.spec.cluster_ip
    if any(isinstance(each, Block) and each.matches(Party.outside(address)) for each in miss.rule.peers or ()):
        return f"{rule} allows the DNS Service's address {address}, but policies see the pods behind it: {count} cannot resolve names"
    if blocked.server.party.pod is None:
        return f"{rule} selects pods, but the DNS servers are on their nodes' network: {count} cannot resolve names"
    return f"{rule} is for DNS, but does not match the DNS servers {ref(dns.service).title} has: {count} cannot resolve names"


def _severity(blocked: Blocked) -> Severity:
    """Pods that were shut in wholly, and work, were probably meant to be; those that may send to others need names."""
    if any(not_ready(pod) for pod in blocked.pods):
        return Severity.WARNING
    return Severity.WARNING if blocked.about_dns or blocked.reaches_by_name else Severity.NOTICE


def _complaint(pods: tuple[Pod, ...], cluster: Cluster) -> Evidence | None:
    """A line of an affected pod's log that says that a name was not resolved."""
    troubled = [each for each in pods if not_ready(each) and not finished(each) and not terminating(each)]
    logs = [
        partial(cluster.log_tail, pod, container.name, previous=previous)
        for pod in troubled[:MOST_LOGS]
        for container in pod.spec.containers
        for previous in (False, True)
    ]
    cluster.together(*logs)
    for log in logs:
        tail = log()
        sign = read_log(tail.lines) if tail is not None else None
        if tail is not None and sign is not None and sign.sign is Sign.UNRESOLVED_HOST:
            return quote_line(tail, sign.index, "a lookup that failed")
    return None
