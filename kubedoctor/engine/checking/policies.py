"""What admission policies, of the cluster and of the files, say of the objects of the files and of their pods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from kubedoctor.cluster.changes import as_manifest
from kubedoctor.cluster.grammar.label_requirements import SelectorError
from kubedoctor.cluster.grammar.selectors import selector_of
from kubedoctor.cluster.kinds.control import ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding
from kubedoctor.cluster.kinds.meta import LabelSelector
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.cluster.seen.snapshot import Snapshot
from kubedoctor.cluster.seen.wants import Want
from kubedoctor.engine.checking.judging import Judged
from kubedoctor.replay.admission.defaults import with_defaults
from kubedoctor.replay.admission.matching import AdmissionRequest
from kubedoctor.replay.admission.policies import PolicyAnswer, policy_answers
from kubedoctor.replay.validation.versions import pod_specs

_POLICY, _BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"
_DENY: Final = "Deny"
_WARN: Final = "Warn"


class PolicyVerdicts(msgspec.Struct, frozen=True):
    """refused, warned: the API server's words about an object of the files. pods: about the pods that its controller creates.
    gaps: by object, which policy was not evaluated and why."""

    refused: Mapping[Ref, str]
    warned: Mapping[Ref, tuple[str, ...]]
    pods: Mapping[Ref, str]
    gaps: Mapping[Ref, str]


def policy_verdicts(found: Sequence[Judged], snapshot: Snapshot) -> PolicyVerdicts:
    """snapshot: the cluster, where one was read."""
    return _Policies(found, snapshot).verdicts()


class _Policies:
    def __init__(self, found: Sequence[Judged], snapshot: Snapshot) -> None:
        self._found, self._snapshot = [one for one in found if one.obj is not None], snapshot
        own = {ref(one.obj): one.obj for one in self._found if one.obj is not None}
        objects = {ref(obj): obj for kind in (_POLICY, _BINDING) for obj in snapshot.of_kind(kind)} | own
        self._policies = [obj for obj in objects.values() if isinstance(obj, ValidatingAdmissionPolicy)]
        self._bindings = [obj for obj in objects.values() if isinstance(obj, ValidatingAdmissionPolicyBinding)]
        self._files = {one.subject: one.document.data for one in self._found}

    def verdicts(self) -> PolicyVerdicts:
        refused: dict[Ref, str] = {}
        warned: dict[Ref, tuple[str, ...]] = {}
        pods: dict[Ref, str] = {}
        gaps: dict[Ref, str] = {}
        for one in self._found if self._policies and self._bindings else ():
            denial, warnings, gap = _sorted_out(self._answers(self._request(one)))
            if denial:
                refused[one.subject] = f"{_title(one)} is forbidden: {denial}"
            if warnings:
                warned[one.subject] = warnings
            pod = self._pod(one)
            if pod is not None:
                denial, _, more = _sorted_out(self._answers(pod))
                gap = gap or more
                if denial:
                    pods[one.subject] = denial
            if gap:
                gaps[one.subject] = gap
        return PolicyVerdicts(refused, warned, pods, gaps)

    def _answers(self, request: AdmissionRequest) -> Iterator[PolicyAnswer]:
        return policy_answers(request, self._policies, self._bindings, self._params)

    def _request(self, one: Judged) -> AdmissionRequest:
        data, subject = one.document.data, one.subject
        group, _, version = str(data.get("apiVersion")).rpartition("/")
        is_new = self._snapshot.get(subject) is None
        metadata = {**data.get("metadata", {}), **({"namespace": subject.namespace} if subject.namespace else {})}
        return AdmissionRequest(
            "CREATE" if is_new else "UPDATE",
            group,
            version,
            str(data.get("kind")),
            _resource(str(data.get("kind")), self._files, group),
            subject.namespace,
            subject.name,
            with_defaults({**data, "metadata": metadata}),
            self._labels(subject.namespace),
        )

    def _pod(self, one: Judged) -> AdmissionRequest | None:
        """The first pod that its controller would create."""
        if one.document.data.get("kind") == "Pod":
            return None
        for path, spec in pod_specs(one.document.data):
            template: Any = one.document.data
            for step in path[:-1]:
                template = template[step]
            own = template.get("metadata") if isinstance(template.get("metadata"), Mapping) else {}
            metadata = {**own, "generateName": f"{one.subject.name}-", "namespace": one.subject.namespace}
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": dict(spec)}
            labels = self._labels(one.subject.namespace)
            return AdmissionRequest(
                "CREATE", "", "v1", "Pod", "pods", one.subject.namespace, "", with_defaults(pod), labels
            )
        return None

    def _labels(self, namespace: str) -> Mapping[str, str] | None:
        """Of a namespace of the files, else of the cluster's; each has its own name among them."""
        if not namespace:
            return None
        name = Ref("Namespace", "", namespace)
        if name in self._files:
            metadata = self._files[name].get("metadata", {})
            labels: Mapping[str, str] = metadata.get("labels") or {}
        elif (space := self._snapshot.get(name)) is not None:
            labels = space.labels
        else:
            return None
        return {"kubernetes.io/metadata.name": namespace, **labels}

    def _params(
        self, version: str, kind: str, namespace: str, chosen: Mapping[str, Any]
    ) -> Sequence[Mapping[str, Any]] | None:
        row = kind_named(kind)
        group = version.rpartition("/")[0]
        title = kind if row is not None and row.group == group else f"{kind}.{group}"
        space = "" if row is not None and not row.namespaced else namespace
        spaces = (space, "") if row is None else (space,)
        selector, name = chosen.get("selector"), chosen.get("name")
        of_files = [data for at, data in self._files.items() if at.kind == title and at.namespace in spaces]
        of_cluster = [as_manifest(obj) for obj in self._snapshot.of_kind(title) if obj.namespace in spaces]
        if not of_files and not self._snapshot.covers(Want(title)):
            return None
        candidates = [*of_files, *of_cluster]
        if name:
            return [data for data in candidates if data.get("metadata", {}).get("name") == name][:1]
        return [data for data in candidates if _selected(selector, data)]


