"""Names of objects."""

from __future__ import annotations

import shlex
from typing import Final

import msgspec

from kubedoctor.cluster.kinds.meta import CustomResource, KubernetesObject
from kubedoctor.cluster.kinds.resources import kind_named


class Ref(msgspec.Struct, frozen=True, order=True, gc=False):
    """Names an object. `namespace` is empty for cluster-scoped kinds; a custom resource's kind is `Kind.group`."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """`Pod/shop/checkout-1`, `Node/worker-a`."""
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part)

    @property
    def short_kind(self) -> str:
        """The kind without its group."""
        return self.kind.partition(".")[0]

    @property
    def title(self) -> str:
        """For people: `Pod shop/checkout-1`, `Node worker-a`."""
        return f"{self.short_kind} {self.namespace}/{self.name}" if self.namespace else f"{self.short_kind} {self.name}"

    @property
    def argument(self) -> str:
        """As kubectl takes it: `deployment/checkout`."""
        row = kind_named(self.kind)
        return f"{row.singular if row else self.kind.lower()}/{self.name}"

    @property
    def describe_command(self) -> str:
        """kubectl's own description of the object, which ends with its events."""
        namespace = ("-n", self.namespace) if self.namespace else ()
        return shlex.join(("kubectl", "describe", self.argument, *namespace))


_NAMES: Final[dict[type, str]] = {}
"""By struct, made once: a scan needs them a million times."""


def kind_name(obj: KubernetesObject | type[KubernetesObject] | str) -> str:
    """The kind of an object or of a struct class, as a Ref spells it; a name stays what it is."""
    if known := _NAMES.get(obj if isinstance(obj, type) else type(obj)):
        return known
    if isinstance(obj, str):
        return obj
    if isinstance(obj, CustomResource):
        return custom_kind_name(obj.kind, obj.group)
    kind = obj if isinstance(obj, type) else type(obj)
    name = f"{kind.__name__}.{kind.api_group}" if kind.api_group else kind.__name__
    if kind is not CustomResource:
        _NAMES[kind] = name
    return name


def custom_kind_name(kind: str, group: str) -> str:
    """`VirtualService.networking.istio.io`: kinds of different groups may share a name."""
    return f"{kind}.{group}" if group else kind


def ref(obj: KubernetesObject) -> Ref:
    """The name of an object."""
    return Ref(kind_name(obj), obj.metadata.namespace, obj.metadata.name)
