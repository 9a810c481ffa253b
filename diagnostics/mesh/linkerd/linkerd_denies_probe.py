"""Linkerd: inbound policy denies the kubelet's probe.

## What it means
The proxy answers the kubelet's probe with 403: its inbound policy takes requests of authenticated clients only, and the kubelet has no
identity in the mesh. The pod stays unready, or is restarted, although the program is well.

## Why it happens
- The default policy is `cluster-authenticated`, `all-authenticated` or `deny`, and the probe is not recognised: its path has a query, it
  follows a redirect, or the proxy is older than 2.12.
- A Server selects the port of the probe, and an HTTPRoute is attached to it: then probes need a rule of their own.

## How to fix it
Authorize the probe's path for unauthenticated clients of the node network (HTTPRoute with NetworkAuthentication), or probe a path without
a query.

## References
- https://linkerd.io/2/reference/authorization-policy/#policy-annotations
- https://linkerd.io/2/tasks/configuring-per-route-policy/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Final

from kubedoctor.cluster import WORKLOADS, Cluster, Event, Namespace, Pod, not_ready
from kubedoctor.findings import (
    Command,
    Confidence,
    Evidence,
    Explains,
    Finding,
    Fix,
    Severity,
    at_fault,
    diagnostic,
    has_path,
    kubectl,
    quote,
    quote_line,
    ref,
)
from kubedoctor.replay.mesh.linkerd.proxies import PROXY, has_proxy

POLICY: Final = "config.linkerd.io/default-inbound-policy"
_DENIED: Final = re.compile(r"unauthorized (?:request|connection)|Request denied|Connection denied", re.IGNORECASE)
"""`linkerd/app/inbound/src/policy` of linkerd2-proxy."""
_PROBE: Final = re.compile(r"(?P<what>Readiness|Liveness|Startup) probe failed:.*\b403\b")


@diagnostic(
    code="KD6102",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(Event, Namespace, *WORKLOADS),
    when=not_ready,
    explains=(Explains("same", ("KD1012", "KD1013", "KD1014", "KD1201")),),
    symptoms=("403", "unauthorized request on route", "default-inbound-policy"),
)
def linkerd_denies_probe(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    if not has_proxy(pod):
        return
    cluster.together(partial(cluster.events_about, ref(pod)), partial(cluster.log_tail, pod, PROXY))
    failed = next((event for event in reversed(cluster.events_about(ref(pod))) if _PROBE.search(event.message)), None)
    tail = cluster.log_tail(pod, PROXY)
    if failed is None or tail is None:
        return
    found = _PROBE.search(failed.message)
    line = next((at for at in range(len(tail.lines) - 1, -1, -1) if _DENIED.search(tail.lines[at])), None)
    if line is None or found is None:
        return
    policy = _policy(pod, cluster)
    named = f" ({policy[0].text})" if policy else ""
    yield Finding(
        about=at_fault(pod, cluster),
        summary=f"the inbound policy of Linkerd{named} denies the {found['what'].lower()} probe with 403: the kubelet is not"
        " authenticated in the mesh",
        evidence=(
            quote(failed, "message", "the probe's answer"),
            quote_line(tail, line, "the proxy refuses the request"),
            *policy,
        ),
        confidence=Confidence.LIKELY,
        affects=(ref(pod),),
        fixes=(
            Fix("Authorize the probe's path for the nodes' network: an HTTPRoute with a NetworkAuthentication"),
            Fix("Or probe a path without query and redirect, which the proxy recognises as a probe"),
        ),
        commands=(
            Command(
                kubectl(
                    "get",
                    "servers,httproutes.policy.linkerd.io,authorizationpolicies.policy.linkerd.io",
                    namespace=pod.namespace,
                ),
                "the policies for its ports",
            ),
        ),
    )


def _policy(pod: Pod, cluster: Cluster) -> tuple[Evidence, ...]:
    path = f"metadata.annotations[{POLICY}]"
    for obj in (pod, cluster.maybe.get(Namespace, "", pod.namespace)):
        if obj is not None and has_path(obj, path):
            return (quote(obj, path, "the policy of ports without a Server"),)
    return ()
