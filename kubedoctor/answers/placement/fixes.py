"""Changes that are proven to place a pending pod, as fixes with the command that makes them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Sequence
from typing import Any, Final

from kubedoctor.answers.placement.claim_fixes import CLAIM_KINDS, MADE_ANEW, about_data, claim_command, too_early
from kubedoctor.answers.placement.outcome import has_other_scheduler, unproven
from kubedoctor.cluster.changes import Path, Step, apply_steps, as_data, in_order
from kubedoctor.cluster.grammar.text import listed
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.workloads import template_of, template_path, workload_of
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.triage import terminating, unscheduled
from kubedoctor.findings.model import Effect, Fix
from kubedoctor.replay.scheduler.counterfactuals import Counterfactual, Edit, Kind, Situation, counterfactuals
from kubedoctor.replay.scheduler.many.equivalence import equivalence_key
from kubedoctor.replay.scheduler.memos import Memo
from kubedoctor.replay.scheduler.pending import PendingAnswer
from kubedoctor.replay.scheduler.said.self_check import Agreement
from kubedoctor.replay.storage.unbound import SELECTED_NODE

MOST_FIXES: Final = 5
MOST_WAITING: Final = 20
"""So many other pending pods are asked whether a change to a node lets them in."""
MOST_NODES: Final = 20_000
"""Searching stops once so many nodes have been looked at for different pods; the others get no proven fixes."""
_CONTROL_PLANE: Final = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
_PATCHED_PODS: Final = (Kind.ADD_TOLERATION, Kind.REMOVE_GATES)
"""What may be changed in a pod that exists."""
_ANY_OF: Final = (Kind.ADD_NODE, Kind.DELETE_POD)
_NAMES_NODE: Final = (Kind.DROP_AFFINITY, Kind.CORRECT_AFFINITY, Kind.DROP_NODE_NAME)
_OPENS: Final = (Kind.UNCORDON, Kind.REMOVE_TAINT, Kind.ADD_NODE)
_HARMLESS: Final = (*_OPENS, Kind.CHANGE_CLAIM, Kind.RELEASE_VOLUME)
"""What interrupts nothing that runs."""

_FOUND: Final = Memo[tuple[Ref, bytes], tuple[Ref, tuple[Counterfactual, ...]]]()
_SEARCHED: Final = Memo[None, int]()
"""How many nodes have been looked at so far."""


class _Unlike(Exception):
    """The template is not what the pod was made from, so that no patch of it is safe."""


def placement_fixes(answer: PendingAnswer, cluster: Cluster) -> tuple[Fix, ...]:
    """The smallest changes, the least disturbing first, each verified by replay, except where a provisioner must make a
    volume first, parts of the objects are unreadable, or the rules are another scheduler's; empty where the replay is not
    to be trusted: the scheduler says otherwise, something was not seen or is not replayed."""
    trusted = answer.agreement in (Agreement.AGREES, Agreement.STALE, Agreement.NO_MESSAGE)
    if not trusted or answer.unseen or answer.verdict.unreplayed or answer.verdict.feasible:
        return ()
    workload = workload_of(answer.pod, cluster)
    own, changes = _searched(answer, workload, cluster)
    fixes = tuple(_fix(change, alike, own, answer.pod, workload, cluster) for change, alike in _chosen(changes))
    return unproven(fixes) if answer.damaged or has_other_scheduler(answer.pod) else fixes


def _searched(answer: PendingAnswer, workload: Ref, cluster: Cluster) -> tuple[Ref, tuple[Counterfactual, ...]]:
    """Once for all pods of a workload that are alike, with the pod that was looked at."""
    state, pod = answer.state, answer.pod
    known, key = _FOUND.of(state), (workload, equivalence_key(pod))
    if key in known:
        return known[key]
    searched = _SEARCHED.of(state)
    if searched.get(None, 0) > MOST_NODES:
        return ref(pod), ()
    searched[None] = searched.get(None, 0) + len(state.nodes)
    waiting = [
        one
        for one in cluster.maybe.all(Pod)
        if unscheduled(one) and not terminating(one) and one.metadata.owner_references != pod.metadata.owner_references
    ]
    some = waiting if len(waiting) <= MOST_WAITING else ()
    changes = counterfactuals(Situation(pod, state), answer.verdict, waiting=some)
    kept = (
        one
        for one in changes
        if not (
            _takes_a_sibling(one, pod, cluster)
            or _undoes_a_daemon(one, workload)
            or too_early(one, cluster, pod.namespace)
        )
    )
    known[key] = ref(pod), tuple(kept)
    return known[key]


def _takes_a_sibling(change: Counterfactual, pod: Pod, cluster: Cluster) -> bool:
    """Deletes a pod that the same controller would make again, as pending as this one."""
    gone = [cluster.maybe.get_ref(one.about) for edit in change.edits for one in edit.operations if one.delete]
    owners = pod.metadata.owner_references
    return bool(owners) and any(one is not None and one.metadata.owner_references == owners for one in gone)


def _undoes_a_daemon(change: Counterfactual, workload: Ref) -> bool:
    """Takes away the affinity by which the DaemonSet controller means one node."""
    return workload.kind == "DaemonSet" and any(edit.kind in _NAMES_NODE for edit in change.edits)


def _chosen(changes: Sequence[Counterfactual]) -> list[tuple[Counterfactual, tuple[str, ...]]]:
    """The first of those that do the same to different nodes, with the names of the others. What opens the control
    plane to workloads comes in only if there is nothing else."""
    plain = [
        one
        for one in changes
        if not any(each.arguments[:1] and each.arguments[0] in _CONTROL_PLANE for each in one.edits)
    ]
    families: dict[object, list[Counterfactual]] = {}
    for one in plain or changes:
        families.setdefault(tuple(_family(edit) for edit in one.edits), []).append(one)
    return [
        (same[0], tuple(dict.fromkeys(each.about.name for each in same[1:])))
        for same in list(families.values())[:MOST_FIXES]
    ]


def _family(edit: Edit) -> object:
    if edit.kind in _ANY_OF:
        return edit.kind
    return (edit.kind, edit.arguments) if edit.kind in _OPENS else (edit.key, edit.arguments)


def _fix(change: Counterfactual, alike: tuple[str, ...], own: Ref, pod: Pod, workload: Ref, cluster: Cluster) -> Fix:
    lines = _commands(change, own, pod, workload, cluster)
    text = change.summary
    if change.kind not in _OPENS and not text.endswith(f" on {_names(change.nodes)})"):
        text += f" → fits {_names(change.nodes)}"
    if change.assumes:
        text += f", if {' and '.join(change.assumes)}"
    if alike:
        text += f" (or {_names(alike)})"
    if change.affects and change.kind in _OPENS:
        text += f"; it lets in {_names(str(one) for one in change.affects)} too"
    elif change.affects and change.kind in CLAIM_KINDS:
        text += f"; used by {_names(str(one) for one in change.affects)} too"
    text += about_data(change, pod, workload, cluster)
    if any(line.startswith(f"kubectl patch {own.argument} ") and line.endswith(MADE_ANEW) for line in lines):
        text += "; the pod is made anew, nothing runs in it yet"
    disrupts = any(edit.kind not in _HARMLESS for edit in change.edits)
    return Fix(
        text,
        " && ".join(lines) if all(lines) else "",
        Effect.DISRUPTS if disrupts else Effect.CHANGES,
        verified=not change.assumes,
        changes=change.about if len(change.edits) == 1 else None,
    )


def _names(words: Iterable[str]) -> str:
    return listed(words, 3)


def _commands(change: Counterfactual, own: Ref, pod: Pod, workload: Ref, cluster: Cluster) -> list[str]:
    """In the order of the edits, an empty one where no command does it. What one patch can do is one patch: a second
    would find lists as the first has left them, and would roll out once more."""
    owner = cluster.maybe.get_ref(workload)
    patched = [one for one in change.edits if _is_of(own, one) and not _sets_resources(one, owner)]
    lines = []
    for edit in change.edits:
        if edit not in patched:
            lines.append(_command(edit, pod, workload, cluster))
        elif edit is patched[0]:
            lines.append(_template_patch(patched, pod, workload, owner))
    return lines


def _is_of(own: Ref, edit: Edit) -> bool:
    """Changes the pod and nothing else."""
    return edit.about == own and all(one.about == own and not (one.delete or one.copy_as) for one in edit.operations)


def _sets_resources(edit: Edit, owner: KubernetesObject | None) -> bool:
    """kubectl has a command of its own for the requests of containers."""
    template = template_of(owner) if owner is not None else None
    if edit.kind is not Kind.LOWER_REQUEST or template is None or owner is None or ref(owner).kind == "Job":
        return False
    return any(one.name == edit.arguments[0] for one in template.spec.containers)


def _command(edit: Edit, pod: Pod, workload: Ref, cluster: Cluster) -> str:
    """Of an edit that no patch of the template makes; empty where no command does it."""
    about = edit.about
    match edit.kind:
        case Kind.UNCORDON:
            return f"kubectl uncordon {about.name}"
        case Kind.REMOVE_TAINT:
            key, value, effect = edit.arguments
            return f"kubectl taint nodes {about.name} {shlex.quote(f'{key}={value}:{effect}' if value else f'{key}:{effect}')}-"
        case Kind.DELETE_POD:
            return f"kubectl delete {about.argument}{about.namespace_flag}"
        case Kind.FORGET_NODE:
            return f"kubectl annotate {about.argument}{about.namespace_flag} {SELECTED_NODE}-"
    if edit.kind in CLAIM_KINDS and about.kind != "Pod":
        return claim_command(edit, pod, workload, cluster)
    if not _sets_resources(edit, cluster.maybe.get_ref(workload)):
        return ""
    container, resource, amount = edit.arguments
    limit = f" --limits={resource}={amount}" if sum(len(one.steps) for one in edit.operations) > 1 else ""
    target = f"{workload.argument}{workload.namespace_flag}"
    return f"kubectl set resources {target} -c {container} --requests={resource}={amount}{limit}"


def _template_patch(edits: Sequence[Edit], pod: Pod, workload: Ref, owner: KubernetesObject | None) -> str:
    """Of the template, or of a pod without owner; where the API server does not let a pod be changed, it is made anew."""
    steps = tuple(step for edit in edits for one in edit.operations for step in one.steps)
    if workload == ref(pod):
        patched = _patch(workload, ("spec",), steps, _plain(pod.spec), _plain(pod.spec))
        if all(edit.kind in _PATCHED_PODS for edit in edits):
            return patched
        return f"{patched}{MADE_ANEW}" if patched and _may_be_made_anew(pod, edits) else ""
    template = template_of(owner) if owner is not None else None
    if owner is None or template is None or workload.kind == "Job":
        return ""
    return _patch(workload, tuple(template_path(owner).split(".")), steps, _plain(pod.spec), _plain(template.spec))


def _may_be_made_anew(pod: Pod, edits: Iterable[Edit]) -> bool:
    """Nobody else makes it, and no claim that goes with it has to go first."""
    return not pod.metadata.owner_references and all(edit.kind not in CLAIM_KINDS for edit in edits)


def _plain(spec: Any) -> Any:
    return _without_nulls(as_data(spec))


def _without_nulls(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _without_nulls(value) for key, value in data.items() if value is not None}
    return [_without_nulls(one) for one in data] if isinstance(data, list) else data


def _patch(about: Ref, prefix: tuple[str, ...], steps: tuple[Step, ...], pod: Any, template: Any) -> str:
    """The steps on a pod's spec made on the spec of the template it came from."""
    target = f"{about.argument}{about.namespace_flag}"
    try:
        moved = [Step(_moved(step.path[1:], pod, template), step.value, step.remove) for step in steps]
    except _Unlike:
        return ""
    if all(isinstance(part, str) and part != "-" for step in moved for part in step.path):
        merged: dict[str, Any] = {}
        merged = apply_steps(
            merged, [Step((*prefix, *step.path), None if step.remove else step.value) for step in moved]
        )
        return f"kubectl patch {target} --type=merge -p {shlex.quote(json.dumps(merged))}"
    operations = []
    for step in in_order(moved):
        operations.append(_operation(prefix, step, template))
        template = apply_steps(template, (step,))
    return f"kubectl patch {target} --type=json -p {shlex.quote(json.dumps(operations))}"


