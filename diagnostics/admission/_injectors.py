"""What fills the `caBundle` of a webhook's configuration, by its annotation, and why it is empty."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, NamedTuple

from diagnostics.admission._ca_programs import ca_program_of
from kubedoctor.cluster import (
    Cluster,
    Deployment,
    Evidence,
    KubernetesObject,
    Pod,
    Ref,
    pods_of,
    quote,
    ready,
    ref,
    visible_end,
)
from kubedoctor.findings import Command, Fix, look_at, look_at_log, quote_line
from kubedoctor.replay.logs.judged.repeated import repeated_error
from kubedoctor.replay.logs.log_lines import parse_line
from kubedoctor.replay.logs.reading import read_log

_PATIENCE: Final = timedelta(minutes=2)
"""The certificate is issued first."""
_LONGEST_LINE: Final = 240


class CaInjector(NamedTuple):
    """`words`: what is known of it, as a clause."""

    words: str
    evidence: tuple[Evidence, ...]
    fixes: tuple[Fix, ...]
    commands: tuple[Command, ...]
    blamed: tuple[Ref, ...]


def injector_of(obj: KubernetesObject, cluster: Cluster) -> CaInjector | None:
    """None for an object that nothing is to fill, and for one that is new."""
    created = obj.metadata.creation_timestamp
    found = ca_program_of(obj)
    if found is None or (created is not None and cluster.taken_at - created < _PATIENCE):
        return None
    annotation, suffix, program = found.annotation, found.suffix, found.name
    evidence = (quote(obj, f"metadata.annotations[{annotation}]", f"{program} is to fill caBundle"),)
    workloads = [workload for workload in cluster.maybe.all(Deployment) if workload.name.endswith(suffix)]
    if not workloads and any(gap.kind == "Deployment" for gap in cluster.gaps):
        return CaInjector(f"{program} should fill it", evidence, (Fix(f"Check that {program} runs"),), (), ())
    if not workloads:
        return CaInjector(
            f"{program}, which should fill it, does not run", evidence, (Fix(f"Install {program}"),), (), ()
        )
    workload = workloads[0]
    name = ref(workload)
    pods = [pod for pod in pods_of(workload, cluster.maybe) if ready(pod)]
    if not pods:
        fix = Fix(f"Make {name.title} ready")
        return CaInjector(
            f"{name.title}, which should fill it, is not ready",
            evidence,
            (fix,),
            (look_at(name, "why it is not ready"),),
            (name,),
        )
    return _by_its_log(pods, name, annotation, evidence, cluster)


def _by_its_log(
    pods: list[Pod], name: Ref, annotation: str, evidence: tuple[Evidence, ...], cluster: Cluster
) -> CaInjector:
    """Of several replicas one leads; the others only wait."""
    words = f"{name.title} should fill it"
    source = f"Check annotation {annotation}: what it names has to exist and hold a certificate"
    for pod in pods:
        container = pod.spec.containers[0].name
        commands = (look_at_log(pod, container, previous=False, why="why it fills nothing"),)
        tail = cluster.log_tail(pod, container)
        error = (repeated_error(tail.lines) or read_log(tail.lines)) if tail is not None else None
        if tail is None or error is None:
            continue
        message = visible_end(" ".join(parse_line(tail.lines[error.index]).message.split()), _LONGEST_LINE)
        line = quote_line(tail, error.index, "the newest error of what should fill it")
        fix = Fix(f"Fix the cause that the log of {name.title} names")
        return CaInjector(f"{words}; its newest error is: {message}", (*evidence, line), (fix,), commands, ())
    return CaInjector(words, evidence, (Fix(source),), commands, ())
