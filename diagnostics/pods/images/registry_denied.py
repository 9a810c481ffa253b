"""A registry does not hand out an image.

## What it means
The registry was reached, and it refuses: the node's request carried no login, a wrong one, or one without the right
to this image. Or too many images were fetched in too short a time.

## Why it happens
- The pod names no `imagePullSecret`, or one that does not exist in its namespace. Secrets do not cross namespaces.
- The Secret is of the wrong type, is for another registry, or its password has expired.
- The account may not read this repository.
- The image does not exist: some registries then say "denied" too.
- Docker Hub's limit for requests without a login is used up.

## How to fix it
1. Make the Secret: `kubectl create secret docker-registry NAME --docker-server=... -n NAMESPACE`.
2. Name it in `spec.imagePullSecrets` of the pod, or of its service account.
3. In a cloud, check the role of the nodes instead of a Secret.

## References
- https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.pods.images._images import Unpulled, finding, replaced_version_fix, set_image, unpulled, working_image
from kubedoctor.cluster import Cluster, Event, Pod, Secret
from kubedoctor.cluster.grammar.nearest import misspellings
from kubedoctor.cluster.relations.workloads import WORKLOADS
from kubedoctor.cluster.seen.wants import CannotSee
from kubedoctor.cluster.triage import waiting
from kubedoctor.findings import Command, Confidence, Evidence, Finding, Fix, Severity, diagnostic, has_path, quote
from kubedoctor.findings.commands import kubectl
from kubedoctor.findings.containers import CONSEQUENCES, newest_event
from kubedoctor.replay.kubelet.image_errors import PullProblem

DOCKER_TYPES = frozenset({"kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"})


@diagnostic(
    code="KD1002",
    subject=Pod,
    severity=Severity.CRITICAL,
    reads=(Event, Secret, *WORKLOADS),
    when=waiting,
    explains=CONSEQUENCES,
    symptoms=(
        "ErrImagePull",
        "ImagePullBackOff",
        "unauthorized",
        "denied",
        "FailedToRetrieveImagePullSecret",
        "Failed",
        "BackOff",
    ),
)
def registry_denied(pod: Pod, cluster: Cluster) -> Iterator[Finding]:
    for one in unpulled(pod, cluster, PullProblem.UNAUTHORIZED, PullProblem.DENIED_OR_ABSENT, PullProblem.RATE_LIMIT):
        if one.problem is PullProblem.RATE_LIMIT:
            said = f"the registry {one.name.registry} refuses {one.image}: too many requests"
            fix = Fix("Log in with an imagePullSecret, mirror the image, or wait", "")
            yield finding(pod, one, said, fix, commands=(_logins(pod),))
        else:
            yield _refused(pod, one, cluster)


def _refused(pod: Pod, one: Unpulled, cluster: Cluster) -> Finding:
    said = f"the registry {one.name.registry} denies access to {one.image}"
    confidence = Confidence.CERTAIN
    if one.problem is PullProblem.DENIED_OR_ABSENT:
        said = f"the registry {one.name.registry} denies access to {one.image}, or has no such image"
        confidence = Confidence.LIKELY
    login, evidence, fixes = _login(pod, one, cluster)
    fixes = (*replaced_version_fix(pod, one, cluster), *fixes)
    if one.problem is PullProblem.DENIED_OR_ABSENT and (near := working_image(pod, one.name, cluster)):
        said += f"; {near[0]} runs in this namespace"
        evidence = (*evidence, near[1])
        fixes = (set_image(one, near[0], f"Use {near[0]}, which runs here already"), *fixes)
    said = f"{said}: {login}"
    return finding(pod, one, said, *fixes, evidence=evidence, confidence=confidence, commands=(_logins(pod),))


def _logins(pod: Pod) -> Command:
    words = ("get", "secrets", "--field-selector", "type=kubernetes.io/dockerconfigjson")
    return Command(kubectl(*words, namespace=pod.namespace), "the logins of the namespace")


def _login(pod: Pod, one: Unpulled, cluster: Cluster) -> tuple[str, tuple[Evidence, ...], tuple[Fix, ...]]:
    """What is wrong with the pod's logins, as far as the Secrets' names and types tell."""
    names = [secret.name for secret in pod.spec.image_pull_secrets or () if secret.name]
    server = f"--docker-server={one.name.registry}"
    if not names:
        line = kubectl("create", "secret", "docker-registry", "registry-login", server, namespace=pod.namespace)
        line += " --docker-username=USER --docker-password=PASSWORD"
        account = pod.spec.service_account_name or "default"
        return (
            "the pod names no imagePullSecret",
            (),
            (Fix(f"Make a login and name it in imagePullSecrets of service account {account}", line),),
        )
    evidence: list[Evidence] = [quote(pod, "spec.imagePullSecrets", "the logins that the pod names")]
    event = newest_event(pod, cluster, "FailedToRetrieveImagePullSecret")
    said_missing = event.message if event is not None else ""
    missing, wrong = [], []
    for name in names:
        try:
            secret = cluster.get(Secret, pod.namespace, name)
        except CannotSee:
            cluster.maybe.get(Secret, pod.namespace, name)
            if name in said_missing:
                missing.append(name)
            continue
        if secret is None:
            missing.append(name)
        elif secret.type not in DOCKER_TYPES:
            wrong.append(name)
            evidence.append(quote(secret, "type" if has_path(secret, "type") else "metadata.name", "no registry login"))
    if event is not None and missing and has_path(event, "message"):
        evidence.append(quote(event, "message"))
    if missing:
        return _missing(pod, missing[0], server, evidence, cluster)
    if wrong:
        line = kubectl("delete", "secret", wrong[0], namespace=pod.namespace)
        fix = Fix(f"Delete {wrong[0]}, then make it anew with `kubectl create secret docker-registry`", line)
        return f"its imagePullSecret {wrong[0]} is of the wrong type", tuple(evidence), (fix,)
    fix = Fix(f"Check that {', '.join(names)} has a valid login for {one.name.registry}", "")
    return f"its imagePullSecret {', '.join(names)} has no right to it", tuple(evidence), (fix,)


def _missing(
    pod: Pod, name: str, server: str, evidence: list[Evidence], cluster: Cluster
) -> tuple[str, tuple[Evidence, ...], tuple[Fix, ...]]:
    said = f"its imagePullSecret {name} does not exist"
    logins = [one.name for one in cluster.maybe.all(Secret, pod.namespace) if one.type in DOCKER_TYPES]
    if near := misspellings(name, logins, 1):
        said += f"; did you mean {near[0]}?"
    line = kubectl("create", "secret", "docker-registry", name, server, namespace=pod.namespace)
    line += " --docker-username=USER --docker-password=PASSWORD"
    return said, tuple(evidence), (Fix(f"Create the Secret {name} in namespace {pod.namespace}", line),)
