"""Which resources the sandbox serves: the known kinds, those of the state's definitions, and the self-subject reviews."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from kubedoctor.cluster.kinds.resources import KINDS
from kubedoctor.sandbox.exchange import Object

READ = ("get", "list", "watch")
CREATE = ("create",)
WRITE = ("create", "delete", "deletecollection", "patch", "update")

_IN_ALL = frozenset(
    [
        "pods",
        "services",
        "replicationcontrollers",
        "deployments",
        "replicasets",
        "statefulsets",
        "daemonsets",
        "jobs",
        "cronjobs",
        "horizontalpodautoscalers",
    ]
)
_IN_API_EXTENSIONS = frozenset(
    [
        "customresourcedefinitions",
        "apiservices",
        "validatingwebhookconfigurations",
        "mutatingwebhookconfigurations",
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
    ]
)
_WITHOUT_STATUS = frozenset(
    [
        "configmaps",
        "secrets",
        "serviceaccounts",
        "events",
        "endpoints",
        "endpointslices",
        "limitranges",
        "controllerrevisions",
        "ingressclasses",
        "networkpolicies",
        "storageclasses",
        "csinodes",
        "csidrivers",
        "csistoragecapacities",
        "priorityclasses",
        "leases",
        "roles",
        "rolebindings",
        "clusterroles",
        "clusterrolebindings",
        "validatingwebhookconfigurations",
        "mutatingwebhookconfigurations",
        "runtimeclasses",
        "resourceclaimtemplates",
        "deviceclasses",
        "resourceslices",
        "validatingadmissionpolicybindings",
    ]
)
METRICS = "metrics.k8s.io"
SCALED = frozenset({"Deployment", "ReplicaSet", "StatefulSet", "ReplicationController"})


@dataclass(frozen=True, slots=True)
class PrinterColumn:
    """One of `additionalPrinterColumns`."""

    name: str
    type: str
    json_path: str
    priority: int = 0
    format: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of one API version. `columns` is None where kubectl's built-in printing applies."""

    group: str
    version: str
    kind: str
    plural: str
    singular: str
    namespaced: bool
    short_names: tuple[str, ...] = ()
    verbs: tuple[str, ...] = READ
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    columns: tuple[PrinterColumn, ...] | None = None
    selectable_fields: tuple[str, ...] = ()
    schema: Object | None = field(default=None, compare=False, hash=False)

    @property
    def api_version(self) -> str:
        """`v1`, `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def verbs_of(self, subresource: str) -> tuple[str, ...]:
        """The verbs of one of its subresources."""
        if subresource == "eviction":
            return CREATE
        written = subresource in ("scale", "status") and "update" in self.verbs
        return ("get", "patch", "update") if written else ("get",)

    @property
    def qualified(self) -> str:
        """As the API server names it in its messages: `pods`, `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


def _built_in() -> Iterator[Resource]:
    for row in KINDS:
        if row.group == METRICS:
            yield Resource(
                row.group, row.version, row.kind, row.plural, row.singular, row.namespaced, verbs=("get", "list")
            )
            continue
        categories: tuple[str, ...] = ("all",) if row.plural in _IN_ALL else ()
        if row.plural in _IN_API_EXTENSIONS:
            categories = ("api-extensions",)
        subresources: tuple[str, ...] = () if row.plural in _WITHOUT_STATUS else ("status",)
        if row.kind == "Pod":
            subresources = ("log", "status")
        elif row.kind in SCALED:
            subresources = ("scale", "status")
        yield Resource(
            row.group,
            row.version,
            row.kind,
            row.plural,
            row.singular,
            row.namespaced,
            row.short_names,
            categories=categories,
            subresources=subresources,
        )
    for group, kind in (
        ("authorization.k8s.io", "SelfSubjectAccessReview"),
        ("authorization.k8s.io", "SelfSubjectRulesReview"),
        ("authentication.k8s.io", "SelfSubjectReview"),
    ):
        yield Resource(group, "v1", kind, f"{kind.lower()}s", kind.lower(), False, verbs=CREATE)


def resources_of(definition: Object) -> Iterator[Resource]:
    """The served versions of a CustomResourceDefinition, the storage version first."""
    spec = definition["spec"]
    names = spec["names"]
    for version in sorted(spec.get("versions") or (), key=lambda version_spec: not version_spec.get("storage")):
        if not version.get("served", True):
            continue
        columns = tuple(
            PrinterColumn(
                column["name"],
                column["type"],
                column["jsonPath"],
                column.get("priority") or 0,
                column.get("format") or "",
                column.get("description") or "",
            )
            for column in version.get("additionalPrinterColumns") or ()
        )
        yield Resource(
            spec["group"],
            version["name"],
            names["kind"],
            names["plural"],
            names.get("singular") or names["kind"].lower(),
            spec.get("scope", "Namespaced") == "Namespaced",
            tuple(names.get("shortNames") or ()),
            categories=tuple(names.get("categories") or ()),
            subresources=tuple(version.get("subresources") or ()),
            columns=columns or (PrinterColumn("Age", "date", ".metadata.creationTimestamp"),),
            selectable_fields=tuple(
                selectable["jsonPath"].lstrip(".")
                for selectable in version.get("selectableFields") or ()
                if selectable.get("jsonPath")
            ),
            schema=(version.get("schema") or {}).get("openAPIV3Schema"),
        )


class Resources:
    """The registry. A state without metrics has no metrics API, as a cluster without the metrics server. writable: whether
    objects can be changed."""

    def __init__(self, *, writable: bool = False) -> None:
        self._writable = writable
        built_in = [self._with_verbs(row) for row in _built_in()]
        self._metrics = [row for row in built_in if row.group == METRICS]
        self._rows = [row for row in built_in if row.group != METRICS]
        self._index()

    def _with_verbs(self, row: Resource) -> Resource:
        if not self._writable or row.group == METRICS or row.verbs == CREATE:
            return row
        subresources = ("eviction", *row.subresources) if row.kind == "Pod" and not row.group else row.subresources
        return replace(row, verbs=(*READ, *WRITE), subresources=subresources)

    def _index(self) -> None:
        self._by_path = {(row.group, row.version, row.plural): row for row in self._rows}
        self._by_kind = {(row.api_version, row.kind): row for row in self._rows}

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._rows)

    def at(self, group: str, version: str, plural: str) -> Resource | None:
        """The resource of a URL path."""
        return self._by_path.get((group, version, plural))

    def named(self, kind: str) -> Resource | None:
        """The first resource of a kind of this name."""
        return next((row for row in self._rows if row.kind == kind), None)

    def of(self, obj: Object) -> Resource:
        """The resource that an object belongs to. For a custom resource without a recorded definition it is guessed."""
        api_version, kind = str(obj.get("apiVersion", "")), str(obj.get("kind", ""))
        if resource := self._by_kind.get((api_version, kind)):
            return resource
        for metric in self._metrics:
            if (metric.api_version, metric.kind) == (api_version, kind):
                self.add(self._metrics)
                return metric
        group, _, version = api_version.rpartition("/")
        if "." not in group or not kind:
            raise ValueError(f"The sandbox does not serve kind {kind or '?'} of {api_version or 'no apiVersion'}.")
        guess = Resource(
            group,
            version,
            kind,
            _plural(kind),
            kind.lower(),
            "namespace" in obj.get("metadata", {}),
            columns=(PrinterColumn("Age", "date", ".metadata.creationTimestamp"),),
        )
        self.add([guess])
        return guess

    def define(self, definition: Object) -> None:
        """Serves the resources of a CustomResourceDefinition, replacing those of an earlier version of it."""
        spec = definition["spec"]
        self._rows = [row for row in self._rows if (row.group, row.plural) != (spec["group"], spec["names"]["plural"])]
        self.add(resources_of(definition))

    def forget(self, definition: Object) -> None:
        """Stops serving a deleted definition's resources."""
        spec = definition["spec"]
        self._rows = [row for row in self._rows if (row.group, row.plural) != (spec["group"], spec["names"]["plural"])]
        self._index()

    def add(self, rows: Iterable[Resource]) -> None:
        """Serves more resources."""
        rows = list(map(self._with_verbs, rows))
        self._rows += [row for row in rows if row not in self._rows]
        self._index()

    def groups(self) -> dict[str, dict[str, list[Resource]]]:
        """Group, version, resources, in the order in which discovery lists them."""
        groups: dict[str, dict[str, list[Resource]]] = {}
        for row in self._rows:
            groups.setdefault(row.group, {}).setdefault(row.version, []).append(row)
        return groups


def _plural(kind: str) -> str:
    word = kind.lower()
    if word.endswith(("s", "x", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2:-1] not in ("a", "e", "o", "u"):
        return word[:-1] + "ies"
    return word + "s"
