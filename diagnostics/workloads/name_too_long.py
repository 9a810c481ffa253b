"""Name of a StatefulSet is too long for its pods.

## What it means
Each pod gets labels with the name of its revision (`controller-revision-hash`: the name of the StatefulSet and a hash) and with
its own name. A label has at most 63 characters, so the API server refuses every pod, while the StatefulSet itself was accepted.

## Why it happens
- A chart builds the name from the release, the chart and the component.
- An operator adds the name of its custom resource.

## How to fix it
1. Use a name of at most 52 characters: with the hash it always fits. In a chart this is `fullnameOverride`.
2. A name cannot be changed: delete the StatefulSet and create it again. No pod of it exists, so none is lost.

## References
- https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
- https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#pod-name-label
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kubedoctor.cluster import Cluster, StatefulSet, quote, ref
from kubedoctor.findings import Command, Confidence, Explains, Finding, Fix, Severity, diagnostic
from kubedoctor.replay.workloads.missing_pods import lacks_pods
from kubedoctor.replay.workloads.stateful_sets import LONGEST_LABEL, name_too_long

LONGEST_NAME: Final = 52
"""With a dash and a hash of at most ten characters it is still a label."""


def refused_for_its_name(stateful_set: StatefulSet) -> bool:
    """Fewer pods than desired, for the length of its name."""
    return name_too_long(stateful_set) and lacks_pods(stateful_set)


@diagnostic(
    code="KD1221",
    subject=StatefulSet,
    severity=Severity.CRITICAL,
    reads=(StatefulSet,),
    when=refused_for_its_name,
    explains=(Explains("selects", ("KD2001",)),),
    symptoms=("must be no more than 63 characters", "must be no more than 63 bytes", "FailedCreate"),
)
def stateful_set_name_too_long(stateful_set: StatefulSet, _: Cluster) -> Iterator[Finding]:
    label = stateful_set.status.update_revision
    yield Finding(
        about=ref(stateful_set),
        summary=f"the name is too long for its pods: their label controller-revision-hash would have {len(label)} "
        f"characters, {LONGEST_LABEL} are allowed",
        evidence=(quote(stateful_set, "status.updateRevision", "the value of the label: the name and a hash"),),
        confidence=Confidence.CERTAIN,
        fixes=(
            Fix(
                f"Create it with a name of at most {LONGEST_NAME} characters (it has {len(stateful_set.name)}), and delete "
                "this one"
            ),
        ),
        commands=(Command(ref(stateful_set).describe_command, "the API server's refusals, under Events"),),
    )
