"""Why does this workload have this number of pods?"""

from __future__ import annotations

from kubedoctor.answers.question import Choices, question
from kubedoctor.answers.scaling.sheet import scaling_sheet, without_autoscaler
from kubedoctor.answers.sheet import Conclusion, Sheet
from kubedoctor.cluster.kinds.apps import Deployment, StatefulSet
from kubedoctor.cluster.kinds.autoscaling import HorizontalPodAutoscaler
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.autoscalers import target_of
from kubedoctor.cluster.seen.reading import Cluster


@question(
    help="how many pods each metric of an autoscaler demands, and what keeps the number from it",
    kinds=("Deployment", "StatefulSet", "HorizontalPodAutoscaler"),
    area="autoscaling",
)
def why_replicas(subject: Ref, choices: Choices, cluster: Cluster) -> Sheet:
    if subject.kind == "HorizontalPodAutoscaler":
        autoscaler = cluster.get(HorizontalPodAutoscaler, subject.namespace, subject.name)
        if autoscaler is None:
            return Sheet(subject.title, "does not exist", Conclusion.UNKNOWN)
        return scaling_sheet(autoscaler, cluster)
    cluster.together(lambda: cluster.get_ref(subject), lambda: cluster.all(HorizontalPodAutoscaler, subject.namespace))
    workload = cluster.get_ref(subject)
    if not isinstance(workload, Deployment | StatefulSet):
        return Sheet(subject.title, "does not exist", Conclusion.UNKNOWN)
    for autoscaler in cluster.all(HorizontalPodAutoscaler, subject.namespace):
        if target_of(autoscaler) == ref(workload):
            return scaling_sheet(autoscaler, cluster)
    all_seen = all(gap.kind != HorizontalPodAutoscaler.__name__ for gap in cluster.gaps)
    return without_autoscaler(subject, workload.spec.desired_replicas, all_seen=all_seen)
