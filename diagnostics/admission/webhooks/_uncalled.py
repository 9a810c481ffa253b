"""Whether the API server can call a webhook: of admission, or of the conversion between versions."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, NamedTuple

from diagnostics.admission._deadlocks import deadlock_of
from diagnostics.admission._injectors import CaInjector, injector_of
from diagnostics.admission.webhooks._serving import serving_certificate, writer_of
from kubedoctor.cluster import (
    Cluster,
    Evidence,
    KubernetesObject,
    Ref,
    Service,
    Webhook,
    WebhookClientConfig,
    counted,
    quote,
)
from kubedoctor.findings import Command, Confidence, Fix, kubectl, ref
from kubedoctor.replay.services import backends

UNSEEN: Final = "the server shows another certificate than that of the Secret"
_PATIENCE: Final = timedelta(minutes=2)


class UncalledWebhook(NamedTuple):
    """Why a webhook cannot be called: `why` as a clause, `detail` as a sentence; `blamed`: what may be the cause."""

    why: str
    detail: str
    evidence: tuple[Evidence, ...]
    fixes: tuple[Fix, ...]
    commands: tuple[Command, ...]
    blamed: tuple[Ref, ...]
    confidence: Confidence = Confidence.CERTAIN


def is_new(obj: KubernetesObject, cluster: Cluster) -> bool:
    """Its Service and its pods may still be created."""
    created = obj.metadata.creation_timestamp
    return created is not None and cluster.taken_at - created < _PATIENCE


def uncalled(
    holder: KubernetesObject,
    client: WebhookClientConfig,
    path: str,
    removed: Fix,
    cluster: Cluster,
    webhook: Webhook | None = None,
) -> UncalledWebhook | None:
    """None where the API server can call it, as far as was seen. path: of `client` in the holder. removed: the repair where
    the component of the webhook is gone on purpose. webhook: that of an admission, which may be called about its own pods."""
    target = client.service
    if target is None:
        return None
    name = Ref("Service", target.namespace, target.name)
    evidence = (quote(holder, f"{path}.service", "whom the API server calls"),)
    injector = injector_of(holder, cluster) if not client.ca_bundle else None
    lenient = cluster if injector is None else cluster.maybe
    service = lenient.get(Service, target.namespace, target.name)
    number = target.port or 443
    if service is not None and all(port.port != number for port in service.spec.ports or ()):
        return UncalledWebhook(
            f"{name.title} has no port {number}",
            "",
            (*evidence, *((quote(service, "spec.ports", "the ports that it has"),) if service.spec.ports else ())),
            (Fix(f"Correct {path}.service.port, or add port {number} to {name.title}"),),
            (Command(kubectl("get", "service", target.name, namespace=target.namespace), "its ports"),),
            (),
        )
    behind = backends(service, lenient) if service is not None else None
    if injector is not None and any(gap.kind in ("Service", "Pod") for gap in cluster.gaps):
        return _untrusted(name, evidence, injector)
    if service is None or behind is None:
        return UncalledWebhook(
            f"{name.title} does not exist",
            "",
            evidence,
            (Fix(f"Install the component of {name.title} again"), removed),
            (Command(kubectl("get", "service", namespace=target.namespace), "the Services there"),),
            (),
        )
    if behind.served or is_new(service, cluster):
        return (
            _untrusted(name, evidence, injector)
            if injector is not None
            else _badly_served(name, service, evidence, cluster)
        )
    if len(behind.failing) == len(behind.live) and not behind.leaving and _is_selected(service):
        state = f"none of its {counted(len(behind.live), 'pod')} is ready" if behind.live else "it has no pods"
        deadlock = deadlock_of(webhook, service, cluster) if webhook is not None else None
        return UncalledWebhook(
            f"{name.title} has no ready endpoints, {state}",
            deadlock.words if deadlock is not None else "",
            (*evidence, quote(service, "spec.selector", "the pods that answer")),
            (Fix(f"Make the pods behind {name.title} ready"), *(deadlock.fixes if deadlock is not None else ())),
            (
                Command(
                    kubectl("get", "service,endpointslices", namespace=target.namespace),
                    "the Service and its endpoints",
                ),
            ),
            (name,),
        )
    return _untrusted(name, evidence, injector) if injector is not None else None


def _is_selected(service: Service) -> bool:
    """Without a selector another controller writes the endpoints."""
    return bool(service.spec.selector)


def _badly_served(
    name: Ref, service: Service, evidence: tuple[Evidence, ...], cluster: Cluster
) -> UncalledWebhook | None:
    """The server answers, with a certificate that the API server refuses."""
    found = serving_certificate(service, cluster)
    if found is None or not found.fault:
        return None
    writer = writer_of(found.secret)
    source = (
        f"Repair what prevents the renewal of {writer.title}"
        if writer is not None
        else (f"Write a certificate for {name.name}.{name.namespace}.svc into {ref(found.secret).title}")
    )
    look = writer if writer is not None else ref(found.secret)
    return UncalledWebhook(
        f"{found.fault}, so the API server refuses the connection to {name.title}",
        "",
        (*evidence, found.evidence),
        (Fix(f"{source}; restart the pods behind {name.title} if they read it only at their start"),),
        (Command(look.describe_command, "why it was not renewed" if writer is not None else "who writes it"),),
        (writer,) if writer is not None else (),
        Confidence.LIKELY,
    )


def _untrusted(name: Ref, evidence: tuple[Evidence, ...], injector: CaInjector) -> UncalledWebhook:
    return UncalledWebhook(
        f"its caBundle is empty, so the certificate of {name.title} is signed by an unknown authority",
        f"{injector.words}.",
        (*evidence, *injector.evidence),
        injector.fixes,
        injector.commands,
        injector.blamed,
    )
