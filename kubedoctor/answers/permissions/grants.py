"""The smallest rule that allows a refused request, as a change of a role or a new one, proven by replay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from kubedoctor.answers.proof import prove, proven
from kubedoctor.cluster.changes import Change, Operation, Step, edit, reference
from kubedoctor.cluster.kinds.control import ClusterRole, Role
from kubedoctor.cluster.kinds.references import Ref, ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.findings.commands import command_line
from kubedoctor.findings.model import Fix
from kubedoctor.replay.permissions.authorizer import authorize
from kubedoctor.replay.permissions.grants import Binding, allows, rules_of
from kubedoctor.replay.permissions.refusals import Refusal

_API: Final = "rbac.authorization.k8s.io/v1"
_OF_NO_NAME: Final = ("create", "list", "watch", "deletecollection")
"""What a rule with names does not allow."""
_FOR_ALL: Final = ("cluster-admin", "admin", "edit", "view")
"""Roles of every cluster: a change would reach whoever else has them, and the API server may undo it."""


def allowed_by(
    request: Refusal, bindings: Iterable[tuple[Binding, Ref]], cluster: Cluster
) -> Iterator[tuple[Binding, Ref]]:
    """The bindings whose role has a rule that would allow the request."""
    for binding, role in bindings:
        if any(allows(rule, request) for rule in rules_of(role, cluster) or ()):
            yield binding, role


def granted(
    request: Refusal,
    roles: Iterable[Ref],
    elsewhere: tuple[Binding, Ref] | None,
    cluster: Cluster,
    *,
    watches: bool = False,
) -> Iterator[Fix]:
    """What allows exactly the request, and where the program `watches` what follows from a list: the binding of a role that has the rule already, a rule more in a role that is
    bound, or a role of its own."""
    account = request.service_account
    if account is None:
        return
    if elsewhere is not None and elsewhere[1].kind == "ClusterRole" and not request.namespace:
        if cluster.maybe.get_ref(Ref("ClusterRoleBinding", "", elsewhere[1].name)) is None:
            yield _proven("Bind it in the whole cluster", _bind(elsewhere[1], account, request), request, cluster)
        return
    kind = "Role" if request.namespace else "ClusterRole"  # a ClusterRole would allow it in every namespace
    for role in roles:
        found = cluster.maybe.get_ref(role) if role.kind == kind else None
        if isinstance(found, Role | ClusterRole) and _is_its_own(found):
            change = edit(role, Step(("rules", "-"), rule_for(request, watches=watches)))
            fix = Fix(f"Allow {_asked(request, watches=watches)} in {role.title}", command_line(change, found))
            yield proven(fix, prove(change, cluster.maybe, lambda after: authorize(request, after).allowed))
            return
    name = (
        f"{account[1]}-{request.verb}-{request.resource.replace('/', '-')}"
        if not request.path
        else f"{account[1]}-{request.verb}"
    )
    role = Ref(kind, request.namespace, name)
    binding = Ref("RoleBinding" if request.namespace else "ClusterRoleBinding", request.namespace, name)
    if cluster.maybe.get_ref(role) is None and cluster.maybe.get_ref(binding) is None:
        created = Change(
            (
                _created(kind, role, {"rules": [rule_for(request, watches=watches)]}),
                *_bind(role, account, request).operations,
            )
        )
        yield _proven(
            f"Create a {kind} that allows {_asked(request, watches=watches)}, and bind it", created, request, cluster
        )


def bound_too(request: Refusal, binding: Binding, cluster: Cluster) -> Fix:
    """The account beside the one of its name that the binding names: that one keeps its rights."""
    namespace, name = request.service_account or ("", "")
    subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    change = edit(ref(binding), Step(("subjects", "-"), subject))
    fix = Fix(f"Add ServiceAccount {namespace}/{name} to {ref(binding).title}", command_line(change, binding))
    return proven(fix, prove(change, cluster.maybe, lambda after: authorize(request, after).allowed))


def rule_for(request: Refusal, *, watches: bool) -> dict[str, Any]:
    """The rule that allows the request and nothing else. watches: a program lists to fill a cache, and watches next."""
    verbs = ["list", "watch"] if watches and request.verb == "list" and not request.path else [request.verb]
    if request.path:
        return {"nonResourceURLs": [request.path], "verbs": verbs}
    names = {"resourceNames": [request.name]} if request.name and request.verb not in _OF_NO_NAME else {}
    return {"apiGroups": [request.group], "resources": [request.resource], **names, "verbs": verbs}


def _asked(request: Refusal, *, watches: bool) -> str:
    """`list and watch configmaps in namespace shop`."""
    verbs = " and ".join(rule_for(request, watches=watches)["verbs"])
    return f"{verbs}{request.request.removeprefix(request.verb)}"


def _is_its_own(role: Role | ClusterRole) -> bool:
    """Not one that Kubernetes keeps, nor one that is put together from others."""
    aggregated = isinstance(role, ClusterRole) and role.aggregation_rule is not None
    return not (aggregated or role.name in _FOR_ALL or role.name.startswith("system:"))


def bound(role: Ref, request: Refusal, binding: str, cluster: Cluster) -> Fix:
    """The role for the ServiceAccount that asked. binding: the name of the new one."""
    account = request.service_account or ("", "")
    change = _bind(role, account, request, binding)
    return _proven(f"Bind {role.title} to ServiceAccount {account[0]}/{account[1]}", change, request, cluster)


def _bind(role: Ref, account: tuple[str, str], request: Refusal, binding: str = "") -> Change:
    """The account gets the role: in the namespace of the request, without one in the cluster."""
    namespace, name = account
    kind = "RoleBinding" if request.namespace else "ClusterRoleBinding"
    about = Ref(kind, request.namespace, binding or role.name)
    body = {
        "roleRef": {"apiGroup": _API.partition("/")[0], "kind": role.kind, "name": role.name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
    }
    return Change((_created(kind, about, body),))


def _created(kind: str, about: Ref, body: dict[str, Any]) -> Operation:
    metadata = {"name": about.name, **({"namespace": about.namespace} if about.namespace else {})}
    data = {"apiVersion": _API, "kind": kind, "metadata": metadata, **body}
    return Operation(reference(data), create=data)


def _proven(words: str, change: Change, request: Refusal, cluster: Cluster) -> Fix:
    fix = Fix(words, command_line(change))
    return proven(fix, prove(change, cluster.maybe, lambda after: authorize(request, after).allowed))
