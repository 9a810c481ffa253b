"""No ingress controller serves an Ingress.

## What it means
The Ingress exists, its class too, but no controller acts on it: it gets no address, and requests for its hosts get 404 or
no answer.

## Why it happens
- The Ingress names no class, and no IngressClass is marked as the default: ingress-nginx ignores it.
- The controller of the class was removed, is scaled to 0, or runs in another cluster; its IngressClass was left behind.
- The pods of the controller are not ready.

## How to fix it
Set `ingressClassName` to a class of `kubectl get ingressclass`, or mark one as the default. Where the class is right,
install or repair its controller.

## References
- https://kubernetes.io/docs/concepts/services-networking/ingress/#default-ingress-class
- https://kubernetes.github.io/ingress-nginx/user-guide/multiple-ingress/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from diagnostics.ingress._controllers import CLASS_ANNOTATION, DEFAULT_CLASS, class_of_ingress
from diagnostics.ingress._programs import lines_about, may_run
from kubedoctor.cluster import (
    Cluster,
    Ingress,
    IngressClass,
    Pod,
    flag_of,
    listed,
    quote,
    ready,
    ref,
    workload_of,
)
from kubedoctor.cluster.changes import put
from kubedoctor.findings import (
    Command,
    Confidence,
    Finding,
    Fix,
    Severity,
    command_line,
    diagnostic,
    edit_command,
    quote_line,
)
from kubedoctor.replay.ingress.controllers import pods_of_controller
from kubedoctor.replay.status.vocabulary import START

_IGNORED: Final = re.compile(r"ignoring ingress", re.IGNORECASE)
_NGINX: Final = "k8s.io/ingress-nginx"
_WITHOUT_CLASS: Final = "watch-ingress-without-class"
_OFF: Final = ("false", "f", "0")


def _without_address(ingress: Ingress) -> bool:
    return not ingress.status.load_balancer.ingress and ingress.metadata.deletion_timestamp is None


@diagnostic(
    code="KD2308",
    subject=Ingress,
    severity=Severity.CRITICAL,
    reads=(Ingress, IngressClass, Pod),
    when=_without_address,
    symptoms=("404", "no address", "Ignoring ingress because of error while validating ingress class"),
)
def not_served(ingress: Ingress, cluster: Cluster) -> Iterator[Finding]:
    created = ingress.metadata.creation_timestamp
    if any(owner.kind == "Challenge" for owner in ingress.metadata.owner_references or ()):
        return  # Its Certificate tells.
    if created is None or cluster.taken_at - created < START:
        return
    classes = cluster.all(IngressClass)
    name = class_of_ingress(ingress)
    if name:
        named = next((one for one in classes if one.name == name), None)
        if named is not None:
            yield from _of_class(ingress, named, cluster)
    elif classes and not any(one.annotations.get(DEFAULT_CLASS) == "true" for one in classes):
        yield from _without_class(ingress, classes, cluster)


def _of_class(ingress: Ingress, named: IngressClass, cluster: Cluster) -> Iterator[Finding]:
    seen = cluster.all(Pod)
    pods = pods_of_controller(named.spec.controller, cluster)
    if pods is None or any(ready(pod) for pod in pods) or cluster.gaps:
        return
    if not pods and all(pod.namespace == ingress.namespace for pod in seen):
        return  # What was seen may be one namespace of the cluster.
    if not pods and may_run(named.spec.controller, cluster):
        return
    controller = named.spec.controller
    if pods:
        workload = workload_of(pods[0], cluster)
        text, confidence = f"{workload.title}, its controller, has no ready pod", Confidence.CERTAIN
        fix = Fix(f"Make the pods of {workload.title} ready")
    else:
        text, confidence = f"no pod of its controller {controller} runs", Confidence.LIKELY
        fix = Fix(f"Install the ingress controller {controller} again, or name the class of another one")
    in_spec = ingress.spec.ingress_class_name
    path = "spec.ingressClassName" if in_spec else f"metadata.annotations[{CLASS_ANNOTATION}]"
    yield Finding(
        about=ref(ingress),
        summary=f"no controller serves IngressClass {named.name}: {text}",
        evidence=(quote(ingress, path, "its class"), quote(named, "spec.controller", "who should serve it")),
        confidence=confidence,
        because_of=(workload_of(pods[0], cluster),) if pods else (),
        fixes=(fix,),
        commands=(Command("kubectl get pods -A -o wide", "whether a pod of the controller runs"),),
    )


def _without_class(ingress: Ingress, classes: tuple[IngressClass, ...], cluster: Cluster) -> Iterator[Finding]:
    nginx = [one for one in classes if one.spec.controller == _NGINX]
    seen = cluster.all(Pod) if nginx else ()
    pods = pods_of_controller(_NGINX, cluster) or () if seen else ()
    if any(_watches_without_class(pod) for pod in pods):
        return
    said = lines_about(ingress, pods, _IGNORED, cluster)
    if said is None and len(nginx) != len(classes):
        return  # Other controllers may serve what names no class.
    names = [one.name for one in classes]
    change = put(ref(ingress), ("spec", "ingressClassName"), names[0])
    fix = Fix("Set ingressClassName to a class that exists", edit_command(ref(ingress)))
    if len(names) == 1:
        fix = Fix(f"Set ingressClassName to {names[0]}", command_line(change, ingress))
    yield Finding(
        about=ref(ingress),
        summary=f"it names no IngressClass, and no class is the default: the controller of {listed(names, 3)} ignores it",
        evidence=(
            quote(ingress, "metadata.name", "no spec.ingressClassName and no kubernetes.io/ingress.class"),
            *((quote_line(*said, "the controller ignores it"),) if said is not None else ()),
            quote(classes[0], "metadata.name", "no is-default-class annotation"),
        ),
        confidence=Confidence.CERTAIN if said is not None else Confidence.LIKELY,
        fixes=(fix, Fix(f"Or mark class {names[0]} as the default", edit_command(ref(classes[0])))),
        commands=(Command("kubectl get ingressclass", "the classes of the cluster and their controllers"),),
    )


def _watches_without_class(pod: Pod) -> bool:
    flag = flag_of(pod, _WITHOUT_CLASS)
    return flag is not None and flag.value.lower() not in _OFF
