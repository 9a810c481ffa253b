"""A line of kubectl read as the change that it makes: what people type, and every command that a fix has, can be tried.

The reverse of `findings/commands`: verbs `scale`, `set resources|image|env`, `taint`, `label`, `annotate`, `cordon`,
`uncordon`, `patch`, `delete`, `create`, `rollout undo|restart|pause|resume`, and several of them joined by `&&`
(`k8s.io/kubectl/pkg/cmd`, v1.37). About a subject that is known, a field alone is enough: `replicas=3`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final

import msgspec

from kubedoctor.answers.timeline.revisions import RESTARTED, revisions
from kubedoctor.answers.what_if.changed_fields import changed_fields
from kubedoctor.answers.what_if.created import created_object
from kubedoctor.answers.what_if.short_forms import is_short, short_change
from kubedoctor.answers.what_if.taints import is_taint, tainted
from kubedoctor.answers.what_if.words import FORMS, Intended, UnreadChange, Words
from kubedoctor.cluster.changes import (
    Change,
    Operation,
    Path,
    Step,
    as_manifest,
    create,
    delete,
    edit,
    put,
)
from kubedoctor.cluster.kinds.apps import Deployment
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.kinds.resources import is_namespaced, kind_from_word
from kubedoctor.cluster.patching import PatchError, json_patched, merged, strategically_merged
from kubedoctor.cluster.relations.workloads import revision_of, template_of, template_path
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.findings.commands.lines import words_of

__all__ = ["FORMS", "Intended", "UnreadChange", "read_change"]

_CORDON_TAINT: Final = "node.kubernetes.io/unschedulable"
_ELSEWHERE: Final = {
    "edit": "it is made by hand in an editor; type the change itself, such as image=web:2",
    "drain": "kubedoctor can-drain NODE answers what a drain would do",
}
_LOOKS: Final = frozenset({"get", "describe", "logs", "top", "events", "explain", "auth", "version"})


def read_change(line: str, cluster: Cluster, subject: Ref | None = None, namespace: str = "") -> Intended:
    """The change of a command line, with the objects as they are. subject: what a short form is about. namespace: where a
    line names none.

    Raises UnreadChange, with a sentence for people, and NotCollected as reads do.
    """
    try:
        words = words_of(line)
    except ValueError:
        raise UnreadChange("a quotation mark is not closed") from None
    if not words:
        raise UnreadChange(f"nothing to try; for example {FORMS}")
    operations: list[Operation] = []
    recreated: set[Ref] = set()
    orphans = False
    now = cluster
    for joined, part in groupby(words, key="&&".__eq__):
        if joined:
            continue
        command = list(part)
        if subject is not None and is_short(command):
            intended = Intended(short_change(command, subject, now))
        else:
            intended = _Reader(now, namespace or (subject.namespace if subject is not None else "")).read(command)
        operations += intended.change.operations
        recreated |= intended.recreated
        orphans = orphans or intended.change.orphans
        # What follows reads the objects as the first command leaves them.
        now = cluster.over(applied(now.snapshot, intended.change))
    return Intended(Change(_combined(operations), orphans), frozenset(recreated))


def applied(snapshot: Any, change: Change) -> Any:
    """The snapshot after the change. Raises UnreadChange where a field has another type."""
    from kubedoctor.cluster.changes import apply_to_snapshot

    try:
        return apply_to_snapshot(snapshot, change)
    except (msgspec.ValidationError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise UnreadChange(f"the API server would refuse it: {error}") from None


def _combined(operations: Sequence[Operation]) -> tuple[Operation, ...]:
    """Each field is set once, by the last command that does: all steps see the object before the change."""
    by_object: dict[Ref, Operation] = {}
    for operation in operations:
        before = by_object.get(operation.about)
        if before is None or operation.delete or operation.create is not None:
            by_object[operation.about] = operation
            continue
        paths = {step.path for step in operation.steps}
        steps = (*(step for step in before.steps if step.path not in paths), *operation.steps)
        by_object[operation.about] = msgspec.structs.replace(before, steps=steps)
    return tuple(by_object.values())


class _Reader:
    """One command."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster = cluster
        self._default = namespace

    def read(self, words: list[str]) -> Intended:
        printed = _printed(words)
        if printed is not None:
            return Intended(create(created_object(printed, self._default)))
        recreates = "|" in words
        if recreates:
            words = words[: words.index("|")]
        if words and words[0] in ("kubectl", "oc", "k"):
            words = words[1:]
        rest = Words(words)
        self._check_cluster(rest.flag("--context"))
        verb = rest.take()
        read = self._verbs().get(verb)
        if verb in _ELSEWHERE:
            raise UnreadChange(_ELSEWHERE[verb])
        if read is None:
            what = "only reads" if verb in _LOOKS else "is no command that can be tried"
            raise UnreadChange(f"kubectl {verb} {what}; for example {FORMS}")
        change = read(rest)
        return Intended(change, frozenset(change.objects) if recreates else frozenset())

    def _check_cluster(self, context: str) -> None:
        source = self._cluster.snapshot.source
        if context and source.kind == "live" and context != source.name:
            raise UnreadChange(f"it is about the context {context}, and {source.name} is what was read")

    def _verbs(self) -> dict[str, Callable[[Words], Change]]:
        return {
            "scale": self._scale,
            "set": self._set,
            "taint": self._taint,
            "label": lambda words: self._map(words, "labels"),
            "annotate": lambda words: self._map(words, "annotations"),
            "cordon": lambda words: self._cordon(words, unschedulable=True),
            "uncordon": lambda words: self._cordon(words, unschedulable=False),
            "patch": self._patch,
            "delete": self._delete,
            "create": self._create,
            "rollout": self._rollout,
        }

    # Objects

    def _names(self, words: Words) -> tuple[list[Ref], list[str]]:
        """The objects that the words name, as KIND/NAME… or KIND NAME…, and the words that follow a name."""
        namespace = words.flag("-n", "--namespace") or self._default
        free = words.free
        if not free:
            raise UnreadChange("no object is named; write KIND/NAME")
        if "/" not in free[0] or self._kind(free[0].partition("/")[0]) is None:
            kind = self._known(free[0])
            names = [word for word in free[1:] if not _assigns(word)]
            rest = [word for word in free[1:] if _assigns(word)]
            found = [self._ref(kind, name, namespace) for name in names]
        else:
            named = [word for word in free if "/" in word and not _assigns(word)]
            rest = [word for word in free if word not in named]
            found = [
                self._ref(self._known(word.partition("/")[0]), word.partition("/")[2], namespace) for word in named
            ]
        if not found:
            raise UnreadChange(f"{free[0]}: no name; write KIND/NAME")
        return found, rest

    def _ref(self, kind: str, name: str, namespace: str) -> Ref:
        namespaced = is_namespaced(kind)
        if namespaced and not namespace:
            raise UnreadChange(f"which namespace? Add -n NAMESPACE to {kind.partition('.')[0]} {name}")
        return Ref(kind, namespace if namespaced else "", name)

    def _kind(self, word: str) -> str | None:
        row = kind_from_word(word.lower())
        if row is not None:
            return row.kind
        return next((kind for kind in self._cluster.snapshot.kinds() if kind.lower() == word.lower()), None)

    def _known(self, word: str) -> str:
        kind = self._kind(word)
        if kind is None:
            raise UnreadChange(f"{word!r} is no kind that is known here")
        return kind

    def _object(self, about: Ref) -> KubernetesObject:
        found = self._cluster.get_ref(about)
        if found is None:
            raise UnreadChange(f"there is no {about.title}")
        return found

    def _one(self, words: Words) -> tuple[KubernetesObject, Ref, list[str]]:
        names, rest = self._names(words)
        if len(names) > 1:
            raise UnreadChange(f"one object at a time: {names[0].title}, {names[1].title}")
        return self._object(names[0]), names[0], rest

    # Verbs

    def _scale(self, words: Words) -> Change:
        text = words.flag("--replicas")
        if not text.isdigit():
            raise UnreadChange("how many? Add --replicas=NUMBER")
        names, _ = self._names(words)
        for name in names:
            if not hasattr(getattr(self._object(name), "spec", None), "replicas"):
                raise UnreadChange(f"{name.title} cannot be scaled")
        return Change(tuple(put(name, ("spec", "replicas"), int(text)).operations[0] for name in names))

    def _cordon(self, words: Words, *, unschedulable: bool) -> Change:
        operations = []
        for name in words.free:
            about = Ref("Node", "", name.removeprefix("node/"))
            node = self._object(about)
            taints = as_manifest(node).get("spec", {}).get("taints") or []
            left = [taint for taint in taints if taint.get("key") != _CORDON_TAINT]
            if unschedulable:
                left.append({"key": _CORDON_TAINT, "effect": "NoSchedule"})
            steps = (Step(("spec", "unschedulable"), unschedulable), Step(("spec", "taints"), left))
            operations.append(Operation(about, steps if left != taints else steps[:1]))
        if not operations:
            raise UnreadChange("no node is named")
        return Change(tuple(operations))

    def _taint(self, words: Words) -> Change:
        kind, *rest = words.free or [""]
        if self._kind(kind.partition("/")[0]) != "Node":
            raise UnreadChange(
                "only nodes have taints: taint nodes NAME KEY[=VALUE]:EFFECT, or KEY[:EFFECT]- to remove it"
            )
        rest = [kind.partition("/")[2], *rest] if "/" in kind else rest
        names = [word for word in rest if not is_taint(word)]
        specs = [word for word in rest if is_taint(word)]
        if not names or not specs:
            raise UnreadChange("write: taint nodes NAME KEY[=VALUE]:EFFECT, or KEY[:EFFECT]- to remove it")
        operations = []
        for name in names:
            about = Ref("Node", "", name)
            node = self._object(about)
            taints: list[dict[str, Any]] = list(as_manifest(node).get("spec", {}).get("taints") or [])
            for spec in specs:
                taints = tainted(taints, spec, about)
            operations.append(Operation(about, (Step(("spec", "taints"), taints),)))
        return Change(tuple(operations))

    def _map(self, words: Words, field: str) -> Change:
        names, pairs = self._names(words)
        if not pairs:
            raise UnreadChange("write KEY=VALUE, or KEY- to remove it")
        steps = [
            Step(("metadata", field, word[:-1]), remove=True)
            if word.endswith("-") and "=" not in word
            else Step(("metadata", field, word.partition("=")[0]), word.partition("=")[2])
            for word in pairs
        ]
        for name in names:
            self._object(name)
        return Change(tuple(Operation(name, tuple(steps)) for name in names))

    def _set(self, words: Words) -> Change:
        what = words.take()
        item, about, rest = self._one(words)
        template = template_of(item)
        if template is None:
            raise UnreadChange(f"{about.title} has no pod template")
        chosen = words.flag("-c", "--containers", "--container")
        containers = [(index, container.name) for index, container in enumerate(template.spec.containers)]
        picked = [(index, name) for index, name in containers if chosen in ("", "*", name)]
        if not picked:
            raise UnreadChange(f"{about.title} has no container {chosen!r}")
        prefix: Path = (*template_path(item).split("."), "containers")
        steps = list(self._set_steps(what, words, rest, prefix, picked, as_manifest(item)))
        if not steps:
            raise UnreadChange(
                "nothing is set; write set resources --requests=cpu=500m, set image NAME=IMAGE, set env NAME=VALUE"
            )
        return edit(about, *steps)

    def _set_steps(
        self, what: str, words: Words, rest: list[str], prefix: Path, picked: list[tuple[int, str]], data: Any
    ) -> Iterator[Step]:
        if what == "resources":
            for side in ("requests", "limits"):
                for pair in filter(None, words.flag(f"--{side}").split(",")):
                    resource, _, amount = pair.partition("=")
                    yield from (Step((*prefix, index, "resources", side, resource), amount) for index, _ in picked)
        elif what == "image":
            for pair in rest:
                name, _, image = pair.partition("=")
                found = [index for index, own in picked if name in ("*", own)]
                if not found:
                    raise UnreadChange(f"no container {name!r}")
                yield from (Step((*prefix, index, "image"), image) for index in found)
        elif what == "env":
            for index, _ in picked:
                variables = list(_at(data, (*prefix, index, "env")) or [])
                for word in rest:
                    name, equals, value = word.partition("=")
                    name = name if equals else name.removesuffix("-")
                    variables = [one for one in variables if one.get("name") != name]
                    variables += [{"name": name, "value": value}] if equals else []
                yield Step((*prefix, index, "env"), variables)
        else:
            raise UnreadChange(f"of kubectl set only resources, image and env are replayed, not {what}")

    def _patch(self, words: Words) -> Change:
        item, about, _ = self._one(words)
        body_text, style = words.flag("-p", "--patch"), words.flag("--type") or "strategic"
        try:
            body, before = json.loads(body_text), as_manifest(item)
            patched = {"json": json_patched, "merge": merged}.get(style, strategically_merged)(before, body)
        except (ValueError, PatchError) as error:
            raise UnreadChange(f"the patch cannot be applied: {error}") from None
        steps = changed_fields(before, patched)
        return edit(about, *steps)

    def _delete(self, words: Words) -> Change:
        names, _ = self._names(words)
        for name in names:
            self._object(name)
        return delete(*names, orphans=words.flag("--cascade") == "orphan")

    def _create(self, words: Words) -> Change:
        namespace = words.flag("-n", "--namespace") or self._default
        return create(created_object(words, namespace))

    def _rollout(self, words: Words) -> Change:
        what = words.take()
        item, about, _ = self._one(words)
        template = template_of(item)
        if template is None:
            raise UnreadChange(f"{about.title} has no rollouts")
        if what in ("pause", "resume"):
            return put(about, ("spec", "paused"), what == "pause")
        annotation: Path = (*template_path(item).split(".")[:-1], "metadata", "annotations", RESTARTED)
        if what == "restart":
            return put(about, annotation, self._cluster.taken_at.isoformat())
        if what == "undo":
            return self._undo(item, about, words.flag("--to-revision"))
        raise UnreadChange(f"{what} of kubectl rollout changes nothing: undo, restart, pause and resume do")

    def _undo(self, item: KubernetesObject, about: Ref, to_revision: str) -> Change:
        kept = revisions(item, self._cluster)
        current = revision_of(item) if isinstance(item, Deployment) else None
        if to_revision and to_revision != "0":
            found = next((one for one in kept if str(one.number) == to_revision), None)
        else:
            older = [one for one in kept if current is None or one.number != current]
            found = older[-1] if current is not None and older else kept[-2] if len(kept) > 1 else None
        if found is None:
            raise UnreadChange(f"no previous revision of {about.title} was kept")
        data = as_manifest(found.template)
        labels = data.get("metadata", {}).get("labels") or {}
        labels.pop("pod-template-hash", None)
        # Only what is read of a template is set again: the other fields are not known here.
        before = as_manifest(item)["spec"]["template"]
        return edit(
            about,
            *(Step(("spec", "template", *step.path), step.value, step.remove) for step in changed_fields(before, data)),
        )


def _printed(words: Sequence[str]) -> Words | None:
    """`printf %s JSON | kubectl create -f -`: the object."""
    if words[:2] == ["printf", "%s"] and len(words) > 3 and words[3] == "|":
        return Words(["-f", words[2]])
    return None


def _assigns(word: str) -> bool:
    """`KEY=VALUE`, or `KEY-` that removes; names never end so."""
    return "=" in word or word.endswith("-")


def _at(data: Any, path: Path) -> Any:
    for part in path:
        if isinstance(part, int):
            data = data[part] if isinstance(data, list) and part < len(data) else None
        else:
            data = data.get(part) if isinstance(data, dict) else None
    return data
