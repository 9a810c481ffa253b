"""Commands that make proven changes: a patch of the template must do to the next pod what was proven for this one."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from kubedoctor.answers.placement.fixing import fixes
from kubedoctor.answers.placement.fixing.fixes import MOST_WAITING, placement_fixes
from kubedoctor.cluster import Cluster, DaemonSet, Deployment, Node, Pod, ReplicaSet, Snapshot, Source
from kubedoctor.cluster.kinds.meta import OwnerReference
from kubedoctor.cluster.triage import unscheduled
from kubedoctor.findings import Effect
from kubedoctor.replay.scheduler.cycle import schedule
from kubedoctor.replay.scheduler.pending import explain_pending

TAINT = {"key": "team", "value": "pay", "effect": "NoSchedule"}
CONTROL_PLANE = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
INJECTED = {"name": "proxy", "image": "proxy", "resources": {"requests": {"cpu": "100m"}}}
ADDED = {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}


def node(name: str, *taints: dict[str, Any], cpu: str = "2", **labels: str) -> Node:
    status = {"allocatable": {"cpu": cpu, "memory": "4Gi", "pods": "10"}}
    return msgspec.convert(
        {"metadata": {"name": name, "labels": labels}, "spec": {"taints": list(taints)}, "status": status}, Node
    )


def container(**more: Any) -> dict[str, Any]:
    return {"name": "a", "image": "i", "resources": {"requests": {"cpu": "1"}}, **more}


def cluster(*nodes: Node, injected: bool = False, owner: str = "web-1", **spec: Any) -> tuple[Cluster, Pod]:
    """A Deployment whose pod is pending; `injected`: admission has put a sidecar first and added a toleration."""
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container()], **spec}}
    own = template["spec"]
    if injected:
        own = {
            **own,
            "containers": [INJECTED, *own["containers"]],
            "tolerations": [*spec.get("tolerations", ()), ADDED],
        }
    controller = [{"kind": "ReplicaSet", "name": owner, "controller": True, "apiVersion": "apps/v1"}] if owner else []
    metadata = {"name": "web-1-x", "namespace": "shop", "uid": "u", "ownerReferences": controller}
    waiting = msgspec.convert({"metadata": metadata, "spec": own}, Pod)
    deployment = msgspec.convert(
        {"metadata": {"name": "web", "namespace": "shop"}, "spec": {"template": template}}, Deployment
    )
    by = [{"kind": "Deployment", "name": "web", "controller": True, "apiVersion": "apps/v1"}]
    owned = {"name": "web-1", "namespace": "shop", "ownerReferences": by}
    replica_set = msgspec.convert({"metadata": owned, "spec": {"template": template}}, ReplicaSet)
    snapshot = Snapshot(datetime(2026, 1, 1, tzinfo=UTC), Source("files", "test", "v1.37.2"), complete=True)
    snapshot.add([*nodes, waiting, deployment, replica_set])
    return Cluster(snapshot), waiting


def offered(seen: Cluster, waiting: Pod) -> dict[str, str]:
    fixes = placement_fixes(explain_pending(waiting, seen), seen)
    assert all(fix.verified for fix in fixes)
    return {fix.summary: fix.command for fix in fixes}


def patched(seen: Cluster, command: str) -> list[str]:
    """The nodes that take a pod of the template after the command's patch, as the API server would make it."""
    words = shlex.split(command)
    patch = json.loads(words[words.index("-p") + 1])
    deployment = seen.get(Deployment, "shop", "web")
    assert deployment is not None
    data = msgspec.json.decode(msgspec.json.encode(deployment))
    if "--type=merge" in words:
        data = _merged(data, patch)
    else:
        for operation in patch:
            _apply(data, operation)
    pod = msgspec.convert(
        {"metadata": {"name": "new", "namespace": "shop"}, "spec": data["spec"]["template"]["spec"]}, Pod
    )
    state = explain_pending(seen.all(Pod)[0], seen).state
    return list(schedule(pod, state).feasible)


def _merged(data: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    result = dict(data) if isinstance(data, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(result.get(key), value)
    return result


def _apply(data: Any, operation: dict[str, Any]) -> None:
    """RFC 6902, of which add, replace and remove."""
    *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]]
    for part in parents:
        data = data[int(part)] if isinstance(data, list) else data[part]
    if isinstance(data, list):
        if operation["op"] == "add":
            data.insert(len(data) if last == "-" else int(last), operation["value"])
        elif operation["op"] == "remove":
            del data[int(last)]
        else:
            data[int(last)] = operation["value"]
    elif operation["op"] == "remove":
        del data[last]
    else:
        assert operation["op"] == "add" or last in data
        data[last] = operation["value"]


def test_a_toleration_is_added_to_a_template_without_any() -> None:
    seen, waiting = cluster(node("n", TAINT), injected=True)
    command = offered(seen, waiting)["Tolerate taint team=pay:NoSchedule → fits n"]
    assert command.startswith("kubectl patch deployment/web -n shop --type=json -p ")
    assert patched(seen, command) == ["n"]


