"""Whether Istio puts a sidecar into a pod.

Two gates: the API server must call the injector's webhook (labels of namespace and pod decide), and the injector
must agree. Sources: `istioctl/pkg/checkinject/checkinject.go`, `pkg/kube/inject/inject.go`, Istio 1.31.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from kubedoctor.cluster.grammar.selectors import SelectorError, selector_of
from kubedoctor.cluster.kinds.control import MutatingWebhookConfiguration, Webhook
from kubedoctor.cluster.kinds.meta import LabelSelector
from kubedoctor.cluster.kinds.pods import Pod

INJECTION = "istio-injection"
REVISION = "istio.io/rev"
TAG = "istio.io/tag"
INJECT = "sidecar.istio.io/inject"
STATUS = "sidecar.istio.io/status"
DATAPLANE = "istio.io/dataplane-mode"
PROXY = "istio-proxy"
INCLUDE_INBOUND = "traffic.sidecar.istio.io/includeInboundPorts"
EXCLUDE_INBOUND = "traffic.sidecar.istio.io/excludeInboundPorts"
NEVER = LabelSelector(match_labels={"istio.io/deactivated": "never-match"})
IGNORED_NAMESPACES = frozenset({"kube-system", "kube-public", "kube-node-lease", "local-path-storage"})


class Injector(msgspec.Struct, frozen=True):
    """The injector's own rule, as the ConfigMap `istio-sidecar-injector` sets it."""

    policy: str = "enabled"
    never: Sequence[LabelSelector] = ()
    always: Sequence[LabelSelector] = ()


class Call(msgspec.Struct, frozen=True):
    """Whether a configuration's webhooks are called for a pod, and istioctl's reason. `times`: by how many."""

    configuration: MutatingWebhookConfiguration
    calls: bool
    reason: str
    times: int = 0

    @property
    def revision(self) -> str:
        return self.configuration.labels.get(REVISION, "")

    @property
    def is_deactivated(self) -> bool:
        """Its webhooks are configured to match nothing."""
        return any(_never(webhook) for webhook in self.configuration.webhooks or ())


def is_injector(configuration: MutatingWebhookConfiguration) -> bool:
    """Whether the webhooks are those of an Istio injector."""
    return any(webhook.name.endswith("istio.io") for webhook in configuration.webhooks or ())


def calls(
    configurations: Iterable[MutatingWebhookConfiguration],
    namespace_labels: Mapping[str, str],
    pod_labels: Mapping[str, str],
) -> tuple[Call, ...]:
    """For each of Istio's configurations, by name, whether the API server calls it when the pod is created."""
    ours = sorted(
        (configuration for configuration in configurations if is_injector(configuration)),
        key=lambda configuration: configuration.name,
    )
    return tuple(_call(injector, namespace_labels, pod_labels) for injector in ours)


def required(pod: Pod, namespace: str, injector: Injector) -> bool:
    """Whether the injector injects once it is called."""
    if pod.spec.host_network or namespace in IGNORED_NAMESPACES:
        return False
    wish = pod.labels[INJECT] if INJECT in pod.labels else pod.annotations.get(INJECT, "")
    inject: bool | None = {"true": True, "false": False}.get(wish)
    if inject is None and _any_matches(injector.never, pod.labels):
        inject = False
    if inject is None and _any_matches(injector.always, pod.labels):
        inject = True
    if injector.policy == "enabled":
        return inject is not False
    return inject is True if injector.policy == "disabled" else False


def has_sidecar(pod: Pod) -> bool:
    """A proxy among the containers, or among the init containers that keep running; or the injector's own mark."""
    return STATUS in pod.annotations or any(
        container.name == PROXY for container in (*pod.spec.containers, *(pod.spec.init_containers or ()))
    )


def _any_matches(selectors: Sequence[LabelSelector], labels: Mapping[str, str]) -> bool:
    for label_selector in selectors:
        try:
            selector = selector_of(label_selector)
        except SelectorError:
            continue
        if not selector.is_empty and selector.matches(labels):
            return True
    return False


