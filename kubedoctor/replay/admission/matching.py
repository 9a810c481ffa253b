"""Which requests a webhook or a policy is asked about (`apiserver/pkg/admission/plugin/webhook/predicates`,
`plugin/policy/matching`, v1.37)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from kubedoctor.cluster.grammar.label_requirements import SelectorError
from kubedoctor.cluster.grammar.selectors import selector_of
from kubedoctor.cluster.kinds.control import RuleWithOperations
from kubedoctor.cluster.kinds.meta import LabelSelector

_CONFIGURATION = "admissionregistration.k8s.io"


class AdmissionRequest(msgspec.Struct, frozen=True):
    """operation: `CREATE` or `UPDATE`. data: the object with its defaults. space_labels: of its namespace; None where they are
    not known."""

    operation: str
    group: str
    version: str
    kind: str
    resource: str
    namespace: str
    name: str
    data: Mapping[str, Any]
    space_labels: Mapping[str, str] | None = None

    @property
    def labels(self) -> dict[str, str]:
        """Of the object."""
        metadata = self.data.get("metadata")
        found = metadata.get("labels") if isinstance(metadata, Mapping) else None
        return {str(key): str(value) for key, value in found.items()} if isinstance(found, Mapping) else {}

    @property
    def is_namespace(self) -> bool:
        """Namespaces are matched by their own labels."""
        return self.kind == "Namespace" and not self.group


def is_exempt(request: AdmissionRequest) -> bool:
    """Webhooks and policies are never asked about themselves."""
    return request.group == _CONFIGURATION


def rule_matches(rule: RuleWithOperations, request: AdmissionRequest, *, equivalent: bool = True) -> bool:
    """equivalent: whether another version of the resource counts too (matchPolicy)."""
    versions = rule.api_versions or ()
    return (
        _among(rule.operations, request.operation)
        and _among(rule.api_groups, request.group)
        and ("*" in versions or request.version in versions or (equivalent and bool(versions)))
        and any(part.partition("/")[0] in ("*", request.resource) and _whole(part) for part in rule.resources or ())
        and _in_scope(rule.scope or "*", request)
    )


def _among(words: Sequence[str] | None, word: str) -> bool:
    return "*" in (words or ()) or word in (words or ())


def _whole(resource: str) -> bool:
    """Not of a subresource only."""
    return resource.partition("/")[2] in ("", "*")


def _in_scope(scope: str, request: AdmissionRequest) -> bool:
    of_cluster = request.is_namespace or not request.namespace
    return scope == "*" or (scope == "Cluster") == of_cluster


def selects_space(selector: LabelSelector | None, request: AdmissionRequest) -> bool | None:
    """None where the labels of the namespace are not known."""
    if _is_empty(selector) or (not request.namespace and not request.is_namespace):
        return True
    labels = request.labels if request.is_namespace else request.space_labels
    return None if labels is None else _selects(selector, labels)


def selects_object(selector: LabelSelector | None, request: AdmissionRequest) -> bool:
    """By the labels of the object itself."""
    return _is_empty(selector) or _selects(selector, request.labels)


def _is_empty(selector: LabelSelector | None) -> bool:
    return selector is None or not (selector.match_labels or selector.match_expressions)


def _selects(selector: LabelSelector | None, labels: Mapping[str, str]) -> bool:
    if selector is None:
        return True
    try:
        return selector_of(selector).matches(labels)
    except SelectorError:
        return False
