"""What a program cannot read of kubelets: those whose requests for a serving certificate came to nothing."""

from __future__ import annotations

import re
from typing import Final

from kubedoctor.cluster import CertificateSigningRequest, Cluster, Node, ref
from kubedoctor.findings import Ref

_REFUSED: Final = re.compile(r"https://\[?(?P<host>[^\s/\"\\\]]+?)\]?:10250/.*(?:tls: |x509: )")
"""The port of the kubelet, and the error of Go's TLS. Without a certificate a kubelet ends the handshake."""
_SERVING: Final = "kubernetes.io/kubelet-serving"


def requests_without_certificate(cause: str, lines: tuple[str, ...], cluster: Cluster) -> tuple[Ref, ...]:
    """For `because_of`: the requests of the kubelets that the lines of a log complain about, where such a line is the
    cause that it states."""
    if _REFUSED.search(cause) is None:
        return ()
    hosts = {found["host"] for line in lines if (found := _REFUSED.search(line)) is not None}
    nodes = {node.name for node in cluster.maybe.all(Node) if hosts & _names(node)}
    return tuple(
        ref(request)
        for request in cluster.maybe.all(CertificateSigningRequest)
        if request.spec.signer_name == _SERVING and not request.status.certificate and request.node in nodes
    )


def _names(node: Node) -> set[str]:
    return {node.name, *(entry.address for entry in node.status.addresses or ())}
