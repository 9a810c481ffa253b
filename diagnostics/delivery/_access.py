"""How a source refuses access, and which object holds what it is reached with."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from kubedoctor.cluster import Cluster, CustomResource, Secret
from kubedoctor.findings import Evidence, Fix, Ref, has_path, quote

_HOST_KEY: Final = re.compile(r"knownhosts|known_hosts|host ?key", re.IGNORECASE)
_CHANGED: Final = re.compile(r"key mismatch|has changed", re.IGNORECASE)
_HOST: Final = re.compile(r"^(?:\w+://)?(?:[^@/]*@)?(?P<host>[\w.-]+)")
_SECRET: Final = "spec.secretRef.name"
_ARGO_HOSTS: Final = "argocd-ssh-known-hosts-cm"
"""Argo CD's ConfigMap beside its own programs, which may serve Applications of other namespaces (`common/common.go`, 2.13)."""
_CONTROLLER: Final = "status.controllerNamespace"
_KEY: Final = "known_hosts"
"""In the Secret of a Flux source (fluxcd.io/flux/components/source/gitrepositories, SSH authentication)."""


class SourceAccess(NamedTuple):
    """`words`: the clause in place of the general one, empty where that is right."""

    words: str
    fix: Fix
    evidence: tuple[Evidence, ...]


def _argo_hosts(obj: CustomResource) -> tuple[str, tuple[Evidence, ...]]:
    """Where Argo CD looks for host keys, and what says so: its controller writes into the status where it runs."""
    if has_path(obj, _CONTROLLER):
        stated = quote(obj, _CONTROLLER, "where Argo CD runs")
        return f"ssh_known_hosts of {Ref('ConfigMap', stated.text, _ARGO_HOSTS).title}", (stated,)
    return f"ssh_known_hosts of ConfigMap {_ARGO_HOSTS} beside argocd-repo-server", ()


def refused_access(obj: CustomResource, url: str, message: str, cluster: Cluster) -> SourceAccess | None:
    """What to repair where a source refuses access. None where the object does not say whom to look at."""
    secret = quote(obj, _SECRET, "the Secret with its credentials") if has_path(obj, _SECRET) else None
    evidence: tuple[Evidence, ...] = (secret,) if secret is not None else ()
    holder = Ref("Secret", obj.namespace, secret.text) if secret is not None else None
    if _HOST_KEY.search(message):
        named = _HOST.search(url)
        host = named["host"] if named is not None else ""
        if obj.group == "argoproj.io":
            where, more = _argo_hosts(obj)
            evidence += more
        else:
            where = f"{_KEY} of {holder.title}" if holder is not None else _KEY
        changed = "is not the one" if _CHANGED.search(message) else "is not"
        return SourceAccess(
            f"the SSH host key of {host or 'its source'} {changed} in {where}",
            Fix(
                f"Put the host key of {host or 'the server'} into {where}: ssh-keyscan {host or 'HOST'} shows it; compare it with"
                " the key that its operator publishes"
            ),
            evidence,
        )
    if holder is None:
        return None
    if cluster.maybe.get(Secret, holder.namespace, holder.name) is None and cluster.has_all(Secret, holder.namespace):
        return SourceAccess(
            f"{holder.title} with its credentials does not exist", Fix(f"Create {holder.title}"), evidence
        )
    return SourceAccess("", Fix(f"Correct the credentials in {holder.title}, or the rights of its account"), evidence)
