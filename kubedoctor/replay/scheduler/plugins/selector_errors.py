"""Upstream's error messages for invalid label selectors (`apimachinery/pkg/labels`, `pkg/api/validate/content`, v1.37).

These texts become part of the pod's condition. The text differs from upstream's for label keys with an invalid DNS
prefix.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kubedoctor.cluster.grammar.label_requirements import SelectorError, checked_requirement
from kubedoctor.cluster.kinds.affinity import PodAffinity, PodAffinityTerm
from kubedoctor.cluster.kinds.meta import LabelSelector
from kubedoctor.cluster.kinds.pods import Pod

_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}
_NAME = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL = re.compile(f"({_NAME})?")
_CHARACTERS = (
    "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
)
_BAD_VALUE = (
    f"a valid label must be an empty string or {_CHARACTERS} "
    f"(e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '({_NAME})?')"
)
_BAD_KEY = (
    f"name part must {_CHARACTERS} "
    f"(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_NAME}')"
)
_TOO_LONG = "must be no more than 63 bytes"


def parsing_problem(pod: Pod) -> str:
    """The error in a pod's affinity to pods; empty if it is valid. Preferred terms are checked too."""
    affinity = pod.spec.affinity
    if affinity is None:
        return ""
    near, apart = affinity.pod_affinity, affinity.pod_anti_affinity
    parts = (
        ("requiredAffinityTerms", near.required_during_scheduling_ignored_during_execution if near else None),
        ("requiredAntiAffinityTerms", apart.required_during_scheduling_ignored_during_execution if apart else None),
        ("preferredAffinityTerms", _preferred(near)),
        ("preferredAntiAffinityTerms", _preferred(apart)),
    )
    return _together([f"{name}: {problem}" for name, terms in parts if (problem := _first_problem(terms))])


def _preferred(affinity: PodAffinity | None) -> tuple[PodAffinityTerm, ...]:
    weighted = affinity.preferred_during_scheduling_ignored_during_execution if affinity else None
    return tuple(preferred.pod_affinity_term for preferred in weighted or ())


def _first_problem(terms: Sequence[PodAffinityTerm] | None) -> str:
    for term in terms or ():
        for selector in (term.label_selector, term.namespace_selector):
            if problem := selector_problem(selector):
                return problem
    return ""


def selector_problem(selector: LabelSelector | None) -> str:
    """The error in one selector; empty if it is valid."""
    if selector is None:
        return ""
    for key, value in sorted((selector.match_labels or {}).items()):
        if problem := _requirement_problem(key, "=", (value,)):
            return problem
    for requirement in selector.match_expressions or ():
        if requirement.operator not in _OPERATORS:
            return f'"{requirement.operator}" is not a valid label selector operator'
        if problem := _requirement_problem(requirement.key, _OPERATORS[requirement.operator], requirement.values or ()):
            return problem
    return ""


def _requirement_problem(key: str, operator: str, values: tuple[str, ...]) -> str:
    problems = []
    if not _is_valid(key, "exists", ()):
        problems.append(f'key: Invalid value: "{key}": {_BAD_KEY}')
    if operator in ("in", "notin") and not values:
        problems.append("values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty")
    if operator in ("exists", "!") and values:
        text = ",".join(f'"{value}"' for value in values)
        problems.append(f"values: Invalid value: [{text}]: values set must be empty for exists and does not exist")
    for index, value in enumerate(values):
        if not _is_valid("a", "=", (value,)):
            why = [_TOO_LONG] if len(value) > 63 else []
            if not _LABEL.fullmatch(value):
                why.append(_BAD_VALUE)
            problems.append(f'values[{index}][{key}]: Invalid value: "{value}": {"; ".join(why)}')
    return _together(problems)


def _is_valid(key: str, operator: str, values: tuple[str, ...]) -> bool:
    try:
        checked_requirement(key, operator, values)
    except SelectorError:
        return False
    return True


def _together(problems: list[str]) -> str:
    """Several errors as Go's aggregate writes them."""
    different = list(dict.fromkeys(problems))
    return different[0] if len(different) == 1 else f"[{', '.join(different)}]" if different else ""
