"""An image's name is not valid.

## What it means
The kubelet cannot even read the reference, so that no registry was asked (`InvalidImageName`).

## Why it happens
- Capital letters in the repository: only the tag may have them.
- A space, a quote, `https://`, two colons, an empty tag: often a template variable that was not filled in.

## How to fix it
1. Write the image as `REGISTRY[:PORT]/REPOSITORY[:TAG]`, the repository in small letters.
2. Look at what your chart or pipeline made of its variables.

## References
- https://kubernetes.io/docs/concepts/containers/images/#image-names
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from diagnostics.pods.images._images import Unpulled, finding, set_image, unpulled
from kubedoctor.cluster import Cluster, Event, Pod
from kubedoctor.cluster.grammar.text import visible
from kubedoctor.cluster.relations.workloads import WORKLOADS
from kubedoctor.cluster.triage import waiting
from kubedoctor.findings import Finding, Fix, Severity, diagnostic
from kubedoctor.findings.commands import change, edit_command
from kubedoctor.findings.containers import CONSEQUENCES
from kubedoctor.replay.kubelet.image_errors import PullProblem

_WHY = re.compile(r"invalid reference format: (.+)$")


@diagnostic(
    code="KD1007",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(Event, *WORKLOADS),
    when=waiting,
    explains=CONSEQUENCES,
    symptoms=("InvalidImageName", "InspectFailed"),
)
def image_name_invalid(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    for one in unpulled(pod, cluster, PullProblem.INVALID_NAME):
        why = _WHY.search(one.message)
        said = f'the image name "{visible(one.image, 200)}" is not valid'
        yield finding(pod, one, f"{said}: {why.group(1)}" if why else said, _fix(one))


def _fix(one: Unpulled) -> Fix:
    name = one.name
    if "must be lowercase" in one.message and name.repository != name.repository.lower():
        right = one.image.replace(
            name.repository.removeprefix("library/"), name.repository.removeprefix("library/").lower(), 1
        )
        return set_image(one, right, f"Use {right}")
    said = "Correct the image's name"  # The one field of containers that a pod lets change.
    return Fix(said, edit_command(one.about)) if one.about.kind == "Pod" else change(one.about, said)
