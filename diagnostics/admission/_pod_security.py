"""Pods that a level of Pod Security forbids: what would be admitted instead."""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.admission._refused import RefusedPods
from kubedoctor.answers.proof import prove, proven
from kubedoctor.cluster import (
    Cluster,
    Evidence,
    KubernetesObject,
    Namespace,
    Ref,
    has_path,
    quote,
    ref,
    template_of,
    template_path,
)
from kubedoctor.cluster.changes import Step, edit, put
from kubedoctor.findings import Effect, Fix, command_line, fix_by_hand
from kubedoctor.replay.admission.pod_security import (
    ENFORCE,
    LEVELS,
    PodSecurityLevel,
    TemplateRepair,
    Violation,
    enforced_level,
    parse_level,
    repair,
    violations,
)

NON_ROOT = "runAsNonRoot"


def forbidden_pods(refused: RefusedPods, cluster: Cluster) -> tuple[str, tuple[Evidence, ...], tuple[Fix, ...]]:
    """The sentence, the evidence and the fixes of a refusal by Pod Security."""
    namespace = cluster.maybe.get(Namespace, "", refused.workload.namespace)
    path = f"metadata.labels[{ENFORCE}]"
    evidence = (
        (quote(namespace, path, "level that the namespace enforces"),)
        if namespace is not None and has_path(namespace, path)
        else ()
    )
    _, _, rules = refused.refusal.text.partition(": ")
    short = "; ".join(part.partition(" (")[0].strip() for part in rules.split("), "))
    summary = f"the pods violate Pod Security level {refused.refusal.name} of the namespace: {short}"
    level, workload = parse_level(refused.refusal.name), cluster.maybe.get_ref(refused.workload)
    fixes = tuple(_fixes(workload, level, namespace, cluster)) if workload is not None and level is not None else ()
    by_hand = fix_by_hand(refused.workload, "Set the fields that the message names in the pod template")
    return summary, evidence, fixes or (by_hand,)


def _fixes(
    workload: KubernetesObject, level: PodSecurityLevel, namespace: Namespace | None, cluster: Cluster
) -> Iterator[Fix]:
    template, minor = template_of(workload), _minor(cluster)
    if template is None:
        return
    found = repair(template.spec, template.metadata.annotations or {}, level, minor)
    if found.steps:
        yield _admitted(workload, level, found, cluster)
    if found.left:
        settled = "; the change above settles the rest" if found.steps else ""
        wants = "; ".join(f"{one.reason} ({one.detail})" for one in found.left)
        yield fix_by_hand(
            ref(workload), f"Change what level {level.name} forbids, if the program can do without: {wants}{settled}"
        )
        if namespace is not None:
            yield from _lower(ref(workload), level, namespace, cluster)


def _admitted(workload: KubernetesObject, level: PodSecurityLevel, found: TemplateRepair, cluster: Cluster) -> Fix:
    """The change of the template, replayed against the level."""
    prefix, about = tuple(template_path(workload).split(".")), ref(workload)
    change = edit(about, *(Step((*prefix, *step.path), step.value) for step in found.steps))
    left = {one.check for one in found.left}

    def holds(after: Cluster) -> bool:
        return {one.check for one in _violations(about, level, after)} <= left

    names = ", ".join(dict.fromkeys(map(_set_to, found.steps)))
    caution = "; the image must then run as another user than root" if NON_ROOT in names else ""
    fix = Fix(
        f"Set what level {level.name} requires: {names}{caution}", command_line(change, workload), Effect.DISRUPTS
    )
    return fix if left else proven(fix, prove(change, cluster.maybe, holds))


def _set_to(step: Step) -> str:
    """`runAsNonRoot: true`, `capabilities.drop: ["ALL"]`, `seccompProfile.type: RuntimeDefault`."""
    name = step.path[-1]
    if name == "seccompProfile":
        return f"{name}.type: {step.value['type']}"
    if name == "drop":
        return f'capabilities.{name}: ["ALL"]'
    return f"{name}: {str(step.value).lower()}"


def _lower(about: Ref, level: PodSecurityLevel, namespace: Namespace, cluster: Cluster) -> Iterator[Fix]:
    """The strictest lower level that admits the pods as they are."""
    for name in reversed(LEVELS[: LEVELS.index(level.name)]):
        if _violations(about, PodSecurityLevel(name, level.minor), cluster.maybe):
            continue
        change = put(ref(namespace), ("metadata", "labels", ENFORCE), name)

        def holds(after: Cluster) -> bool:
            labels = after.get_ref(ref(namespace))
            enforced = enforced_level(labels.labels) if labels is not None else None
            return enforced is not None and not _violations(about, enforced, after)

        text = f"Or let namespace {namespace.name} enforce {name}: it admits these pods as they are, and others too"
        yield proven(Fix(text, command_line(change, namespace)), prove(change, cluster.maybe, holds))
        return


def _violations(about: Ref, level: PodSecurityLevel, cluster: Cluster) -> tuple[Violation, ...]:
    """What a level forbids in the pods of a workload as its template stands."""
    workload = cluster.get_ref(about)
    template = template_of(workload) if workload is not None else None
    if template is None:
        return ()
    return violations(template.spec, template.metadata.annotations or {}, level, _minor(cluster))


def _minor(cluster: Cluster) -> int | None:
    return cluster.version.minor if cluster.version is not None else None
