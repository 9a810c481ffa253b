"""Each edit in words: an imperative with the value that is replaced."""

from __future__ import annotations

import pytest

from kubedoctor.answers.placement.fixing.words import conditions, edit_words, remedy_words
from kubedoctor.cluster.changes import Operation, Step
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.replay.scheduler.remedies.edits import Because, Counterfactual, Edit, Kind, Replaced

POD, NODE = Ref("Pod", "shop", "web-0"), Ref("Node", "", "worker-a")
CLAIM, VOLUME = Ref("PersistentVolumeClaim", "shop", "data"), Ref("PersistentVolume", "", "disk")
ZONE = "topology.kubernetes.io/zone"

CASES = (
    (Edit(Kind.REMOVE_GATES, POD, (), names=("a", "b")), "remove the scheduling gates a, b"),
    (Edit(Kind.UNCORDON, NODE, ()), "uncordon worker-a"),
    (Edit(Kind.REMOVE_TAINT, NODE, (), ("gpu", "", "NoSchedule")), "remove taint gpu:NoSchedule from worker-a"),
    (Edit(Kind.ADD_TOLERATION, POD, (), ("gpu", "yes", "NoSchedule")), "tolerate taint gpu=yes:NoSchedule"),
    (Edit(Kind.ADD_NODE, NODE, (), node="worker-a", names=("b",)), "add a node like worker-a, but in b"),
    (
        Edit(Kind.DELETE_POD, POD, (), because=Because.HOST_PORTS, node="worker-a", names=("80/TCP",)),
        "delete pod shop/web-0, which holds host port 80/TCP of worker-a",
    ),
    (
        Edit(Kind.DELETE_POD, POD, (), because=Because.FREES_VOLUMES, node="worker-a", names=("2",)),
        "delete pod shop/web-0, which has 2 volumes attached on worker-a",
    ),
    (
        Edit(Kind.DELETE_POD, POD, (), because=Because.ANTI_AFFINITY),
        "delete pod shop/web-0, which has an anti-affinity against this pod",
    ),
    (Edit(Kind.DROP_NODE_NAME, POD, (), node="worker-z"), "drop nodeName worker-z"),
    (Edit(Kind.DROP_AFFINITY, POD, (), ("",)), "drop the required node affinity"),
    (
        Edit(Kind.DROP_AFFINITY, POD, (), ("disk",), replaced=(Replaced("disk", "disk In ssd", ""),)),
        "drop disk In ssd from the required node affinity",
    ),
    (
        Edit(Kind.FREE_HOST_PORT, POD, (), ("app", "80"), names=("127.0.0.1:80/TCP",)),
        "drop host port 127.0.0.1:80/TCP of container app",
    ),
    (
        Edit(
            Kind.LOWER_REQUEST,
            POD,
            (),
            ("", "cpu", "2"),
            replaced=(Replaced("cpu", "3", "2"),),
            because=Because.ALL_THAT_IS_LEFT,
            node="worker-a",
        ),
        "lower the cpu request of the pod from 3 to 2 (all that is left for it on worker-a)",
    ),
    (
        Edit(
            Kind.RELAX_SPREAD,
            POD,
            (Operation(POD, (Step(("a",), 1), Step(("b",), remove=True))),),
            (ZONE, "whenUnsatisfiable", "ScheduleAnyway"),
        ),
        f"set whenUnsatisfiable of the topology spread over {ZONE} to ScheduleAnyway and drop its minDomains",
    ),
    (
        Edit(Kind.RELAX_POD_AFFINITY, POD, (), (ZONE, ""), names=("podAffinity",)),
        f"drop the required pod affinity over {ZONE}",
    ),
    (
        Edit(Kind.FORGET_NODE, CLAIM, (), node="worker-a"),
        "let the scheduler select another node than worker-a for claim data",
    ),
    (
        Edit(Kind.RELEASE_VOLUME, VOLUME, (), because=Because.MISSING_CLAIM, names=("shop/old",)),
        "release volume disk for a new claim: it is kept for claim shop/old, which does not exist",
    ),
    (
        Edit(Kind.CHANGE_CLAIM, CLAIM, (), ("data",), replaced=(Replaced("volumeName", "dsik", ""),)),
        "change claim data: no volume name",
    ),
    (
        Edit(Kind.REMAKE_CLAIM, CLAIM, (), ("data",), replaced=(Replaced("storageClassName", "fast", ""),)),
        "recreate claim data: no storage class instead of fast",
    ),
    (
        Edit(Kind.REMAKE_CLAIM, POD, (), ("web-0-cache",), replaced=(Replaced("storage", "5Gi", "1Gi"),)),
        "change the claim template of volume cache: size 1Gi instead of 5Gi",
    ),
)


@pytest.mark.parametrize(("edit", "words"), CASES)
def test_words(edit: Edit, words: str) -> None:
    assert edit_words(edit) == words


def test_several_edits_and_what_they_rest_on() -> None:
    edits = (Edit(Kind.UNCORDON, NODE, ()), Edit(Kind.DROP_NODE_NAME, POD, (), provisioner="csi.example.com", node="x"))
    found = Counterfactual(edits)
    assert remedy_words(found) == "uncordon worker-a, and drop nodeName x"
    assert conditions(found) == ("csi.example.com creates the volume",)
