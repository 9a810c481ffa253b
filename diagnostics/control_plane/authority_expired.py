"""Certificate authority has expired, or expires soon.

## What it means
The API server calls webhooks and extension APIs over TLS, and accepts only certificates of the authority in their
`caBundle`. Programs and kubelets trust the API server itself by the authority of the cluster. Once an authority has expired,
no certificate of it is accepted, however new: "x509: certificate has expired or is not yet valid".

## Why it happens
- A webhook's certificates were made once, by an installation script or a Helm chart, and nothing renews them.
- What renews them is down, or may no longer write the configuration: cert-manager's cainjector, the operator itself.
- The authority of a kubeadm cluster is ten years old; `kubeadm certs renew` renews certificates, not authorities.

## How to fix it
1. A webhook or an APIService: renew the authority and the certificate of its server, and set `caBundle` to the new authority.
2. The authority of the cluster: rotate it by hand, step by step, before it expires.

## References
- https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
- https://kubernetes.io/docs/tasks/tls/manual-rotation-of-ca-certificates/
- https://cert-manager.io/docs/concepts/ca-injector/
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from diagnostics.admission._ca_programs import ca_program_of
from kubedoctor.cluster import (
    APIService,
    CertificateValidity,
    Cluster,
    ConfigMap,
    CustomResourceDefinition,
    Evidence,
    KubernetesObject,
    MutatingWebhookConfiguration,
    ValidatingWebhookConfiguration,
    certificate_validities,
    controlling_owner,
    has_path,
    human_duration,
    quote,
    ref,
)
from kubedoctor.findings import Confidence, Explains, Finding, Fix, Severity, diagnostic, look_at

_SOON: Final = timedelta(days=30)
_VERY_SOON: Final = timedelta(days=7)
_SHARE: Final = 10
"""What is renewed by a program is renewed before only a tenth of its life is left; what lives for weeks is renewed so."""
_SHORT_LIFE: Final = timedelta(days=60)
_NAMESPACE: Final = "kube-system"
_OF_THE_CLUSTER: Final = {
    ("kube-root-ca.crt", "ca.crt"): ("authority of the API server", "no program and no kubelet trusts the API server"),
    ("extension-apiserver-authentication", "client-ca-file"): (
        "authority of client certificates",
        "no kubelet, component or administrator can sign in with a certificate",
    ),
    ("extension-apiserver-authentication", "requestheader-client-ca-file"): (
        "authority of the front proxy",
        "aggregated APIs, as that of metrics-server, refuse the API server",
    ),
}
_ORDER: Final = (Severity.CRITICAL, Severity.WARNING, Severity.NOTICE)
_NAMES: Final = frozenset(name for name, _ in _OF_THE_CLUSTER)


def may_hold_authority(holder: KubernetesObject) -> bool:
    """Of all ConfigMaps only those of the control plane."""
    return not isinstance(holder, ConfigMap) or (holder.namespace == _NAMESPACE and holder.name in _NAMES)


class _Trust(NamedTuple):
    """A set of authorities, of which one must be valid. what: in words. consequence: of its end. serious: it stops others
    than its own program."""

    what: str
    consequence: str
    validity: CertificateValidity
    evidence: tuple[Evidence, ...]
    serious: bool = True


@diagnostic(
    code="KD4109",
    subject=ValidatingWebhookConfiguration,
    also_subjects=(MutatingWebhookConfiguration, APIService, CustomResourceDefinition, ConfigMap),
    severity=Severity.CRITICAL,
    reads=(),
    when=may_hold_authority,
    explains=(Explains("same", ("KD4101", "KD5103")),),
    also_known_as=("caBundle expired", "CA certificate expired"),
    symptoms=("x509: certificate has expired or is not yet valid", "caBundle", "kube-root-ca.crt"),
)
def authority_expired(holder: KubernetesObject, cluster: Cluster) -> Iterator[Finding]:
    if holder.metadata.deletion_timestamp is not None or not may_hold_authority(holder):
        return
    near = [trust for trust in _trusts(holder) if _is_near(trust.validity, trust.validity.end - cluster.taken_at)]
    found = min(near, key=lambda trust: (_ORDER.index(_severity(trust, cluster)), trust.validity.end), default=None)
    if found is None:
        return
    left = found.validity.end - cluster.taken_at
    program = ca_program_of(holder)
    over = left < timedelta()
    when = f"expired {human_duration(-left)} ago: " if over else f"expires in {human_duration(left)}; then "
    yield Finding(
        about=ref(holder),
        summary=f"{found.what} {when}{found.consequence}",
        severity=_severity(found, cluster),
        evidence=found.evidence,
        confidence=Confidence.CERTAIN,
        fixes=(Fix(_fix(holder)),),
        commands=(
            look_at(ref(holder), "the certificates, in PEM"),
            *((program.look,) if program is not None else ()),
        ),
    )


def _is_near(validity: CertificateValidity, left: timedelta) -> bool:
    life = validity.end - validity.start
    return left < timedelta() or (left < _SOON and life >= _SHORT_LIFE and left * _SHARE < life)


def _severity(trust: _Trust, cluster: Cluster) -> Severity:
    left = trust.validity.end - cluster.taken_at
    if left < timedelta():
        return Severity.CRITICAL if trust.serious else Severity.WARNING
    return Severity.WARNING if left < _VERY_SOON and trust.serious else Severity.NOTICE


def _fix(holder: KubernetesObject) -> str:
    if isinstance(holder, ConfigMap):
        return (
            "Rotate the certificate authority of the cluster by hand, with the old and the new one in each bundle until all"
            " components have certificates of the new one; in a managed cluster, ask the provider"
        )
    if (program := ca_program_of(holder)) is not None:
        source = program.source.format(holder.annotations[program.annotation])
        return (
            f"Make {program.name} work: it copies {source} here, and overwrites other changes; renew that where it has"
            " expired too"
        )
    owner = controlling_owner(holder)
    by = f", with {owner.kind} {owner.name}, which owns it" if owner is not None else ""
    return f"Renew the authority and the certificate of the server, and set caBundle to the new authority{by}"


def _trusts(holder: KubernetesObject) -> Iterator[_Trust]:
    if isinstance(holder, ConfigMap):
        yield from _of_the_cluster(holder)
    elif isinstance(holder, APIService):
        spec = holder.spec
        validity = _of_bundle(spec.ca_bundle)
        if validity is not None and spec.service is not None and not spec.insecure_skip_tls_verify:
            yield _Trust(
                "its caBundle",
                f"the API server does not accept the certificate of its Service {spec.service.namespace}/{spec.service.name}",
                validity,
                _quoted(holder, "spec.service.name", validity),
            )
    elif isinstance(holder, CustomResourceDefinition):
        webhook = holder.spec.conversion.webhook if holder.spec.conversion is not None else None
        validity = _of_bundle(webhook.client_config.ca_bundle) if webhook is not None else None
        served = [version for version in holder.spec.versions or () if version.served]
        if validity is not None and len(served) > 1:
            path = "spec.conversion.webhook.clientConfig.service.name"
            yield _Trust(
                "caBundle of its conversion webhook",
                f"{holder.spec.names.plural} cannot be converted between versions",
                validity,
                _quoted(holder, path, validity),
            )
    elif isinstance(holder, ValidatingWebhookConfiguration | MutatingWebhookConfiguration):
        for index, webhook_ in enumerate(holder.webhooks or ()):
            validity = _of_bundle(webhook_.client_config.ca_bundle)
            if validity is None or not webhook_.rules:
                continue
            ignores = webhook_.failure_policy == "Ignore"
            yield _Trust(
                f"caBundle of webhook {webhook_.name}",
                "its calls fail, and failurePolicy Ignore admits all without it"
                if ignores
                else "its calls fail, and the requests are refused (failurePolicy Fail)",
                validity,
                _quoted(holder, f"webhooks[{index}].name", validity),
                serious=not ignores,
            )


def _of_the_cluster(config: ConfigMap) -> Iterator[_Trust]:
    for (name, key), (what, consequence) in _OF_THE_CLUSTER.items():
        if config.name != name:
            continue
        validity = _latest((config.data or {}).get(key, ""))
        if validity is not None:
            yield _Trust(what, consequence, validity, _quoted(config, "metadata.name", validity, f"in {key}: "))


def _of_bundle(encoded: str | None) -> CertificateValidity | None:
    try:
        return _latest(base64.b64decode(encoded or "").decode("ascii", "replace"))
    except (binascii.Error, ValueError):
        return None


def _latest(pem: str) -> CertificateValidity | None:
    """Of the authorities in a bundle one is enough."""
    return max(certificate_validities(pem), key=_end, default=None)


def _end(validity: CertificateValidity) -> datetime:
    return validity.end


def _quoted(
    holder: KubernetesObject, path: str, validity: CertificateValidity, before: str = ""
) -> tuple[Evidence, ...]:
    """A certificate is long: what it belongs to is quoted, with its date."""
    shows = f"{before}its last authority is valid until {validity.end:%Y-%m-%d %H:%M} UTC"
    return (quote(holder, path if has_path(holder, path) else "metadata.name", shows),)
