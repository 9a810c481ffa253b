"""Files beside manifests that hold no objects: what they are, in a few words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_TEMPLATE: Final = re.compile(
    r"\{\{-?\s*(?:/\*|(?:if|else|end|range|with|define|block|include|template|toYaml|tpl|required|default|printf|quote)\b|[.$])"
    r"|\{%-?\s*\w+"
)
"""An action of Go's or of Jinja's templates."""
_OF_HELM: Final = re.compile(r"\{\{[^{}]*(?:\.Values|\.Release|\.Chart|\.Capabilities|\.Files)\b")
"""What only a chart has: `{{ .x }}` alone is also text of alerts, workflows and secrets."""
_TOOLS: Final[Mapping[str, str]] = {
    "kubeadm.k8s.io": "kubeadm",
    "kind.x-k8s.io": "kind",
    "k3d.io": "k3d",
    "eksctl.io": "eksctl",
    "skaffold": "Skaffold",
    "kustomize.config.k8s.io": "kustomize",
    "builtin": "kustomize",
    "audit.k8s.io": "the API server",
    "apiserver.config.k8s.io": "the API server",
    "apiserver.k8s.io": "the API server",
    "kubelet.config.k8s.io": "the kubelet",
    "kubescheduler.config.k8s.io": "the scheduler",
    "kubeproxy.config.k8s.io": "kube-proxy",
}
"""By the group of `apiVersion`: files that programs read, and that no API server serves."""


def is_template(text: str, *, readable: bool) -> bool:
    """Whether it was not rendered. readable: whether it is YAML nevertheless."""
    return bool((_OF_HELM if readable else _TEMPLATE).search(text))


def mentions_objects(text: str) -> bool:
    """Whether a text that cannot be read may have been meant as an object."""
    return "apiVersion" in text or re.search(r"(?m)^\s*[\"']?kind[\"']?\s*:", text) is not None


def known_stranger(data: Mapping[str, Any]) -> str:
    """`a Compose file`; empty for an object, and for what is not known."""
    version, kind = data.get("apiVersion"), data.get("kind")
    if version is None and kind is None and _is_compose(data.get("services")):
        return "a Compose file"
    if kind == "Config" and version == "v1" and ("clusters" in data or "contexts" in data):
        return "a kubeconfig"
    program = _TOOLS.get(version.partition("/")[0]) if isinstance(version, str) else None
    return f"a configuration file of {program}" if program else ""


def is_no_object(data: Mapping[str, Any]) -> bool:
    """Whether it has nothing of an object."""
    return not any(key in data for key in ("apiVersion", "kind", "metadata", "spec"))


def _is_compose(services: Any) -> bool:
    return (
        isinstance(services, Mapping)
        and bool(services)
        and all(isinstance(one, Mapping) and {"image", "build", "extends"} & one.keys() for one in services.values())
    )
