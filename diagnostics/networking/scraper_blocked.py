"""NetworkPolicy blocks a scraper of metrics.

## What it means
Prometheus, or another program that collects metrics, logs that it gets no answer from a target, and a policy denies exactly this
connection. The target itself is well; its metrics, and the alerts that use them, are missing.

## Why it happens
- A policy lets in the namespace itself only, or the clients of the program, and leaves the namespace of the monitoring out.
- The policy names the port of the program, and metrics have a port of their own.
- The policy of the monitoring's namespace lets no egress to the port.

## How to fix it
Allow ingress from the scraper to the port of the metrics, in a policy beside the target.

## References
- https://kubernetes.io/docs/concepts/services-networking/network-policies/
- https://prometheus-operator.dev/docs/platform/troubleshooting/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Final, NamedTuple

from kubedoctor.answers.reach.connections import AdminDenial, Denial, denial, foresee_policies, targets
from kubedoctor.answers.reach.denials import allowing_fix, deciding_parts, in_words
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    DaemonSet,
    EndpointSlice,
    LogTail,
    Namespace,
    NetworkPolicy,
    Pod,
    Service,
)
from kubedoctor.findings import (
    Command,
    Confidence,
    Finding,
    Severity,
    at_fault,
    diagnostic,
    kubectl,
    quote_line,
    ref,
)
from kubedoctor.replay.logs.log_lines import time_of
from kubedoctor.replay.network import ADMIN_KINDS
from kubedoctor.replay.network.enforcers import none_enforces
from kubedoctor.replay.network.scrapers import collects_metrics, is_collector
from kubedoctor.replay.services.hosts import is_local, split_address

_SCRAPE: Final = re.compile(r"scrap", re.IGNORECASE)
_URL: Final = re.compile(r"https?://(?P<address>[\w.\-\[\]:]+?)(?=[/\\\"'\s,]|$)")
_NO_ANSWER: Final = re.compile(r"context deadline exceeded|i/o timeout|timed? ?out|no route to host", re.IGNORECASE)
_SINCE: Final = timedelta(minutes=30)
_MOST: Final = 10
"""Targets of one log; there are few policies."""


class _Scrape(NamedTuple):
    """A target that did not answer, and the newest line that says so."""

    tail: LogTail
    line: int
    host: str
    port: int


@diagnostic(
    code="KD2205",
    subject=Pod,
    severity=Severity.WARNING,
    reads=(NetworkPolicy, *ADMIN_KINDS, Namespace, Pod, Service, EndpointSlice, DaemonSet, *WORKLOADS),
    when=collects_metrics,
    symptoms=("context deadline exceeded", "Scrape failed", "up == 0", "TargetDown"),
)
def scraper_blocked(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    names = [container.name for container in pod.spec.containers if is_collector(container.image)]
    cluster.together(*(partial(cluster.log_tail, pod, name, optional=True) for name in names))
    tails = [tail for name in names if (tail := cluster.log_tail(pod, name, optional=True)) is not None]
    scrapes = [row for tail in tails for row in _unanswered(tail) if not _is_over(tail.lines[row.line], cluster)]
    if scrapes:
        foresee_policies(pod, cluster)
    told: set[tuple[object, ...]] = set()
    for scrape in scrapes:
        reached = targets(pod, scrape.host, scrape.port, cluster)
        found = denial(pod, reached, cluster) if reached else None
        if found is None or none_enforces(cluster):
            continue
        about = ref(found.policy), found.target.title, scrape.port
        if about not in told:
            told.add(about)
            yield _finding(pod, scrape, found, cluster)


def _is_over(line: str, cluster: Cluster) -> bool:
    """By the line's own time: targets are scraped every few minutes, and each failure is logged."""
    at = time_of(line)
    return at is not None and cluster.taken_at - at > _SINCE


def _unanswered(tail: LogTail) -> Iterator[_Scrape]:
    """Each target once, the newest line first."""
    seen: set[tuple[str, int]] = set()
    for index in range(len(tail.lines) - 1, -1, -1):
        line = tail.lines[index]
        if not (_SCRAPE.search(line) and _NO_ANSWER.search(line)):
            continue
        url = _URL.search(line)
        host, port = split_address(url["address"]) if url is not None else ("", 0)
        if not host or not port or is_local(host) or (host, port) in seen:
            continue
        seen.add((host, port))
        yield _Scrape(tail, index, host, port)
        if len(seen) == _MOST:
            return


def _finding(pod: Pod, scrape: _Scrape, found: Denial | AdminDenial, cluster: Cluster) -> Finding:
    policy, target = ref(found.policy), found.target.pod
    whose = at_fault(target, cluster).title if target is not None else found.target.title
    return Finding(
        about=policy,
        aspect=f"{found.direction}-{whose}-{scrape.port}",
        summary=f"blocks {at_fault(pod, cluster).title} from the metrics of {whose} (TCP {scrape.port}): {in_words(found)}",
        confidence=Confidence.CERTAIN,
        evidence=(*deciding_parts(found), quote_line(scrape.tail, scrape.line, "the target does not answer")),
        affects=(ref(pod),),
        fixes=(allowing_fix(found, cluster),),
        commands=(
            Command(
                kubectl("describe", policy.kind.lower(), namespace=found.policy.namespace),
                "all NetworkPolicies of the namespace" if policy.namespace else "all policies of this kind",
            ),
        ),
    )
