"""A pod with one thing about it changed.

Requests follow limits as the API server's defaults make them (`pkg/apis/core/v1/defaults.go`, SetDefaults_Pod). Amounts,
names, labels and tolerations that it would refuse are refused (`pkg/apis/core/validation`, ValidateResourceRequirements,
validateContainerResourceName, ValidateTolerations), v1.37; that requests and limits of devices must be equal is not held
against a change that names only one of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from kubedoctor.cluster.grammar.label_requirements import SelectorError, checked_requirement
from kubedoctor.cluster.grammar.quantities import Quantity, QuantityError, parse_quantity
from kubedoctor.cluster.kinds.affinity import Toleration
from kubedoctor.cluster.kinds.containers import Container, ResourceRequirements
from kubedoctor.cluster.kinds.pods import Pod, PodSpec

FORMS: Final = (
    "requests.cpu=800m, limits.memory=1Gi, nodeSelector.zone=a, nodeSelector.zone-, toleration=gpu=true:NoSchedule"
)
_STANDARD: Final = ("cpu", "memory", "ephemeral-storage")
_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")


class PodChangeError(ValueError):
    """A change that cannot be read, or that the API server would refuse; the text is for people."""


def changed_pod(pod: Pod, changes: Iterable[str]) -> Pod:
    """The pod with all changes, in their order. Forms: [CONTAINER.]requests.RESOURCE=QUANTITY, the same with limits (an
    empty quantity removes it), nodeSelector.KEY=VALUE, nodeSelector.KEY-, toleration=KEY[=VALUE][:EFFECT].

    Raises PodChangeError.
    """
    spec = pod.spec
    for change in changes:
        spec = _changed(spec, change.strip())
    _check_limits(spec)
    return replace(pod, spec=spec)


def _changed(spec: PodSpec, change: str) -> PodSpec:
    if change.startswith("nodeSelector."):
        return _selected(spec, change.removeprefix("nodeSelector."))
    if change.startswith("toleration="):
        added = _toleration(change.removeprefix("toleration="))
        return replace(spec, tolerations=(*(spec.tolerations or ()), added))
    path, equals, amount = change.partition("=")
    container, side, resource = _resource_path(path)
    if not equals or not resource:
        raise PodChangeError(f"{change!r} is no change that can be tried; for example {FORMS}")
    _check_resource(resource)
    if amount:
        _check_amount(resource, amount)
    return _resized(spec, container, side, resource, amount)


def _check_resource(resource: str) -> None:
    valid = resource in _STANDARD or resource.startswith("hugepages-") or "/" in resource
    if not valid or not _is_label_key(resource):
        examples = ", ".join(_STANDARD)
        raise PodChangeError(f"{resource!r} is no resource of a container; for example {examples}, nvidia.com/gpu")


def _check_amount(resource: str, amount: str) -> None:
    try:
        quantity = parse_quantity(amount)
    except QuantityError:
        raise PodChangeError(f"{amount!r} is no quantity; for example 800m, 2, 512Mi") from None
    if quantity < Quantity():
        raise PodChangeError(f"the API server refuses it: {amount} {resource} must not be negative")
    if resource not in _STANDARD and quantity != Quantity.of(quantity.value()):
        raise PodChangeError(f"the API server refuses it: {amount} {resource} is no whole number")


def _is_label_key(key: str) -> bool:
    try:
        checked_requirement(key, "exists", ())
    except SelectorError:
        return False
    return True


def _check_label(key: str, value: str) -> None:
    """A key that is a qualified name, and a value that a label may have."""
    if not _is_label_key(key):
        raise PodChangeError(f"the API server refuses it: {key!r} is no label key; for example zone, example.com/zone")
    try:
        checked_requirement(key, "=", (value,))
    except SelectorError:
        raise PodChangeError(f"the API server refuses it: {value!r} is no label value") from None


def _resource_path(path: str) -> tuple[str, str, str]:
    """`app.requests.cpu` as container, side and resource; resources have full stops of their own."""
    first, _, remainder = path.partition(".")
    if first in ("requests", "limits"):
        return "", first, remainder
    side, _, resource = remainder.partition(".")
    return (first, side, resource) if side in ("requests", "limits") else ("", "", "")


def _selected(spec: PodSpec, change: str) -> PodSpec:
    labels = dict(spec.node_selector or {})
    key, equals, value = change.partition("=")
    if equals and key:
        _check_label(key, value)
        labels[key] = value
    elif not equals and key.endswith("-"):
        if labels.pop(key[:-1], None) is None:
            raise PodChangeError(f"the pod's nodeSelector has no {key[:-1]!r}")
    else:
        raise PodChangeError(f"'nodeSelector.{change}' is no change that can be tried; for example {FORMS}")
    return replace(spec, node_selector=labels or None)


def _toleration(text: str) -> Toleration:
    label, _, effect = text.rpartition(":") if ":" in text else (text, "", "")
    key, equals, value = label.partition("=")
    if not key or (effect and effect not in _EFFECTS):
        raise PodChangeError(
            f"'toleration={text}' is no toleration: KEY[=VALUE][:EFFECT], EFFECT {', '.join(_EFFECTS)}"
        )
    _check_label(key, value)
    return Toleration(key=key, operator="Equal" if equals else "Exists", value=value, effect=effect)


def _resized(spec: PodSpec, container: str, side: str, resource: str, amount: str) -> PodSpec:
    everyone = (*spec.containers, *(spec.init_containers or ()))
    if not container:
        if len(spec.containers) != 1:
            names = ", ".join(item.name for item in spec.containers)
            raise PodChangeError(
                f"which container? The pod has {names}; for example {spec.containers[0].name}.{side}.{resource}={amount}"
                if spec.containers
                else "the pod has no containers"
            )
        container = spec.containers[0].name
    if all(item.name != container for item in everyone):
        raise PodChangeError(
            f"the pod has no container {container!r}; it has {', '.join(item.name for item in everyone)}"
        )

    def sized(candidate: Container) -> Container:
        return _with_amount(candidate, side, resource, amount) if candidate.name == container else candidate

    inits = spec.init_containers
    return replace(
        spec,
        containers=tuple(sized(item) for item in spec.containers),
        init_containers=tuple(sized(init) for init in inits) if inits is not None else None,
    )


def _with_amount(container: Container, side: str, resource: str, amount: str) -> Container:
    before = container.resources or ResourceRequirements()
    requests, limits = dict(before.requests or {}), dict(before.limits or {})
    changed = requests if side == "requests" else limits
    # The copy that the API server made of a limit goes with the limit.
    copied = side == "limits" and resource in limits and _same(requests.get(resource), limits[resource])
    if amount:
        changed[resource] = amount
    else:
        changed.pop(resource, None)
    if copied:
        requests.pop(resource, None)
    for name, limit in limits.items():
        requests.setdefault(name, limit)
    return replace(container, resources=replace(before, requests=requests or None, limits=limits or None))


def _same(first: str | None, second: str) -> bool:
    try:
        return first is not None and parse_quantity(first) == parse_quantity(second)
    except QuantityError:
        return False


def _check_limits(spec: PodSpec) -> None:
    for container in (*spec.containers, *(spec.init_containers or ())):
        resources = container.resources or ResourceRequirements()
        for name, limit in (resources.limits or {}).items():
            request = (resources.requests or {}).get(name)
            try:
                above = request is not None and parse_quantity(request) > parse_quantity(limit)
            except QuantityError:
                continue
            if above:
                raise PodChangeError(
                    f"the API server refuses it: {container.name} would ask {request} {name}, above its limit of {limit}; "
                    f"add limits.{name}={request}"
                )
