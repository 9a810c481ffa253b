"""The certificate that a webhook's server shows, by the Secret that its pods mount: whether it is over, or for other names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kubedoctor.cluster import Cluster, Evidence, Pod, Ref, Secret, Service, human_duration, listed, pods_selected_by
from kubedoctor.findings import quote, ref
from kubedoctor.replay.gateway.matching import covers


class ServingCertificate(NamedTuple):
    """Of a Secret with a certificate. fault: a clause; empty where the certificate is valid for the Service."""

    secret: Secret
    fault: str
    evidence: Evidence


def serving_certificate(service: Service, cluster: Cluster) -> ServingCertificate | None:
    """None where it is not known: the pods mount none, or several, or what is in it was not read."""
    cluster = cluster.maybe
    mounted = {name for pod in pods_selected_by(service, cluster) for name in _mounted(pod)}
    found = [
        secret
        for name in sorted(mounted)
        if (secret := cluster.get(Secret, service.namespace, name)) is not None and secret.certificate_until is not None
    ]
    if len(found) != 1:
        return None
    (secret,) = found
    title, until = ref(secret).title, secret.certificate_until
    host = f"{service.name}.{service.namespace}.svc"
    fault, shows = "", f"its certificate is valid until {until:%Y-%m-%d %H:%M} UTC"
    if until is not None and until < cluster.taken_at:
        fault = (
            f"the certificate in {title}, which its pods mount, expired {human_duration(cluster.taken_at - until)} ago"
        )
        shows = f"its certificate was valid until {until:%Y-%m-%d %H:%M} UTC"
    elif secret.certificate_names is not None and not any(covers(name, host) for name in secret.certificate_names):
        names = listed(secret.certificate_names, 3) or "no name"
        fault = f"the certificate in {title}, which its pods mount, is for {names}, not for {host}"
        shows = f"its certificate is for {names}"
    return ServingCertificate(secret, fault, quote(secret, "metadata.name", shows))


def _mounted(pod: Pod) -> Iterator[str]:
    for volume in pod.spec.volumes or ():
        if volume.secret is not None:
            yield volume.secret.secret_name
        for item in (volume.projected.sources or ()) if volume.projected is not None else ():
            if item.secret is not None:
                yield item.secret.name


def writer_of(secret: Secret) -> Ref | None:
    """The Certificate of cert-manager that the Secret is from."""
    name = secret.annotations.get("cert-manager.io/certificate-name", "")
    return Ref("Certificate.cert-manager.io", secret.namespace, name) if name else None
