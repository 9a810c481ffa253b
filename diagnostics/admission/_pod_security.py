"""Pods that a level of Pod Security forbids: what would be admitted instead."""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.admission._refused import TRIES_AGAIN, RefusedPods
from kubedoctor.answers.proof import prove, proven
from kubedoctor.cluster import (
    Cluster,
    Evidence,
    KubernetesObject,
    Namespace,
    Ref,
    capitalised,
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
    in_whole_contexts,
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


def admitted_now(refused: RefusedPods, cluster: Cluster) -> tuple[str, tuple[Evidence, ...], tuple[Fix, ...]] | None:
    """The same where the namespace enforces another level since, which allows the pods as their template stands."""
    namespace, workload = (
        cluster.maybe.get(Namespace, "", refused.workload.namespace),
        cluster.maybe.get_ref(refused.workload),
    )
    enforced = enforced_level(namespace.labels) if namespace is not None else None
    path = f"metadata.labels[{ENFORCE}]"
    if (
        namespace is None
        or enforced is None
        or enforced == parse_level(refused.refusal.name)
        or workload is None
        or template_of(workload) is None
        or _violations(refused.workload, enforced, cluster.maybe)
    ):
        return None
    summary = (
        f"Pod Security level {refused.refusal.name} refused the pods; the namespace enforces {enforced.name} now, which"
        " admits them"
    )
    return summary, (quote(namespace, path, "level that the namespace enforces"),), (TRIES_AGAIN,)


def _fixes(
    workload: KubernetesObject, level: PodSecurityLevel, namespace: Namespace | None, cluster: Cluster
) -> Iterator[Fix]:
    template, minor = template_of(workload), _minor(cluster)
    if template is None:
        return
    found = repair(template.spec, template.metadata.annotations or {}, level, minor)
    if not found.left:
        yield _admitted(workload, level, found, cluster)
        return
    sets = f"set {_named(found)}, and " if found.steps else ""
    wants = "; ".join(map(str, found.left))
    words = f"{sets}change what level {level.name} forbids, if the program can do without: {wants}{_caution(found)}"
    yield fix_by_hand(ref(workload), capitalised(words))
    if namespace is not None:
        yield from _lower(ref(workload), level, namespace, cluster)


def _admitted(workload: KubernetesObject, level: PodSecurityLevel, found: TemplateRepair, cluster: Cluster) -> Fix:
    """The change of the template, replayed against the level."""
    prefix, about, template = tuple(template_path(workload).split(".")), ref(workload), template_of(workload)
    steps = in_whole_contexts(found.steps, template.spec) if template is not None else found.steps
    change = edit(about, *(Step((*prefix, *step.path), step.value) for step in steps))

    def holds(after: Cluster) -> bool:
        return not _violations(about, level, after)

    words = f"Set what level {level.name} requires: {_named(found)}{_caution(found)}"
    fix = Fix(words, command_line(change, workload), Effect.DISRUPTS)
    return proven(fix, prove(change, cluster.maybe, holds))


def _named(found: TemplateRepair) -> str:
    """The fields that it sets, each once."""
    return ", ".join(dict.fromkeys(map(_set_to, found.steps)))


def _caution(found: TemplateRepair) -> str:
    return "; the image must then run as another user than root" if NON_ROOT in _named(found) else ""


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
