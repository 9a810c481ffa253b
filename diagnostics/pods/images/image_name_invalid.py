"""Image name is invalid (InvalidImageName).

## What it means
The kubelet cannot parse the image reference, so it asked no registry (`InvalidImageName`).

## Why it happens
- The repository contains capital letters; only the tag may contain them.
- It contains a space, a quote, `https://` or two colons, or the tag is empty: often a template variable was not set.

## How to fix it
1. Write the image as `REGISTRY[:PORT]/REPOSITORY[:TAG]`, with the repository in lower case.
2. Check the values that your chart or pipeline puts into the image name.

## References
- https://kubernetes.io/docs/concepts/containers/images/#image-names
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from diagnostics.pods._consequences import CONSEQUENCES
from diagnostics.pods.images._images import Unpulled, finding, set_image, unpulled
from kubedoctor.cluster import WORKLOADS, Cluster, Event, Pod, visible, waiting
from kubedoctor.findings import Finding, Fix, Severity, diagnostic, edit_command, fix_by_hand
from kubedoctor.replay.kubelet.image_errors import PullProblem

_REASON = re.compile(r"invalid reference format: (.+)$")


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
    for pull in unpulled(pod, cluster, PullProblem.INVALID_NAME):
        reason = _REASON.search(pull.message)
        summary = f'image name "{visible(pull.image, 200)}" is invalid'
        yield finding(pod, pull, f"{summary}: {reason.group(1)}" if reason else summary, _fix(pull))


def _fix(pull: Unpulled) -> Fix:
    name = pull.name
    if "must be lowercase" in pull.message and name.repository != name.repository.lower():
        right = pull.image.replace(
            name.repository.removeprefix("library/"), name.repository.removeprefix("library/").lower(), 1
        )
        return set_image(pull, right, f"Use {right}")
    summary = "Correct the image name"
    # The image is the only field of a container that can be changed in a pod.
    return Fix(summary, edit_command(pull.about)) if pull.about.kind == "Pod" else fix_by_hand(pull.about, summary)
