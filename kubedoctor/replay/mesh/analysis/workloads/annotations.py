"""Annotations of Istio that nothing reads: unknown, on the wrong kind, with a wrong value, deprecated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.replay.mesh.analysis.messages import Analyzer, AnalyzerMessage, message_about
from kubedoctor.replay.mesh.analysis.objects import AnalyzedObjects
from kubedoctor.replay.mesh.analysis.workloads.annotation_values import PROBLEMS
from kubedoctor.replay.mesh.analysis.workloads.known_annotations import ANY, KNOWN_ANNOTATIONS, SET_BY_ISTIO
from kubedoctor.replay.mesh.injection import INJECT

_INSTEAD: Final = {INJECT: f' in favor of the "{INJECT}" label'}  # upstream's words


def analyze_annotations(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    for obj in (*objects.namespaces, *objects.services, *objects.pods, *objects.deployments):
        for name, value in obj.annotations.items():
            if _is_of_istio(name) and name not in SET_BY_ISTIO:
                yield from _of_annotation(obj, name, value)


def _of_annotation(obj: KubernetesObject, name: str, value: str) -> Iterator[AnalyzerMessage]:
    known = KNOWN_ANNOTATIONS.get(name)
    if known is None:
        yield message_about("IST0108", obj, name)
        return
    if known.is_deprecated and not (name == INJECT and INJECT in obj.labels):
        yield message_about("IST0135", obj, name, _INSTEAD.get(name, ""))
    if ANY in known.kinds:
        return
    if type(obj).__name__ not in known.kinds:
        yield message_about("IST0107", obj, name, ", ".join(known.kinds))
    elif name in PROBLEMS and (problem := PROBLEMS[name](value)):
        yield message_about("IST0125", obj, name, problem)


def _is_of_istio(name: str) -> bool:
    return name == "kubernetes.io/ingress.class" or name.partition("/")[0].endswith("istio.io")


ANALYZERS: Final = (Analyzer("annotations.K8sAnalyzer", analyze_annotations),)
