"""A login at Azure without the token that the webhook of workload identity injects into the pods that ask for it."""

from __future__ import annotations

import re
from typing import Final

from diagnostics.pods.crashes._story import Story
from kubedoctor.cluster import Cluster, Pod, ServiceAccount
from kubedoctor.findings import Ref, fix_by_hand, has_path, quote
from kubedoctor.replay.logs.reading import LogCause

LABEL: Final = "azure.workload.identity/use"
CLIENT: Final = "azure.workload.identity/client-id"
_WITHOUT_TOKEN: Final = re.compile(r"WorkloadIdentityCredential|AZURE_FEDERATED_TOKEN_FILE|federatedTokenFilePath")
_BELOW: Final = 8
"""Each credential that the library tries has a line of its own."""


def no_azure_token(
    pod: Pod, lines: tuple[str, ...], cause: LogCause, message: str, about: Ref, cluster: Cluster
) -> Story | None:
    """None where the log does not mention workload identity, or the pod has the label."""
    said = "\n".join(lines[cause.index : cause.index + _BELOW])
    if _WITHOUT_TOKEN.search(said) is None or pod.labels.get(LABEL) == "true":
        return None
    name = pod.spec.service_account_name or "default"
    account = cluster.maybe.get(ServiceAccount, pod.namespace, name)
    annotation = f"metadata.annotations[{CLIENT}]"
    known = (
        (quote(account, annotation, "the identity that the pod could have"),)
        if account is not None and has_path(account, annotation)
        else ()
    )
    if not known:
        return None
    text = f'the pod lacks label {LABEL}: "true", so Azure workload identity injects no token: {message}'
    return Story(
        text,
        evidence=known,
        fixes=(fix_by_hand(about, f'Add label {LABEL}: "true" to the labels of the pods'),),
    )
