"""Pods of a Service have no address of its IP family.

## What it means
The Service is for IPv6 (or IPv4), and its pods have addresses of the other family only. It has no endpoint of this family,
although the pods are ready: connections to its address are refused.

## Why it happens
- `ipFamilies` was copied from a dual-stack cluster, and the nodes of this one give pods one family.
- Dual stack was switched on in the control plane, but not in the network plugin or the kubelets.
- The pods were created before their node had dual stack: a pod keeps the addresses of its start.

## How to fix it
- The pods lack the second family: set `ipFamilyPolicy` to `SingleStack`.
- They lack the first one, which cannot be changed: create the Service again with the family of the pods.
- Or restart the workload, if new pods get both families.

## References
- https://kubernetes.io/docs/concepts/services-networking/dual-stack/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.services._triage import states_families
from kubedoctor.cluster import Cluster, Pod, Service, finished, pods_selected_by, ready, selected_so_far, terminating
from kubedoctor.cluster.changes import put
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
from kubedoctor.replay.network.overlaps import addresses_of


@diagnostic(
    code="KD2008",
    subject=Service,
    severity=Severity.CRITICAL,
    reads=(Service, Pod),
    when=states_families,
    symptoms=("dual-stack", "IPv6", "connection refused", "network is unreachable"),
)
def address_family_mismatch(service: Service, cluster: Cluster) -> Iterator[Finding]:
    wanted = service.spec.ip_families or ()
    if any(set(wanted) <= _families(pod) for pod in selected_so_far(service, cluster)):
        return  # One pod that was seen is enough.
    pods = [pod for pod in pods_selected_by(service, cluster) if ready(pod) and not finished(pod)]
    pods = [pod for pod in pods if pod.status.pod_ip and not terminating(pod)]
    has = {family for pod in pods for family in _families(pod)}
    lacking = [family for family in wanted if family not in has]
    if not pods or not lacking:
        return
    at, family, other = wanted.index(lacking[0]), lacking[0], next(iter(has))
    alone = len(lacking) == len(wanted)
    if service.spec.is_headless and not alone:
        return  # It has no address: its name resolves to the addresses that there are.
    whose = "the Service has endpoints of this family only"
    if not service.spec.is_headless:
        whose = "the Service has an address of this family"
    yield Finding(
        about=ref(service),
        summary=f"no {family} endpoints: its pods have {other} addresses only"
        f"{'' if alone else f'; its {other} address works'}",
        severity=None if alone else Severity.WARNING,
        evidence=(
            quote(service, f"spec.ipFamilies[{at}]", whose),
            quote(pods[0], "status.podIP", "address of a ready pod"),
        ),
        confidence=Confidence.CERTAIN,
        fixes=(
            _fix(service, at, other),
            Fix(f"Or restart the workload, if new pods of these nodes get {family} addresses"),
        ),
        commands=(
            Command(
                kubectl("get", "pod", pods[0].name, "-o", "jsonpath={.status.podIPs}", namespace=service.namespace),
                "all addresses of a pod",
            ),
        ),
    )


def _fix(service: Service, at: int, other: str) -> Fix:
    """The first family cannot be changed; the API server drops the second with the policy."""
    if at == 0:
        return Fix(f"Create the Service again with ipFamilies: [{other}]")
    change = put(ref(service), ("spec", "ipFamilyPolicy"), "SingleStack")
    return Fix(
        f"Set ipFamilyPolicy to SingleStack: the Service keeps its {other} address", command_line(change, service)
    )


def _families(pod: Pod) -> set[str]:
    return {"IPv6" if ":" in address else "IPv4" for address in addresses_of(pod) if address}
