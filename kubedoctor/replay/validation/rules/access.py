"""Roles, bindings, configuration and accounts (`pkg/apis/rbac/validation`, `pkg/apis/core/validation`, v1.37)."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Final

from kubedoctor.replay.validation import names
from kubedoctor.replay.validation.fields import Field
from kubedoctor.replay.validation.rules.metadata import label_selector

_GROUP: Final = "rbac.authorization.k8s.io"
_MOST: Final = 1 << 20
_SECRET_KEYS: Final = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}


def role(document: Field) -> None:
    for rule in document["rules"].each():
        _rule(rule, namespaced=document["kind"].text == "Role")
    for selector in document["aggregationRule"]["clusterRoleSelectors"].each():
        label_selector(selector)
    if document["aggregationRule"].given and not document["aggregationRule"]["clusterRoleSelectors"]:
        document["aggregationRule"]["clusterRoleSelectors"].required(
            "at least one clusterRoleSelector required if aggregationRule is non-nil"
        )


def _rule(at: Field, *, namespaced: bool) -> None:
    if not at["verbs"]:
        at["verbs"].required("verbs must contain at least one value")
    if at["nonResourceURLs"]:
        if namespaced:
            at["nonResourceURLs"].invalid("namespaced rules cannot apply to non-resource URLs")
        if any(at[key] for key in ("apiGroups", "resources", "resourceNames")):
            at["nonResourceURLs"].invalid("rules cannot apply to both regular resources and non-resource URLs")
        return
    if not at["apiGroups"]:
        at["apiGroups"].required("resource rules must supply at least one api group")
    if not at["resources"]:
        at["resources"].required("resource rules must supply at least one resource")


def binding(document: Field) -> None:
    target = document["roleRef"]
    namespaced = document["kind"].text == "RoleBinding"
    if target["apiGroup"].text not in ("", _GROUP) or (target["apiGroup"].given and not target["apiGroup"].text):
        target["apiGroup"].unsupported((_GROUP,))
    kinds = ("ClusterRole", "Role") if namespaced else ("ClusterRole",)
    if target["kind"].text not in kinds:
        target["kind"].unsupported(kinds)
    if not target["name"].text:
        target["name"].required()
    else:
        target["name"].must(names.path_segment(target["name"].text))
    for subject in document["subjects"].each():
        _subject(subject, namespaced=namespaced)


def _subject(at: Field, *, namespaced: bool) -> None:
    if not at["name"].text:
        at["name"].required()
    kind, group = at["kind"], at["apiGroup"]
    if kind.text == "ServiceAccount":
        if at["name"].text:
            at["name"].must(names.dns_subdomain(at["name"].text))
        if group.text:
            group.unsupported(("",))
        if not namespaced and not at["namespace"].text:
            at["namespace"].required()
    elif kind.text in ("User", "Group"):
        if group.text not in ("", _GROUP):
            group.unsupported((_GROUP,))
    else:
        kind.unsupported(("ServiceAccount", "User", "Group"))


def config_map(document: Field) -> None:
    size = 0
    for key, value in document["data"].entries():
        Field(key, value.path, value.sink).must(names.config_key(key))
        if document["binaryData"][key].given:
            value.invalid("duplicate of key present in binaryData")
        size += len(value.text.encode())
    for key, value in document["binaryData"].entries():
        Field(key, value.path, value.sink).must(names.config_key(key))
        size += len(value.text) * 3 // 4
    if size > _MOST:
        document["data"].too_long(_MOST)


def secret(document: Field) -> None:
    data, plain = document["data"], document["stringData"]
    size = 0
    for at in (data, plain):
        for key, value in at.entries():
            Field(key, value.path, value.sink).must(names.config_key(key))
            size += len(value.text) * 3 // 4 if at is data else len(value.text.encode())
    if size > _MOST:
        data.too_long(_MOST)
    kind = document["type"].text
    for key in _SECRET_KEYS.get(kind, ()):
        if not (data.has(key) or plain.has(key)):
            data[key].required()
    if (
        kind == "kubernetes.io/service-account-token"
        and not document["metadata"]["annotations"]["kubernetes.io/service-account.name"].text
    ):
        document["metadata"]["annotations"]["kubernetes.io/service-account.name"].required()
    if kind == "kubernetes.io/basic-auth" and not any(
        at[key].given for at in (data, plain) for key in ("username", "password")
    ):
        data["username"].required()
    if kind == "kubernetes.io/ssh-auth" and not any(at["ssh-privatekey"].given for at in (data, plain)):
        data["ssh-privatekey"].required()
    if kind in ("kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"):
        _registry(document, _SECRET_KEYS[kind][0])


def _registry(document: Field, key: str) -> None:
    text = document["stringData"][key].text
    try:
        text = text or base64.b64decode(document["data"][key].text).decode()
        json.loads(text)
    except (ValueError, binascii.Error):
        if text or document["data"][key].given:
            Field("<secret contents redacted>", document["data"][key].path, document.sink).invalid(
                "invalid character: no JSON"
            )
