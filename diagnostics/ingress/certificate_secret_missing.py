"""Secret of an Ingress is missing.

## What it means
An Ingress names a Secret for a host's certificate that is not in its namespace. Controllers serve the host with their default certificate
then (browsers warn of it), or do not serve it at all. Where the Secret of `auth-secret` is missing, ingress-nginx answers 503.

## Why it happens
- The name is misspelled, or the Secret is in another namespace: an Ingress reads Secrets of its own namespace only.
- The certificate was never created; with cert-manager the annotation or the Certificate is missing.

Some controllers take their certificates from elsewhere (those of the cloud's load balancer, a tunnel, an ACME resolver) and
read no Secret: nothing is reported there, and no more than a notice where the controller is not known.

## How to fix it
Create the TLS Secret in the namespace of the Ingress, or correct `secretName`.

## References
- https://kubernetes.io/docs/concepts/services-networking/ingress/#tls
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from diagnostics.ingress._certificates import may_come
from diagnostics.ingress._controllers import controller_of_ingress, reads_secrets
from diagnostics.pods.configuration._creators import CREATORS
from diagnostics.pods.configuration._secret_store import CLASS, syncing
from kubedoctor.cluster import (
    Cluster,
    Evidence,
    Ingress,
    IngressClass,
    Pod,
    Secret,
    Service,
    listed,
    misspellings,
    not_ready,
)
from kubedoctor.findings import (
    Command,
    Confidence,
    Finding,
    Fix,
    Ref,
    Severity,
    diagnostic,
    edit_command,
    kubectl,
    quote,
    quote_line,
    ref,
)
from kubedoctor.replay.ingress.controllers import controller_pods

_NGINX = "k8s.io/ingress-nginx"
_SETTING = "nginx.ingress.kubernetes.io/"
_ISSUED = re.compile(r"cert-manager\.io/|kubernetes\.io/tls-acme|certificate\.appscode|gardener\.cloud/purpose")
"""Annotations by which a controller makes the Secret: its Certificate then tells."""


@diagnostic(
    code="KD2306",
    subject=Ingress,
    severity=Severity.WARNING,
    reads=(Ingress, IngressClass, Secret, Pod, Service, CLASS, *CREATORS),
    symptoms=("fake certificate", "Using default certificate", "NET::ERR_CERT_AUTHORITY_INVALID"),
)
def certificate_secret_missing(ingress: Ingress, cluster: Cluster) -> Iterator[Finding]:
    if ingress.metadata.deletion_timestamp is not None:
        return
    if any(_ISSUED.search(key) for key in ingress.annotations):
        return
    known = reads_secrets(ingress, cluster)
    if known is False:
        return
    for at, entry in enumerate(ingress.spec.tls or ()):
        if not entry.secret_name or cluster.get(Secret, ingress.namespace, entry.secret_name) is not None:
            continue
        said = _said(ingress, entry.secret_name, cluster)
        if not may_come(ingress, ingress.namespace, entry.secret_name, cluster, missed=bool(said)):
            yield _finding(ingress, at, entry.secret_name, entry.hosts or (), known is not None, cluster)
    yield from _passwords(ingress, cluster)


def _passwords(ingress: Ingress, cluster: Cluster) -> Iterator[Finding]:
    """The Secret with the users of `auth-type`: without it ingress-nginx answers 503 at the paths of the Ingress."""
    named = ingress.annotations.get(f"{_SETTING}auth-secret", "")
    if not named or not ingress.annotations.get(f"{_SETTING}auth-type"):
        return
    if controller_of_ingress(ingress, cluster) != _NGINX:
        return
    namespace, _, name = named.rpartition("/")
    if cluster.get(Secret, namespace or ingress.namespace, name) is not None:
        return
    said = _said(ingress, name, cluster)
    if may_come(ingress, namespace or ingress.namespace, name, cluster, missed=bool(said)):
        return
    near = next(iter(misspellings(name, [one.name for one in cluster.maybe.all(Secret, ingress.namespace)], 1)), "")
    hint = f"; did you mean {near}?" if near else ""
    path = f"metadata.annotations[{_SETTING}auth-secret]"
    yield Finding(
        about=ref(ingress),
        aspect=f"auth-secret-{name}",
        severity=Severity.CRITICAL,
        summary=f"no Secret {name} with the users for its login{hint}: ingress-nginx answers 503",
        evidence=(quote(ingress, path, "no Secret of this name"), *said),
        confidence=Confidence.CERTAIN,
        fixes=(
            Fix(
                f"Create Secret {name} with the key auth: the lines of htpasswd, or correct the annotation",
                edit_command(ref(ingress)),
            ),
        ),
        commands=(
            Command(
                kubectl("get", "secrets", namespace=namespace or ingress.namespace), "the Secrets of the namespace"
            ),
        ),
    )


def _finding(ingress: Ingress, at: int, name: str, hosts: tuple[str, ...], known: bool, cluster: Cluster) -> Finding:
    near = next(iter(misspellings(name, [one.name for one in cluster.maybe.all(Secret, ingress.namespace)], 1)), "")
    elsewhere = [one for one in cluster.maybe.all(Secret) if one.name == name]
    of_hosts = f" for {listed(hosts, 3)}" if hosts else ""
    text = f"no Secret {name} with the certificate{of_hosts}"
    synced = _synced(ingress, name, cluster)
    if synced.words:
        text, near = text + synced.words, ""
    elif near:
        text += f"; did you mean {near}?"
    elif elsewhere:
        text += f"; Secret {elsewhere[0].namespace}/{name} is in another namespace"
    said = _said(ingress, name, cluster)
    fix = Fix(f"Create the TLS Secret {name} in namespace {ingress.namespace}")
    if near:
        fix = Fix(f"Set secretName to {near}", edit_command(ref(ingress)))
    fix = synced.fix or fix
    return Finding(
        about=ref(ingress),
        aspect=name,
        summary=text,
        evidence=(
            quote(ingress, f"spec.tls[{at}].secretName", "no Secret of this name in the namespace"),
            *synced.evidence,
            *said,
        ),
        because_of=synced.blamed,
        severity=None if known else Severity.NOTICE,
        confidence=Confidence.CERTAIN if known else Confidence.POSSIBLE,
        would_disprove="" if known else "the controller of this Ingress has its certificates from elsewhere",
        fixes=(fix,),
        commands=(Command(kubectl("get", "secrets", namespace=ingress.namespace), "the Secrets of the namespace"),),
    )


class _Synced(NamedTuple):
    words: str = ""
    fix: Fix | None = None
    evidence: tuple[Evidence, ...] = ()
    blamed: tuple[Ref, ...] = ()


def _synced(ingress: Ingress, name: str, cluster: Cluster) -> _Synced:
    """A SecretProviderClass creates the Secret while a pod mounts it (`secrets-store-csi-driver`, 1.5)."""
    found = syncing(name, ingress.namespace, cluster)
    if found is None:
        return _Synced()
    title, unready = ref(found.creator).title, next((pod for pod in found.pods if not_ready(pod)), None)
    at = next(
        at
        for at, row in enumerate((found.creator.spec or {}).get("secretObjects") or ())
        if isinstance(row, dict) and row.get("secretName") == name
    )
    evidence = (quote(found.creator, f"spec.secretObjects[{at}].secretName", "the Secret that it creates"),)
    if any(gap.kind == "Pod" for gap in cluster.gaps):
        return _Synced(f"; {title} creates it only while a pod mounts it", Fix(f"Let a pod mount {title}"), evidence)
    if not found.pods:
        fix = Fix(f"Mount {title} in a pod that runs always: without one the driver removes the Secret")
        return _Synced(f"; {title} creates it only while a pod mounts it, and none does", fix, evidence)
    pod = unready or found.pods[0]
    state = "is not ready" if unready is not None else "is ready all the same"
    fix = Fix(f"Fix why {title} is not mounted or copied: see the events of pod {pod.name}")
    blamed = (ref(pod),) if unready is not None else (ref(found.creator),)
    return _Synced(f"; {title} should create it: pod {pod.name} mounts it and {state}", fix, evidence, blamed)


def _said(ingress: Ingress, name: str, cluster: Cluster) -> tuple[Evidence, ...]:
    for pod in controller_pods(ingress, cluster)[:1]:
        for container in pod.spec.containers[:1]:
            tail = cluster.log_tail(pod, container.name, optional=True)
            for index in range(len(tail.lines) - 1, -1, -1) if tail is not None else ():
                if tail is not None and f"{ingress.namespace}/{name}" in tail.lines[index]:
                    return (quote_line(tail, index, "the controller does not find it"),)
    return ()
