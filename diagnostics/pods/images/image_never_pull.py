"""Image is not on the node and imagePullPolicy is Never (ErrImageNeverPull).

## What it means
With `imagePullPolicy: Never` the kubelet does not pull the image. It must already be on the node, and it is not.

## Why it happens
- The image was loaded by hand on one node, and the pod runs on another node.
- A setting for a local cluster (kind, minikube) was applied to a real cluster.
- The kubelet's image garbage collection removed the image when the disk was full.

## How to fix it
1. Set `imagePullPolicy: IfNotPresent`, and use an image that is in a registry.
2. In a local cluster, load it: `kind load docker-image IMAGE`, `minikube image load IMAGE`.

## References
- https://kubernetes.io/docs/concepts/containers/images/#image-pull-policy
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.pods._consequences import CONSEQUENCES
from diagnostics.pods.images._images import Unpulled, finding, unpulled
from kubedoctor.cluster import WORKLOADS, Cluster, Event, Pod, waiting
from kubedoctor.findings import SETTABLE, Finding, Fix, Severity, container_command, diagnostic, quote_spec
from kubedoctor.replay.kubelet.image_errors import PullProblem


@diagnostic(
    code="KD1008",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(Event, *WORKLOADS),
    when=waiting,
    explains=CONSEQUENCES,
    symptoms=("ErrImageNeverPull",),
)
def image_never_pull(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    for pull in unpulled(pod, cluster, PullProblem.NEVER_PULL):
        policy = quote_spec(
            pod, cluster, pull.about, pull.container.name, "imagePullPolicy", "the kubelet does not pull"
        )
        summary = f"image {pull.image} is not on the node, and imagePullPolicy is Never"
        yield finding(pod, pull, summary, _fix(pull, cluster), evidence=policy)


def _fix(pull: Unpulled, cluster: Cluster) -> Fix:
    summary = f"Set imagePullPolicy of container `{pull.container.name}` to IfNotPresent"
    if pull.about.kind not in SETTABLE - {"CronJob"}:
        return Fix(summary)
    return Fix(
        summary,
        container_command(
            cluster.maybe.get_ref(pull.about), (pull.container.name,), ("imagePullPolicy",), "IfNotPresent"
        ),
    )
