"""Which License a pod needs: its label names it."""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster import Cluster, Family, Pod, Ref, related
from kubedoctor.findings import Symptom, cause_relation

KIND = "License.acme.example"
LABEL = "acme.example/license"


@related(Pod, workloads_too=True)
def license_of(pod: Pod, _: Cluster) -> Iterator[Ref]:
    if name := pod.labels.get(LABEL):
        yield Ref(KIND, pod.namespace, name)


@cause_relation("licenses")
def licenses(symptom: Symptom, family: Family) -> Iterator[Ref]:
    """The cause is the License of the pods."""
    for pod in family.pods(symptom.about, symptom.affects):
        if name := pod.labels.get(LABEL):
            yield Ref(KIND, pod.namespace, name)
