"""ValidatingAdmissionPolicies (`apiserver/pkg/admission/plugin/policy/validating`, v1.37): which ones are asked about an object,
and what they answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from kubedoctor.cluster.kinds.control import (
    RuleWithOperations,
    ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding,
)
from kubedoctor.cluster.kinds.meta import LabelSelector
from kubedoctor.replay.admission.defaults import may_be_filled_in
from kubedoctor.replay.admission.matching import (
    AdmissionRequest,
    is_exempt,
    rule_matches,
    selects_object,
    selects_space,
)
from kubedoctor.replay.cel import CelOutcome, CelVerdict, evaluated

_UNKNOWN: Final = re.compile(r"\b(authorizer|request\s*\.\s*(?:userInfo|uid|options))\b")
"""What depends on who asks."""
_OLD: Final = re.compile(r"\boldObject\b")
_VARIABLE: Final = re.compile(r"\bvariables\s*\.\s*(\w+)")
NO_PARAMS: Final = "no params found for policy binding with `Deny` parameterNotFoundAction"
Params = Callable[[str, str, str, Mapping[str, Any]], Sequence[Mapping[str, Any]] | None]
"""API version, kind and namespace of parameters, and the paramRef that chooses them; None where they cannot be read."""


class PolicyAnswer(msgspec.Struct, frozen=True):
    """message: the reason of a denial; empty where nothing was decided, and then unread says why. actions: of the binding. index:
    of the validation."""

    policy: str
    binding: str
    message: str = ""
    actions: tuple[str, ...] = ()
    index: int | None = None
    unread: str = ""

    @property
    def text(self) -> str:
        """As the API server says it."""
        return f"ValidatingAdmissionPolicy '{self.policy}' with binding '{self.binding}' denied request: {self.message}"


def policy_answers(
    request: AdmissionRequest,
    policies: Sequence[ValidatingAdmissionPolicy],
    bindings: Sequence[ValidatingAdmissionPolicyBinding],
    params_of: Params,
) -> Iterator[PolicyAnswer]:
    """Every denial, and every policy that could not be evaluated."""
    if is_exempt(request):
        return
    for policy in sorted(policies, key=lambda one: one.name):
        spec = policy.spec or {}
        matches = _is_matched(spec.get("matchConstraints"), request)
        for binding in sorted(bindings, key=lambda one: one.name):
            own = binding.spec or {}
            if own.get("policyName") != policy.name or matches is False:
                continue
            bound = _is_matched(own.get("matchResources"), request)
            if bound is False:
                continue
            if matches is None or bound is None:
                yield PolicyAnswer(policy.name, binding.name, unread="the labels of the namespace are not known")
                continue
            yield from _bound(policy.name, spec, binding.name, own, request, params_of)


def _is_matched(resources: Any, request: AdmissionRequest) -> bool | None:
    """None where it depends on labels that are not known."""
    if not isinstance(resources, Mapping):
        return True
    if not selects_object(_selector(resources.get("objectSelector")), request):
        return False
    equivalent = resources.get("matchPolicy", "Equivalent") == "Equivalent"
    if any(_rule(rule, request, equivalent=equivalent) for rule in resources.get("excludeResourceRules") or ()):
        return False
    rules = resources.get("resourceRules") or ()
    if rules and not any(_rule(rule, request, equivalent=equivalent) for rule in rules):
        return False
    return selects_space(_selector(resources.get("namespaceSelector")), request)


def _selector(value: Any) -> LabelSelector | None:
    return msgspec.convert(value, LabelSelector) if isinstance(value, Mapping) else None


def _rule(rule: Any, request: AdmissionRequest, *, equivalent: bool) -> bool:
    names = rule.get("resourceNames") or ()
    own = msgspec.convert(rule, RuleWithOperations)
    return (not names or request.name in names) and rule_matches(own, request, equivalent=equivalent)


def _bound(
    policy: str,
    spec: Mapping[str, Any],
    binding: str,
    own: Mapping[str, Any],
    request: AdmissionRequest,
    params_of: Params,
) -> Iterator[PolicyAnswer]:
    actions = tuple(own.get("validationActions") or ())
    kind, chosen = spec.get("paramKind"), own.get("paramRef")
    params: Sequence[Mapping[str, Any] | None] = (None,)
    if isinstance(kind, Mapping) and isinstance(chosen, Mapping):
        space = str(chosen.get("namespace") or request.namespace)
        found = params_of(str(kind.get("apiVersion")), str(kind.get("kind")), space, chosen)
        if found is None:
            yield PolicyAnswer(policy, binding, unread=f"its parameters ({kind.get('kind')}) were not read")
            return
        if not found and chosen.get("parameterNotFoundAction", "Deny") == "Deny" and _fails(spec):
            yield PolicyAnswer(policy, binding, f"failed to configure binding: {NO_PARAMS}", ("Deny",))
        params = found
    for one in params:
        for answer in _Evaluation(spec, request, one).answers():
            yield msgspec.structs.replace(answer, policy=policy, binding=binding, actions=answer.actions or actions)


def _fails(spec: Mapping[str, Any]) -> bool:
    return bool(spec.get("failurePolicy", "Fail") == "Fail")


class _Evaluation:
    """One policy with one set of parameters, of one request."""

    def __init__(self, spec: Mapping[str, Any], request: AdmissionRequest, params: Mapping[str, Any] | None) -> None:
        self._spec, self._request = spec, request
        space = {"metadata": {"name": request.namespace, "labels": dict(request.space_labels or {})}}
        self._values: dict[str, Any] = {
            "object": request.data,
            "oldObject": None,
            "request": _as_seen(request),
            "params": params,
            "namespaceObject": space if request.namespace and not request.is_namespace else None,
        }
        self._variables = {
            str(one.get("name")): str(one.get("expression"))
            for one in spec.get("variables") or ()
            if isinstance(one, Mapping)
        }
        self._known: dict[str, CelOutcome] = {}

    def answers(self) -> Iterator[PolicyAnswer]:
        for condition in self._spec.get("matchConditions") or ():
            outcome = self._asked(str(condition.get("expression")))
            if outcome.verdict is CelVerdict.VALUE and outcome.value is not True:
                return
            if outcome.verdict is CelVerdict.UNREAD:
                yield PolicyAnswer("", "", unread=f"matchCondition {condition.get('name')}: {outcome.why}")
                return
            if outcome.verdict is CelVerdict.ERROR:
                if _fails(self._spec):
                    yield PolicyAnswer(
                        "", "", f"expression '{condition.get('expression')}' resulted in error: {outcome.why}"
                    )
                return
        for index, validation in enumerate(self._spec.get("validations") or ()):
            answer = self._answer(index, validation)
            if answer is not None:
                yield answer

    def _answer(self, index: int, validation: Mapping[str, Any]) -> PolicyAnswer | None:
        expression = str(validation.get("expression"))
        outcome = self._asked(expression)
        if outcome.verdict is CelVerdict.UNREAD:
            return PolicyAnswer("", "", index=index, unread=outcome.why)
        if outcome.verdict is CelVerdict.ERROR:
            if not _fails(self._spec):
                return None
            return PolicyAnswer("", "", f"expression '{expression}' resulted in error: {outcome.why}", index=index)
        if outcome.value is True:
            return None
        return PolicyAnswer("", "", self._message(validation, expression), index=index)

    def _message(self, validation: Mapping[str, Any], expression: str) -> str:
        said = validation.get("messageExpression")
        if isinstance(said, str):
            outcome = self._asked(said)
            text = outcome.value.strip() if isinstance(outcome.value, str) else ""
            if outcome.verdict is CelVerdict.VALUE and text and "\n" not in text:
                return str(text)
        return str(validation.get("message") or "").strip() or f"failed expression: {expression.strip()}"

    def _asked(self, expression: str, depth: int = 0) -> CelOutcome:
        if match := _UNKNOWN.search(expression):
            return CelOutcome(CelVerdict.UNREAD, why=f"{match[1]} depends on who asks")
        if self._request.operation == "UPDATE" and _OLD.search(expression):
            return CelOutcome(CelVerdict.UNREAD, why="it compares with the present object")
        values = dict(self._values)
        used: dict[str, Any] = {}
        missing: dict[str, CelOutcome] = {}
        for name in dict.fromkeys(_VARIABLE.findall(expression)):
            outcome = self._variable(name, depth)
            if outcome.verdict is CelVerdict.VALUE:
                used[name] = outcome.value
            else:
                missing[name] = outcome
        values["variables"] = used
        outcome = evaluated(expression, values)
        if outcome.verdict is CelVerdict.ERROR and outcome.key in missing:
            return missing[outcome.key]
        if outcome.verdict is CelVerdict.ERROR and may_be_filled_in(outcome.key, self._request.kind):
            return CelOutcome(CelVerdict.UNREAD, why=f"the API server may fill in {outcome.key}")
        return outcome

    def _variable(self, name: str, depth: int) -> CelOutcome:
        """Evaluated once, when it is used."""
        if name not in self._known:
            expression = self._variables.get(name)
            if expression is None or depth > len(self._variables):
                return CelOutcome(CelVerdict.UNREAD, why=f"variable {name} is not defined")
            self._known[name] = self._asked(expression, depth + 1)
        return self._known[name]


def _as_seen(request: AdmissionRequest) -> dict[str, Any]:
    """`request`, as far as it does not depend on who asks."""
    kind = {"group": request.group, "version": request.version, "kind": request.kind}
    resource = {"group": request.group, "version": request.version, "resource": request.resource}
    return {
        "kind": kind,
        "resource": resource,
        "requestKind": kind,
        "requestResource": resource,
        "subResource": "",
        "name": request.name,
        "namespace": request.namespace,
        "operation": request.operation,
        "dryRun": False,
    }
