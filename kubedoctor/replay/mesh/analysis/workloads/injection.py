"""Namespaces and pods that get no sidecar, or not the one that the injector would give."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from kubedoctor.cluster.grammar.selectors import SelectorError, selector_from_map, selector_of
from kubedoctor.cluster.kinds.containers import Container
from kubedoctor.cluster.kinds.control import Webhook
from kubedoctor.cluster.kinds.core import ConfigMap, Namespace
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.replay.mesh.analysis.messages import Analyzer, AnalyzerMessage, message_about
from kubedoctor.replay.mesh.analysis.objects import DATAPLANE_MODE, AnalyzedObjects, full_name, listed, proxy_image
from kubedoctor.replay.mesh.config import ROOT_NAMESPACE, labels, part, text
from kubedoctor.replay.mesh.injection import INJECT, INJECTION, PROXY, REVISION

_SETTINGS: Final = "istio-sidecar-injector"
_PROXY_CONFIG: Final = "ProxyConfig.networking.istio.io"
_AUTO: Final = "auto"


def analyze_injection(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    injected = set()
    for space in objects.namespaces:
        if space.name == ROOT_NAMESPACE:
            continue
        legacy = space.labels.get(INJECTION)
        marks = [f"{INJECTION}={legacy}"] if legacy is not None else []
        if legacy is None or legacy == "enabled":
            marks += [f"{key}={space.labels[key]}" for key in (REVISION, DATAPLANE_MODE) if key in space.labels]
        if len(marks) > 1:
            yield message_about("IST0123", space, listed(marks))
        if space.labels.get(DATAPLANE_MODE) == "ambient":
            continue
        if not legacy and REVISION not in space.labels:
            by_default = _is_by_default(objects, "")
            yield (
                message_about("IST0148", space)
                if by_default
                else message_about("IST0102", space, space.name, space.name)
            )
        elif legacy == "enabled":
            injected.add(space.name)
    for pod in objects.pods:
        wish = pod.labels.get(INJECT, pod.annotations.get(INJECT, ""))
        if pod.namespace not in injected or wish.lower() == "false" or pod.spec.host_network:
            continue
        if not proxy_image(_containers(pod)):
            yield message_about("IST0103", pod, full_name(pod))


def analyze_automatic_images(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    """Containers that leave their image to the injector, which does not know of them."""
    webhooks = [
        webhook
        for injector in objects.injectors
        for webhook in injector.webhooks or ()
        if webhook.name.endswith("istio.io")
    ]
    for pod in objects.pods:
        if _has_automatic_image(pod.spec.containers):
            yield message_about("IST0147", pod, "Pod", pod.name)
    for deployment in objects.deployments:
        template = deployment.spec.template
        if not _has_automatic_image(template.spec.containers):
            continue
        space = objects.namespace(deployment.namespace or "default")
        if not any(_calls(webhook, space, template.metadata.labels or {}) for webhook in webhooks):
            yield message_about("IST0146", deployment, "Deployment", deployment.name)


def analyze_images(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    """Pods whose proxy is not of the image that the injector gives today."""
    images = {found.name: _image_of(found) for found in objects.config_maps if found.name.startswith(_SETTINGS)}
    variants = _Variants(objects)
    for space in objects.namespaces if images else ():
        revision = space.labels.get(REVISION, "default" if space.labels.get(INJECTION) == "enabled" else None)
        wanted = images.get(_settings_name(revision)) if revision is not None else None
        if wanted is None:
            continue
        others = [
            pod.name
            for pod in objects.pods
            if pod.namespace == space.name and not pod.annotations.get("sidecar.istio.io/proxyImage")
            for container in _containers(pod)
            if container.name == PROXY and container.image not in (wanted, f"{wanted}-{variants.of(pod)}")
        ]
        if others:
            yield message_about("IST0158", space, listed(sorted(others)))


class _Variants:
    """The type of image that the proxy of a pod is meant to have (`analyzers/util/proxyconfig.go`)."""

    def __init__(self, objects: AnalyzedObjects) -> None:
        self._everywhere = _image_type(part(objects.settings, "defaultConfig"))
        self._namespaces: dict[str, str] = {}
        self._workloads: list[tuple[str, dict[str, str], str]] = []
        for found in objects.of(_PROXY_CONFIG):
            variant = _image_type(found.spec)
            if found.namespace == objects.root:
                self._everywhere = variant or self._everywhere
            elif (found.spec or {}).get("selector") is None:
                self._namespaces[found.namespace] = variant
            else:
                self._workloads.append((full_name(found), labels(found.spec, "selector", "matchLabels"), variant))

    def of(self, pod: Pod) -> str:
        variant = self._namespaces.get(pod.namespace) or self._everywhere
        for name, wanted, kind in self._workloads:
            if name.startswith(pod.namespace) and selector_from_map(wanted).matches(pod.labels):
                variant = kind or variant
        if written := pod.annotations.get("proxy.istio.io/config"):
            import yaml  # takes 29 ms, and few pods have the annotation

            with contextlib.suppress(yaml.YAMLError):
                variant = _image_type(yaml.safe_load(written)) or variant
        return "" if variant == "default" else variant


def _image_type(settings: object) -> str:
    return text(part(settings, "image").get("imageType"))


def _image_of(settings: ConfigMap) -> str:
    values = part(_values(settings), "global")
    image = text(part(values, "proxy").get("image"))
    return image if "/" in image else f"{text(values.get('hub'))}/{image}:{values.get('tag') or ''}"


def _is_by_default(objects: AnalyzedObjects, revision: str) -> bool:
    name = _settings_name(revision)
    settings = next((found for found in objects.config_maps if found.name == name), None)
    webhook = part(_values(settings), "sidecarInjectorWebhook") if settings is not None else {}
    return webhook.get("enableNamespacesByDefault") is True


def _settings_name(revision: str) -> str:
    return _SETTINGS if revision in ("", "default") else f"{_SETTINGS}-{revision}"


def _values(settings: ConfigMap) -> Any:
    try:
        return msgspec.json.decode((settings.data or {}).get("values", ""))
    except msgspec.DecodeError:
        return {}


def _containers(pod: Pod) -> tuple[Container, ...]:
    return (*pod.spec.containers, *(pod.spec.init_containers or ()))


def _has_automatic_image(containers: tuple[Container, ...]) -> bool:
    return any(container.name == PROXY and container.image == _AUTO for container in containers)


def _calls(webhook: Webhook, namespace: Namespace | None, pod_labels: dict[str, str]) -> bool:
    try:
        by_namespace = webhook.namespace_selector is None or selector_of(webhook.namespace_selector).matches(
            namespace.labels if namespace is not None else {}
        )
        return by_namespace and (
            webhook.object_selector is None or selector_of(webhook.object_selector).matches(pod_labels)
        )
    except SelectorError:
        return False


ANALYZERS: Final = (
    Analyzer("injection.Analyzer", analyze_injection),
    Analyzer("injection.ImageAnalyzer", analyze_images),
    Analyzer("injection.ImageAutoAnalyzer", analyze_automatic_images),
)
