"""What a look at what else a rule would open requests: nothing more, however many workloads the cluster has."""

from __future__ import annotations

from typing import Any

from kubedoctor.answers.question import Choices
from kubedoctor.answers.sheet import Conclusion
from kubedoctor.cluster import Ref
from kubedoctor.engine.asking import ask
from kubedoctor.engine.questions import load_question
from tests.answers.reach.situations import NODE, Manifest, pod, space
from tests.engine.clinic import live
from tests.engine.test_examination import Server

MANY = 20


def owned(number: int) -> Manifest:
    """A pod of a Deployment that the policy denies as well."""
    made = pod("shop", f"web-{number}-abc", f"10.244.0.{number + 10}")
    owner: dict[str, Any] = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"web-{number}", "controller": True}
    made["metadata"]["ownerReferences"] = [owner]
    return made


def test_owners_of_other_pods_are_not_requested_one_by_one() -> None:
    snapshot = live()
    policy = {
        "kind": "NetworkPolicy",
        "metadata": {"name": "deny", "namespace": "shop"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": []},
    }
    ends = (pod("shop", "web", "10.244.0.5"), pod("shop", "db", "10.244.0.6"))
    server = Server(snapshot, space("shop"), NODE, policy, *ends, *map(owned, range(MANY)))
    question = load_question("reach")
    assert question is not None
    answered = ask(
        question, Ref("Pod", "shop", "web"), Choices({"destination": ("pod/db:8080",)}), snapshot, server.gather
    )
    assert answered.sheet.conclusion is Conclusion.TROUBLE
    assert not [want for wants in server.rounds for want in wants if want.startswith("get ReplicaSet/web-")]
    assert answered.rounds <= 6
