"""The webhooks of Istio: two that inject the same pod, services that do not exist, addresses of control planes elsewhere."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Final

from kubedoctor.cluster.grammar.selectors import SelectorError, selector_of
from kubedoctor.cluster.kinds.control import MutatingWebhookConfiguration, ValidatingWebhookConfiguration
from kubedoctor.cluster.kinds.meta import LabelSelector
from kubedoctor.replay.mesh.analysis.messages import Analyzer, AnalyzerMessage, message_about
from kubedoctor.replay.mesh.analysis.objects import AnalyzedObjects, listed
from kubedoctor.replay.mesh.injection import INJECT, INJECTION, REVISION, is_injector

_INVALID: Final = "was provided in an invalid format"  # upstream's words
_URL: Final = re.compile(
    r"(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?(?://(?:[^/?#@]*@)?(?P<host>\[[^\]]*\]|[^/?#:]*)(?::\d*)?)?(?:[/?#].*)?"
)


def analyze_webhooks(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    ours = [one for one in objects.injectors if is_injector(one) or _revisions(one)]
    revisions = sorted({revision for one in ours for revision in _revisions(one)})
    spaces = _labels(INJECTION, ("enabled", "disabled"), revisions)
    pods = _labels(INJECT, ("true", "false"), revisions)
    reported = set()
    for space in spaces:
        for pod in pods:
            called = {
                f"{one.name}/{webhook.name}": one
                for one in ours
                for webhook in one.webhooks or ()
                if _matches(webhook.namespace_selector, space) and _matches(webhook.object_selector, pod)
            }
            for name, one in called.items() if len(called) > 1 else ():
                others = listed(sorted(called.keys() - {name}))
                words = f"Webhook overlaps with others: {others}. This may cause injection to occur twice."
                if (one.name, words) not in reported:
                    reported.add((one.name, words))
                    yield message_about("IST0139", one, words)
    known = {(service.namespace, service.name) for service in objects.services}
    for one in ours:
        for webhook in one.webhooks or ():
            service = webhook.client_config.service
            if service is not None and (service.namespace, service.name) not in known:
                name = f"{service.namespace}/{service.name}"
                yield message_about(
                    "IST0139", one, f"Injector refers to a control plane service that does not exist: {name}."
                )


def analyze_external_control_plane(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    for validator in objects.validators:
        if validator.name == "istiod-default-validator" or validator.name.startswith("istio-validator"):
            yield from _addresses(validator)
    for injector in objects.injectors:
        if injector.name.startswith("istio-sidecar-injector"):
            yield from _addresses(injector)


def _addresses(
    configuration: MutatingWebhookConfiguration | ValidatingWebhookConfiguration,
) -> Iterator[AnalyzerMessage]:
    for webhook in configuration.webhooks or ():
        url = webhook.client_config.url
        if url is None:
            if webhook.client_config.service is None:
                yield message_about("IST0163", configuration, "", webhook.name, "is blank")
            continue
        host = _host(url)
        if host is None:
            yield message_about("IST0163", configuration, url, webhook.name, _INVALID)
        elif _is_address(host):
            yield message_about("IST0164", configuration, url, webhook.name)


def _host(url: str) -> str | None:
    found = _URL.fullmatch(url)
    return (found["host"] or "").strip("[]") if found is not None and not url.startswith(":") else None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _labels(key: str, values: tuple[str, str], revisions: list[str]) -> list[dict[str, str]]:
    plain = [{}, *({key: value} for value in values)]
    return plain + [{**labels, REVISION: revision} for revision in revisions for labels in plain]


def _revisions(configuration: MutatingWebhookConfiguration) -> set[str]:
    found = {configuration.labels[REVISION]} if REVISION in configuration.labels else set()
    for webhook in configuration.webhooks or ():
        for selector in (webhook.namespace_selector, webhook.object_selector):
            if selector is None:
                continue
            if (value := (selector.match_labels or {}).get(REVISION)) is not None:
                found.add(value)
            for row in selector.match_expressions or ():
                found |= set(row.values or ()) if row.key == REVISION else set()
    return found


def _matches(selector: LabelSelector | None, labels: Mapping[str, str]) -> bool:
    if selector is None:
        return True
    try:
        return selector_of(selector).matches(labels)
    except SelectorError:
        return False


ANALYZERS: Final = (
    Analyzer("webhook.Analyzer", analyze_webhooks),
    Analyzer("externalcontrolplane.ExternalControlPlaneAnalyzer", analyze_external_control_plane),
)
