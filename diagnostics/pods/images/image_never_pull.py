"""An image may not be pulled, and the node does not have it.

## What it means
`imagePullPolicy: Never` forbids the kubelet to ask a registry. The image must be on the node beforehand, and is not.

## Why it happens
- The image was loaded by hand on one node, and the pod runs on another.
- A setting for a local cluster (kind, minikube) reached a real one.
- The node's clean-up removed the image when its disk was full.

## How to fix it
1. Use `imagePullPolicy: IfNotPresent`, and an image that a registry has.
2. In a local cluster load it: `kind load docker-image IMAGE`, `minikube image load IMAGE`.

## References
- https://kubernetes.io/docs/concepts/containers/images/#image-pull-policy
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from diagnostics.pods.images._images import Unpulled, finding, unpulled
from kubedoctor.cluster import Cluster, Event, Pod
from kubedoctor.cluster.relations.workloads import WORKLOADS
from kubedoctor.cluster.triage import waiting
from kubedoctor.findings import Finding, Fix, Severity, diagnostic
from kubedoctor.findings.commands import SETTABLE, kubectl
from kubedoctor.findings.containers import CONSEQUENCES, quote_spec
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
    for one in unpulled(pod, cluster, PullProblem.NEVER_PULL):
        policy = quote_spec(pod, cluster, one.about, one.container.name, "imagePullPolicy", "no registry is asked")
        said = f"the image {one.image} is not on the node, and imagePullPolicy Never forbids to pull it"
        yield finding(pod, one, said, _fix(one), evidence=policy)


def _fix(one: Unpulled) -> Fix:
    why = "Let the kubelet pull it: imagePullPolicy IfNotPresent"
    if one.about.kind not in SETTABLE - {"CronJob"}:
        return Fix(why, "")
    which = "initContainers" if one.part.is_init else "containers"
    change = [{"name": one.container.name, "imagePullPolicy": "IfNotPresent"}]
    patch = json.dumps({"spec": {"template": {"spec": {which: change}}}})
    return Fix(why, kubectl("patch", one.about.argument, "-p", patch, namespace=one.about.namespace))
