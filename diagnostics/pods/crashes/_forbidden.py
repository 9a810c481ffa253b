"""A request that the Kubernetes API refused according to the log, looked up in the roles of the ServiceAccount."""

from __future__ import annotations

from functools import partial

from diagnostics.pods.crashes._story import Story
from kubedoctor.cluster import Cluster, ClusterRoleBinding, RoleBinding
from kubedoctor.findings import Evidence, Fix, Ref, edit_command, quote, ref
from kubedoctor.replay.permissions.grants import Binding, allows, bound_roles, rules_of
from kubedoctor.replay.permissions.refusals import Refusal, refusal_in


def forbidden(message: str, cluster: Cluster) -> Story | None:
    """Which role lacks the right; None where the message does not say who asked for what."""
    refusal = refusal_in(message)
    if refusal is None:
        return None
    account = refusal.service_account
    who = f"ServiceAccount {account[0]}/{account[1]}" if account else f"user {refusal.user}"
    where = f" in namespace {refusal.namespace}" if refusal.namespace else " at the cluster scope"
    request = f"{refusal.verb} {refusal.what}{'' if refusal.path else where}"
    text = f"the Kubernetes API denies {who} to {request} (RBAC)"
    cluster.together(
        partial(cluster.maybe.all, ClusterRoleBinding),
        *([partial(cluster.maybe.all, RoleBinding, refusal.namespace)] if refusal.namespace else []),
    )
    bound = [(binding, role) for binding, role in bound_roles(refusal, cluster) if _names(binding, refusal)]
    allowing = next((role for _, role in bound if any(allows(r, refusal) for r in rules_of(role, cluster) or ())), None)
    if allowing is not None:
        return Story(f"{text}; {_named(allowing)} allows it now")
    if not bound:
        return Story(f"{text}; {'no role is bound to it' if not cluster.gaps else 'its roles cannot be seen'}")
    roles = list(dict.fromkeys(role for _, role in bound))
    names = ", ".join(_named(role) for role in roles)
    fix = Fix(f"Allow {request} in {_named(roles[0])}", edit_command(roles[0]))
    return Story(
        f"{text}; no rule of {names} allows it", evidence=tuple(map(_bound, (b for b, _ in bound))), fixes=(fix,)
    )


def _names(binding: Binding, refusal: Refusal) -> bool:
    """The binding is for this account, not for all."""
    account = refusal.service_account
    name = account[1] if account else refusal.user
    return any(subject.name == name and subject.kind != "Group" for subject in binding.subjects or ())


def _named(role: Ref) -> str:
    return f"{role.kind} {f'{role.namespace}/' if role.namespace else ''}{role.name}"


def _bound(binding: Binding) -> Evidence:
    return quote(binding, "roleRef.name", f"{ref(binding).kind} {binding.name} binds it")
