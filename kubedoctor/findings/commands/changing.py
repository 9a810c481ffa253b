"""The kubectl command that people would type for a change."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from kubedoctor.cluster.changes import Change, Path, Step, as_data, edit
from kubedoctor.cluster.kinds.core import Node
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.relations.workloads import template_of, template_path
from kubedoctor.findings.commands.immutable import recreated
from kubedoctor.findings.commands.lines import SETTABLE, json_text, kubectl
from kubedoctor.findings.commands.patches import patch_words
from kubedoctor.findings.commands.roles import role_words

_SCALABLE: Final = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"})
_CORDON_TAINT: Final = "node.kubernetes.io/unschedulable"


class _Line(msgspec.Struct, frozen=True):
    """`nodes` come after `words` and before `last`, so that the same command for several nodes is one."""

    words: tuple[str, ...]
    nodes: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    then: str = ""

    @property
    def text(self) -> str:
        return shlex.join((*self.words, *self.nodes, *self.last)) + self.then


_Steps = Sequence[Step]
_Rule = Callable[[Ref, _Steps, KubernetesObject | None], tuple[list[_Line], _Steps]]
"""The command lines of a rule, and the remaining steps."""


def command_line(change: Change, *objects: KubernetesObject) -> str:
    """One shell line, with several commands where necessary; empty where kubectl cannot do it in one line.

    objects: the current state of the changed objects. For other objects only fields outside lists can be changed. An
    immutable field is changed by deleting and recreating the object, except where a controller owns it.
    """
    items = {ref(item): item for item in objects}
    lines: list[_Line] = []
    for about, steps in _by_object(change).items():
        own_lines = _commands(about, steps, items.get(about))
        if not own_lines:
            return ""
        lines += own_lines
    return " && ".join(line.text for line in _joined(lines))


def resize_command(pod: Pod, *steps: Step) -> str:
    """The line that changes resources of a running pod (`kubectl` 1.32); steps: in its containers."""
    words = ("patch", "pod", pod.name, "--subresource", "resize", *patch_words(steps, pod))
    return kubectl(*words, namespace=pod.namespace)


def container_command(item: KubernetesObject | None, names: Sequence[str], path: Sequence[str], value: Any) -> str:
    """The line that sets a field of containers of a workload's template, by its path in the container; empty where the
    template lacks one of them, or is not known."""
    change = container_change(item, names, path, value)
    return command_line(change, item) if change is not None and item is not None else ""


def container_change(
    item: KubernetesObject | None, names: Sequence[str], path: Sequence[str], value: Any
) -> Change | None:
    """As `container_command`, the change itself; None where there is none."""
    template = template_of(item) if item is not None else None
    if item is None or template is None:
        return None
    paths: dict[str, Path] = {}
    for field, containers in (
        ("initContainers", template.spec.init_containers or ()),
        ("containers", template.spec.containers),
    ):
        paths.update({container.name: (field, index) for index, container in enumerate(containers)})
    if not set(names) <= set(paths):
        return None
    prefix = template_path(item).split(".")
    return edit(ref(item), *(Step((*prefix, *paths[name], *path), value) for name in names))


def _by_object(change: Change) -> dict[Ref, list[Step | str | Mapping[str, Any]]]:
    """Steps, `delete`, `copy`, or the object to create; one patch changes all fields of an object at once."""
    by_object: dict[Ref, list[Step | str | Mapping[str, Any]]] = {}
    for operation in change.operations:
        todo = by_object.setdefault(operation.about, [])
        if operation.create is not None:
            todo.append(operation.create)
        elif operation.delete or operation.copy_as:
            todo.append("delete" if operation.delete else "copy")
        else:
            todo += operation.steps
    return by_object


def _commands(about: Ref, todo: Sequence[Step | str | Mapping[str, Any]], item: KubernetesObject | None) -> list[_Line]:
    """The command lines for one object; empty where there are none."""
    if "copy" in todo:
        return []
    if "delete" in todo:
        return [_Line(tuple(_words("delete", about)))]
    new = next((part for part in todo if isinstance(part, Mapping)), None)
    if new is not None:
        return [_create(about, new)]
    steps: _Steps = [part for part in todo if isinstance(part, Step)]
    recreation = recreated(about, steps, item)
    if recreation is None:
        return []
    lines: list[_Line] = []
    if not recreation:
        for rule in _RULES:
            rule_lines, steps = rule(about, steps, item)
            lines += rule_lines
            if not steps:
                return lines
    words = patch_words(steps, item)
    return [*lines, _Line((*_words("patch", about), *words), then=recreation)] if words else []


def _words(verb: str, about: Ref) -> list[str]:
    return ["kubectl", *verb.split(), about.argument, *(["-n", about.namespace] if about.namespace else [])]


def _create(about: Ref, data: Mapping[str, Any]) -> _Line:
    if about.kind in ("ServiceAccount", "Namespace") and set(data) <= {"apiVersion", "kind", "metadata"}:
        words = ["kubectl", "create", about.kind.lower(), about.name]
        return _Line((*words, *(["-n", about.namespace] if about.namespace else [])))
    if of_role := role_words(about, data):
        return _Line((*of_role, *(["-n", about.namespace] if about.namespace else [])))
    return _Line(("printf", "%s", json_text(dict(data))), then=f" | {kubectl('create', '-f', '-')}")


def _joined(lines: Iterable[_Line]) -> list[_Line]:
    joined: list[_Line] = []
    for line in lines:
        match = next(
            (
                index
                for index, candidate in enumerate(joined)
                if line.nodes and msgspec.structs.replace(candidate, nodes=line.nodes) == line
            ),
            None,
        )
        if match is None:
            joined.append(line)
        else:
            joined[match] = msgspec.structs.replace(joined[match], nodes=(*joined[match].nodes, *line.nodes))
    return joined


def _cordon(about: Ref, steps: _Steps, item: KubernetesObject | None) -> tuple[list[_Line], _Steps]:
    path: Path = ("spec", "unschedulable")
    cordon = next((step for step in steps if step.path == path), None)
    if about.kind != "Node" or cordon is None:
        return [], steps
    remaining = [step for step in steps if step.path != path and not _is_cordon_taint(step, item)]
    verb = "cordon" if cordon.value and not cordon.remove else "uncordon"
    return [_Line(("kubectl", verb), (about.name,))], remaining


def _is_cordon_taint(step: Step, item: KubernetesObject | None) -> bool:
    """Whether the step changes the taint that Kubernetes sets and removes together with the cordon."""
    taint = _taint(step, item)
    return taint is not None and taint["key"] == _CORDON_TAINT


def _taint(step: Step, item: KubernetesObject | None) -> dict[str, Any] | None:
    """The taint that a step adds or removes."""
    if step.path[:2] != ("spec", "taints") or len(step.path) != 3:
        return None
    if step.path[2] == "-":
        return dict(step.value)
    taints = item.spec.taints or () if isinstance(item, Node) else ()
    index = step.path[2]
    return dict(as_data(taints[index])) if step.remove and isinstance(index, int) and index < len(taints) else None


def _taints(about: Ref, steps: _Steps, item: KubernetesObject | None) -> tuple[list[_Line], _Steps]:
    changed = [(step, taint) for step in steps if (taint := _taint(step, item)) is not None]
    if about.kind != "Node" or not changed:
        return [], steps
    words = []
    for step, taint in changed:
        value = f"={taint['value']}" if taint.get("value") else ""
        words.append(f"{taint['key']}{value}:{taint['effect']}{'-' if step.remove else ''}")
    remaining = [step for step in steps if all(step is not taint_step for taint_step, _ in changed)]
    return [_Line(("kubectl", "taint", "nodes"), (about.name,), tuple(words))], remaining


def _labels(about: Ref, steps: _Steps, item: KubernetesObject | None) -> tuple[list[_Line], _Steps]:
    """`kubectl label` or `kubectl annotate`, where nothing else is changed: otherwise one patch does both."""
    for field, verb in (("labels", "label"), ("annotations", "annotate")):
        if all(step.path[:2] == ("metadata", field) and len(step.path) == 3 for step in steps):
            words = [f"{step.path[2]}-" if step.remove else f"{step.path[2]}={step.value}" for step in steps]
            over = [] if all(step.remove for step in steps) else ["--overwrite"]
            return [_Line((*_words(verb, about), *words, *over))], ()
    return [], steps


def _number(about: Ref, steps: _Steps, item: KubernetesObject | None) -> tuple[list[_Line], _Steps]:
    """Replicas, and whether rollouts are paused."""
    if len(steps) != 1 or steps[0].path[:1] != ("spec",) or steps[0].remove:
        return [], steps
    (step,) = steps
    if step.path == ("spec", "replicas") and about.kind in _SCALABLE:
        return [_Line((*_words("scale", about), f"--replicas={step.value}"))], ()
    if step.path == ("spec", "paused") and about.kind == "Deployment":
        return [_Line(tuple(_words("rollout pause" if step.value else "rollout resume", about)))], ()
    return [], steps


def _of_container(step: Step, item: KubernetesObject | None) -> tuple[str, Path]:
    """The container of a template that a step changes, and the path in it; empty for removals, which `kubectl set` does
    not do."""
    template = template_of(item) if item is not None else None
    if item is None or template is None or step.remove or ref(item).kind not in SETTABLE:
        return "", ()
    prefix = (*template_path(item).split("."), "containers")
    index = step.path[len(prefix)] if len(step.path) > len(prefix) + 1 else None
    if step.path[: len(prefix)] != prefix or not isinstance(index, int) or index >= len(template.spec.containers):
        return "", ()
    return template.spec.containers[index].name, step.path[len(prefix) + 1 :]


def _set(about: Ref, steps: _Steps, item: KubernetesObject | None) -> tuple[list[_Line], _Steps]:
    """`kubectl set resources`, which takes the name of one container, `image` and `env`."""
    amounts: dict[str, dict[str, list[str]]] = {}
    images: list[str] = []
    variables: dict[str, list[str]] = {}
    remaining: list[Step] = []
    for step in steps:
        name, path = _of_container(step, item)
        match path:
            case ("resources", "requests" | "limits" as side, str() as resource):
                amounts.setdefault(name, {}).setdefault(str(side), []).append(f"{resource}={step.value}")
            case ("image",):
                images.append(f"{name}={step.value}")
            case ("env", "-") if set(step.value) == {"name", "value"}:
                variables.setdefault(name, []).append(f"{step.value['name']}={step.value['value']}")
            case _:
                remaining.append(step)
    lines: list[_Line] = []
    if len(amounts) > 1:  # Each command would start a rollout of its own.
        remaining = [step for step in steps if step in remaining or _of_container(step, item)[1][:1] == ("resources",)]
    else:
        for name, sides in amounts.items():
            flags = [f"--{side}={','.join(sides[side])}" for side in ("requests", "limits") if side in sides]
            lines.append(_Line((*_words("set resources", about), "-c", name, *flags)))
    lines += [_Line((*_words("set image", about), *images))] if images else []
    lines += [_Line((*_words("set env", about), "-c", name, *words)) for name, words in variables.items()]
    return lines, remaining


_RULES: Final[tuple[_Rule, ...]] = (_cordon, _taints, _labels, _number, _set)
