"""Image pull denied by the registry.

## What it means
The registry answered and refused the pull. The request had no credentials, wrong credentials, or credentials without
access to this image. Or the registry's rate limit was reached.

## Why it happens
- The pod has no `imagePullSecrets`, or names a Secret that does not exist in its namespace. A pod cannot use Secrets
  of another namespace.
- The Secret has the wrong type, is for another registry, or its password has expired.
- The account has no permission to pull from this repository.
- The image does not exist: some registries answer "denied" in that case too.
- Docker Hub's rate limit for anonymous pulls was reached.

## How to fix it
1. Create the Secret: `kubectl create secret docker-registry NAME --docker-server=... -n NAMESPACE`.
2. Add it to `imagePullSecrets` of the pod or of its ServiceAccount.
3. In a cloud, check the IAM role of the nodes: it can replace a Secret.

## References
- https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from diagnostics.pods._consequences import CONSEQUENCES
from diagnostics.pods.images._cloud_registries import node_identity
from diagnostics.pods.images._images import Unpulled, finding, replaced_version_fix, unpulled, working_image
from kubedoctor.cluster import WORKLOADS, CannotSee, Cluster, Event, Pod, Secret, misspellings, waiting
from kubedoctor.findings import (
    Command,
    Confidence,
    Evidence,
    Finding,
    Fix,
    Ref,
    Severity,
    diagnostic,
    edit_command,
    has_path,
    kubectl,
    newest_event,
    quote,
)
from kubedoctor.replay.kubelet.image_errors import PullProblem

LOGIN = "registry-login"
"""The name of the Secret that a fix creates."""
_EXPIRED = re.compile(r"(?:token|credentials?|password|login|session)\b.{0,20}\bexpired|ExpiredToken", re.IGNORECASE)
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
    for pull in unpulled(pod, cluster, PullProblem.UNAUTHORIZED, PullProblem.DENIED_OR_ABSENT, PullProblem.RATE_LIMIT):
        if pull.problem is PullProblem.RATE_LIMIT:
            summary = f"{pull.registry_words} refuses image {pull.image}: rate limit reached (too many requests)"
            fix = Fix("Add an imagePullSecret, mirror the image, or wait")
            yield finding(pod, pull, summary, fix, commands=(_pull_secrets(pod),))
        else:
            yield _refused(pod, pull, cluster)


def _refused(pod: Pod, pull: Unpulled, cluster: Cluster) -> Finding:
    summary = f"{pull.registry_words} denies the pull of image {pull.image}"
    confidence = Confidence.CERTAIN
    if pull.problem is PullProblem.DENIED_OR_ABSENT:
        summary += ", or has no such image"
        confidence = Confidence.LIKELY
    problem, evidence, fixes = _credentials_problem(pod, pull, cluster)
    fixes = (*replaced_version_fix(pod, pull, cluster), *fixes)
    if pull.problem is PullProblem.DENIED_OR_ABSENT and (near := working_image(pod, pull, cluster)):
        summary += f"; {near.image} runs in this namespace"
        evidence = (*evidence, near.evidence)
        fixes = (near.fix, *fixes)
    summary = f"{summary}: {problem}"
    return finding(pod, pull, summary, *fixes, evidence=evidence, confidence=confidence, commands=(_pull_secrets(pod),))


def _pull_secrets(pod: Pod) -> Command:
    words = ("get", "secrets", "--field-selector", "type=kubernetes.io/dockerconfigjson")
    return Command(kubectl(*words, namespace=pod.namespace), "the registry credentials in the namespace")


def _credentials_problem(
    pod: Pod, pull: Unpulled, cluster: Cluster
) -> tuple[str, tuple[Evidence, ...], tuple[Fix, ...]]:
    """What is wrong with the pod's imagePullSecrets, as far as the names and types of the Secrets show."""
    names = [secret.name for secret in pod.spec.image_pull_secrets or () if secret.name]
    server = f"--docker-server={pull.name.registry}"
    identity = node_identity(pull.name)
    if not names and identity is not None:
        grant = Fix(f"{identity.fix}; outside that cloud use an imagePullSecret")
        return f"the pod has no imagePullSecret, and {identity.who} may not pull it", (), (grant,)
    if not names:
        line = kubectl("create", "secret", "docker-registry", LOGIN, server, namespace=pod.namespace)
        line += " --docker-username=USER --docker-password=PASSWORD"
        account = pod.spec.service_account_name or "default"
        fixes = (
            Fix(f"Create Secret {LOGIN} with the registry's user name and password", line),
            Fix(
                f"Then add it to imagePullSecrets of ServiceAccount {account}, and recreate the pods",
                edit_command(Ref("ServiceAccount", pod.namespace, account)),
            ),
        )
        return "the pod has no imagePullSecret", (), fixes
    evidence: list[Evidence] = [quote(pod, "spec.imagePullSecrets", "the pod's imagePullSecrets")]
    event = newest_event(pod, cluster, "FailedToRetrieveImagePullSecret")
    stated_missing = event.message if event is not None else ""
    missing, wrong = [], []
    for name in names:
        try:
            secret = cluster.get(Secret, pod.namespace, name)
        except CannotSee:
            cluster.maybe.get(Secret, pod.namespace, name)
            if name in stated_missing:
                missing.append(name)
            continue
        if secret is None:
            missing.append(name)
        elif secret.type not in DOCKER_TYPES:
            wrong.append(name)
            evidence.append(
                quote(secret, "type" if has_path(secret, "type") else "metadata.name", "not a registry Secret")
            )
    if event is not None and missing and has_path(event, "message"):
        evidence.append(quote(event, "message"))
    if missing:
        return _missing(pod, missing[0], server, evidence, cluster)
    if wrong:
        line = kubectl("delete", "secret", wrong[0], namespace=pod.namespace)
        fix = Fix(f"Delete Secret {wrong[0]} and recreate it with `kubectl create secret docker-registry`", line)
        return f"imagePullSecret {wrong[0]} has the wrong type", tuple(evidence), (fix,)
    if _EXPIRED.search(pull.message):
        renew = f"Renew the login in Secret {', '.join(names)}, and have a program renew it before it expires"
        renew += " (a login of ECR lasts 12 hours)" if ".dkr.ecr." in pull.name.registry else ""
        instead = (Fix(f"Or let the kubelet log in by itself: {identity.fix}"),) if identity is not None else ()
        return f"the login in imagePullSecret {', '.join(names)} has expired", tuple(evidence), (Fix(renew), *instead)
    fix = Fix(f"Check that {', '.join(names)} has valid credentials for {pull.name.registry}")
    return f"imagePullSecret {', '.join(names)} does not give access", tuple(evidence), (fix,)


def _missing(
    pod: Pod, name: str, server: str, evidence: list[Evidence], cluster: Cluster
) -> tuple[str, tuple[Evidence, ...], tuple[Fix, ...]]:
    problem = f"imagePullSecret {name} does not exist"
    docker_secrets = [secret.name for secret in cluster.maybe.all(Secret, pod.namespace) if secret.type in DOCKER_TYPES]
    if near := misspellings(name, docker_secrets, 1):
        problem += f"; did you mean {near[0]}?"
    line = kubectl("create", "secret", "docker-registry", name, server, namespace=pod.namespace)
    line += " --docker-username=USER --docker-password=PASSWORD"
    return problem, tuple(evidence), (Fix(f"Create Secret {name} in namespace {pod.namespace}", line),)
