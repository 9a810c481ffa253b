"""Autoscalers, disruption budgets, quotas, limits and priorities (`pkg/apis/{autoscaling,policy,core,scheduling}/validation`)."""

from __future__ import annotations

import re
from typing import Any, Final

from kubedoctor.cluster.grammar.quantities import Quantity, parse_quantity
from kubedoctor.replay.admission.pod_security.levels import LABEL, LEVELS
from kubedoctor.replay.validation import names
from kubedoctor.replay.validation.fields import Field
from kubedoctor.replay.validation.rules.metadata import label_selector
from kubedoctor.replay.validation.rules.shares import share

_HIGHEST: Final = 1_000_000_000
_SCOPES: Final = (
    *("BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "PriorityClass", "Terminating"),
    "VolumeAttributesClass",
)
_OF_QUOTAS: Final = frozenset(
    (
        *(
            "cpu",
            "memory",
            "ephemeral-storage",
            "storage",
            "pods",
            "services",
            "replicationcontrollers",
            "resourcequotas",
        ),
        *("secrets", "configmaps", "persistentvolumeclaims", "services.nodeports", "services.loadbalancers"),
    )
)
_SOURCES: Final = {
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "Pods": "pods",
    "Object": "object",
    "External": "external",
}


def autoscaler(document: Field) -> None:
    spec = document["spec"]
    least, most = spec["minReplicas"], spec["maxReplicas"]
    if least.number is not None and least.number < 0:
        least.invalid("must be greater than or equal to 1")
    if (most.number or 0) < 1:
        most.invalid("must be greater than 0")
    elif least.number is not None and (most.number or 0) < least.number:
        most.invalid("must be greater than or equal to `minReplicas`")
    target = spec["scaleTargetRef"]
    for key in ("kind", "name"):
        if not target[key].text:
            target[key].required()
        else:
            target[key].must(names.path_segment(target[key].text))
    version = target["apiVersion"]
    if "/" not in version.text and version.text != "v1":
        version.invalid("apiVersion must specify API group")
    if document["apiVersion"].text != "autoscaling/v1":
        for metric in spec["metrics"].each():
            _metric(metric)
    if least.number == 0 and not any(
        metric["type"].text in ("Object", "External") for metric in spec["metrics"].each()
    ):
        spec["metrics"].forbidden(
            "must specify at least one Object or External metric to support scaling to zero replicas"
        )
    for direction in ("scaleUp", "scaleDown"):
        rules = spec["behavior"][direction]
        if not rules.given:
            continue
        window = rules["stabilizationWindowSeconds"]
        if window.number is not None and not 0 <= window.number <= 3600:
            window.invalid("must be less than or equal to 3600")
        rules["selectPolicy"].one_of(("Disabled", "Max", "Min"))
        for policy in rules["policies"].each():
            if policy["type"].text not in ("Percent", "Pods"):
                policy["type"].unsupported(("Percent", "Pods"))
            if (policy["value"].number or 0) <= 0:
                policy["value"].invalid("must be greater than zero")
            if not 0 < (policy["periodSeconds"].number or 0) <= 1800:
                policy["periodSeconds"].invalid("must be greater than zero")


def _metric(at: Field) -> None:
    kind = at["type"]
    if not kind.text:
        kind.required("must specify a metric source type")
        return
    if kind.text not in _SOURCES:
        kind.unsupported(sorted(_SOURCES))
        return
    given = [key for key in _SOURCES.values() if at[key].given]
    expected = _SOURCES[kind.text]
    if expected not in given:
        at[expected].required("must populate information for the given metric source")
        return
    for other in given:
        if other != expected:
            at[other].forbidden("must populate the given metric source only")
    source = at[expected]
    target = source["target"]
    if expected in ("resource", "containerResource"):
        if not source["name"].text:
            source["name"].required("must specify a resource name")
        if expected == "containerResource" and not source["container"].text:
            source["container"].required("must specify a container")
    elif not source["metric"]["name"].text:
        source["metric"]["name"].required("must specify a metric name")
    else:
        source["metric"]["name"].must(names.path_segment(source["metric"]["name"].text))
    if not target["type"].text:
        target["type"].required("must specify a metric target type")
    elif target["type"].text not in ("Utilization", "Value", "AverageValue"):
        target["type"].invalid("must be either Utilization, Value, or AverageValue")
    _target(target, expected)


def _target(at: Field, source: str) -> None:
    share_, average, value = at["averageUtilization"], at["averageValue"], at["value"]
    if share_.number is not None and share_.number < 1:
        share_.invalid("must be greater than 0")
    for amount in (average, value):
        if amount.given:
            try:
                if parse_quantity(str(amount.value)) <= Quantity():
                    amount.invalid("must be positive")
            except ValueError:
                pass
    if source in ("resource", "containerResource"):
        if not share_.given and not average.given:
            share_.required("must set either a target raw value or a target utilization")
        elif share_.given and average.given:
            average.forbidden("may not set both a target raw value and a target utilization")
    elif source == "pods":
        if not average.given:
            average.required("must specify a positive target averageValue")
    elif not value.given and not average.given:
        average.required("must set either a target value or averageValue")


def namespace(document: Field) -> None:
    """Pod Security refuses levels that do not exist (`pod-security-admission/admission/admission.go`)."""
    for mode in ("enforce", "audit", "warn"):
        level = document["metadata"]["labels"][f"{LABEL}{mode}"]
        if level.given and level.text not in LEVELS:
            level.invalid(f"must be one of {', '.join(LEVELS)}")
        version = document["metadata"]["labels"][f"{LABEL}{mode}-version"]
        if version.given and version.text != "latest" and not re.fullmatch(r"v1\.(0|[1-9][0-9]*)", version.text):
            version.invalid('must be "latest" or "v1.x"')


def disruption_budget(document: Field) -> None:
    spec = document["spec"]
    least, most = spec["minAvailable"], spec["maxUnavailable"]
    if least.given and most.given:
        spec.invalid("minAvailable and maxUnavailable cannot be both set")
    share(least, most=100)
    share(most, most=100)
    label_selector(spec["selector"])
    spec["unhealthyPodEvictionPolicy"].one_of(("AlwaysAllow", "IfHealthyBudget"))


def quota(document: Field) -> None:
    spec = document["spec"]
    for name, amount in spec["hard"].entries():
        key = Field(name, amount.path, amount.sink)
        key.must(names.qualified_name(name))
        side, _, inner = name.partition(".")
        plain = inner if side in ("requests", "limits") else name
        if "/" not in name and plain not in _OF_QUOTAS and not plain.startswith("hugepages-"):
            key.invalid("must be a standard resource type or fully qualified")
        _not_negative(amount)
    for scope in spec["scopes"].each():
        scope.one_of(_SCOPES)
    for expression in spec["scopeSelector"]["matchExpressions"].each():
        expression["scopeName"].one_of(_SCOPES)
        if expression["operator"].text in ("In", "NotIn") and not expression["values"]:
            expression["values"].required(
                "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
            )


def _not_negative(amount: Field) -> None:
    try:
        if parse_quantity(str(amount.value)) < Quantity():
            amount.invalid("must be greater than or equal to 0")
    except ValueError:
        pass


def limit_range(document: Field) -> None:
    seen: set[Any] = set()
    for item in document["spec"]["limits"].each():
        kind = item["type"]
        if kind.text not in ("Pod", "Container", "PersistentVolumeClaim"):
            kind.must(names.qualified_name(kind.text))
            if "/" not in kind.text:
                kind.invalid("must be a standard limit type or fully qualified")
        kind.unlike(seen)
        if kind.text == "Pod":
            for key in ("default", "defaultRequest"):
                if item[key]:
                    item[key].forbidden("may not be specified when `type` is 'Pod'")
        if kind.text == "PersistentVolumeClaim" and not (item["min"]["storage"].given or item["max"]["storage"].given):
            item.required("either minimum or maximum storage value is required, but neither was provided")
        for key in ("min", "max", "default", "defaultRequest", "maxLimitRequestRatio"):
            for name, amount in item[key].entries():
                _resource(name, amount, kind.text)
        amounts = {key: _amounts(item[key]) for key in ("min", "max", "default", "defaultRequest")}
        if kind.text == "Container":
            _defaults(amounts)
        for name in dict.fromkeys(name for found in amounts.values() for name in found):
            _ordered(item, name, amounts)


def _resource(name: str, amount: Field, kind: str) -> None:
    """`validateLimitRangeResourceName`."""
    at = Field(name, amount.path, amount.sink)
    at.must(names.qualified_name(name))
    allowed = ("cpu", "memory", "ephemeral-storage", *(("storage",) if kind not in ("Pod", "Container") else ()))
    if "/" not in name and name not in allowed and not name.startswith("hugepages-"):
        at.invalid("must be a standard resource type or fully qualified")


def _defaults(amounts: dict[str, dict[str, Quantity]]) -> None:
    """What the API server fills in before it validates (`SetDefaults_LimitRangeItem`)."""
    for name, most in amounts["max"].items():
        amounts["default"].setdefault(name, most)
    for source in ("default", "min"):
        for name, amount in amounts[source].items():
            amounts["defaultRequest"].setdefault(name, amount)


def _ordered(item: Field, name: str, amounts: dict[str, dict[str, Quantity]]) -> None:
    """min ≤ defaultRequest ≤ default ≤ max."""
    order = ("min", "defaultRequest", "default", "max")
    for place, low in enumerate(order):
        for high in order[place + 1 :]:
            first, second = amounts[low].get(name), amounts[high].get(name)
            if first is not None and second is not None and first > second:
                item[low][name].invalid(f"{low} value {first} is greater than {high} value {second}")


def _amounts(at: Field) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for name, amount in at.entries():
        try:
            found[name] = parse_quantity("0" if amount.value is None else str(amount.value))
        except ValueError:
            continue
    return found


def priority_class(document: Field) -> None:
    value = document["value"]
    name = document["metadata"]["name"]
    if name.text.startswith("system-"):
        name.forbidden("priority class names with 'system-' prefix are reserved for system use only")
    if value.number is not None and value.number > _HIGHEST:
        value.forbidden(f"maximum allowed value of a user defined priority is {_HIGHEST}")
    document["preemptionPolicy"].one_of(("Never", "PreemptLowerPriority"))
