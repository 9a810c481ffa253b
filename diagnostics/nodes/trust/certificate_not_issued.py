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
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

from kubedoctor.cluster import (
    CertificateSigningRequest,
    Cluster,
    Node,
    Snapshot,
    condition,
    counted,
    has_path,
    human_duration,
    listed,
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
MOST_NAMES = 3
MOST_APPROVED = 20


_Asker = tuple[str, str, str]


class _Asked(NamedTuple):
    """All requests: by who asks, the newest of each that has its answer, and those of them without a certificate by
    the reason, in the order of their nodes."""

    requests: tuple[CertificateSigningRequest, ...]
    at: datetime
    of: dict[_Asker, list[CertificateSigningRequest]]
    newest: dict[_Asker, CertificateSigningRequest]
    alike: dict[tuple[str, str, str], list[CertificateSigningRequest]]


_TABLES: Final[WeakKeyDictionary[Snapshot, _Asked]] = WeakKeyDictionary()


def not_issued(request: CertificateSigningRequest) -> bool:
    """A kubelet asks, and has no certificate yet."""
    return request.spec.signer_name in (SERVING, CLIENT) and not request.status.certificate


@diagnostic(
    code="KD4013",
    subject=CertificateSigningRequest,
    severity=Severity.WARNING,
    reads=(CertificateSigningRequest, Node),
    when=not_issued,
    explains=(Explains("affects", ("KD4001",)), Explains("blamed", ("KD1003", "KD1012"))),
    also_known_as=("CertificateSigningRequest pending",),
    symptoms=("remote error: tls: internal error", "Pending", "Denied", "x509", "kubelet-serving"),
)
def certificate_not_issued(request: CertificateSigningRequest, cluster: Cluster) -> Iterator[Finding]:
    now = cluster.taken_at
    created = request.metadata.creation_timestamp
    if created is None or not not_issued(request) or not _has_its_answer(request, now) or _is_gone(request, cluster):
        return
    asked = _asked(cluster)
    if asked.newest.get(_asker(request)) is not request:
        return  # A kubelet asks again where it got no certificate: what the newest request came to counts.
    state = _state(request, now - created)
    group = asked.alike[_reason(request)]
    if next((one for one in group if not _is_gone(one, cluster)), None) is not request:
        return  # One says it of all nodes.
    alike = [one for one in group if not _is_gone(one, cluster)]
    many = len(alike) > 1
    if many:
        state = _state(request, now - created, many=True)
    serving = request.spec.signer_name == SERVING
    who, kind = _who(alike), "serving" if serving else "client"
    older = sum(_made(other) < _made(request) for other in asked.of[_asker(request)])
    again = f" It has asked {counted(older, 'more time')} before." if older and not many else ""
    joined = [Ref("Node", "", one.node) for one in alike if _has_joined(one, cluster)]
    yield Finding(
        about=ref(request),
        summary=f"{who} {'get' if many else 'gets'} no {kind} certificate: {state.clause}",
        evidence=(
            quote(request, "spec.signerName", f"the {kind} certificate of a kubelet"),
            quote(request, "spec.username", "who asks") if request.spec.username else quote(request, "metadata.name"),
            *state.evidence,
        ),
        confidence=Confidence.CERTAIN,
        affects=(*(() if serving else joined), *(ref(one) for one in alike if one is not request)),
        detail=_consequence(who, serving=serving, joined=bool(joined), many=many) + again,
        fixes=_fixes(state, alike),
        commands=(
            Command(kubectl("describe", "csr", request.name), "the names and addresses in it, and its state"),
            Command("kubectl get csr", "all requests"),
        ),
    )


def _asked(cluster: Cluster) -> _Asked:
    """Computed once for the requests of a snapshot: a scan comes here with each of them."""
    snapshot, requests = cluster.snapshot, cluster.all(CertificateSigningRequest)
    known = _TABLES.get(snapshot)
    if known is None or known.requests is not requests or known.at != cluster.taken_at:
        known = _TABLES[snapshot] = _table(requests, cluster.taken_at)
    return known


def _table(requests: tuple[CertificateSigningRequest, ...], now: datetime) -> _Asked:
    of: dict[_Asker, list[CertificateSigningRequest]] = {}
    for request in requests:
        of.setdefault(_asker(request), []).append(request)
    newest = {asker: one for asker, its in of.items() if (one := _newest(its, now)) is not None}
    alike: dict[tuple[str, str, str], list[CertificateSigningRequest]] = {}
    for request in sorted(filter(not_issued, newest.values()), key=_place):
        alike.setdefault(_reason(request), []).append(request)
    return _Asked(requests, now, of, newest, alike)


def _asker(request: CertificateSigningRequest) -> _Asker:
    return request.spec.signer_name, request.node, request.spec.username


def _newest(requests: list[CertificateSigningRequest], now: datetime) -> CertificateSigningRequest | None:
    return max((request for request in requests if _has_its_answer(request, now)), key=_made, default=None)


def _reason(request: CertificateSigningRequest) -> tuple[str, str, str]:
    """Nodes are many, the reason is one: the state says the same, ages apart. A request without a name is by itself."""
    signer = request.spec.signer_name
    return (signer, "", _state(request, timedelta()).clause) if request.node else (signer, request.name, "")


def _place(request: CertificateSigningRequest) -> tuple[str, str]:
    return request.node, request.name


def _is_gone(request: CertificateSigningRequest, cluster: Cluster) -> bool:
    """The node is gone, as machines of the spot market are."""
    return not _has_joined(request, cluster) and _is_of_a_node(request) and any(cluster.maybe.all(Node))


def _has_joined(request: CertificateSigningRequest, cluster: Cluster) -> bool:
    return bool(request.node) and cluster.maybe.get(Node, "", request.node) is not None


def _who(requests: list[CertificateSigningRequest]) -> str:
    first = requests[0]
    if len(requests) > 1:
        names = listed(sorted(request.node for request in requests), MOST_NAMES)
        return f"{counted(len(requests), 'node')} ({names})"
    if first.node or first.spec.username:
        return f"node {first.node}" if first.node else f"user {first.spec.username}"
    return A_KUBELET


def _fixes(state: _State, requests: list[CertificateSigningRequest]) -> tuple[Fix, ...]:
    if not state.waits or len(requests) == 1:
        return state.fixes
    line = kubectl("certificate", "approve", *(request.name for request in requests[:MOST_APPROVED]))
    first = "" if len(requests) <= MOST_APPROVED else f"the first {MOST_APPROVED}, "
    words = f"Approve {first or 'them, '}if the names and addresses in each are those of its node"
    return (Fix(words, line, Effect.CHANGES), *state.fixes[1:])


def _is_of_a_node(request: CertificateSigningRequest) -> bool:
    """A kubelet asks that signs in as its node: it has registered it before."""
    return bool(request.node) and (
        request.spec.signer_name == SERVING or request.spec.username == f"{NODE_USER}{request.node}"
    )


class _State(NamedTuple):
    """evidence: the condition that says so, if any. waits: for an approval."""

    clause: str
    fixes: tuple[Fix, ...]
    evidence: tuple[Evidence, ...] = ()
    waits: bool = False


def _has_its_answer(request: CertificateSigningRequest, now: datetime) -> bool:
    """It is issued or refused, or has waited for too long."""
    created = request.metadata.creation_timestamp
    if request.status.certificate or created is None or now - created >= PATIENCE:
        return True
    return any(condition(request.status.conditions, kind) is not None for kind in ("Denied", "Failed"))


def _state(request: CertificateSigningRequest, age: timedelta, *, many: bool = False) -> _State:
    its, was, waits, has = (
        ("their requests", "were", "wait", "are approved, and no signer has signed them")
        if many
        else ("its request", "was", "waits", "is approved, and no signer has signed it")
    )
    for kind, verb in (("Denied", f"{was} denied"), ("Failed", "failed")):
        stated = condition(request.status.conditions, kind)
        if stated is not None:
            why = visible(" ".join((stated.message or stated.reason).split()), LONGEST_MESSAGE).rstrip(". ")
            fix = Fix(
                "Correct what its approver or signer refuses; the kubelet then asks again, or when it is restarted"
            )
            return _State(f"{its} {verb}{f': {why}' if why else ''}", (fix,), _quoted(request, kind))
    if condition(request.status.conditions, "Approved") is not None:
        fix = Fix(
            "Give kube-controller-manager --cluster-signing-cert-file and --cluster-signing-key-file, or start it"
        )
        clause = f"{its} {has} for {human_duration(age)}"
        return _State(clause, (fix,), _quoted(request, "Approved"))
    approve = kubectl("certificate", "approve", request.name)
    return _State(
        f"{its} {waits} for an approval for {human_duration(age)}",
        (
            Fix("Approve it, if the names and addresses in it are those of the node", approve, Effect.CHANGES),
            Fix("Install an approver, or give the node's group the right to have its client certificates approved"),
        ),
        waits=True,
    )


def _quoted(request: CertificateSigningRequest, kind: str) -> tuple[Evidence, ...]:
    path = f"status.conditions[type={kind}]"
    fields = ("reason", "message")
    return tuple(quote(request, f"{path}.{field}") for field in fields if has_path(request, f"{path}.{field}"))


def _consequence(who: str, *, serving: bool, joined: bool, many: bool) -> str:
    if serving:
        whose = "these nodes" if many else who if who != A_KUBELET else "its node"
        kubelets = "their kubelets have another certificate" if many else "its kubelet has another certificate"
        return f"kubectl logs, exec and top fail for the pods of {whose}, unless {kubelets}."
    if joined:
        expires = "When their present certificates expire" if many else "When its present certificate expires"
        return f"{expires}, {'these nodes stop' if many else f'{who} stops'} reporting."
    return f"Without it {'these nodes' if many else who} cannot join the cluster."


def _made(request: CertificateSigningRequest) -> tuple[float, str]:
    """For comparing two requests: the newer is larger."""
    created = request.metadata.creation_timestamp
    return (created.timestamp() if created is not None else 0.0, request.name)
