"""Istio: retries for which the timeout leaves no time.

## What it means
`timeout` of a rule counts for a request with all of its retries. The first try and the configured retries take longer than that, each
up to `perTryTimeout`, so the client gets 504 before the last of them starts.

## Why it happens
- The timeout was lowered, or retries were added later.
- `perTryTimeout` was read as the time of all tries together.

## How to fix it
Raise `timeout` to `perTryTimeout` times the number of tries, lower `perTryTimeout`, or lower `attempts`.

## References
- https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRetry
- https://www.envoyproxy.io/docs/envoy/latest/faq/configuration/timeouts
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from diagnostics.mesh._config import settling
from kubedoctor.cluster import Cluster, CustomResource, human_duration
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic, edit_command, quote, ref
from kubedoctor.replay.mesh.analysis.validation.problems import duration_seconds
from kubedoctor.replay.mesh.config import VIRTUAL_SERVICE, number, part, rows


@diagnostic(
    code="KD6025",
    subject=VIRTUAL_SERVICE,
    severity=Severity.NOTICE,
    reads=(),
    symptoms=("504", "UT", "upstream request timeout"),
)
def retry_budget(service: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    if settling(service, cluster):
        return
    for at, rule in rows(service.spec, "http"):
        retries = part(rule, "retries")
        whole, each = _duration(rule.get("timeout")), _duration(retries.get("perTryTimeout"))
        tries = number(retries.get("attempts")) + 1
        if not whole or not each or tries < 2:
            continue
        started = -(-whole // each)
        if started >= tries:
            continue
        yield Finding(
            about=ref(service),
            aspect=str(at),
            summary=f"only {started} of {tries} tries can start within its timeout of {human_duration(whole)}: each may take {human_duration(each)}",
            evidence=(
                quote(service, f"spec.http[{at}].timeout", "for a request with all of its tries"),
                quote(service, f"spec.http[{at}].retries.perTryTimeout", "for each try"),
                quote(service, f"spec.http[{at}].retries.attempts", "retries after the first try"),
            ),
            confidence=Confidence.CERTAIN,
            fixes=(
                Fix(
                    f"Raise timeout to {human_duration(each * tries)}, or lower perTryTimeout",
                    edit_command(ref(service)),
                ),
            ),
            commands=(Command(ref(service).describe_command, "timeouts and retries of its rules"),),
        )


def _duration(written: object) -> timedelta:
    """Zero where there is none."""
    return timedelta(seconds=duration_seconds(written) or 0)