def test_what_the_daemon_set_controller_adds_stays_out_of_the_template() -> None:
    """Its tolerations and the node affinity are in the pod alone."""
    added = [
        {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoSchedule"}
        for key in ("disk-pressure", "memory-pressure", "pid-pressure", "unschedulable")
    ]
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]}
    required = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}
    containers = {"containers": [container()]}
    owner = [{"kind": "DaemonSet", "name": "agent", "controller": True, "apiVersion": "apps/v1"}]
    waiting = msgspec.convert(
        {
            "metadata": {"name": "agent-x", "namespace": "shop", "uid": "u", "ownerReferences": owner},
            "spec": {**containers, "tolerations": [ADDED, *added], "affinity": required},
        },
        Pod,
    )
    agent = msgspec.convert(
        {"metadata": {"name": "agent", "namespace": "shop"}, "spec": {"template": {"spec": containers}}}, DaemonSet
    )
    snapshot = Snapshot(datetime(2026, 1, 1, tzinfo=UTC), Source("files", "test", "v1.37.2"), complete=True)
    snapshot.add([node("m"), node("n", TAINT), waiting, agent])
    commands = offered(Cluster(snapshot), waiting)
    command = commands["Tolerate taint team=pay:NoSchedule → fits n"]
    toleration = {"key": "team", "operator": "Equal", "value": "pay", "effect": "NoSchedule"}
    words = shlex.split(command)
    assert words[:5] == ["kubectl", "patch", "daemonset/agent", "-n", "shop"]
    assert json.loads(words[-1]) == [{"op": "add", "path": "/spec/template/spec/tolerations", "value": [toleration]}]
    assert not any("affinity" in text for text in commands)


def test_a_toleration_is_added_to_the_others() -> None:
    other = {"key": "x", "operator": "Exists"}
    seen, waiting = cluster(node("n", TAINT, {"key": "x", "effect": "NoSchedule"}), tolerations=[other])
    assert patched(seen, offered(seen, waiting)["Tolerate taint team=pay:NoSchedule → fits n"]) == ["n"]


def test_a_selector_is_corrected_or_dropped() -> None:
    seen, waiting = cluster(node("n", disk="ssd"), nodeSelector={"disk": "sdd"})
    commands = offered(seen, waiting)
    assert len(commands) == 2
    assert [patched(seen, command) for command in commands.values()] == [["n"], ["n"]]


def test_the_container_is_found_by_its_name_where_a_sidecar_was_injected() -> None:
    taken = [container(ports=[{"containerPort": 80, "hostPort": 80}])]
    busy = {"nodeName": "n", "containers": taken}
    seen, waiting = cluster(node("n", cpu="4"), injected=True, containers=taken)
    seen.snapshot.add([msgspec.convert({"metadata": {"name": "other", "namespace": "x"}, "spec": busy}, Pod)])
    commands = offered(seen, waiting)
    [command] = [line for text, line in commands.items() if text.startswith("Drop host port")]
    assert '"/spec/template/spec/containers/0/ports/0/hostPort"' in command
    assert patched(seen, command) == ["n"]


def test_a_request_is_lowered_by_its_own_command() -> None:
    seen, waiting = cluster(node("n", cpu="600m"))
    [(text, command)] = offered(seen, waiting).items()
    assert text == "Lower the cpu request of container a from 1 to 600m (all that is free on n)"
    assert command == "kubectl set resources deployment/web -n shop -c a --requests=cpu=600m"


def test_a_bare_pod_can_be_given_a_toleration() -> None:
    seen, waiting = cluster(node("n", TAINT), owner="")
    command = offered(seen, waiting)["Tolerate taint team=pay:NoSchedule → fits n"]
    assert command.startswith("kubectl patch pod/web-1-x -n shop --type=json")
    assert "replace --force" not in command


def test_a_bare_pod_is_made_anew_where_it_cannot_be_changed() -> None:
    seen, waiting = cluster(node("n", cpu="600m"), owner="")
    [(text, command)] = offered(seen, waiting).items()
    assert text.endswith("; this deletes and recreates the pod, in which nothing runs yet")
    patch, replace = command.split(" | ")
    words = shlex.split(patch)
    assert words[:5] == ["kubectl", "patch", "pod/web-1-x", "-n", "shop"]
    assert json.loads(words[words.index("-p") + 1]) == {
        "spec": {"containers": [{"name": "a", "resources": {"requests": {"cpu": "600m"}}}]}
    }
    assert replace == "kubectl replace --force -f -"


def test_a_pod_of_an_unknown_controller_is_not_replaced() -> None:
    seen, waiting = cluster(node("n", cpu="600m"), owner="")
    owner = OwnerReference(api_version="argoproj.io/v1alpha1", kind="Workflow", name="nightly")
    owned = msgspec.structs.replace(
        waiting, metadata=msgspec.structs.replace(waiting.metadata, owner_references=(owner,))
    )
    assert list(offered(seen, owned).values()) == [""]


