"""Conversion webhook of a custom resource cannot be called.

## What it means
A definition serves several versions of its kind, and the API server asks a webhook to convert between them. While it cannot call
the webhook, it refuses each request for another version than the stored one: `kubectl get` and the operator's own lists
fail, and so do the garbage collector and the deletion of namespaces with such objects.

## Why it happens
- The Service of the webhook does not exist: a newer release has no webhook any more, or its component was removed, and the
  definition was left behind.
- The pods behind the Service are not ready, or there are none.
- `caBundle` is empty: what should fill it does not run.

## How to fix it
1. Make the pods of the webhook ready, or install its component again.
2. If a newer release converts no more, apply its definitions: `helm upgrade` does not change those in `crds/`.
3. Do not delete the definition: that deletes all objects of the kind.

## References
- https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#webhook-conversion
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from diagnostics.admission.webhooks._uncalled import UNSEEN, is_new, uncalled
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    CustomResourceDefinition,
    EndpointSlice,
    Pod,
    Ref,
    Secret,
    Service,
    has_path,
    listed,
    quote,
    ref,
)
from kubedoctor.findings import Confidence, Explains, Finding, Fix, Severity, diagnostic

_CLIENT: Final = "spec.conversion.webhook.clientConfig"
_REMOVED: Final = Fix(
    "Or, if the release that is installed converts no more, apply its definitions, which have conversion strategy None"
)


def converts_by_webhook(definition: CustomResourceDefinition) -> bool:
    """It has several versions, and a webhook converts between them."""
    conversion = definition.spec.conversion
    return conversion is not None and conversion.strategy == "Webhook" and len(_versions(definition)) > 1


def _versions(definition: CustomResourceDefinition) -> tuple[str, ...]:
    """Those that are served, and those that objects may be stored in."""
    served = (version.name for version in definition.spec.versions or () if version.served)
    return tuple(dict.fromkeys((*served, *(definition.status.stored_versions or ()))))


@diagnostic(
    code="KD5107",
    subject=CustomResourceDefinition,
    severity=Severity.WARNING,
    reads=(EndpointSlice, Pod, Secret, Service, *WORKLOADS),
    when=converts_by_webhook,
    explains=(Explains("converts"),),
    symptoms=("conversion webhook for", "failed to list", "Failed to watch"),
)
def conversion_unavailable(definition: CustomResourceDefinition, cluster: Cluster) -> Iterator[Finding]:
    conversion = definition.spec.conversion
    webhook = conversion.webhook if conversion is not None else None
    if webhook is None or is_new(definition, cluster):
        return
    fault = uncalled(definition, webhook.client_config, _CLIENT, _REMOVED, cluster)
    if fault is None:
        return
    names, first = listed(_versions(definition), 4), _first_alike(definition, cluster)
    stored = "status.storedVersions"
    yield Finding(
        about=ref(definition),
        summary=f"the API server cannot call the conversion webhook: {fault.why};"
        f" {definition.spec.names.plural} cannot be converted between versions {names}",
        detail=fault.detail,
        confidence=fault.confidence,
        would_disprove=UNSEEN if fault.confidence is Confidence.LIKELY else "",
        evidence=(
            *fault.evidence,
            *(
                (quote(definition, stored, "the versions that objects are stored in"),)
                if has_path(definition, stored)
                else ()
            ),
        ),
        fixes=fault.fixes,
        commands=fault.commands,
        because_of=(*fault.blamed, *((first,) if first is not None else ())),
    )


def _first_alike(definition: CustomResourceDefinition, cluster: Cluster) -> Ref | None:
    """Of the definitions that name the same Service one speaks for all."""
    mine = _service(definition)
    alike = [
        other.name
        for other in cluster.maybe.all(CustomResourceDefinition)
        if converts_by_webhook(other) and _service(other) == mine
    ]
    first = min(alike, default=definition.name)
    return Ref("CustomResourceDefinition", "", first) if first < definition.name else None


def _service(definition: CustomResourceDefinition) -> tuple[str, str] | None:
    conversion = definition.spec.conversion
    webhook = conversion.webhook if conversion is not None else None
    service = webhook.client_config.service if webhook is not None else None
    return (service.namespace, service.name) if service is not None else None
