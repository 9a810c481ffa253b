"""A webhook that the API server cannot call: whether its Service can answer, and what to do."""

from __future__ import annotations

from typing import Final

from diagnostics.admission.webhooks._serving import ServingCertificate, serving_certificate
from kubedoctor.answers.reach.denials import deciding_parts, in_words
from kubedoctor.answers.reach.from_api_server import denied_to_api_server, opening_fix
from kubedoctor.cluster import (
    Cluster,
    EndpointSlice,
    Evidence,
    Ref,
    Service,
    Webhook,
    counted,
    listed,
    quote,
    ref,
)
from kubedoctor.findings import Fix
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.messages.message import Message
from kubedoctor.replay.messages.reader import read_message
from kubedoctor.replay.network.enforcers import refuses_what_it_denies

_REFUSED: Final = "connection refused"
_EXPIRED: Final = "certificate has expired or is not yet valid"
_OTHER_NAME: Final = "certificate is valid for "
_MEANWHILE: Final = "; until then, set its failurePolicy to Ignore"
Answer = tuple[str, tuple[Evidence, ...], Fix]
"""What the Service shows, as a clause; its evidence; the fix."""


def webhook_service(webhook: Webhook, configuration: Ref, why: str, cluster: Cluster) -> Answer:
    """why: the end of the API server's message."""
    target = webhook.client_config.service
    kind = _kind(why)
    if kind is MessageClass.WEBHOOK_CERTIFICATE and target is not None and not webhook.client_config.ca_bundle:
        return (
            "its caBundle is empty",
            (),
            Fix(f"Fill caBundle in {configuration.title}: by the program that issues the certificate"),
        )
    if kind is MessageClass.WEBHOOK_CERTIFICATE:
        served = _served(webhook, cluster)
        if served is not None and served.fault:
            return (
                served.fault,
                (served.evidence,),
                Fix(f"Renew the certificate in {ref(served.secret).title}{_MEANWHILE}"),
            )
        if served is not None and (_EXPIRED in why or _OTHER_NAME in why):
            return (
                f"{ref(served.secret).title} has a valid certificate by now",
                (served.evidence,),
                Fix(f"Restart the pods of the webhook, which may have read an older one at their start{_MEANWHILE}"),
            )
        return "", (), Fix(f"Renew the certificate of the webhook's server, or the caBundle in {configuration.title}")
    if target is None:
        return "", (), Fix(f"Make the server at the webhook's url answer{_MEANWHILE}")
    name = Ref("Service", target.namespace, target.name)
    service = cluster.maybe.get(Service, target.namespace, target.name)
    slices = cluster.maybe.slices_of(target.namespace, target.name)
    if any(gap.kind in ("Service", "EndpointSlice") for gap in cluster.gaps):
        return (
            "",
            (),
            Fix(f"Check that {name.title} has ready endpoints, and that the API server reaches them{_MEANWHILE}"),
        )
    if service is None:
        fix = f"Install the component of {name.title} again, or delete {configuration.title} if it was removed"
        return f"{name.title} does not exist", (), Fix(fix)
    ready = [endpoint for part in slices for endpoint in part.endpoints or () if endpoint.is_ready]
    if not ready:
        return f"{name.title} has no ready endpoints", (), Fix(f"Fix the pods behind {name.title}{_MEANWHILE}")
    ports = _ports(service, target.port or 443, slices)
    where = f"port {listed(map(str, ports), 3)}" if ports else "its port"
    clause = f"{name.title} has {counted(len(ready), 'ready endpoint')} at {where}"
    evidence = tuple(
        quote(part, f"ports[{place}].port", "where the webhook's server should answer")
        for part in slices[:1]
        for place, port in enumerate(part.ports or ())
        if port.port in ports
    )
    denied = None
    if kind in (MessageClass.WEBHOOK_TIMEOUT, MessageClass.WEBHOOK_UNREACHABLE):
        denied = denied_to_api_server(service, target.port or 443, cluster)
    if denied is not None and (_REFUSED not in why or refuses_what_it_denies(cluster)):
        policy = ref(denied.policy)
        return (
            f"{clause}, which {policy.title} closes to the API server: {in_words(denied)}",
            (*evidence, *deciding_parts(denied)),
            opening_fix(denied, service, target.port or 443, cluster),
        )
    if kind in (MessageClass.WEBHOOK_TIMEOUT, MessageClass.WEBHOOK_UNREACHABLE) and _REFUSED not in why:
        fix = f"Let the API server reach {where} of the pods behind {name.title}: check firewalls and NetworkPolicies"
    elif kind is MessageClass.WEBHOOK_UNREACHABLE:
        fix = f"Make the webhook's server listen on {where}, or correct targetPort of {name.title}"
    else:
        fix = f"Read the log of the pods behind {name.title}: they receive the call"
    return clause, evidence, Fix(f"{fix}{_MEANWHILE}")


def _served(webhook: Webhook, cluster: Cluster) -> ServingCertificate | None:
    target = webhook.client_config.service
    service = cluster.maybe.get(Service, target.namespace, target.name) if target is not None else None
    return serving_certificate(service, cluster) if service is not None else None


def _kind(why: str) -> MessageClass | None:
    reading = read_message(Message(text=f"failed calling webhook: {why}", reason="FailedCreate"))
    return reading.message_class if reading is not None else None


def _ports(service: Service, number: int, slices: tuple[EndpointSlice, ...]) -> tuple[int, ...]:
    """The ports of the endpoints that a port of the Service leads to; in slices both have the same name."""
    names = {port.name for port in service.spec.ports or () if port.port == number}
    ports = (port.port for part in slices for port in part.ports or () if (port.name or "") in names)
    return tuple(dict.fromkeys(port for port in ports if port is not None))