def test_the_control_plane_is_opened_only_if_nothing_else_helps() -> None:
    seen, waiting = cluster(node("cp", CONTROL_PLANE), node("n", TAINT))
    assert not any("control-plane" in text for text in offered(seen, waiting))
    seen, waiting = cluster(node("cp", CONTROL_PLANE))
    assert any("control-plane" in text for text in offered(seen, waiting))


def test_the_same_to_several_nodes_is_one_fix() -> None:
    seen, waiting = cluster(node("m", TAINT), node("n", TAINT))
    fixes = placement_fixes(explain_pending(waiting, seen), seen)
    [removed] = [fix for fix in fixes if fix.summary.startswith("Remove taint")]
    assert removed.summary == "Remove taint team=pay:NoSchedule from m (or n)"
    assert (removed.command, removed.effect) == ("kubectl taint nodes m team=pay:NoSchedule-", Effect.CHANGES)


def test_nothing_is_proven_where_the_scheduler_says_otherwise() -> None:
    seen, waiting = cluster(node("n", TAINT))
    stated = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available: 1 Too many pods."}
    spoken = msgspec.structs.replace(waiting, status=msgspec.convert({"conditions": [stated]}, type(waiting.status)))
    assert placement_fixes(explain_pending(spoken, seen), seen) == ()


@pytest.mark.parametrize(("kind", "proven"), [("Node", False), ("Pod", False), ("Namespace", True), ("Secret", True)])
def test_nothing_is_proven_where_objects_that_decide_are_unreadable(kind: str, proven: bool) -> None:
    seen, waiting = cluster(node("n", TAINT))
    seen.snapshot.lose(kind, [f"{kind} x: cannot be decoded; ignored"])
    fixes = placement_fixes(explain_pending(waiting, seen), seen)
    assert fixes
    assert {fix.verified for fix in fixes} == {proven}


def test_nothing_is_proven_of_another_scheduler() -> None:
    seen, waiting = cluster(node("n", TAINT), schedulerName="volcano")
    fixes = placement_fixes(explain_pending(waiting, seen), seen)
    assert fixes
    assert not any(fix.verified for fix in fixes)


def test_two_changes_to_one_list_are_one_patch() -> None:
    """The second of two would find the list as the first has left it."""
    other = {"key": "gpu", "value": "a", "effect": "NoExecute"}
    seen, waiting = cluster(node("n", TAINT, other), injected=True)
    both = [text for text in offered(seen, waiting) if text.lower().count("tolerate taint") == 2]
    assert len(both) == 1
    command = offered(seen, waiting)[both[0]]
    assert command.count("kubectl") == 1
    assert patched(seen, command) == ["n"]


def test_what_is_dropped_twice_from_one_list_goes_from_its_end() -> None:
    term = {"labelSelector": {"matchLabels": {"app": "web"}}}
    terms = [{**term, "topologyKey": key} for key in ("kubernetes.io/hostname", "zone")]
    rules = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    seen, waiting = cluster(node("n", **{"kubernetes.io/hostname": "n", "zone": "a"}), affinity=rules)
    rival = {"metadata": {"name": "y", "namespace": "shop", "labels": {"app": "web"}}, "spec": {"nodeName": "n"}}
    seen.snapshot.add([msgspec.convert(rival, Pod)])
    command = next(
        line for text, line in offered(seen, waiting).items() if text.lower().count("drop the required pod anti") == 2
    )
    assert patched(seen, command) == ["n"]


@pytest.mark.parametrize(("others", "named"), [(1, 1), (MOST_WAITING, MOST_WAITING), (MOST_WAITING + 1, 0)])
def test_other_owners_pending_pods_are_looked_through_once(
    others: int, named: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def asking(pod: Pod) -> bool:
        asked.append(pod.name)
        return unscheduled(pod)

    monkeypatch.setattr(fixes, "unscheduled", asking)
    seen, pod = cluster(node("n1", TAINT))
    siblings = [msgspec.structs.replace(pod, metadata=msgspec.structs.replace(pod.metadata, name="web-1-y"))]
    owners = [(OwnerReference(kind="ReplicaSet", name=f"other-{number % 3}"),) for number in range(others)]
    foreign = [
        msgspec.structs.replace(
            pod, metadata=msgspec.structs.replace(pod.metadata, name=f"z-{number:02d}", owner_references=owner)
        )
        for number, owner in enumerate(owners)
    ]
    seen.snapshot.add([*siblings, *reversed(foreign)])
    for each in (pod, *foreign):
        placement_fixes(explain_pending(each, seen), seen)
    state = explain_pending(pod, seen).state
    waiting = fixes._waiting(pod, state, seen)
    assert [other.name for other in waiting] == [each.name for each in foreign][:named]
    assert len(asked) == 2 + others
