"""An image does not exist in its registry.

## What it means
The registry answered, and it has no such image: no such repository, no such tag, or no variant for the node's
processor. The container cannot start; the kubelet tries again, at most every 5 minutes (`ImagePullBackOff`).

## Why it happens
- The tag has a typo, or was never pushed: the build failed, or pushed elsewhere.
- The tag was deleted by a clean-up rule of the registry.
- The repository's name or the registry is a wrong one.
- The image was built for another processor only.

## How to fix it
1. Look up the tags that exist in the registry.
2. Correct the image, or push what is missing.
3. If an earlier version still runs, go back to it: `kubectl rollout undo deployment/NAME`.

## References
- https://kubernetes.io/docs/concepts/containers/images/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.pods.images._images import (
    Unpulled,
    finding,
    look,
    replaced_version_fix,
    set_image,
    unpulled,
    working_image,
)
from kubedoctor.cluster import Cluster, Event, Node, Pod
from kubedoctor.cluster.relations.workloads import WORKLOADS
from kubedoctor.cluster.triage import waiting
from kubedoctor.findings import Confidence, Effect, Evidence, Finding, Fix, Severity, diagnostic, has_path, quote
from kubedoctor.findings.commands import kubectl
from kubedoctor.findings.containers import CONSEQUENCES
from kubedoctor.replay.kubelet.image_errors import PullProblem

REVISION = "deployment.kubernetes.io/revision"


@diagnostic(
    code="KD1001",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(Event, Node, *WORKLOADS),
    when=waiting,
    explains=CONSEQUENCES,
    symptoms=("ErrImagePull", "ImagePullBackOff", "manifest unknown", "Failed", "BackOff"),
)
def image_not_found(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    for one in unpulled(pod, cluster, PullProblem.NOT_FOUND, PullProblem.NO_PLATFORM, PullProblem.UNKNOWN):
        if one.problem is PullProblem.UNKNOWN:
            yield _unknown(pod, one)
        elif one.problem is PullProblem.NO_PLATFORM:
            yield _no_platform(pod, one, cluster)
        else:
            yield _not_found(pod, one, cluster)


def _not_found(pod: Pod, one: Unpulled, cluster: Cluster) -> Finding:
    fixes = list(replaced_version_fix(pod, one, cluster))
    said = f"the image {one.image} does not exist in its registry"
    near = working_image(pod, one.name, cluster) if not fixes else None
    evidence: tuple[Evidence, ...] = ()
    if fixes:
        said += "; the workload's template names another image by now, this pod is left over"
    elif near:
        said += f"; {near[0]} runs in this namespace"
        evidence = (near[1],)
        fixes.append(set_image(one, near[0], f"Use {near[0]}, which runs here already"))
    if one.about.kind == "Deployment" and _has_version_before(one, cluster):
        undo = kubectl("rollout", "undo", one.about.argument, namespace=one.about.namespace)
        fixes.append(Fix(f"{'Or go' if fixes else 'Go'} back to the version before", undo, Effect.DISRUPTS))
    return finding(pod, one, said, *fixes, evidence=evidence)


def _has_version_before(one: Unpulled, cluster: Cluster) -> bool:
    """Deployments count their versions (`deployment/util/deployment_util.go`, v1.37)."""
    deployment = cluster.maybe.get_ref(one.about)
    revision = deployment.annotations.get(REVISION, "") if deployment is not None else ""
    return revision not in ("", "1")


def _no_platform(pod: Pod, one: Unpulled, cluster: Cluster) -> Finding:
    node = cluster.maybe.get(Node, "", pod.spec.node_name)
    said = f"the image {one.image} has no variant for the node's processor"
    evidence = []
    if node is not None and has_path(node, "status.nodeInfo.architecture"):
        evidence.append(quote(node, "status.nodeInfo.architecture", "what the image must be built for"))
        said += f" ({node.status.node_info.architecture})"
    fix = Fix("Build the image for that processor too, or select nodes that fit with a nodeSelector", "")
    return finding(pod, one, said, fix, evidence=evidence)


def _unknown(pod: Pod, one: Unpulled) -> Finding:
    return Finding(
        about=one.about,
        summary=f"the image {one.image} cannot be pulled; why was not recorded",
        confidence=Confidence.POSSIBLE,
        would_disprove="The event `Failed to pull image` tells the reason: the name, the access or the network.",
        evidence=one.evidence,
        commands=(look(pod),),
        aspect=one.container.name,
    )
