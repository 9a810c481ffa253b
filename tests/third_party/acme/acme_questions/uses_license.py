"""Does a pod use this License?"""

from __future__ import annotations

from kubedoctor.answers import Argument, Choices, Conclusion, Sheet, question
from kubedoctor.cluster import Cluster, Pod, Ref

LABEL = "acme.example/license"


@question(
    help="whether a pod uses a License",
    kinds=("Pod",),
    arguments=(Argument("license", "LICENSE", "the License's name"),),
)
def uses_license(subject: Ref, choices: Choices, cluster: Cluster) -> Sheet:
    pod, name = cluster.get(Pod, subject.namespace, subject.name), choices.one("license")
    uses = pod is not None and pod.labels.get(LABEL) == name
    verdict = f"uses License {name}" if uses else f"does not use License {name}"
    return Sheet(subject.title, verdict, Conclusion.WELL if uses else Conclusion.TROUBLE)
