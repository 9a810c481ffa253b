"""A registry cannot be reached from the node.

## What it means
The node did not get as far as asking for the image: the registry's name does not resolve, its port is closed, its
certificate is not trusted, it gives no answer, or the node has no room for the image.

## Why it happens
- The registry's name in the image has a typo.
- The node's own DNS, proxy or firewall stands between. Pods' DNS and NetworkPolicies have no part in it: the node pulls.
- The registry is down, or has a certificate of a private authority that the node does not know.
- The registry speaks plain HTTP, which the runtime must be told.

## How to fix it
1. Compare the registry's name with the one that other workloads use.
2. Try from the node: `curl -v https://REGISTRY/v2/`.
3. Trust the certificate, or allow plain HTTP, in the container runtime's configuration on each node.

## References
- https://kubernetes.io/docs/concepts/containers/images/
- https://github.com/containerd/containerd/blob/main/docs/hosts.md
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.pods.images._images import (
    Unpulled,
    finding,
    nearest_registry,
    replaced_version_fix,
    set_image,
    unpulled,
)
from kubedoctor.cluster import Cluster, Event, Pod
from kubedoctor.cluster.relations.workloads import WORKLOADS
from kubedoctor.cluster.triage import waiting
from kubedoctor.findings import Finding, Fix, Ref, Severity, diagnostic
from kubedoctor.findings.containers import CONSEQUENCES
from kubedoctor.replay.kubelet.image_errors import PullProblem

_SAYS = {
    PullProblem.NO_SUCH_HOST: "the registry's name {host} does not resolve on the node",
    PullProblem.REFUSED: "the registry {host} refuses the connection",
    PullProblem.TIMEOUT: "the registry {host} gives no answer",
    PullProblem.CERTIFICATE: "the node does not trust the certificate of the registry {host}",
    PullProblem.PLAIN_HTTP: "the registry {host} speaks plain HTTP, and the node expects HTTPS",
    PullProblem.SERVER_ERROR: "the registry {host} answers with an error of its own",
    PullProblem.NO_SPACE: "the node has no space left for the image {image}",
}
_FIXES = {
    PullProblem.CERTIFICATE: "Make the container runtime of the nodes trust the registry's certificate authority",
    PullProblem.PLAIN_HTTP: "Serve the registry by HTTPS, or allow plain HTTP for it in the container runtime",
    PullProblem.NO_SPACE: "Free disk space on the node, or give it a larger disk",
    PullProblem.SERVER_ERROR: "Look at the registry itself",
}


@diagnostic(
    code="KD1006",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(Event, *WORKLOADS),
    when=waiting,
    explains=CONSEQUENCES,
    symptoms=("ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "Failed", "BackOff"),
)
def registry_unreachable(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    for one in unpulled(pod, cluster, *_SAYS):
        yield _finding(pod, one, cluster)


def _finding(pod: Pod, one: Unpulled, cluster: Cluster) -> Finding:
    host = one.name.registry
    said = _SAYS[one.problem].format(host=host, image=one.image)
    fixes = list(replaced_version_fix(pod, one, cluster))
    if one.problem in (PullProblem.NO_SUCH_HOST, PullProblem.REFUSED, PullProblem.TIMEOUT):
        near = nearest_registry(one.name, cluster, pod.namespace)
        if near:
            said += f"; other pods here use {near}"
            fixes.append(set_image(one, one.image.replace(host, near, 1), f"Use the registry {near}"))
        else:
            fixes.append(Fix(f"Correct the registry {host} in the image, or make it reachable from the node", ""))
    elif one.problem in _FIXES:
        fixes.append(Fix(_FIXES[one.problem], ""))
    blamed = (Ref("Node", "", pod.spec.node_name),) if pod.spec.node_name else ()
    return finding(pod, one, said, *fixes, because_of=blamed)
