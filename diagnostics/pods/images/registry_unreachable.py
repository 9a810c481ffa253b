"""Registry cannot be reached from the node.

## What it means
The kubelet could not download the image (`ErrImagePull`, `ImagePullBackOff`): the registry's name does not resolve,
its port is closed, its certificate is not trusted, it does not answer, or the node's disk is full or its kubelet
pulls no more images at once.

## Why it happens
- The registry in the image name has a typo.
- The node's DNS, proxy or firewall blocks the connection. The node pulls the image, not the pod: cluster DNS and
  NetworkPolicies do not apply.
- The registry is down, or its certificate comes from a private certificate authority that the node does not trust.
- A proxy or mirror on the way answers with something else, or the store of the registry's layers refuses the node.
- The registry uses plain HTTP, and the container runtime is not configured for it.

## How to fix it
1. Compare the registry with the registry that other workloads use.
2. Test it from the node: `curl -v https://REGISTRY/v2/`.
3. Trust the certificate, or allow plain HTTP, in the container runtime's configuration on every node.

## References
- https://kubernetes.io/docs/concepts/containers/images/
- https://github.com/containerd/containerd/blob/main/docs/hosts.md
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.pods._consequences import CONSEQUENCES
from diagnostics.pods._node import blamed_node
from diagnostics.pods.images._certificate import certificate_words
from diagnostics.pods.images._images import (
    Unpulled,
    finding,
    nearest_registry,
    replaced_version_fix,
    set_image,
    unpulled,
)
from kubedoctor.cluster import WORKLOADS, Cluster, Event, Pod, waiting
from kubedoctor.findings import Finding, Fix, Severity, diagnostic, quote
from kubedoctor.replay.kubelet.image_errors import PullProblem, failed_lookup, storage_host

_SUMMARIES = {
    PullProblem.NO_SUCH_HOST: "registry {host} does not resolve on {node}",
    PullProblem.REFUSED: "connection refused by registry {host}",
    PullProblem.TIMEOUT: "registry {host} does not answer (timeout)",
    PullProblem.CERTIFICATE: "the node does not trust the TLS certificate of registry {host}",
    PullProblem.PLAIN_HTTP: "registry {host} uses plain HTTP, the node expects HTTPS",
    PullProblem.SERVER_ERROR: "registry {host} answers with a server error",
    PullProblem.TRANSFER: "the download of image {image} from registry {host} broke off",
    PullProblem.WEB_PAGE: "something on the way to registry {host} answers with a web page (text/html), not with image {image}",
    PullProblem.STORAGE_DENIED: "{store}, where registry {host} keeps the layers of image {image}, refuses the node (403)",
    PullProblem.PULLS_OF_NODE: "the kubelet of node {node} does not pull image {image} yet: more pulls at once than its "
    "registryPullQPS and registryBurst allow",
    PullProblem.NO_SPACE: "no space left on the disk of node {node} for image {image}",
}
_FIXES = {
    PullProblem.CERTIFICATE: "Add the registry's certificate authority to the container runtime of the nodes",
    PullProblem.PLAIN_HTTP: "Serve the registry over HTTPS, or allow plain HTTP for it in the container runtime",
    PullProblem.NO_SPACE: "Free disk space on the node, or use a larger disk",
    PullProblem.PULLS_OF_NODE: "Wait: the kubelet tries again. To start more pods at once, raise registryPullQPS and "
    "registryBurst in its configuration",
    PullProblem.SERVER_ERROR: "Check the registry's own health and logs",
    PullProblem.WEB_PAGE: "Check the proxy or the mirror that the container runtime of the node uses for this registry",
    PullProblem.STORAGE_DENIED: "Let the nodes read from {store}: check endpoint and bucket policies, proxies, and the node's clock",
    PullProblem.TRANSFER: "Check the network between the node and the registry, and proxies on the way",
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
    for pull in unpulled(pod, cluster, *_SUMMARIES):
        yield _finding(pod, pull, cluster)


def _finding(pod: Pod, pull: Unpulled, cluster: Cluster) -> Finding:
    host = pull.name.registry
    store = storage_host(pull.message)
    node = pod.spec.node_name
    lookup = failed_lookup(pull.message) if pull.problem is PullProblem.NO_SUCH_HOST else None
    if pull.problem is PullProblem.NO_SUCH_HOST:
        # A name that does not exist does so on every node: workloads with it are one incident.
        node = f"node {node}" if node and lookup is not None and lookup.by_the_resolver else "the node"
    summary = _SUMMARIES[pull.problem].format(host=host, image=pull.image, node=node, store=store)
    if lookup is not None:
        summary += lookup.clause(host)
    certificate = (
        certificate_words(pull.message, host, pod.spec.node_name) if pull.problem is PullProblem.CERTIFICATE else None
    )
    if certificate is not None:
        summary = certificate.summary
    fixes = list(replaced_version_fix(pod, pull, cluster))
    if certificate is not None:
        fixes.append(Fix(certificate.fix))
    elif lookup is not None and lookup.by_the_resolver:
        fixes.append(Fix(f"Repair name resolution on {node}: {lookup.resolver} does not answer for {lookup.name}"))
    elif pull.problem in (PullProblem.NO_SUCH_HOST, PullProblem.REFUSED, PullProblem.TIMEOUT):
        near = nearest_registry(pull.name, cluster, pod.namespace)
        if near:
            summary += f"; other pods in this namespace use {near}"
            fixes.append(set_image(pull, pull.image.replace(host, near, 1), f"Use registry {near}"))
        else:
            fixes.append(Fix(f"Correct registry {host} in the image name, or make it reachable from the node"))
    elif pull.problem in _FIXES:
        fixes.append(Fix(_FIXES[pull.problem].format(store=store)))
    blamed = blamed_node(pod)
    shows = {PullProblem.NO_SPACE: "the full disk"}
    if lookup is not None and lookup.by_the_resolver:
        shows[PullProblem.NO_SUCH_HOST] = "where the name is looked up"
    on_node = (quote(pod, "spec.nodeName", shows[pull.problem]),) if pull.problem in shows and blamed else ()
    return finding(pod, pull, summary, *fixes, evidence=on_node, because_of=blamed)
