"""Rights by which somebody may gain the rights of others
(https://kubernetes.io/docs/concepts/security/rbac-good-practices/, and `pkg/registry/rbac/escalation_check.go`, v1.37).
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Final, NamedTuple

from kubedoctor.cluster.kinds.control import PolicyRule
from kubedoctor.replay.permissions.grants import allows
from kubedoctor.replay.permissions.refusals import Refusal

_RBAC: Final = "rbac.authorization.k8s.io"


class EscalationPath(enum.Enum):
    """What one may gain."""

    EVERYTHING = "everything"
    ESCALATE = "escalate"
    BIND = "bind"
    IMPERSONATE = "impersonate"
    TOKEN = "token"
    SECRETS = "secrets"
    EXEC = "exec"
    NODES = "nodes"


_REQUESTS: Final[tuple[tuple[EscalationPath, str, str, str], ...]] = (
    (EscalationPath.EVERYTHING, "*", "*", "*"),
    (EscalationPath.ESCALATE, "escalate", _RBAC, "roles"),
    (EscalationPath.ESCALATE, "escalate", _RBAC, "clusterroles"),
    (EscalationPath.BIND, "bind", _RBAC, "roles"),
    (EscalationPath.BIND, "bind", _RBAC, "clusterroles"),
    (EscalationPath.IMPERSONATE, "impersonate", "", "users"),
    (EscalationPath.IMPERSONATE, "impersonate", "", "groups"),
    (EscalationPath.IMPERSONATE, "impersonate", "", "serviceaccounts"),
    (EscalationPath.TOKEN, "create", "", "serviceaccounts/token"),
    (EscalationPath.SECRETS, "get", "", "secrets"),
    (EscalationPath.SECRETS, "list", "", "secrets"),
    (EscalationPath.SECRETS, "watch", "", "secrets"),
    (EscalationPath.EXEC, "create", "", "pods/exec"),
    (EscalationPath.EXEC, "get", "", "pods/exec"),
    (EscalationPath.EXEC, "create", "", "pods/attach"),
    (EscalationPath.NODES, "get", "", "nodes/proxy"),
    (EscalationPath.NODES, "create", "", "nodes/proxy"),
)
_OF_THE_CLUSTER: Final = frozenset(("clusterroles", "users", "groups", "nodes/proxy"))
"""Resources without a namespace: a RoleBinding gives no right on them, but that `bind` on a ClusterRole counts in its namespace."""


class GrantedPath(NamedTuple):
    """names: the only objects that the rule is for; empty for all."""

    path: EscalationPath
    verb: str
    resource: str
    names: tuple[str, ...]


def escalation_paths(rule: PolicyRule, *, in_namespace: bool) -> Iterator[GrantedPath]:
    """What a rule gives; of one that allows everything only that. in_namespace: bound by a RoleBinding."""
    names = rule.resource_names or ()
    for path, verb, group, resource in _REQUESTS:
        outside = in_namespace and resource in _OF_THE_CLUSTER and path is not EscalationPath.BIND
        request = Refusal("", verb, resource=resource, group=group, name=names[0] if names else "")
        if outside or not allows(rule, request):
            continue
        yield GrantedPath(path, verb, resource, names)
        if path is EscalationPath.EVERYTHING:
            return
