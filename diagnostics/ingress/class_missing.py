"""IngressClass of an Ingress does not exist.

## What it means
No ingress controller serves the Ingress: each serves the Ingresses of its own classes only. Requests for its names get 404
from another controller, or no answer.

## Why it happens
- `spec.ingressClassName`, or the older annotation `kubernetes.io/ingress.class`, is misspelled, or was copied from another
  cluster.
- The ingress controller is not installed, or its chart gave the class another name.

## How to fix it
Set `ingressClassName` to a class of `kubectl get ingressclass`, or install the controller of the class.

## References
- https://kubernetes.io/docs/concepts/services-networking/ingress/#ingress-class
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.ingress._controllers import CLASS_ANNOTATION, class_of_ingress
from kubedoctor.cluster import Cluster, Ingress, IngressClass, listed, misspellings, quote, ref
from kubedoctor.cluster.changes import put
from kubedoctor.findings import Command, Confidence, Finding, Fix, Severity, command_line, diagnostic, edit_command
from kubedoctor.replay.status.vocabulary import START


@diagnostic(
    code="KD2303",
    subject=Ingress,
    severity=Severity.CRITICAL,
    reads=(Ingress, IngressClass),
    symptoms=("404", "no address", "ingress class"),
)
def class_missing(ingress: Ingress, cluster: Cluster) -> Iterator[Finding]:
    name, created = class_of_ingress(ingress), ingress.metadata.creation_timestamp
    if not name or ingress.metadata.deletion_timestamp is not None or ingress.status.load_balancer.ingress:
        return  # Some controller serves it.
    if any(owner.kind == "Challenge" for owner in ingress.metadata.owner_references or ()):
        return  # Its Certificate tells.
    if created is not None and cluster.taken_at - created < START:
        return
    if cluster.get(IngressClass, "", name) is not None:
        return
    there = [row.name for row in cluster.maybe.all(IngressClass)]
    near = next(iter(misspellings(name, there, 1)), "")
    in_spec = bool(ingress.spec.ingress_class_name)
    if not in_spec and not near:
        return  # The annotation names a word of the controller's own, which needs no IngressClass.
    guess = f"; did you mean {near}?" if near else f", only {listed(there, 5)}" if there else "; the cluster has none"
    install = Fix(f"Install the ingress controller of class {name}")
    if not in_spec:
        correct = Fix(f"If {name} is misspelled, set annotation {CLASS_ANNOTATION} to the class that was meant")
    elif near:
        line = command_line(put(ref(ingress), ("spec", "ingressClassName"), near), ingress)
        correct = Fix(f"Set ingressClassName to {near}", line)
    else:
        correct = Fix("Set ingressClassName to a class that exists", edit_command(ref(ingress)))
    yield Finding(
        about=ref(ingress),
        summary=f"IngressClass {name} does not exist{guess}",
        evidence=(
            quote(
                ingress,
                "spec.ingressClassName" if in_spec else f"metadata.annotations[{CLASS_ANNOTATION}]",
                "no IngressClass of this name",
            ),
        ),
        confidence=Confidence.CERTAIN if in_spec else Confidence.POSSIBLE,
        would_disprove=""
        if in_spec
        else "a controller that serves this word (its flag for the class), without an IngressClass",
        # Some controllers serve a class that has no object, and write no address.
        severity=None if near and in_spec else Severity.WARNING,
        fixes=(correct, install) if there else (install,),
        commands=(Command("kubectl get ingressclass", "the classes of the cluster and their controllers"),),
    )
