"""The object that `kubectl create` makes."""

from __future__ import annotations

import json
from typing import Any

from kubedoctor.answers.what_if.words import UnreadChange, Words
from kubedoctor.cluster.kinds.resources import kind_from_word

_SECRETS = {
    "docker-registry": ("kubernetes.io/dockerconfigjson", (".dockerconfigjson",)),
    "tls": ("kubernetes.io/tls", ("tls.crt", "tls.key")),
}
_RBAC = "rbac.authorization.k8s.io"


def created_object(words: Words, namespace: str) -> dict[str, Any]:
    """The object as the API has it. Raises UnreadChange for what cannot be tried."""
    if text := words.flag("-f", "--filename"):
        return _given(text, namespace)
    free = words.free
    if free[:1] in (["configmap"], ["cm"], ["secret"]):
        return _of_keys(free, words, namespace)
    row = kind_from_word(free[0]) if free else None
    what = row.kind if row is not None else ""
    if (
        what not in ("ServiceAccount", "Namespace", "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding")
        or len(free) < 2
    ):
        raise UnreadChange(
            "of create these can be tried: namespace, serviceaccount, configmap, secret, role, rolebinding and those of the cluster"
        )
    scoped = what not in ("Namespace", "ClusterRole", "ClusterRoleBinding")
    if scoped and not namespace:
        raise UnreadChange("which namespace? Add -n NAMESPACE")
    metadata = {"name": free[1], **({"namespace": namespace} if scoped else {})}
    if what in ("ServiceAccount", "Namespace"):
        return {"apiVersion": "v1", "kind": what, "metadata": metadata}
    return {"apiVersion": f"{_RBAC}/v1", "kind": what, "metadata": metadata, **_rules(what, words, namespace)}


def _of_keys(free: list[str], words: Words, namespace: str) -> dict[str, Any]:
    """A ConfigMap or Secret with the keys that are given; what the values are decides nothing."""
    secret = free[0] == "secret"
    names = free[2:] if secret else free[1:]
    if not names or not namespace:
        raise UnreadChange("no name is given" if not names else "which namespace? Add -n NAMESPACE")
    given = (pair.partition("=") for pair in words.every("--from-literal"))
    files = (pair.rpartition("=") for pair in words.every("--from-file"))
    data = {
        **{key: value for key, _, value in given},
        **{(key or path.rpartition("/")[2]): "" for key, _, path in files},
    }
    metadata = {"name": names[0], "namespace": namespace}
    if not secret:
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
    form, keys = _SECRETS.get(free[1], ("Opaque", ()))
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": form,
        "metadata": metadata,
        "data": dict.fromkeys((*keys, *data), ""),
    }


def _rules(what: str, words: Words, namespace: str) -> dict[str, Any]:
    if what.endswith("Role"):
        rule: dict[str, Any] = {"verbs": words.every("--verb")}
        if urls := words.every("--non-resource-url"):
            return {"rules": [{**rule, "nonResourceURLs": urls}]}
        by_group: dict[str, list[str]] = {}
        for resource in words.every("--resource"):
            full, slash, subresource = resource.partition("/")
            name, _, group = full.partition(".")
            row = kind_from_word(name)
            group = group or (row.group if row is not None else "")
            by_group.setdefault(group, []).append(f"{row.plural if row is not None else name}{slash}{subresource}")
        names = words.every("--resource-name")
        return {
            "rules": [
                {**rule, "apiGroups": [group], "resources": resources, **({"resourceNames": names} if names else {})}
                for group, resources in by_group.items()
            ]
        }
    role = words.flag("--clusterrole") or words.flag("--role")
    kind = "ClusterRole" if words.flag("--clusterrole") else "Role"
    subjects = [
        {
            "kind": "ServiceAccount",
            "namespace": account.partition(":")[0] or namespace,
            "name": account.partition(":")[2],
        }
        for account in words.every("--serviceaccount")
    ]
    for flag, subject in (("--user", "User"), ("--group", "Group")):
        subjects += [{"kind": subject, "apiGroup": _RBAC, "name": name} for name in words.every(flag)]
    if not role or not subjects:
        raise UnreadChange("a binding needs --role or --clusterrole, and --serviceaccount, --user or --group")
    return {"roleRef": {"apiGroup": _RBAC, "kind": kind, "name": role}, "subjects": subjects}


def _given(text: str, namespace: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError:
        raise UnreadChange("what create -f reads from a file is not known") from None
    if not isinstance(data, dict) or not isinstance(data.get("metadata"), dict) or not data.get("kind"):
        raise UnreadChange("this is no object: it has no kind or no metadata")
    row = kind_from_word(str(data["kind"]).lower())
    if namespace and (row is None or row.namespaced):
        data["metadata"].setdefault("namespace", namespace)
    return data
