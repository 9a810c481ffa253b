"""A file that the program does not find: what should have put it there."""

from __future__ import annotations

import posixpath

from diagnostics.pods.crashes._story import Story
from diagnostics.pods.crashes.files._mounted import mount_of, mounted_files, mounted_key
from kubedoctor.cluster import (
    Cluster,
    ConfigMap,
    Container,
    Pod,
    Secret,
    ServiceAccount,
    listed,
    misspellings,
    quote,
)
from kubedoctor.findings import Fix, Ref, fix_by_hand, quote_spec
from kubedoctor.replay.kubelet.references import keys_of

TOKENS = "/var/run/secrets/kubernetes.io/serviceaccount"
OTHER_TOKENS = "/run/secrets/kubernetes.io/serviceaccount"
MOST_KEYS = 8


def missing_file(pod: Pod, container: Container, path: str, about: Ref, cluster: Cluster) -> Story | None:
    """Why the file is not there, as far as the pod's volumes tell; None where they do not."""
    if path.startswith((f"{TOKENS}/", f"{OTHER_TOKENS}/")) and mount_of(container, path) is None:
        return _no_token(pod, path, about, cluster)
    return _no_key(pod, container, path, about, cluster) or _elsewhere(pod, container, path, about, cluster)


def _no_token(pod: Pod, path: str, about: Ref, cluster: Cluster) -> Story | None:
    """The token is mounted unless the pod or its ServiceAccount says otherwise; the pod's word decides
    (plugin/pkg/admission/serviceaccount)."""
    field = "automountServiceAccountToken"
    name = pod.spec.service_account_name or "default"
    if pod.spec.automount_service_account_token is False:
        who, evidence = "the pod", quote(pod, f"spec.{field}", "no token is mounted")
    elif pod.spec.automount_service_account_token is None:
        account = cluster.maybe.get(ServiceAccount, pod.namespace, name)
        if account is None or account.automount_service_account_token is not False:
            return None
        who, evidence = f"ServiceAccount {name}", quote(account, field, "no token is mounted")
    else:
        return None
    fix = fix_by_hand(about, f"Set {field}: true in the pod, or do without the Kubernetes API")
    return Story(f"{path} not found: {who} sets {field} to false", evidence=(evidence,), fixes=(fix,))


def _elsewhere(pod: Pod, container: Container, path: str, about: Ref, cluster: Cluster) -> Story | None:
    """A file of this name is mounted at another path. What another container writes into a volume is no such file."""
    if mount_of(container, path) is not None:
        return None
    found = [
        file
        for file in mounted_files(pod, container, cluster)
        if posixpath.basename(file.path) == posixpath.basename(path)
    ]
    if len(found) != 1:
        return None
    file = found[0]
    text = f"{path} not found: {file.kind} {file.name} has it, and is mounted so that it is {file.path}"
    where = f"volumeMounts[mountPath={file.mount_path}].mountPath"
    evidence = quote_spec(pod, cluster, about, container.name, where, f"where {file.kind} {file.name} is mounted")
    words = f"Let the program read {file.path}, or mount {file.kind} {file.name} at {posixpath.dirname(path)}"
    return Story(text, evidence=tuple(evidence), fixes=(fix_by_hand(about, words),))


def _no_key(pod: Pod, container: Container, path: str, about: Ref, cluster: Cluster) -> Story | None:
    source = mounted_key(pod, container, path)
    if source is None:
        return None
    view = cluster.maybe
    holder: ConfigMap | Secret | None
    if source.kind == "ConfigMap":
        holder = view.get(ConfigMap, pod.namespace, source.name)
    else:
        holder = view.get(Secret, pod.namespace, source.name)
    if holder is None:
        return None
    keys = sorted(keys_of(holder))
    if source.key in keys:
        return None  # It was added since: a file mounted by subPath never changes.
    near = misspellings(source.key, keys, 1)
    said = f"{path} is an empty directory" if source.alone else f"{path} not found"
    text = f"{said}: {source.kind} {source.name}, which is mounted there, has no key {source.key}"
    if near:
        text += f"; did you mean {near[0]}?"
    elif keys:
        text += f"; its keys: {listed(keys, MOST_KEYS)}"
    field = "subPath" if source.alone else "mountPath"
    shows = "the key that it mounts" if source.alone else f"where {source.kind} {source.name} is mounted"
    evidence = quote_spec(
        pod, cluster, about, container.name, f"volumeMounts[mountPath={source.mount_path}].{field}", shows
    )
    fixes: tuple[Fix, ...] = (
        fix_by_hand(
            about, f"Use key {near[0]} instead" if near else f"Add key {source.key} to {source.kind} {source.name}"
        ),
    )
    return Story(text, because_of=(), evidence=tuple(evidence), fixes=fixes)