def _moved(path: Path, pod: Any, template: Any) -> Path:
    """The same place in the template: containers and volumes are found by name, other list elements must be alike.

    Raises _Unlike.
    """
    found: list[str | int] = []
    for part in path:
        if part == "-":
            return (*found, part)
        if isinstance(part, int):
            element = pod[part]
            part = _position(part, element, template if isinstance(template, list) else [])
        else:
            element = pod.get(part) if isinstance(pod, dict) else None
        found.append(part)
        pod = element
        if isinstance(part, int):
            template = template[part]
        else:
            template = template.get(part) if isinstance(template, dict) else None
    if pod != template:
        raise _Unlike
    return tuple(found)


def _position(place: int, element: Any, candidates: list[Any]) -> int:
    if candidates[place : place + 1] == [element]:
        return place
    name = element.get("name") if isinstance(element, dict) else None
    for index, one in enumerate(candidates):
        if one == element or (name and isinstance(one, dict) and one.get("name") == name):
            return index
    raise _Unlike


def _operation(prefix: tuple[str, ...], step: Step, data: Any) -> dict[str, Any]:
    """One operation of a JSON patch (RFC 6902), which makes no parents: the first that is missing is added whole."""
    path: list[str | int] = []
    for position, part in enumerate(step.path):
        path.append(part)
        known = part in data if isinstance(data, dict) else isinstance(part, int) and part < len(data)
        if part == "-" or not known:
            value = step.value
            for missing in reversed(step.path[position + 1 :]):
                value = [value] if missing == "-" else {missing: value}
            return {"op": "add", "path": _pointer((*prefix, *path)), "value": value}
        data = data[part]
    if step.remove:
        return {"op": "remove", "path": _pointer((*prefix, *path))}
    return {"op": "replace", "path": _pointer((*prefix, *path)), "value": step.value}


def _pointer(path: Path) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
