"""NetworkPolicy blocks the ingress controller from a backend.

## What it means
The ingress controller serves the Ingress, but its connections to the backend's pods get no answer: clients get 504 after the
controller's time-out. From inside the namespace the Service may work.

## Why it happens
- A policy isolates the backend's pods and allows clients of their own namespace only; the controller is in another one.
- A rule for the controller has a `podSelector` without `namespaceSelector`, or labels that the controller does not have.
- A rule allows the port of the Service instead of the port of the pods.

## How to fix it
Allow ingress from the controller's namespace and labels to the port of the pods. The command under *fix* adds exactly this.

## References
- https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from kubedoctor.answers.reach.connections import AdminDenial, ConnectionTarget, Denial, denial, targets
from kubedoctor.answers.reach.denials import allowing_fix, deciding_parts, in_words
from kubedoctor.answers.reach.meant import rule_meant
from kubedoctor.cluster import (
    Cluster,
    DaemonSet,
    EndpointSlice,
    Ingress,
    IngressClass,
    LogTail,
    Namespace,
    NetworkPolicy,
    Pod,
    Service,
)
from kubedoctor.findings import (
    Command,
    Confidence,
    Evidence,
    Finding,
    Severity,
    diagnostic,
    kubectl,
    quote,
    quote_line,
    ref,
)
from kubedoctor.replay.ingress.controllers import controller_pods
from kubedoctor.replay.network import ADMIN_KINDS
from kubedoctor.replay.network.enforcers import certainly_enforced
from kubedoctor.replay.network.seen import admin_policies

_NO_ANSWER = re.compile(r"timed out|timeout|\b504\b", re.IGNORECASE)


@diagnostic(
    code="KD2304",
    subject=Ingress,
    severity=Severity.CRITICAL,
    reads=(Ingress, IngressClass, NetworkPolicy, *ADMIN_KINDS, Namespace, Pod, Service, EndpointSlice, DaemonSet),
    symptoms=("504", "Gateway Time-out", "upstream timed out"),
)
def controller_blocked(ingress: Ingress, cluster: Cluster) -> Iterator[Finding]:
    if ingress.metadata.deletion_timestamp is not None or not _is_guarded(ingress, cluster):
        return
    controllers = [pod for pod in controller_pods(ingress, cluster) if not pod.spec.host_network]
    for name, port in sorted(_backends(ingress, cluster)):
        for controller in controllers:
            reached = targets(controller, f"{name}.{ingress.namespace}.svc", port, cluster)
            found = denial(controller, reached, cluster)
            if found is None:
                break
        else:
            if controllers and found is not None:
                yield _finding(ingress, found, reached, cluster)


def _is_guarded(ingress: Ingress, cluster: Cluster) -> bool:
    cluster.together(
        partial(cluster.maybe.all, NetworkPolicy, ingress.namespace),
        *(partial(cluster.maybe.all, kind) for kind in ADMIN_KINDS),
    )
    return bool(admin_policies(cluster)) or any(
        "Ingress" in (policy.spec.policy_types or ("Ingress",))
        for policy in cluster.maybe.all(NetworkPolicy, ingress.namespace)
    )


def _backends(ingress: Ingress, cluster: Cluster) -> set[tuple[str, int]]:
    """The Services of the Ingress with the number of their port."""
    rows = [ingress.spec.default_backend] if ingress.spec.default_backend is not None else []
    rows += [
        path.backend for rule in ingress.spec.rules or () for path in (rule.http.paths if rule.http else None) or ()
    ]
    found = set()
    for wanted in (row.service for row in rows if row.service is not None):
        service = cluster.maybe.get(Service, ingress.namespace, wanted.name)
        for port in (service.spec.ports or ()) if service is not None else ():
            if wanted.port.number == port.port or (wanted.port.name and wanted.port.name == port.name):
                found.add((wanted.name, port.port))
    return found


def _finding(
    ingress: Ingress, found: Denial | AdminDenial, reached: tuple[ConnectionTarget, ...], cluster: Cluster
) -> Finding:
    tried = _tried(found, reached, cluster)
    seen: tuple[Evidence, ...] = (quote_line(*tried, "its connection gets no answer"),) if tried is not None else ()
    service = found.target.service
    meant = rule_meant(found, cluster) if isinstance(found, Denial) else None
    allowing = allowing_fix(found, cluster)
    named = ref(service).title if service is not None else found.target.title
    return Finding(
        about=ref(found.policy),
        aspect=f"{named}-{found.target.port}",
        summary=f"{'blocks' if tried is not None else 'would block'} the ingress controller ({found.source_title}) from {named} of {ref(ingress).title} "
        f"({found.target.protocol} {found.target.port}): {in_words(found)}{f'; {meant.clause}' if meant is not None else ''}",
        detail=""
        if tried is not None
        else "The Ingress still works if another kind of policy allows it."
        if certainly_enforced(cluster)
        else "The Ingress still works if the network plugin does not enforce NetworkPolicies, or if another kind of policy allows it.",
        evidence=(
            *deciding_parts(found),
            *((meant.evidence,) if meant is not None else ()),
            *seen,
            quote(ingress, "metadata.name", "sends requests there"),
        ),
        confidence=Confidence.CERTAIN if tried is not None else Confidence.LIKELY,
        severity=None if tried is not None else Severity.WARNING,
        affects=(ref(ingress), *((ref(service),) if service is not None else ())),
        fixes=meant.beside(allowing) if meant is not None else (allowing,),
        commands=(
            Command(
                kubectl("describe", ref(found.policy).kind.lower(), namespace=found.policy.namespace),
                "all NetworkPolicies of the namespace" if found.policy.namespace else "all policies of this kind",
            ),
        ),
    )


def _tried(
    found: Denial | AdminDenial, reached: tuple[ConnectionTarget, ...], cluster: Cluster
) -> tuple[LogTail, int] | None:
    """A line of the controller's log about a connection to one of the pods that got no answer."""
    addresses = [f"{target.address}:{target.port}" for target in reached]
    source = found.source
    for container in source.spec.containers if source is not None else ():
        tail = cluster.log_tail(source, container.name) if source is not None else None
        if tail is None:
            continue
        for index in range(len(tail.lines) - 1, -1, -1):
            line = tail.lines[index]
            if _NO_ANSWER.search(line) and any(address in line for address in addresses):
                return tail, index
    return None
