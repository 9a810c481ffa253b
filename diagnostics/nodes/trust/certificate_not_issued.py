"""Kubelet gets no certificate: its request is pending, denied or not signed.

## What it means
A kubelet asks the API for its certificates with a CertificateSigningRequest: the client certificate, with which it signs in,
and with `serverTLSBootstrap` the serving certificate, with which it answers. Without the first a new node cannot join, and
an old one stops reporting when its certificate expires. Without the second `kubectl logs`, `exec` and `top` fail for its
pods: "remote error: tls: internal error", "x509: certificate signed by unknown authority".

## Why it happens
- Nothing in Kubernetes approves serving certificates: that needs a person or an approver, such as kubelet-csr-approver.
- The bindings that let kube-controller-manager approve client certificates are missing, or it does not run.
- An approver denied the request: the name or the addresses of the node are not what it expects.
- The request is approved, and no signer works: kube-controller-manager has no `--cluster-signing-cert-file`.

## How to fix it
1. Look at it: `kubectl get csr`, `kubectl describe csr NAME`. The names and addresses must be those of the node.
2. Approve it: `kubectl certificate approve NAME`. For all nodes to come, install an approver.

## References
- https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/
- https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from kubedoctor.cluster import (
    CertificateSigningRequest,
    Cluster,
    Node,
    condition,
    counted,
    has_path,
    human_duration,
    quote,
    ref,
    visible,
)
from kubedoctor.findings import (
    Command,
    Confidence,
    Effect,
    Evidence,
    Explains,
    Finding,
    Fix,
    Ref,
    Severity,
    diagnostic,
    kubectl,
)

SERVING = "kubernetes.io/kubelet-serving"
CLIENT = "kubernetes.io/kube-apiserver-client-kubelet"
A_KUBELET = "a kubelet"
NODE_USER = "system:node:"
PATIENCE = timedelta(minutes=2)
"""kube-controller-manager approves and signs within seconds."""
LONGEST_MESSAGE = 240


def not_issued(request: CertificateSigningRequest) -> bool:
    """A kubelet asks, and has no certificate yet."""
    return request.spec.signer_name in (SERVING, CLIENT) and not request.status.certificate


@diagnostic(
    code="KD4013",
    subject=CertificateSigningRequest,
    severity=Severity.WARNING,
    reads=(CertificateSigningRequest, Node),
    when=not_issued,
    explains=(Explains("affects", ("KD4001",)), Explains("blamed", ("KD1012",))),
    also_known_as=("CertificateSigningRequest pending",),
    symptoms=("remote error: tls: internal error", "Pending", "Denied", "x509", "kubelet-serving"),
)
def certificate_not_issued(request: CertificateSigningRequest, cluster: Cluster) -> Iterator[Finding]:
    created = request.metadata.creation_timestamp
    if created is None or not not_issued(request) or not _has_its_answer(request, cluster.taken_at):
        return
    asked = [
        other
        for other in cluster.all(CertificateSigningRequest)
        if (other.spec.signer_name, other.node, other.spec.username)
        == (request.spec.signer_name, request.node, request.spec.username)
    ]
    if max(_made(other) for other in asked if _has_its_answer(other, cluster.taken_at)) > _made(request):
        return  # A kubelet asks again where it got no certificate: what the newest request came to counts.
    state = _state(request, cluster.taken_at - created)
    serving = request.spec.signer_name == SERVING
    node = Ref("Node", "", request.node)
    joined = bool(request.node) and cluster.maybe.get(Node, "", request.node) is not None
    if not joined and _is_of_a_node(request) and any(cluster.maybe.all(Node)):
        return  # The node is gone, as machines of the spot market are.
    who = f"node {request.node}" if request.node else f"user {request.spec.username}"
    if not request.node and not request.spec.username:
        who = A_KUBELET
    kind = "serving" if serving else "client"
    older = sum(_made(other) < _made(request) for other in asked)
    again = f" It has asked {counted(older, 'more time')} before." if older else ""
    yield Finding(
        about=ref(request),
        summary=f"{who} gets no {kind} certificate: {state.clause}",
        evidence=(
            quote(request, "spec.signerName", f"the {kind} certificate of a kubelet"),
            quote(request, "spec.username", "who asks") if request.spec.username else quote(request, "metadata.name"),
            *state.evidence,
        ),
        confidence=Confidence.CERTAIN,
        affects=(node,) if joined and not serving else (),
        detail=_consequence(who, serving=serving, joined=joined) + again,
        fixes=state.fixes,
        commands=(
            Command(f"kubectl describe csr {request.name}", "the names and addresses in it, and its state"),
            Command("kubectl get csr", "all requests"),
        ),
    )


def _is_of_a_node(request: CertificateSigningRequest) -> bool:
    """A kubelet asks that signs in as its node: it has registered it before."""
    return bool(request.node) and (
        request.spec.signer_name == SERVING or request.spec.username == f"{NODE_USER}{request.node}"
    )


class _State(NamedTuple):
    """evidence: the condition that says so, if any."""

    clause: str
    fixes: tuple[Fix, ...]
    evidence: tuple[Evidence, ...] = ()


def _has_its_answer(request: CertificateSigningRequest, now: datetime) -> bool:
    """It is issued or refused, or has waited for too long."""
    created = request.metadata.creation_timestamp
    if request.status.certificate or created is None or now - created >= PATIENCE:
        return True
    return any(condition(request.status.conditions, kind) is not None for kind in ("Denied", "Failed"))


def _state(request: CertificateSigningRequest, age: timedelta) -> _State:
    for kind, verb in (("Denied", "was denied"), ("Failed", "failed")):
        stated = condition(request.status.conditions, kind)
        if stated is not None:
            why = visible(" ".join((stated.message or stated.reason).split()), LONGEST_MESSAGE).rstrip(". ")
            fix = Fix(
                "Correct what its approver or signer refuses; the kubelet then asks again, or when it is restarted"
            )
            return _State(f"its request {verb}{f': {why}' if why else ''}", (fix,), _quoted(request, kind))
    if condition(request.status.conditions, "Approved") is not None:
        fix = Fix(
            "Give kube-controller-manager --cluster-signing-cert-file and --cluster-signing-key-file, or start it"
        )
        clause = f"its request is approved, and no signer has signed it for {human_duration(age)}"
        return _State(clause, (fix,), _quoted(request, "Approved"))
    approve = kubectl("certificate", "approve", request.name)
    return _State(
        f"its request waits for an approval for {human_duration(age)}",
        (
            Fix("Approve it, if the names and addresses in it are those of the node", approve, Effect.CHANGES),
            Fix("Install an approver, or give the node's group the right to have its client certificates approved"),
        ),
    )


def _quoted(request: CertificateSigningRequest, kind: str) -> tuple[Evidence, ...]:
    path = f"status.conditions[type={kind}]"
    fields = ("reason", "message")
    return tuple(quote(request, f"{path}.{field}") for field in fields if has_path(request, f"{path}.{field}"))


def _consequence(who: str, *, serving: bool, joined: bool) -> str:
    if serving:
        whose = who if who != A_KUBELET else "its node"
        return f"kubectl logs, exec and top fail for the pods of {whose}, unless its kubelet has another certificate."
    if joined:
        return f"When its present certificate expires, {who} stops reporting."
    return f"Without it {who} cannot join the cluster."


def _made(request: CertificateSigningRequest) -> tuple[float, str]:
    """For comparing two requests: the newer is larger."""
    created = request.metadata.creation_timestamp
    return (created.timestamp() if created is not None else 0.0, request.name)
