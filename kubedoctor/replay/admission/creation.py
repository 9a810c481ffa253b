"""What admission says of a new object: the built-in plug-ins in their order (`pkg/kubeapiserver/options/plugins.go`, v1.37)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec.structs import replace

from kubedoctor.cluster.kinds.containers import Container, ResourceRequirements
from kubedoctor.cluster.kinds.control import PriorityClass, RuntimeClass
from kubedoctor.cluster.kinds.core import LimitRange, Namespace, ResourceQuota, Service, ServiceAccount
from kubedoctor.cluster.kinds.pods import Pod, PodSpec
from kubedoctor.cluster.kinds.storage import PersistentVolumeClaim
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.replay.admission.pod_security import enforced_level, violations
from kubedoctor.replay.admission.resources.created_pod import ContainerAmounts, PodAmounts
from kubedoctor.replay.admission.resources.limit_ranges import limited_claim, limited_pod
from kubedoctor.replay.admission.resources.quotas import Created, admit

_DEFAULT_ACCOUNT: Final = "default"
_SYSTEM: Final = "system-"
"""Of priority classes that every API server has."""


class Admitted(msgspec.Struct, frozen=True):
    """refusal: the API server's words; empty where it is admitted. spec: with what admission fills in. quotas: those of the
    namespace, with what they use afterwards."""

    refusal: str = ""
    spec: PodSpec | None = None
    quotas: tuple[ResourceQuota, ...] = ()


def admit_pod(pod: Pod, cluster: Cluster) -> Admitted:
    """A new pod. What cannot be read decides nothing."""
    head = f'pods "{pod.metadata.name or pod.metadata.generate_name}" is forbidden: '
    for why in _named_objects(pod, cluster):
        return Admitted(head + why)
    amounts = PodAmounts(pod.spec)
    limited = limited_pod(amounts, cluster.maybe.all(LimitRange, pod.namespace))
    errors = sorted(text for texts in limited.errors.values() for text in texts)
    if errors:
        return Admitted(head + (errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]"))
    namespace = cluster.maybe.get(Namespace, "", pod.namespace)
    level = enforced_level(namespace.labels) if namespace is not None else None
    if level is not None:
        minor = cluster.version.minor if cluster.version is not None else None
        found = violations(pod.spec, pod.annotations, level, minor)
        if found:
            return Admitted(f'{head}violates PodSecurity "{level}": {", ".join(map(str, found))}')
    spec = _filled_in(pod.spec, limited.pod)
    refusal, quotas = _within_quotas(spec, pod.namespace, cluster)
    return Admitted(head + refusal) if refusal else Admitted(spec=spec, quotas=quotas)


def admit_claim(claim: PersistentVolumeClaim, cluster: Cluster) -> Admitted:
    """A new claim."""
    head = f'persistentvolumeclaims "{claim.name}" is forbidden: '
    errors = limited_claim(claim, cluster.maybe.all(LimitRange, claim.namespace))
    for texts in errors.values():
        return Admitted(head + (texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"))
    refusal, quotas = _within_quotas(claim, claim.namespace, cluster)
    return Admitted(head + refusal) if refusal else Admitted(quotas=quotas)


def admit_service(service: Service, cluster: Cluster) -> Admitted:
    """A new Service."""
    refusal, quotas = _within_quotas(service, service.namespace, cluster)
    return Admitted(f'services "{service.name}" is forbidden: {refusal}') if refusal else Admitted(quotas=quotas)


def _named_objects(pod: Pod, cluster: Cluster) -> Iterator[str]:
    """Why what the pod names cannot be found. The controllers create `default` in each namespace."""
    account = pod.spec.service_account_name or _DEFAULT_ACCOUNT
    if account != _DEFAULT_ACCOUNT and _lacks(cluster, ServiceAccount, pod.namespace, account):
        yield f'error looking up service account {pod.namespace}/{account}: serviceaccount "{account}" not found'
    name = pod.spec.priority_class_name
    if name and not name.startswith(_SYSTEM) and _lacks(cluster, PriorityClass, "", name):
        yield f"no PriorityClass with name {name} was found"
    name = pod.spec.runtime_class_name or ""
    if name and _lacks(cluster, RuntimeClass, "", name):
        yield f'pod rejected: RuntimeClass "{name}" not found'


def _lacks(
    cluster: Cluster, kind: type[ServiceAccount] | type[PriorityClass] | type[RuntimeClass], namespace: str, name: str
) -> bool:
    """Whether it was looked for, and is not there."""
    lenient = cluster.maybe
    before = len(lenient.gaps)
    return lenient.get(kind, namespace, name) is None and len(lenient.gaps) == before


def _within_quotas(created: Created, namespace: str, cluster: Cluster) -> tuple[str, tuple[ResourceQuota, ...]]:
    quotas = cluster.maybe.all(ResourceQuota, namespace)
    verdict = admit(created, quotas)
    if verdict.text:
        return verdict.text, quotas
    return "", tuple(_used(quota, verdict.used.get(quota.name)) for quota in quotas)


def _used(quota: ResourceQuota, amounts: object) -> ResourceQuota:
    if not isinstance(amounts, dict):
        return quota
    used = {name: str(amount) for name, amount in amounts.items()}
    return replace(quota, status=replace(quota.status, used=used))


def _filled_in(spec: PodSpec, amounts: PodAmounts) -> PodSpec:
    """The requests and limits that LimitRanges give."""
    changed = tuple(_with(container, own) for container, own in zip(spec.containers, amounts.containers, strict=True))
    init = tuple(
        _with(container, own)
        for container, own in zip(spec.init_containers or (), amounts.init_containers, strict=True)
    )
    return replace(spec, containers=changed, init_containers=init or None)


def _with(container: Container, own: ContainerAmounts) -> Container:
    resources = ResourceRequirements(
        requests={name: str(amount) for name, amount in own.requests.items()} or None,
        limits={name: str(amount) for name, amount in own.limits.items()} or None,
    )
    return replace(container, resources=resources)
