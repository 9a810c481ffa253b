"""Istio: no pod serves a Gateway.

## What it means
The selector of the Gateway matches the labels of no pod, so no proxy opens its ports and takes its hosts: connections are
refused, or another Gateway's proxy answers 404 `NR`. The VirtualServices that are bound to it have no effect.

## Why it happens
- The label of the gateway's pods is another one: `istio: ingressgateway` of istioctl's profiles, `istio: ingress` of the
  Helm chart `gateway` released as `istio-ingress`.
- The selector has a label too much.
- The gateway's Deployment is not installed.

## How to fix it
Give `spec.selector` labels that the gateway's pods have.

## References
- https://istio.io/latest/docs/reference/config/networking/gateway/#Gateway-selector
- https://istio.io/latest/docs/reference/config/analysis/ist0101/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.mesh._config import settling
from kubedoctor.cluster import Cluster, CustomResource, Pod, finished, listed
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, diagnostic, edit_command, quote, ref
from kubedoctor.replay.mesh import injection
from kubedoctor.replay.mesh.config import GATEWAY, NETWORKING, VIRTUAL_SERVICE, labels
from kubedoctor.replay.mesh.gateways import serving_pods
from kubedoctor.replay.mesh.routes import gateways_of

MOST = 3


@diagnostic(
    code="KD6004",
    subject=GATEWAY,
    severity=Severity.CRITICAL,
    reads=(Pod, VIRTUAL_SERVICE),
    also_known_as=("IST0101",),
    symptoms=("404", "NR", "connection refused"),
)
def gateway_not_served(gateway: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    wanted = labels(gateway.spec, "selector")
    if settling(gateway, cluster) or not wanted:
        return
    pods = [pod for pod in cluster.all(Pod) if not finished(pod)]
    if serving_pods(gateway, pods):
        return
    bound = _bound(gateway, cluster)
    proxies = [pod for pod in pods if any(container.name == injection.PROXY for container in pod.spec.containers[:1])]
    asked = ", ".join(f"{key}={value}" for key, value in sorted(wanted.items()))
    text = f"selects no pod: none has the labels {asked}"
    near = max(proxies, key=lambda pod: len(wanted.items() & pod.labels.items()), default=None)
    if near is not None and wanted.items() & near.labels.items():
        lacks = ", ".join(f"{key}={value}" for key, value in sorted(wanted.items() - near.labels.items()))
        text += f"; {ref(near).title} is closest, without {lacks}"
    yield Finding(
        about=ref(gateway),
        summary=text,
        detail=f"{listed((ref(one).title for one in bound), MOST)} {'is' if len(bound) == 1 else 'are'} bound to it."
        if bound
        else "",
        evidence=(quote(gateway, "spec.selector", "matches no pod"),),
        confidence=Confidence.CERTAIN,
        severity=None if bound else Severity.WARNING,
        affects=tuple(ref(one) for one in bound),
        fixes=(Fix("Set spec.selector to labels that the gateway's pods have", edit_command(ref(gateway))),),
        commands=(Command("kubectl get pods -A -l 'istio' --show-labels", "the pods of Istio and its gateways"),),
    )


def _bound(gateway: CustomResource, cluster: Cluster) -> list[CustomResource]:
    return [
        service
        for service in cluster.maybe.custom("VirtualService", NETWORKING)
        if any((named.namespace, named.name) == (gateway.namespace, gateway.name) for named in gateways_of(service))
    ]
