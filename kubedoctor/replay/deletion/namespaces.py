"""What the namespace controller reports about a deletion that does not end
(`pkg/controller/namespace/deletion/status_condition_utils.go`, v1.37)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from kubedoctor.cluster.kinds.core import Namespace
from kubedoctor.cluster.kinds.meta import condition
from kubedoctor.cluster.kinds.resources import KINDS

_REMAINING: Final = re.compile(r"([a-z0-9-]+)\.([a-z0-9.-]*) has (\d+) resource instances")
_FINALIZERS: Final = re.compile(r"(?:remaining: |, )(\S+) in \d+ resource instances")
_GROUP_VERSION: Final = re.compile(r"([a-z0-9][a-z0-9.-]*)/(v\d+(?:(?:alpha|beta)\d+)?): ")


class Remaining(NamedTuple):
    """Objects of one resource that are left in the namespace. `group` is empty for the core group, `kind` for a resource
    that an extension defines."""

    resource: str
    group: str
    left: int

    @property
    def kind(self) -> str:
        return next((row.kind for row in KINDS if (row.plural, row.group) == (self.resource, self.group)), "")


def remaining(namespace: Namespace) -> tuple[Remaining, ...]:
    """The objects that the controller still counts."""
    message = stated_message(namespace, "NamespaceContentRemaining")
    return tuple(Remaining(match[1], match[2], int(match[3])) for match in _REMAINING.finditer(message))


def finalizers(namespace: Namespace) -> tuple[str, ...]:
    """The finalizers on the objects that are left."""
    return tuple(match[1] for match in _FINALIZERS.finditer(stated_message(namespace, "NamespaceFinalizersRemaining")))


def failing_apis(namespace: Namespace) -> tuple[str, ...]:
    """The API group versions that could not be asked what the namespace holds: `metrics.k8s.io/v1beta1`."""
    message = stated_message(namespace, "NamespaceDeletionDiscoveryFailure")
    return tuple(dict.fromkeys(f"{match[1]}/{match[2]}" for match in _GROUP_VERSION.finditer(message)))


def failure(namespace: Namespace) -> str:
    """The condition that states why contents could not be deleted; empty if none does."""
    for kind in (
        "NamespaceDeletionDiscoveryFailure",
        "NamespaceDeletionGroupVersionParsingFailure",
        "NamespaceDeletionContentFailure",
    ):
        if stated_message(namespace, kind):
            return kind
    return ""


def stated_message(namespace: Namespace, kind: str) -> str:
    """The message of a condition that is True; empty otherwise."""
    stated = condition(namespace.status.conditions, kind)
    return stated.message if stated is not None and stated.status == "True" else ""
