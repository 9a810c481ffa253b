"""The rights that diagnoses need, from the kinds that they read, and the rules of a role that give exactly these.

The proxy of nodes, through which kubelets tell how full volumes are, is not among them: it lets one run commands in pods too, and
nothing is missing without those numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from kubedoctor.cluster.kinds.resources import ResourceKind, kind_named, plural_of

RBAC: Final = "rbac.authorization.k8s.io"
ROLE: Final = "kubedoctor-reader"
"""The name of the role, and of its binding."""
_METRICS: Final = "metrics.k8s.io"
_READ: Final = ("get", "list", "watch")
_MEASURED: Final = ("get", "list")
"""metrics-server has no watch."""
_ASKED_TOO: Final = ("ControllerRevision", "NodeMetrics", "PodMetrics")
"""What questions and screens read besides: earlier revisions, and usage."""
PATHS: Final = ("/apis", "/readyz", "/version", "/openapi/v2")
"""What is read beside objects. The ClusterRole system:discovery gives it to every user, in a cluster that keeps its defaults."""
_PLURALS: Final[Mapping[str, str]] = {
    "Elasticsearch.elasticsearch.k8s.elastic.co": "elasticsearches",
    "Gateway.gateway.networking.k8s.io": "gateways",
    "Gateway.networking.istio.io": "gateways",
    "MongoDBCommunity.mongodbcommunity.mongodb.com": "mongodbcommunity",
    "NetworkAttachmentDefinition.k8s.cni.cncf.io": "network-attachment-definitions",
}
"""Resources that their definitions name otherwise than the API server would guess."""
_OFTEN_CLUSTER_SCOPED: Final = ("Cluster", "Global")


class NeededRight(msgspec.Struct, frozen=True, order=True):
    """One verb on one resource, `pods/log` too, or on a path. kind: whose objects are read so; empty for a path."""

    group: str
    resource: str
    verb: str
    kind: str = ""
    namespaced: bool = True
    path: str = ""

    @property
    def what(self) -> str:
        """The resource with its group as `kubectl` prints it, or the path."""
        if self.path:
            return self.path
        plural, slash, subresource = self.resource.partition("/")
        return f"{plural}.{self.group}{slash}{subresource}" if self.group else self.resource


def needed_rights(kinds: Iterable[str], served: Iterable[ResourceKind] | None = None) -> tuple[NeededRight, ...]:
    """What reading these kinds takes, with the logs of pods, their usage and the API server's own checks. served: the kinds of
    extensions that the cluster has, which are all read; None where they are not known: then those among `kinds`."""
    found: set[NeededRight] = set()
    for kind in {*kinds, *_ASKED_TOO}:
        row = kind_named(kind)
        if row is not None:
            found.update(_on(row, _MEASURED if row.group == _METRICS else _READ))
        elif served is None and "." in kind:
            found.update(_on(_guessed(kind), _READ))
    for row in served or ():
        found.update(_on(row, _READ))
    found.add(NeededRight("", "pods/log", "get", "Pod"))
    return tuple(sorted(found))


def needed_paths() -> tuple[NeededRight, ...]:
    """What is read beside objects."""
    return tuple(NeededRight("", "", "get", path=path, namespaced=False) for path in PATHS)


def _on(row: ResourceKind, verbs: Iterable[str]) -> Iterator[NeededRight]:
    for verb in verbs:
        yield NeededRight(row.group, row.plural, verb, row.kind, row.namespaced)


def _guessed(kind: str) -> ResourceKind:
    """The resource of a custom kind whose definition is not at hand."""
    name, _, group = kind.partition(".")
    namespaced = not name.startswith(_OFTEN_CLUSTER_SCOPED) or name == "Cluster"
    return ResourceKind(kind, group, "", _PLURALS.get(kind) or plural_of(kind), name.lower(), namespaced)


def rules_of_rights(rights: Iterable[NeededRight]) -> list[dict[str, Any]]:
    """The fewest rules of a role that give these rights and nothing else, in a fixed order."""
    verbs: dict[tuple[str, str], set[str]] = {}
    paths: set[str] = set()
    for right in rights:
        if right.path:
            paths.add(right.path)
        else:
            verbs.setdefault((right.group, right.resource), set()).add(right.verb)
    together: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, resource), named in sorted(verbs.items()):
        together.setdefault((group, tuple(sorted(named))), []).append(resource)
    rules: list[dict[str, Any]] = [
        {"apiGroups": [group], "resources": resources, "verbs": list(named)}
        for (group, named), resources in together.items()
    ]
    return [*rules, *([{"nonResourceURLs": sorted(paths), "verbs": ["get"]}] if paths else [])]


def role_documents(
    rights: Iterable[NeededRight], namespace: str = "", subject: Mapping[str, str] | None = None, name: str = ROLE
) -> list[dict[str, Any]]:
    """A ClusterRole with the rights, and with a namespace a Role for what is in it. subject: to whom they are bound."""
    rights = tuple(rights)
    inside = [right for right in rights if namespace and right.namespaced and not right.path]
    across = [right for right in rights if right not in inside]
    documents: list[dict[str, Any]] = []
    for kind, wanted, home in (("ClusterRole", across, ""), ("Role", inside, namespace)):
        if wanted:
            metadata = {"name": name, **({"namespace": home} if home else {})}
            head = {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": metadata}
            documents.append({**head, "rules": rules_of_rights(wanted)})
            if subject is not None:
                documents.append(
                    {
                        **head,
                        "kind": f"{kind}Binding",
                        "roleRef": {"apiGroup": RBAC, "kind": kind, "name": name},
                        "subjects": [dict(subject)],
                    }
                )
    return documents


def subject_of(user: str) -> dict[str, str] | None:
    """The subject of a binding for a user as the API server names it; None where there is none."""
    prefix = "system:serviceaccount:"
    if user.startswith(prefix) and user.count(":") == 3:
        namespace, _, account = user.removeprefix(prefix).partition(":")
        return {"kind": "ServiceAccount", "name": account, "namespace": namespace}
    if not user or user == "system:anonymous":
        return None
    return {"kind": "User", "name": user, "apiGroup": RBAC}
