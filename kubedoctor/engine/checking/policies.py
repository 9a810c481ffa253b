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
from kubedoctor.engine.checking.requests import Requests
from kubedoctor.replay.admission.matching import AdmissionRequest
from kubedoctor.replay.admission.policies import PolicyAnswer, policy_answers

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
        self._requests = Requests(found, snapshot)

    def verdicts(self) -> PolicyVerdicts:
        refused: dict[Ref, str] = {}
        warned: dict[Ref, tuple[str, ...]] = {}
        pods: dict[Ref, str] = {}
        gaps: dict[Ref, str] = {}
        for one in self._found if self._policies and self._bindings else ():
            denial, warnings, gap = _sorted_out(self._answers(self._requests.of(one)))
            if denial:
                refused[one.subject] = f"{self._requests.title(one)} is forbidden: {denial}"
            if warnings:
                warned[one.subject] = warnings
            pod = self._requests.of_pod(one)
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
