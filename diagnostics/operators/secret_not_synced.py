"""Secret is not synchronised from its store.

## What it means
An operator should create or update a Secret from a store outside of the cluster, and cannot. Pods that need the Secret do
not start if it was never created; if it was, they run with the last values.

## Why it happens
- The store is not ready: its address, its credentials or its role are wrong, or its ServiceAccount has no identity at the
  cloud.
- The store has no such key, property or version.
- The identity may not read that key.
- A template of the Secret fails, or the Secret belongs to somebody else.
- A SealedSecret was encrypted for another cluster, namespace or name.

## How to fix it
Fix what the message names: the store first, then the reference to the key. A Secret that is created by hand hides the
fault until the next synchronisation, which overwrites or refuses it.

## References
- https://external-secrets.io/latest/introduction/faq/
- https://github.com/bitnami-labs/sealed-secrets
- https://developer.hashicorp.com/vault/docs/platform/k8s/vso
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kubedoctor.answers.statements import Meaning, stated_finding, troubles_of
from kubedoctor.cluster import OPERATOR_KINDS, Cluster, CustomResource, Event
from kubedoctor.findings import Finding, Severity, diagnostic
from kubedoctor.replay.messages.classes import MessageClass

_C = MessageClass
_IDENTITY: Final = (
    "Give the ServiceAccount that the store uses its identity at the cloud: the annotation, the role and its trust"
)
_MEANINGS: Final = {
    _C.SECRET_SYNC_KEY_MISSING: Meaning("the store has no such key", "Create the key in the store, or correct the key, property or version that is referred to"),
    _C.SECRET_SYNC_DENIED: Meaning("the store refuses access", "Allow the identity of the store to read the key"),
    _C.SECRET_SYNC_STORE: Meaning("the store cannot be used", "Fix the store: its provider, its credentials, the namespaces that it allows"),
    _C.SECRET_SYNC_SEALED: Meaning("no private key of the controller opens it: it was sealed for another controller (an earlier cluster), or for another name or namespace", "Seal the Secret again with kubeseal for this controller, name and namespace, or restore the private key of the earlier controller and restart this one"),
    _C.SECRET_SYNC_TARGET: Meaning("the Secret cannot be written", "Correct the template, or let one owner create the Secret"),
    _C.SECRET_SYNC_FAILED: Meaning("it is not synchronised", "Read the events of the object and the log of its operator"),
    _C.CLOUD_IDENTITY_TRUST_POLICY: Meaning("the cloud role does not trust the ServiceAccount", _IDENTITY),
    _C.CLOUD_IDENTITY_NO_PROVIDER: Meaning("the cloud does not know the cluster's identity provider", "Register the cluster's OIDC issuer at the cloud"),
    _C.CLOUD_IDENTITY_FEDERATION: Meaning("the cloud does not accept the ServiceAccount's token", _IDENTITY),
    _C.CLOUD_IDENTITY_POD_IDENTITY: Meaning("the operator gets no cloud identity", _IDENTITY),
    _C.CLOUD_IDENTITY_DENIED: Meaning("the ServiceAccount may not act as the cloud account", _IDENTITY),
}  # fmt: skip


@diagnostic(
    code="KD7102",
    subject="ExternalSecret.external-secrets.io",
    also_subjects=(
        "ClusterExternalSecret.external-secrets.io",
        "PushSecret.external-secrets.io",
        "SecretStore.external-secrets.io",
        "ClusterSecretStore.external-secrets.io",
        "SealedSecret.bitnami.com",
        "VaultStaticSecret.secrets.hashicorp.com",
        "VaultDynamicSecret.secrets.hashicorp.com",
        "VaultPKISecret.secrets.hashicorp.com",
        "VaultAuth.secrets.hashicorp.com",
        "VaultConnection.secrets.hashicorp.com",
    ),
    severity=Severity.WARNING,
    reads=(Event, *OPERATOR_KINDS),
    symptoms=("SecretSyncedError", "InvalidProviderConfig", "UpdateFailed", "ErrUnsealFailed"),
)
def secret_not_synced(obj: CustomResource, cluster: Cluster) -> Iterator[Finding]:
    troubles = tuple(t for t in troubles_of(obj, cluster) if t.reading.message_class in _MEANINGS)
    if troubles:
        yield stated_finding(obj, troubles, _MEANINGS, cluster, ask_operator=True)
