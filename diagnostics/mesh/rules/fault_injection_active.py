"""Istio: the mesh injects faults into requests.

## What it means
A VirtualService aborts or delays requests on purpose (`fault`). The proxies answer themselves, with the flag `FI` or `DI` in
their access logs: the server never sees an aborted request.

## Why it happens
- A chaos experiment or a test of timeouts was left behind.
- The fault was meant for a test header, and the `match` is missing.

## How to fix it
Remove `fault` from the rule, or limit the rule to a header that only tests send.

## References
- https://istio.io/latest/docs/tasks/traffic-management/fault-injection/
- https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPFaultInjection
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubedoctor.answers.proof import prove, proven
from kubedoctor.cluster import Cluster, CustomResource, listed
from kubedoctor.cluster.changes import drop
from kubedoctor.findings import (
    Command,
    Confidence,
    Finding,
    Fix,
    Severity,
    command_line,
    diagnostic,
    kubectl,
    quote,
    ref,
)
from kubedoctor.replay.mesh.config import NETWORKING, VIRTUAL_SERVICE, part, rows, text, words
from kubedoctor.replay.mesh.scope.faults import fault_share

_NARROWING = ("headers", "queryParams", "sourceLabels", "sourceNamespace")


@diagnostic(
    code="KD6017",
    subject=VIRTUAL_SERVICE,
    severity=Severity.WARNING,
    reads=(),
    symptoms=("fault filter abort", "FI", "DI"),
)
def fault_injection_active(service: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    if service.metadata.deletion_timestamp is not None:
        return
    for at, rule in rows(service.spec, "http"):
        done = [words_of for kind in ("abort", "delay") if (words_of := _done(part(rule, "fault"), kind))]
        if not done or _is_narrow(rule):
            continue
        change = drop(ref(service), ("spec", "http", at, "fault"))

        def is_gone(after: Cluster, at: int = at) -> bool:
            changed = after.get_ref(ref(service))
            return isinstance(changed, CustomResource) and not part(dict(rows(changed.spec, "http")).get(at), "fault")

        hosts = listed(words(service.spec, "hosts"), 2) or "its hosts"
        fix = Fix("Remove the fault from the rule", command_line(change, service))
        yield Finding(
            about=ref(service),
            aspect=str(at),
            summary=f"{' and '.join(done)} for {hosts} on purpose (fault injection)",
            evidence=(quote(service, f"spec.http[{at}].fault", "what the proxies do to requests"),),
            confidence=Confidence.CERTAIN,
            fixes=(proven(fix, prove(change, cluster, is_gone)),),
            commands=(
                Command(
                    kubectl(
                        "get", f"virtualservices.{NETWORKING}", service.name, "-o", "yaml", namespace=service.namespace
                    ),
                    "the rules of the host",
                ),
            ),
        )


def _done(fault: Mapping[str, Any], kind: str) -> str:
    """What happens to which share of the requests; empty where nothing does."""
    found = fault.get(kind)
    if not isinstance(found, dict):
        return ""
    share = fault_share(found)
    if share <= 0:
        return ""
    which = "all requests" if share >= 100 else f"{share:g} % of the requests"
    if kind == "delay":
        return f"delays {which} by {text(found.get('fixedDelay')) or 'some time'}"
    status = found.get("httpStatus") or found.get("grpcStatus")
    return f"answers {which} with {status}" if status else ""


def _is_narrow(rule: Mapping[str, Any]) -> bool:
    """Only for requests that somebody marks, as tests do."""
    found = [match for _, match in rows(rule, "match")]
    return bool(found) and all(any(match.get(name) for name in _NARROWING) for match in found)
