"""Would the API server accept this object, on its own? (`kubectl apply --dry-run=server`, without admission.)"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from kubedoctor.replay.validation.constraints import with_defaults
from kubedoctor.replay.validation.expressions import Note
from kubedoctor.replay.validation.fields import Field, FieldFault, FieldViolation, Path
from kubedoctor.replay.validation.rules import access, mesh, networking, pods, policies, services, storage, workloads
from kubedoctor.replay.validation.rules.metadata import metadata
from kubedoctor.replay.validation.schemas import Schema, Schemas
from kubedoctor.replay.validation.structure import Structure
from kubedoctor.replay.validation.versions import NEWEST

Rule = Callable[[Field], None]

RULES: Final[Mapping[str, Rule]] = {
    "Pod": pods.pod,
    "Deployment": workloads.deployment,
    "ReplicaSet": workloads.replica_set,
    "ReplicationController": workloads.replication_controller,
    "StatefulSet": workloads.stateful_set,
    "DaemonSet": workloads.daemon_set,
    "Job": workloads.job,
    "CronJob": workloads.cron_job,
    "Service": services.service,
    "Ingress": networking.ingress,
    "IngressClass": networking.ingress_class,
    "Namespace": policies.namespace,
    "NetworkPolicy": networking.network_policy,
    "HorizontalPodAutoscaler": policies.autoscaler,
    "PodDisruptionBudget": policies.disruption_budget,
    "ResourceQuota": policies.quota,
    "LimitRange": policies.limit_range,
    "PriorityClass": policies.priority_class,
    "PersistentVolumeClaim": storage.claim,
    "PersistentVolume": storage.volume,
    "StorageClass": storage.storage_class,
    "Role": access.role,
    "ClusterRole": access.role,
    "RoleBinding": access.binding,
    "ClusterRoleBinding": access.binding,
    "ConfigMap": access.config_map,
    "Secret": access.secret,
}
"""By kind; a kind of another group with the same name is not among them."""
_DECODED: Final = frozenset({FieldFault.UNKNOWN, FieldFault.TYPE, FieldFault.DUPLICATE_KEY})


def violations(
    document: Mapping[str, Any],
    schema: Schema | None,
    schemas: Schemas,
    *,
    custom: bool = False,
    namespaced: bool = True,
    before: Iterable[FieldViolation] = (),
    note: Note = lambda _: None,
) -> tuple[FieldViolation, ...]:
    """Every reason to refuse the object, in the order of the document's fields. schema: None where it is not known: only what
    is validated in code is found then. custom: whether it is of an extension. before: what the text itself already shows, such
    as keys that are there twice. note: takes what was not evaluated."""
    found: dict[tuple[Any, ...], FieldViolation] = {}

    def say(violation: FieldViolation) -> None:
        found.setdefault((violation.path, violation.fault, violation.says), violation)

    for violation in before:
        say(violation)
    if schema is not None:
        whole = with_defaults(document, schema) if custom else document
        Structure(schemas, say, custom=custom, note=note).check(whole, schema)
    top = Field(document, (), say)
    kind = top["kind"].text
    metadata(top["metadata"], "" if custom else kind, namespaced=namespaced, minor=_minor(schemas.version))
    group = top["apiVersion"].text.rpartition("/")[0]
    if group == mesh.GROUP and kind in mesh.RULES:
        mesh.RULES[kind](top)
    elif not custom and kind in RULES:
        RULES[kind](top)
    return tuple(_telling(tuple(found.values())))


def _minor(version: str) -> int:
    """37 of `1.37`; the newest where it is not known."""
    number = version.rpartition(".")[2]
    return int(number) if number.isdigit() else NEWEST


def _telling(found: tuple[FieldViolation, ...]) -> Iterator[FieldViolation]:
    """Without what follows from another one: a missing value is named once, nothing is wrong in it, a value of a wrong type is
    named as nothing else, and a field under another name is not missing."""
    wrong = {violation.path for violation in found if violation.fault is FieldFault.TYPE}
    renamed = {
        (*violation.path[:-1], violation.nearest)
        for violation in found
        if violation.fault is FieldFault.UNKNOWN and violation.nearest
    }
    absent = {violation.path for violation in found if violation.fault is FieldFault.REQUIRED}
    missing: set[Path] = set()
    for violation in found:
        path = violation.path
        if violation.fault not in _DECODED and _touches(path, wrong):
            continue
        around = (path[:length] for length in range(1, len(path)))
        if violation.fault not in _DECODED and any(outer in absent or outer in renamed for outer in around):
            continue
        if violation.fault is FieldFault.REQUIRED:
            if path in missing or path in renamed:
                continue
            missing.add(path)
        yield violation


def _touches(path: Path, wrong: Iterable[Path]) -> bool:
    """Whether the value, or a part of it, has the wrong type."""
    return any(path[: len(other)] == other or other[: len(path)] == path for other in wrong)