def _call(
    configuration: MutatingWebhookConfiguration, namespace_labels: Mapping[str, str], pod_labels: Mapping[str, str]
) -> Call:
    webhooks = configuration.webhooks or ()
    reason = ""
    times = 0
    for webhook in webhooks:
        by_namespace = _matches(webhook.namespace_selector, namespace_labels)
        by_pod = _matches(webhook.object_selector, pod_labels)
        times += by_namespace and by_pod
        reason = reason or _reason(webhook, namespace_labels, pod_labels, by_namespace=by_namespace, by_pod=by_pod)
    return Call(configuration, times > 0, reason or _no_match(webhooks), times)


def _matches(selector: LabelSelector | None, labels: Mapping[str, str]) -> bool:
    if selector is None:
        return True
    try:
        return selector_of(selector).matches(labels)
    except SelectorError:
        return False


def _reason(
    webhook: Webhook,
    namespace_labels: Mapping[str, str],
    pod_labels: Mapping[str, str],
    *,
    by_namespace: bool,
    by_pod: bool,
) -> str:
    """In istioctl's words; empty where this webhook gives none."""
    if by_namespace and by_pod:
        space = _deciding(webhook.namespace_selector, namespace_labels)
        pod = _deciding(webhook.object_selector, pod_labels)
        if space and pod:
            return f"Namespace label {space} matches, and pod label {pod} matches"
        if space:
            everywhere = " (Automatic injection is enabled in all namespaces)." if "metadata.name" in space else ""
            return f"Namespace label {space} matches{everywhere}"
        return f"Pod label {pod} matches" if pod else ""
    if by_namespace:
        return _prevented(webhook.object_selector, pod_labels)
    value = namespace_labels.get(INJECTION, "enabled")
    if by_pod and value != "enabled":
        return f"Namespace has {INJECTION}={value} label, preventing injection"
    return ""


def _deciding(selector: LabelSelector | None, labels: Mapping[str, str]) -> str:
    for requirement in (selector.match_expressions if selector else None) or ():
        if requirement.operator in ("In", "NotIn") and requirement.key in labels:
            return f"{requirement.key}={labels[requirement.key]}"
    return ""


def _prevented(selector: LabelSelector | None, labels: Mapping[str, str]) -> str:
    for requirement in (selector.match_expressions if selector else None) or ():
        value = labels.get(requirement.key)
        if value is None:
            continue
        if requirement.operator == "DoesNotExist" or (
            requirement.operator == "NotIn" and value in (requirement.values or ())
        ):
            return f"Pod has {requirement.key}={value} label, preventing injection"
    return ""


def _no_match(webhooks: Sequence[Webhook]) -> str:
    if any(_never(webhook) for webhook in webhooks):
        return "The injection webhook is deactivated, and will never match labels."
    spaces = [text for webhook in webhooks for text in _asked(webhook.namespace_selector)]
    pods = [text for webhook in webhooks for text in _asked(webhook.object_selector)]
    return f"No matching namespace labels ({', '.join(spaces)}) or pod labels ({', '.join(pods)})"


def _never(webhook: Webhook) -> bool:
    return webhook.namespace_selector == NEVER and webhook.object_selector == NEVER


def _asked(selector: LabelSelector | None) -> list[str]:
    return [
        f"{requirement.key}={value}"
        for requirement in (selector.match_expressions if selector else None) or ()
        if requirement.operator == "In"
        for value in requirement.values or ()
    ]


def captures(pod: Pod, port: int) -> bool:
    """Whether connections to the port pass the pod's sidecar (`tools/istio-iptables`: included and not excluded)."""
    included, excluded = (
        {word.strip() for word in pod.annotations.get(key, default).split(",")}
        for key, default in ((INCLUDE_INBOUND, "*"), (EXCLUDE_INBOUND, ""))
    )
    return bool({"*", str(port)} & included) and str(port) not in excluded
