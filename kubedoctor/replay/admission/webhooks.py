"""Which webhooks the API server calls about an object, and whether it can (`apiserver/pkg/admission/plugin/webhook`, v1.37)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

import msgspec

from kubedoctor.cluster.grammar.certificates import certificate_validities
from kubedoctor.cluster.kinds.control import (
    MutatingWebhookConfiguration,
    ValidatingWebhookConfiguration,
    Webhook,
)
from kubedoctor.cluster.kinds.core import Service
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.wants import CannotSee
from kubedoctor.replay.admission.matching import (
    AdmissionRequest,
    is_exempt,
    rule_matches,
    selects_object,
    selects_space,
)
from kubedoctor.replay.cel import CelVerdict, evaluated
from kubedoctor.replay.services.backends import backends

WebhookConfiguration = ValidatingWebhookConfiguration | MutatingWebhookConfiguration


class MatchingWebhook(msgspec.Struct, frozen=True):
    """A webhook that is called about an object. why: the end of the API server's message where the call cannot succeed."""

    configuration: WebhookConfiguration
    webhook: Webhook
    why: str = ""

    @property
    def refuses(self) -> bool:
        """Whether an object is refused because the webhook cannot be called."""
        return bool(self.why) and self.webhook.failure_policy != "Ignore"

    @property
    def text(self) -> str:
        """As the API server says it."""
        name, call = self.webhook.name, self.webhook.client_config
        target = call.url or ""
        if call.service is not None:
            host = f"{call.service.name}.{call.service.namespace}.svc:{call.service.port or 443}"
            target = f"https://{host}{call.service.path or '/'}"
        target += f"?timeout={self.webhook.timeout_seconds or 10}s"
        return f'failed calling webhook "{name}": failed to call webhook: Post "{target}": {self.why}'


def matching_webhooks(request: AdmissionRequest, cluster: Cluster) -> Iterator[MatchingWebhook]:
    """In the order of calls: those that change objects first. What cannot be decided counts as no match."""
    if is_exempt(request):
        return
    lenient = cluster.maybe
    for kind in (MutatingWebhookConfiguration, ValidatingWebhookConfiguration):
        for configuration in lenient.all(kind):
            assert isinstance(configuration, WebhookConfiguration)
            for webhook in configuration.webhooks or ():
                if is_called(webhook, request):
                    yield MatchingWebhook(configuration, webhook, unreachable(webhook, lenient))


def is_called(webhook: Webhook, request: AdmissionRequest) -> bool:
    """By its rules, selectors and conditions; False where a condition cannot be evaluated."""
    equivalent = (webhook.match_policy or "Equivalent") == "Equivalent"
    return (
        any(rule_matches(rule, request, equivalent=equivalent) for rule in webhook.rules or ())
        and selects_object(webhook.object_selector, request)
        and selects_space(webhook.namespace_selector, request) is True
        and all(_is_met(str(condition.get("expression")), request) for condition in webhook.match_conditions or ())
    )


def _is_met(expression: str, request: AdmissionRequest) -> bool:
    outcome = evaluated(
        expression, {"object": request.data, "oldObject": None, "request": {"namespace": request.namespace}}
    )
    return outcome.verdict is CelVerdict.VALUE and outcome.value is True


def unreachable(webhook: Webhook, cluster: Cluster) -> str:
    """Why the API server cannot call it, in its words; empty where it can, or where that is not known."""
    target = webhook.client_config.service
    if target is None:
        return ""
    before = len(cluster.gaps)
    service = cluster.get(Service, target.namespace, target.name)
    if service is None:
        return f'service "{target.name}" not found' if len(cluster.gaps) == before else ""
    number = target.port or 443
    if all(port.port != number for port in service.spec.ports or ()):
        return f'no service port {number} found for service "{target.name}"'
    try:
        behind = backends(service, cluster)
    except CannotSee:
        return ""
    if service.spec.selector and not behind.served and len(behind.failing) == len(behind.live) and not behind.leaving:
        return f'no endpoints available for service "{target.name}"'
    if _is_expired(webhook, cluster):
        return "tls: failed to verify certificate: x509: certificate has expired or is not yet valid"
    return ""


def _is_expired(webhook: Webhook, cluster: Cluster) -> bool:
    """Every authority that it may be signed by has expired."""
    try:
        pem = base64.b64decode(webhook.client_config.ca_bundle or "").decode("ascii", "replace")
    except (binascii.Error, ValueError):
        return False
    validities = certificate_validities(pem)
    return bool(validities) and all(validity.end < cluster.taken_at for validity in validities)
