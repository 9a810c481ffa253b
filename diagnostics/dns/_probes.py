"""A probe of a DNS server that no plugin of its Corefile answers, in words, with the repair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple

from kubedoctor.cluster import Cluster, ConfigMap, Container, Event, Pod, Probe, Ref, ref, times, workload_of
from kubedoctor.findings import (
    Confidence,
    Evidence,
    Finding,
    Fix,
    edit_command,
    quote,
    quote_spec,
    restart,
)
from kubedoctor.replay.dns.coredns.probes import UnservedProbe, unserved_probe
from kubedoctor.replay.dns.corefile_refusal import COREFILE, corefile_of
from kubedoctor.replay.kubelet.probes import ProbeAnswer, answer_of, read_probe_failure

_NOT_SERVED: Final = (ProbeAnswer.REFUSED, ProbeAnswer.STATUS)
_NOT_READY: Final = "statuscode: 503"
"""The answer of a plugin that is loaded."""


class Unserved(NamedTuple):
    """which: `readinessProbe`; event: of its failure, where one is left."""

    pod: Pod
    container: Container
    which: str
    configuration: ConfigMap
    probe: UnservedProbe
    event: Event | None


def unserved_by_any(pods: Sequence[Pod], cluster: Cluster) -> Unserved | None:
    """The first probe that no plugin answers; a pod that says that it is not ready yet answers."""
    cluster.together(
        *(partial(corefile_of, pod, cluster) for pod in pods),
        *(partial(cluster.events_about, ref(pod)) for pod in pods),
        *(partial(workload_of, pod, cluster) for pod in pods),
    )
    return next((found for pod in pods for found in _unserved(pod, cluster)), None)


def _unserved(pod: Pod, cluster: Cluster) -> Iterator[Unserved]:
    configuration = corefile_of(pod, cluster)
    if configuration is None:
        return
    text = (configuration.data or {})[COREFILE]
    for container in pod.spec.containers[:1]:
        for which, probe in _probes(container):
            missing = unserved_probe(probe, container, text)
            if missing is None:
                continue
            event, why = _last_failure(pod, which, cluster)
            if event is None or (answer_of(why, probe) in _NOT_SERVED and _NOT_READY not in why):
                yield Unserved(pod, container, which, configuration, missing, event)


def _probes(container: Container) -> Iterator[tuple[str, Probe]]:
    named = (
        ("startupProbe", container.startup_probe),
        ("livenessProbe", container.liveness_probe),
        ("readinessProbe", container.readiness_probe),
    )
    yield from ((which, probe) for which, probe in named if probe is not None)


def _last_failure(pod: Pod, which: str, cluster: Cluster) -> tuple[Event | None, str]:
    for event in reversed(cluster.events_about(ref(pod))):
        kind, why = read_probe_failure(event.message)
        if f"{kind.lower()}Probe" == which:
            return event, why
    return None, ""


def without_plugin(found: Unserved, cluster: Cluster) -> Finding:
    """About the ConfigMap with the Corefile."""
    probe, which = found.probe, found.which.removesuffix("Probe")
    about, workload = ref(found.configuration), workload_of(found.pod, cluster)
    asks = f"the {which} probe requests {probe.path} on port {probe.port}"
    effect = "CoreDNS is never ready" if which == "readiness" else "the kubelet restarts CoreDNS"
    if probe.line:
        summary = f"plugin {probe.plugin} of the Corefile listens on {probe.address}, and {asks}: {effect}"
        fix = f"Change line {probe.line} of the Corefile to `{probe.plugin} :{probe.port}`"
        where = f"data[{COREFILE}][line {probe.line}]"
    else:
        summary = f"the Corefile does not load plugin {probe.plugin}, and {asks}: {effect}"
        usual = "" if probe.usual else f" :{probe.port}"
        fix = f"Add the line `{probe.plugin}{usual}` to server block {probe.zone} of the Corefile"
        where = f"data[{COREFILE}]"
    return Finding(
        about=about,
        affects=(workload,),
        summary=summary,
        confidence=Confidence.CERTAIN if found.event is not None else Confidence.LIKELY,
        evidence=tuple(_evidence(found, where, workload, cluster)),
        fixes=(
            Fix(fix, edit_command(about)),
            restart(workload, "Restart CoreDNS, to load it at once"),
        ),
    )


def _evidence(found: Unserved, where: str, workload: Ref, cluster: Cluster) -> Iterator[Evidence]:
    yield quote(found.configuration, where)
    handler = f"{found.which}.httpGet"
    yield from quote_spec(found.pod, cluster, workload, found.container.name, handler, "what the probe requests")
    if found.event is not None:
        yield quote(found.event, "message", f"seen {times(found.event.times)}")