def _selected(selector: Any, data: Mapping[str, Any]) -> bool:
    try:
        wanted = selector_of(msgspec.convert(selector or {}, LabelSelector))
    except (SelectorError, msgspec.ValidationError):
        return False
    return wanted.matches(data.get("metadata", {}).get("labels") or {})


def _sorted_out(answers: Iterator[PolicyAnswer]) -> tuple[str, tuple[str, ...], str]:
    """The first denial, the warnings, and the first gap."""
    denial, warnings, gap = "", [], ""
    for answer in answers:
        if answer.unread:
            gap = gap or f"ValidatingAdmissionPolicy {answer.policy}: {answer.unread}"
        elif _DENY in answer.actions:
            denial = denial or answer.text
        elif _WARN in answer.actions:
            warnings.append(
                f"Validation failed for ValidatingAdmissionPolicy '{answer.policy}' with binding '{answer.binding}': "
                f"{answer.message}"
            )
    return denial, tuple(warnings), gap


def _title(one: Judged) -> str:
    return f'{_resource(str(one.document.data.get("kind")), {}, "")} "{one.subject.name}"'


def _resource(kind: str, files: Mapping[Ref, Mapping[str, Any]], group: str) -> str:
    """The plural name of a kind: as its definition spells it, else as English does."""
    row = kind_named(kind)
    if row is not None:
        return row.plural
    for data in files.values():
        if data.get("kind") == "CustomResourceDefinition":
            spec = data.get("spec", {})
            names = spec.get("names", {})
            if names.get("kind") == kind and spec.get("group") == group:
                return str(names.get("plural"))
    lowered = kind.lower()
    if lowered.endswith("y") and lowered[-2:-1] not in "aeiou":
        return f"{lowered[:-1]}ies"
    return f"{lowered}es" if lowered.endswith(("s", "x", "ch", "sh")) else f"{lowered}s"
