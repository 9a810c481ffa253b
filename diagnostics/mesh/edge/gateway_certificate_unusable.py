"""Istio: certificate of a Gateway has expired, is for other hosts, or is none.

## What it means
The Secret of `credentialName` is where the gateway's proxies read it, but clients get no valid certificate from it: it has expired, it
is for other hosts, or the Secret has no certificate and key. Browsers and programs refuse the connection before they send a request.

## Why it happens
- The certificate was created by hand and was never renewed.
- A host was added to the Gateway and not to the certificate. `*.example.com` covers `a.example.com`, not `a.b.example.com`.
- cert-manager cannot renew it: its issuer, or the challenge of its order, fails.
- The Secret was created from files under their own names, so it has no `tls.crt` and `tls.key`.

## How to fix it
1. Renew the certificate, and write it into the same Secret: the proxies read the new one without a restart.
2. With cert-manager, look at the Certificate and its newest CertificateRequest.

## References
- https://istio.io/latest/docs/tasks/traffic-management/ingress/secure-ingress/
- https://istio.io/latest/docs/reference/config/analysis/ist0161/
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.answers.mesh.credentials import ISSUED_BY, valid_until
from kubedoctor.cluster import Cluster, CustomResource, Pod, Ref, Secret, finished, human_duration, listed
from kubedoctor.findings import Command, Confidence, Evidence, Finding, Fix, Severity, diagnostic, has_path, quote, ref
from kubedoctor.replay.gateway.matching import covers
from kubedoctor.replay.mesh.config import GATEWAY
from kubedoctor.replay.mesh.gateways import GatewayServer, servers_of, serving_pods

CERTIFICATE = "Certificate.cert-manager.io"
_PAIRS = ({"tls.crt", "tls.key"}, {"cert", "key"})


@diagnostic(
    code="KD6019",
    subject=GATEWAY,
    severity=Severity.CRITICAL,
    reads=(Pod, Secret, CERTIFICATE),
    also_known_as=("IST0161",),
    symptoms=(
        "certificate has expired",
        "x509: certificate has expired or is not yet valid",
        "NET::ERR_CERT_DATE_INVALID",
        "NET::ERR_CERT_COMMON_NAME_INVALID",
    ),
)
def gateway_certificate_unusable(gateway: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    servers = [server for server in servers_of(gateway) if server.credential is not None]
    if gateway.metadata.deletion_timestamp is not None or not servers:
        return
    spaces = {pod.namespace for pod in serving_pods(gateway, [pod for pod in cluster.all(Pod) if not finished(pod)])}
    seen = set()
    for server in servers:
        named = server.credential
        for space in sorted({named.namespace or one for one in spaces}) if named is not None else ():
            secret = cluster.maybe.get(Secret, space, named.name) if named is not None else None
            if secret is not None and ref(secret) not in seen:
                seen.add(ref(secret))
                yield from _of(gateway, server, secret, cluster)


def _of(gateway: CustomResource, server: GatewayServer, secret: Secret, cluster: Cluster) -> Iterator[Finding]:
    where = quote(gateway, f"{server.path}.tls.credentialName", f"hosts {', '.join(server.hosts)}")
    keys = set(secret.data or ())
    until = valid_until(secret, cluster)
    title, look = (
        ref(secret).title,
        Command(ref(secret).describe_command, "its type, annotations and the names of its keys"),
    )
    if keys and not any(pair <= keys for pair in _PAIRS):
        text = f"{title} has no certificate and key (tls.crt, tls.key), only {', '.join(sorted(keys))}"
        fix = Fix(f"Create {title} again with the keys tls.crt and tls.key (kubectl create secret tls)")
        yield _finding(
            gateway, secret, text, (where, quote(secret, "type", "kubernetes.io/tls has both keys")), fix, look
        )
    elif until is not None and until < cluster.taken_at:
        text = f"the certificate in {title} expired {human_duration(cluster.taken_at - until)} ago, for hosts {', '.join(server.hosts)}"
        issued = Ref(CERTIFICATE, secret.namespace, secret.annotations.get(ISSUED_BY, ""))
        stated = cluster.maybe.get_ref(issued) if issued.name else None
        if stated is not None and has_path(stated, "status.notAfter"):
            evidence = (where, quote(stated, "status.notAfter", "the last moment of its validity"))
            look = Command(issued.describe_command, "why it was not renewed")
            fix = Fix(f"Repair what prevents the renewal of {issued.title}")
        else:
            evidence = (
                where,
                quote(secret, "metadata.name", f"its certificate was valid until {until:%Y-%m-%d %H:%M} UTC"),
            )
            fix = Fix(f"Renew the certificate and write it into {title}")
        yield _finding(gateway, secret, text, evidence, fix, look)
    elif others := _not_covered(server, secret):
        names = secret.certificate_names or ()
        text = f"the certificate in {title} is for {listed(names, 3)}, not for {listed(others, 3)}"
        shown = quote(secret, "metadata.name", f"its certificate is for {listed(names, 3)}")
        fix = Fix(f"Put a certificate into {title} that is also for {listed(others, 3)}")
        yield _finding(gateway, secret, text, (where, shown), fix, look)


def _not_covered(server: GatewayServer, secret: Secret) -> list[str]:
    """The hosts of a server for which its certificate is not; none where its names were not read. `*` names no host."""
    hosts = [host.rpartition("/")[2] for host in server.hosts]
    names = secret.certificate_names
    return [host for host in hosts if host != "*" and names and not any(covers(name, host) for name in names)]


def _finding(
    gateway: CustomResource, secret: Secret, text: str, evidence: tuple[Evidence, ...], fix: Fix, look: Command
) -> Finding:
    return Finding(
        about=ref(gateway),
        aspect=f"{secret.namespace}/{secret.name}",
        summary=text,
        evidence=evidence,
        confidence=Confidence.CERTAIN,
        affects=(ref(secret),),
        fixes=(fix,),
        commands=(look,),
    )
