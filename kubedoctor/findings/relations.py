"""`@cause_relation`: how the object of a cause may be related to the object with the symptom."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Protocol

import msgspec

from kubedoctor.cluster.kinds.control import (
    CustomResourceDefinition,
    MutatingWebhookConfiguration,
    ValidatingWebhookConfiguration,
)
from kubedoctor.cluster.kinds.core import Service
from kubedoctor.cluster.kinds.networking import NetworkPolicy
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.kinds.storage import PersistentVolumeClaim
from kubedoctor.cluster.relations.claims import claim_names
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.relations.policies import applies_to
from kubedoctor.cluster.seen.quoting import Evidence
from kubedoctor.cluster.triage import ready


class Symptom(Protocol):
    """The parts of the finding to be explained that a relation reads."""

    @property
    def about(self) -> Ref: ...
    @property
    def affects(self) -> tuple[Ref, ...]: ...
    @property
    def because_of(self) -> tuple[Ref, ...]: ...
    @property
    def evidence(self) -> tuple[Evidence, ...]: ...


BLAMED = "blamed"
"""The relation from a symptom to the objects that it names in `because_of`: whatever is found about them explains it.
`Explains(BLAMED, codes)` confines a diagnostic to the codes."""
Causes = Callable[[Symptom, Family], Iterator[Ref]]


class CauseRelation(msgspec.Struct, frozen=True):
    """From a symptom to the objects whose findings may explain it. Calling it runs `find`."""

    name: str
    find: Causes

    def __call__(self, symptom: Symptom, family: Family) -> Iterator[Ref]:
        return self.find(symptom, family)


def cause_relation(name: str) -> Callable[[Causes], CauseRelation]:
    """Make a relation that `Explains(name)` may use of a function `(symptom, family) -> Iterator[Ref]`.

    Of two causes the one whose relation comes first counts: first relations of Kubernetes' own kinds by name, then
    those of packages by name, so that a package does not take consequences from another cause.
    """

    def declare(find: Causes) -> CauseRelation:
        return CauseRelation(name, find)

    return declare


_CALLED = re.compile(r'(?:calling|admission) webhook "([^"]+)"')
"""As the API server names a webhook in its answers (apiserver/pkg/admission/plugin/webhook/errors)."""


@cause_relation("calls")
def calls(symptom: Symptom, family: Family) -> Iterator[Ref]:
    """The cause is the configuration of a webhook that the evidence names."""
    texts = (fact.value for fact in symptom.evidence if isinstance(fact.value, str))
    names = {name for text in texts for name in _CALLED.findall(text)}
    for kind in ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration") if names else ():
        for configuration in family.snapshot.of_kind(kind):
            if isinstance(configuration, ValidatingWebhookConfiguration | MutatingWebhookConfiguration) and any(
                webhook.name in names for webhook in configuration.webhooks or ()
            ):
                yield ref(configuration)


@cause_relation("configures")
def configures(symptom: Symptom, family: Family) -> Iterator[Ref]:
    """The cause is a ConfigMap that the pods mount."""
    for pod in family.pods(symptom.about, symptom.affects):
        for volume in pod.spec.volumes or ():
            if volume.config_map is not None:
                yield Ref("ConfigMap", pod.namespace, volume.config_map.name)


_CONVERTED = re.compile(r"conversion webhook for ([^/,\s]*)/[^,\s]+, Kind=(\w+) failed")
"""As the API server says it (apiextensions-apiserver/pkg/apiserver/conversion/webhook_converter.go, v1.37)."""


@cause_relation("converts")
def converts(symptom: Symptom, family: Family) -> Iterator[Ref]:
    """The cause is the definition of a kind whose objects cannot be converted, as the evidence says."""
    texts = (fact.value for fact in symptom.evidence if isinstance(fact.value, str))
    named = {found for text in texts for found in _CONVERTED.findall(text)}
    for definition in family.snapshot.of_kind("CustomResourceDefinition") if named else ():
        if (
            isinstance(definition, CustomResourceDefinition)
            and (definition.spec.group, definition.spec.names.kind) in named
        ):
            yield ref(definition)


@cause_relation("isolates")
def isolates(symptom: Symptom, family: Family) -> Iterator[Ref]:
    """The cause is a NetworkPolicy of the pods, where the symptom blames a Service that they could not reach."""
    if not any(name.kind == "Service" for name in symptom.because_of):
        return
    for pod in family.pods(symptom.about, symptom.affects):
        for policy in family.snapshot.of_kind("NetworkPolicy", pod.namespace):
            if isinstance(policy, NetworkPolicy) and applies_to(policy, pod):
                yield ref(policy)


@cause_relation("mounts")
def mounts(symptom: Symptom, family: Family) -> Iterator[Ref]:
    """The cause is a claim that the pods mount, or its volume."""
    for pod in family.pods(symptom.about, symptom.affects):
        for claim_name in claim_names(pod):
            claim = Ref("PersistentVolumeClaim", pod.namespace, claim_name)
            yield claim
            bound = family.snapshot.get(claim)
            if isinstance(bound, PersistentVolumeClaim) and bound.spec.volume_name:
                yield Ref("PersistentVolume", "", bound.spec.volume_name)


@cause_relation("proxied")
def proxied(symptom: Symptom, family: Family) -> Iterator[Ref]:
    """The cause is kube-proxy on the node of the pods, where the symptom blames a Service that they could not reach."""
    if not any(name.kind == "Service" for name in symptom.because_of):
        return
    nodes = {pod.spec.node_name for pod in family.pods(symptom.about, symptom.affects) if pod.spec.node_name}
    proxy = Ref("DaemonSet", "kube-system", "kube-proxy")
    pods = family.pods(proxy, ())
    own = [pod for pod in pods if pod.spec.node_name in nodes]
    # One that runs is at fault only where all run, and do not work.
    if any(not ready(pod) for pod in own) or (own and all(map(ready, pods))):
        yield proxy


@cause_relation("runs")
def runs(symptom: Symptom, family: Family) -> Iterator[Ref]:
    """The cause is the node of the pods."""
    for pod in family.pods(symptom.about, symptom.affects):
        if pod.spec.node_name:
            yield Ref("Node", "", pod.spec.node_name)


@cause_relation("same")
def same(symptom: Symptom, family: Family) -> Iterator[Ref]:
    """The cause is the same object, or an object of its workload."""
    yield symptom.about
    yield family.top(symptom.about)


@cause_relation("selects")
def selects(symptom: Symptom, family: Family) -> Iterator[Ref]:
    """The cause is a pod, or its workload, that the symptom's Service selects."""
    service = family.snapshot.get(symptom.about)
    if isinstance(service, Service):
        yield from family.behind(service)


@cause_relation("affects")
def affects(symptom: Symptom, family: Family) -> Iterator[Ref]:
    """The cause affects the object, its workload, or what the symptom's Service selects."""
    yield family.top(symptom.about)
    yield from selects(symptom, family)


RELATIONS: tuple[CauseRelation, ...] = (
    calls,
    configures,
    converts,
    isolates,
    mounts,
    proxied,
    runs,
    same,
    selects,
    affects,
)
"""Those of Kubernetes' own kinds, by name. `affects` is the last: what is found about an object itself is nearer."""
