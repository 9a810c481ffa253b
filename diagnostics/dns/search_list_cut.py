"""Search list of a pod's resolv.conf is too long.

## What it means
A name without a final dot is completed with the domains of the search list. The kubelet writes at most 32 domains and 2,048
characters (older ones 6 and 256), and leaves out those at the end: the domains of the node, or of `dnsConfig`. Names that
need one of them do not resolve in this pod, although they do on the node.

## Why it happens
- The node's `/etc/resolv.conf` has many search domains; the kubelet puts three of its own before them.
- `dnsConfig.searches` of the pod adds more.

## How to fix it
Write the full name in the program's settings, or shorten the list: on the node, in the file of the kubelet's `resolvConf`,
or in `dnsConfig`.

## References
- https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#dns-search-domain-list-limits
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from diagnostics.dns._logs import logs_of_failures
from kubedoctor.cluster import Cluster, Event, Pod, Service, counted, listed, troubled
from kubedoctor.findings import (
    Command,
    Confidence,
    Explains,
    Finding,
    Fix,
    Severity,
    at_fault,
    diagnostic,
    kubectl,
    quote,
    quote_line,
    ref,
)
from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.reading import read_log
from kubedoctor.replay.services.hosts import is_address, split_address

_APPLIED: Final = re.compile(r"Search Line limits were exceeded.*applied search line is: (?P<domains>.+)$")
_SHOWN: Final = 6
_MOST_DOTS: Final = 1
"""Longer names are mostly complete."""


@diagnostic(
    code="KD2103",
    subject=Pod,
    severity=Severity.WARNING,
    reads=(Pod, Event, Service),
    when=troubled,
    explains=(Explains("affects", ("KD1003", "KD1012", "KD1016", "KD1029")),),
    symptoms=("DNSConfigForming", "Search Line limits were exceeded", "no such host"),
)
def search_list_cut(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    """Only where a lookup fails: many clusters have such events, and nothing needs what is left out."""
    for tail in logs_of_failures(pod, cluster):
        cause = read_log(tail.lines)
        if cause is None or cause.fault is not LogFault.NAME_NOT_RESOLVED:
            continue
        host = split_address(cause.subject)[0]
        if not host or is_address(host) or host.endswith(".") or host.count(".") > _MOST_DOTS:
            continue
        events = [event for event in cluster.events_about(ref(pod)) if _APPLIED.search(event.message)]
        found = _APPLIED.search(events[-1].message) if events else None
        if found is None:
            return
        domains = found["domains"].split()
        homes = [row for row in cluster.maybe.all(Service) if row.name == host.partition(".")[0]]
        lost = _left_out(pod, homes, domains)
        if homes and not lost:
            continue  # A Service of this name needs none of the domains that are left out.
        words = f"it is completed with {listed(domains, _SHOWN)} only ({counted(len(domains), 'domain')})"
        if lost:
            words = f"{lost}, the domain of {ref(homes[0]).title}, is left out"
        yield Finding(
            about=ref(pod),
            aspect=host,
            summary=f"{host} does not resolve, and the kubelet has cut the search list: {words}",
            evidence=(
                quote(events[-1], "message", "what the kubelet wrote into resolv.conf"),
                quote_line(tail, cause.index, "the lookup that failed"),
            ),
            confidence=Confidence.LIKELY if lost else Confidence.POSSIBLE,
            would_disprove="" if lost else f"no domain that is left out has {host}",
            affects=(at_fault(pod, cluster),),
            fixes=(Fix(f"Write the full name of {host} in the program's settings, or shorten the search list"),),
            commands=(
                Command(
                    kubectl("get", "events", "--field-selector", "reason=DNSConfigForming", namespace=pod.namespace),
                    "for which pods the kubelet cuts the list",
                ),
            ),
        )
        return


def _left_out(pod: Pod, homes: Sequence[Service], domains: Sequence[str]) -> str:
    """The domain of the pod's own list in which the Service is, and which the kubelet did not write; empty where none is."""
    config = pod.spec.dns_config
    missing = [domain for domain in (config.searches if config is not None else None) or () if domain not in domains]
    if any(row.namespace == pod.namespace for row in homes):
        return ""
    return next((one for one in missing for row in homes if one.startswith(f"{row.namespace}.svc")), "")
