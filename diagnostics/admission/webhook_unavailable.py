"""Webhook cannot be called.

## What it means
The API server asks a webhook about the objects that its rules name. It cannot call this one: with failurePolicy Fail it
refuses those objects.

## Why it happens
- The Service of the webhook does not exist: its component was removed, and its configuration was left behind.
- The pods behind the Service are not ready, or there are none. If the webhook is called about its own pods too, or about those of
  the network plugin, none of them can be created again: a deadlock.
- The certificate of the webhook's server has expired, or is for other names than `SERVICE.NAMESPACE.svc`.
- `caBundle` is empty: what should fill it (cainjector of cert-manager, the service CA operator of OpenShift) does not
  run, is not allowed to, or lacks the certificate. Then the API server does not trust the webhook's server.

## How to fix it
1. Make the pods of the webhook ready, or install its component again.
2. If `caBundle` is empty, read the log of what fills it.
3. If the component was removed permanently, delete the configuration.

## References
- https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
- https://cert-manager.io/docs/concepts/ca-injector/
"""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.admission.webhooks._uncalled import UNSEEN, UncalledWebhook, is_new, uncalled
from kubedoctor.cluster import (
    WORKLOADS,
    Cluster,
    EndpointSlice,
    MutatingWebhookConfiguration,
    Namespace,
    Pod,
    Secret,
    SelectorError,
    Service,
    ValidatingWebhookConfiguration,
    Webhook,
    has_path,
    listed,
    quote,
    ref,
    selector_of,
)
from kubedoctor.cluster.changes import delete
from kubedoctor.findings import (
    Confidence,
    Effect,
    Explains,
    Finding,
    Fix,
    Severity,
    command_line,
    diagnostic,
)

WebhookConfiguration = ValidatingWebhookConfiguration | MutatingWebhookConfiguration


@diagnostic(
    code="KD5106",
    subject=ValidatingWebhookConfiguration,
    also_subjects=(MutatingWebhookConfiguration,),
    severity=Severity.WARNING,
    reads=(EndpointSlice, Namespace, Pod, Secret, Service, *WORKLOADS),
    explains=(Explains("calls", ("KD7001", "KD7101", "KD7102", "KD7103")),),
    symptoms=(
        "failed calling webhook",
        "x509: certificate has expired or is not yet valid",
        "x509: certificate is valid for",
        "x509: certificate signed by unknown authority",
        "no endpoints available for service",
    ),
)
def webhook_unavailable(configuration: WebhookConfiguration, cluster: Cluster) -> Iterator[Finding]:
    faults: dict[str, tuple[UncalledWebhook, list[Webhook]]] = {}
    if is_new(configuration, cluster):
        return
    for webhook in configuration.webhooks or ():
        if webhook.failure_policy == "Ignore" or not webhook.rules or _selects_nothing(webhook, cluster):
            continue  # Nothing is refused: some leave such a configuration behind on purpose.
        removed = Fix(
            "Or delete the configuration, if the component was removed permanently",
            command_line(delete(ref(configuration)), configuration),
            Effect.CHANGES,
        )
        client = f"webhooks[name={webhook.name}].clientConfig"
        fault = uncalled(configuration, webhook.client_config, client, removed, cluster, webhook)
        if fault is not None:
            faults.setdefault(fault.why, (fault, []))[1].append(webhook)
    for why, (fault, webhooks) in faults.items():
        first = webhooks[0]
        policy = f"webhooks[name={first.name}].failurePolicy"
        more = f" and {len(webhooks) - 1} more" if len(webhooks) > 1 else ""
        yield Finding(
            about=ref(configuration),
            summary=f"the API server cannot call webhook {first.name}{more}: {why}; it refuses {_calls(first)}",
            detail=fault.detail,
            confidence=fault.confidence,
            would_disprove=UNSEEN if fault.confidence is Confidence.LIKELY else "",
            evidence=(
                *(
                    (quote(configuration, policy, "what happens where it cannot be called"),)
                    if has_path(configuration, policy)
                    else ()
                ),
                *fault.evidence,
            ),
            fixes=fault.fixes,
            commands=fault.commands,
            because_of=fault.blamed,
            aspect=first.name,
        )


def _calls(webhook: Webhook) -> str:
    """`CREATE, UPDATE on pods that its selectors match`, `every operation on all resources of cert-manager.io`, of its
    first rule."""
    rule = (webhook.rules or ())[0]
    operations = "every operation" if "*" in (rule.operations or ()) else listed(rule.operations or (), 4)
    group = next((group for group in rule.api_groups or () if group), "")
    names = [name for name in rule.resources or () if "/" not in name or name == "*/*"] or list(rule.resources or ())
    everything = any(name in ("*", "*/*") for name in names)
    whose = "" if not group else " in all API groups" if group == "*" else f" of {group}"
    selected = any(
        (one.match_labels or one.match_expressions)
        for one in (webhook.namespace_selector, webhook.object_selector)
        if one is not None
    )
    where = " that its selectors match" if selected or webhook.match_conditions else ""
    return f"{operations or 'every operation'} on {'all resources' if everything else listed(names, 3)}{whose}{where}"


def _selects_nothing(webhook: Webhook, cluster: Cluster) -> bool:
    """No namespace has the labels that it selects."""
    chosen = webhook.namespace_selector
    anywhere = any((rule.scope or "*") == "Cluster" for rule in webhook.rules or ())
    if chosen is None or anywhere or not (chosen.match_labels or chosen.match_expressions):
        return False
    spaces = cluster.maybe.all(Namespace)
    if not spaces or not cluster.has_all(Namespace, ""):
        return False
    try:
        wanted = selector_of(chosen)
    except SelectorError:
        return False
    return not any(wanted.matches(space.labels) for space in spaces)
