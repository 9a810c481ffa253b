"""Names, labels, annotations and selectors of every object (`apimachinery/pkg/api/validation`, v1.37)."""

from __future__ import annotations

from typing import Final

from kubedoctor.replay.validation import names
from kubedoctor.replay.validation.fields import Field

_MOST_ANNOTATIONS: Final = 256 << 10
_NAMES: Final[dict[str, names.Check]] = {
    "Service": names.dns_label_1035,
    "PodDisruptionBudget": names.path_segment,
    "Namespace": names.dns_label,
    **dict.fromkeys(("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"), names.path_segment),
}
"""Kinds whose names are no DNS subdomains."""
OPERATORS: Final = ("In", "NotIn", "Exists", "DoesNotExist")


_RELAXED: Final = 37
"""The release from which the name of a Service may begin with a digit (RelaxedServiceNameValidation)."""
_NAMED_BY_THE_SERVER: Final = frozenset(("LimitRange",))
"""Kinds that get a random name where they have none."""


def metadata(at: Field, kind: str, *, namespaced: bool, minor: int) -> None:
    """Of an object that has no defaults yet; its namespace is that of the request. minor: of the release."""
    check = _NAMES.get(kind, names.dns_subdomain)
    if kind == "Service" and minor >= _RELAXED:
        check = names.dns_label
    name, generated = at["name"], at["generateName"]
    if generated.text and not name.text:
        generated.must(check(generated.text.rstrip("-") if generated.text.endswith("-") else generated.text))
    elif not name.text and kind in _NAMED_BY_THE_SERVER:
        pass
    elif not name.text:
        name.required("name or generateName is required")
    else:
        name.must(check(name.text))
    space = at["namespace"]
    if namespaced and space.text:
        space.must(names.dns_label(space.text))
    labels(at["labels"])
    annotated(at["annotations"])
    for finalizer in at["finalizers"].each():
        finalizer.must(names.qualified_name(finalizer.text))
    for owner in at["ownerReferences"].each():
        for key in ("apiVersion", "kind", "name", "uid"):
            if not owner[key]:
                owner[key].required() if key == "apiVersion" else owner[key].invalid("must not be empty")


def labels(at: Field) -> None:
    for key, value in at.entries():
        value_key = Field(key, at.path, at.sink)
        value_key.must(names.qualified_name(key))
        if value.text:
            Field(value.value, value.path, at.sink).must(names.label_value(value.text))


def annotated(at: Field) -> None:
    size = 0
    for key, value in at.entries():
        Field(key, at.path, at.sink).must(names.qualified_name(key.lower()))
        size += len(key.encode()) + len(value.text.encode())
    if size > _MOST_ANNOTATIONS:
        at.too_long(_MOST_ANNOTATIONS)


def label_selector(at: Field) -> None:
    """`ValidateLabelSelector`."""
    labels(at["matchLabels"])
    for requirement in at["matchExpressions"].each():
        expression(requirement, OPERATORS)


def expression(at: Field, operators: tuple[str, ...]) -> None:
    """A requirement on labels."""
    operator, values = at["operator"], at["values"]
    many = len(values.value) if isinstance(values.value, list) else 0
    if operator.text in ("In", "NotIn") and not many:
        values.required("must be specified when `operator` is 'In' or 'NotIn'")
    elif operator.text in ("Exists", "DoesNotExist") and many:
        values.forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    elif operator.text in ("Gt", "Lt") and "Gt" in operators and many != 1:
        values.required("must be specified single value when `operator` is 'Lt' or 'Gt'")
    elif operator.text not in operators:
        operator.invalid("not a valid selector operator")
    at["key"].must(names.qualified_name(at["key"].text))
    if "Gt" not in operators:
        for value in values.each():
            value.must(names.label_value(value.text))


def selects(selector: Field, found: Field) -> bool:
    """Whether a label selector of plain data matches labels."""
    have = {key: value.text for key, value in found.entries()}
    if any(have.get(key) != value.text for key, value in selector["matchLabels"].entries()):
        return False
    for requirement in selector["matchExpressions"].each():
        key, operator = requirement["key"].text, requirement["operator"].text
        values = [value.text for value in requirement["values"].each()]
        matched = {
            "In": have.get(key) in values,
            "NotIn": have.get(key) not in values,
            "Exists": key in have,
            "DoesNotExist": key not in have,
        }
        if not matched.get(operator, True):
            return False
    return True
