"""Image or tag not found.

## What it means
The registry answered that it has no such image: no such repository, no such tag, or no image for the node's CPU
architecture. The container cannot start. The kubelet retries, at most every 5 minutes (`ErrImagePull`,
`ImagePullBackOff`).

## Why it happens
- The tag has a typo, or was never pushed: the build failed, or pushed to another registry.
- A retention rule of the registry deleted the tag.
- The repository or the registry in the image name is wrong.
- The image was built only for another CPU architecture.
- The container runtime refuses it: an old image format, a missing signature, or a short name without a registry.

## How to fix it
1. List the tags that exist in the registry.
2. Correct the image, or push the missing tag.
3. If an earlier revision still runs, roll back to it: `kubectl rollout undo deployment/NAME`.

## References
- https://kubernetes.io/docs/concepts/containers/images/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.pods._consequences import CONSEQUENCES
from diagnostics.pods._node import node_architecture
from diagnostics.pods.images._images import (
    Unpulled,
    finding,
    look,
    replaced_version_fix,
    unpulled,
    working_image,
)
from kubedoctor.cluster import WORKLOADS, Cluster, Deployment, Event, Node, Pod, replica_sets_of, visible_end, waiting
from kubedoctor.findings import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    Severity,
    diagnostic,
    fix_by_hand,
    roll_back,
)
from kubedoctor.replay.kubelet.image_errors import PullProblem, reason_in

_REFUSED = {
    PullProblem.FORMAT: (
        "the container runtime does not take the format of image {image}",
        "Build and push the image again with current tools",
    ),
    PullProblem.SIGNATURE: (
        "the signature policy of the node rejects image {image}",
        "Sign the image, or allow it in the node's policy (/etc/containers/policy.json)",
    ),
    PullProblem.SHORT_NAME: (
        "the container runtime does not complete the short name of image {image}",
        "Write the image with its registry, for example docker.io/{image}",
    ),
}


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
    for pull in unpulled(pod, cluster, PullProblem.NOT_FOUND, PullProblem.NO_PLATFORM, *_REFUSED, PullProblem.UNKNOWN):
        if pull.problem is PullProblem.UNKNOWN:
            yield _unknown(pod, pull)
        elif pull.problem in _REFUSED:
            yield _refused(pod, pull)
        elif pull.problem is PullProblem.NO_PLATFORM:
            yield _no_platform(pod, pull, cluster)
        else:
            yield _not_found(pod, pull, cluster)


def _not_found(pod: Pod, pull: Unpulled, cluster: Cluster) -> Finding:
    cluster.together(lambda: working_image(pod, pull, cluster), lambda: _previous_image(pull, cluster))
    fixes = list(replaced_version_fix(pod, pull, cluster))
    summary = f"image {pull.image} not found in {pull.registry_words}"
    near = working_image(pod, pull, cluster) if not fixes else None
    evidence: tuple[Evidence, ...] = ()
    if fixes:
        summary += "; the pod is left over from an older revision, the template now has another image"
    elif near:
        summary += f"; {near.image} runs in this namespace"
        evidence = (near.evidence,)
        fixes.append(near.fix)
    if previous := _previous_image(pull, cluster):
        fixes.append(roll_back(pull.about, f"with image {previous}", instead=bool(fixes)))
    if not fixes:
        words = f"Correct the image of container `{pull.container.name}`, or push {pull.image}"
        fixes.append(fix_by_hand(pull.about, words))
    return finding(pod, pull, summary, *fixes, evidence=evidence)


def _previous_image(pull: Unpulled, cluster: Cluster) -> str:
    """The other image of the revision that `kubectl rollout undo` returns to: a revision is its ReplicaSet, and old ones
    are deleted (`revisionHistoryLimit`). Empty where there is none."""
    deployment = cluster.maybe.get_ref(pull.about)
    sets = replica_sets_of(deployment, cluster.maybe) if isinstance(deployment, Deployment) else ()
    spec = sets[1].spec.template.spec if len(sets) > 1 else None
    containers = (*(spec.init_containers or ()), *spec.containers) if spec is not None else ()
    image = next((container.image for container in containers if container.name == pull.container.name), "")
    return image if image != pull.image else ""


def _no_platform(pod: Pod, pull: Unpulled, cluster: Cluster) -> Finding:
    summary = f"image {pull.image} has no variant for the node's CPU architecture"
    evidence = node_architecture(pod, cluster, "the image must support it")
    summary += "".join(f" ({fact.value})" for fact in evidence)
    fix = Fix("Build the image for this architecture too, or select other nodes with a nodeSelector")
    return finding(pod, pull, summary, fix, evidence=evidence)


def _refused(pod: Pod, pull: Unpulled) -> Finding:
    summary, fix = (words.format(image=pull.image) for words in _REFUSED[pull.problem])
    return finding(pod, pull, f"{summary}: {visible_end(reason_in(pull.message), 240)}", Fix(fix))


def _unknown(pod: Pod, pull: Unpulled) -> Finding:
    reason = reason_in(pull.message)
    return Finding(
        about=pull.about,
        summary=f"image {pull.image} cannot be pulled: {visible_end(reason, 240) or 'the kubelet recorded no reason'}",
        confidence=Confidence.POSSIBLE,
        would_disprove="The event `Failed to pull image` gives the reason: the image name, the access or the network.",
        evidence=pull.evidence,
        commands=(look(pod),),
        aspect=pull.container.name,
    )
