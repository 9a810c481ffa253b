"""Which roles a user is bound to, and whether their rules allow a request.

Upstream: `plugin/pkg/auth/authorizer/rbac/rbac.go` and `pkg/apis/rbac/v1/evaluation_helpers.go`, v1.37.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubedoctor.cluster.kinds.control import ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, Subject
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.replay.permissions.refusals import SERVICE_ACCOUNT, Refusal

ROLE_KINDS = (Role, ClusterRole, RoleBinding, ClusterRoleBinding)
"""What the answer reads."""
_EVERYWHERE = "default"
"""The name of an account that every namespace has."""
Binding = RoleBinding | ClusterRoleBinding


def bound_roles(refusal: Refusal, cluster: Cluster) -> Iterator[tuple[Binding, Ref]]:
    """The bindings of the user that count for the request, and the role that each names."""
    for binding, role, _ in bindings_of(refusal, cluster):
        yield binding, role


def bindings_of(refusal: Refusal, cluster: Cluster) -> Iterator[tuple[Binding, Ref, Subject]]:
    """As `bound_roles`, with the subject that is the user."""
    for cluster_wide in cluster.maybe.all(ClusterRoleBinding):
        if (subject := _bound(cluster_wide.subjects, refusal, "")) is not None:
            yield cluster_wide, Ref("ClusterRole", "", cluster_wide.role_ref.name), subject
    for binding in cluster.maybe.all(RoleBinding, refusal.namespace) if refusal.namespace else ():
        if (subject := _bound(binding.subjects, refusal, binding.namespace)) is not None:
            namespace = "" if binding.role_ref.kind == "ClusterRole" else binding.namespace
            yield binding, Ref(binding.role_ref.kind, namespace, binding.role_ref.name), subject


def every_binding(namespace: str, cluster: Cluster) -> Iterator[tuple[Binding, Ref, tuple[tuple[str, str], ...]]]:
    """The bindings that count in a namespace, or at the cluster scope where it is empty, with the role that each names
    and its subjects as kind and name."""
    bindings: list[Binding] = [*cluster.maybe.all(ClusterRoleBinding)]
    bindings += cluster.maybe.all(RoleBinding, namespace) if namespace else ()
    for binding in bindings:
        subjects = tuple((one.kind, full_name(one, binding.namespace)) for one in binding.subjects or ())
        yield binding, role_of(binding), subjects


def role_of(binding: Binding) -> Ref:
    """The role that a binding names."""
    kind = "ClusterRole" if isinstance(binding, ClusterRoleBinding) else binding.role_ref.kind
    return Ref(kind, "" if kind == "ClusterRole" else binding.namespace, binding.role_ref.name)


def full_name(subject: Subject, namespace: str) -> str:
    """The name of a subject; of a ServiceAccount with its namespace, which in a RoleBinding may be that of the binding."""
    return f"{subject.namespace or namespace}/{subject.name}" if subject.kind == "ServiceAccount" else subject.name


def bindings_elsewhere(refusal: Refusal, namespaces: Iterable[str], cluster: Cluster) -> Iterator[tuple[Binding, Ref]]:
    """The bindings of the user in these namespaces that do not count for the request, as it is about another namespace or
    for the whole cluster; with a ClusterRole, which any namespace may bind."""
    for namespace in namespaces:
        for binding in cluster.maybe.all(RoleBinding, namespace) if namespace != refusal.namespace else ():
            if binding.role_ref.kind == "ClusterRole" and _bound(binding.subjects, refusal, namespace) is not None:
                yield binding, Ref("ClusterRole", "", binding.role_ref.name)


def bindings_meant(refusal: Refusal, cluster: Cluster) -> Iterator[tuple[Binding, Ref, Subject]]:
    """The bindings that would count for the request and name the account in another namespace, with the role that each
    names: the account was moved, or the namespace of the subject was not set with the others."""
    account = refusal.service_account
    if account is None or account[1] == _EVERYWHERE:
        return
    bindings: list[Binding] = [*cluster.maybe.all(ClusterRoleBinding)]
    bindings += cluster.maybe.all(RoleBinding, refusal.namespace) if refusal.namespace else ()
    for binding in bindings:
        for subject in binding.subjects or ():
            home = subject.namespace or binding.namespace
            if subject.kind == "ServiceAccount" and subject.name == account[1] and home != account[0]:
                yield binding, role_of(binding), subject


def rules_of(role: Ref, cluster: Cluster) -> tuple[PolicyRule, ...] | None:
    """The rules of a role; None where it does not exist or cannot be seen."""
    if role.kind == "ClusterRole":
        cluster_role = cluster.maybe.get(ClusterRole, "", role.name)
        return (cluster_role.rules or ()) if cluster_role is not None else None
    found = cluster.maybe.get(Role, role.namespace, role.name)
    return (found.rules or ()) if found is not None else None


def allows(rule: PolicyRule, refusal: Refusal) -> bool:
    """Whether one rule allows the request."""
    if not _covers(rule.verbs, refusal.verb):
        return False
    if refusal.path:
        return any(_path_covers(url, refusal.path) for url in rule.non_resource_urls or ())
    names = rule.resource_names or ()
    return (
        _covers(rule.api_groups, refusal.group)
        and _resource_covers(rule.resources, refusal.resource)
        and (not names or refusal.name in names)
    )


def _covers(allowed: tuple[str, ...] | None, value: str) -> bool:
    return "*" in (allowed or ()) or value in (allowed or ())


def _resource_covers(allowed: tuple[str, ...] | None, resource: str) -> bool:
    subresource = resource.partition("/")[2]
    wanted = {"*", resource, *({f"*/{subresource}"} if subresource else ())}
    return not wanted.isdisjoint(allowed or ())


def _path_covers(url: str, path: str) -> bool:
    return url in ("*", path) or (url.endswith("*") and path.startswith(url.rstrip("*")))


def _bound(subjects: tuple[Subject, ...] | None, refusal: Refusal, namespace: str) -> Subject | None:
    """The first subject that is the user."""
    return next((subject for subject in subjects or () if _is(subject, refusal, namespace)), None)


def _is(subject: Subject, refusal: Refusal, namespace: str) -> bool:
    if subject.kind == "ServiceAccount":
        home = subject.namespace or namespace
        return bool(home) and refusal.user == f"{SERVICE_ACCOUNT}{home}:{subject.name}"
    if subject.kind == "User":
        return subject.name == refusal.user
    return subject.kind == "Group" and subject.name in refusal.member_of
