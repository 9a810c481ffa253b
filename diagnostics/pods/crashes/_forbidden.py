"""A request that the Kubernetes API refused according to the log, looked up in the roles of the ServiceAccount."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from diagnostics.pods.crashes._story import Story
from kubedoctor.answers.permissions import allowed_by, bound_too, granted, what_misses
from kubedoctor.cluster import Cluster, ClusterRoleBinding, RoleBinding
from kubedoctor.findings import Evidence, quote, ref
from kubedoctor.replay.permissions.authorizer import authorize
from kubedoctor.replay.permissions.grants import (
    Binding,
    allows,
    bindings_elsewhere,
    bindings_meant,
    bound_roles,
    rules_of,
)
from kubedoctor.replay.permissions.nearest import NearRule, nearest_rule
from kubedoctor.replay.permissions.refusals import Refusal, refusal_in


def forbidden(message: str, cluster: Cluster) -> Story | None:
    """Which role lacks the right; None where the message does not say who asked for what."""
    refusal = refusal_in(message)
    if refusal is None:
        return None
    account = refusal.service_account
    who = f"ServiceAccount {account[0]}/{account[1]}" if account else f"user {refusal.user}"
    text = f"the Kubernetes API denies {who} to {refusal.request} (RBAC)"
    namespaces = dict.fromkeys(filter(None, (refusal.namespace, account[0] if account else "")))
    cluster.together(
        partial(cluster.maybe.all, ClusterRoleBinding),
        *(partial(cluster.maybe.all, RoleBinding, namespace) for namespace in namespaces),
    )
    decision = authorize(refusal, cluster)
    if decision.role is not None:
        return Story(f"{text}; {decision.role.title} allows it now")
    bound = [(binding, role) for binding, role in bound_roles(refusal, cluster) if _names(binding, refusal)]
    roles = list(dict.fromkeys(role for _, role in bound))
    elsewhere = next(allowed_by(refusal, bindings_elsewhere(refusal, namespaces, cluster), cluster), None)
    evidence = tuple(map(_bound, (binding for binding, _ in bound)))
    fixes = tuple(granted(refusal, roles, elsewhere, cluster, watches=True)) if not cluster.gaps else ()
    if elsewhere is not None:
        binding, role = elsewhere
        text += f"; {role.title} allows it, but {ref(binding).title} binds it for namespace {binding.namespace} only"
        return Story(text, evidence=(*evidence, _bound(binding)), fixes=fixes)
    meant = _meant(refusal, cluster)
    if meant is not None:
        binding, at = meant
        subject = (binding.subjects or ())[at]
        home = subject.namespace or binding.namespace
        text += f"; {ref(binding).title} binds ServiceAccount {home}/{subject.name}, not this one, to {binding.role_ref.kind} {binding.role_ref.name}"
        fix = (bound_too(refusal, binding, cluster),) if not cluster.gaps else ()
        named = quote(binding, f"subjects[{at}].namespace", "the account of another namespace")
        return Story(text, evidence=(*evidence, named), fixes=fix)
    if not bound:
        why = "no role is bound to it" if not cluster.gaps else "its roles cannot be seen"
        return Story(f"{text}; {why}", fixes=fixes)
    missing = [role for role in decision.missing if role in roles]
    if missing:
        return Story(f"{text}; {missing[0].title}, which is bound to it, does not exist", evidence=evidence)
    near = nearest_rule(refusal, roles, cluster)
    text += f"; no rule of {', '.join(role.title for role in roles)} allows it{f': {what_misses(near, refusal)}' if near else ''}"
    return Story(text, evidence=(*evidence, *_rule(near, cluster)), fixes=fixes)


def _meant(refusal: Refusal, cluster: Cluster) -> tuple[Binding, int] | None:
    """A binding of a role with the rule, for an account of the name in another namespace."""
    for binding, role, subject in bindings_meant(refusal, cluster):
        if subject.namespace and any(allows(rule, refusal) for rule in rules_of(role, cluster) or ()):
            return binding, (binding.subjects or ()).index(subject)
    return None


def _rule(near: NearRule | None, cluster: Cluster) -> Iterator[Evidence]:
    role = cluster.maybe.get_ref(near.role) if near is not None else None
    if role is not None and near is not None:
        yield quote(role, f"rules[{near.index}].{near.part}", "the nearest rule")


def _names(binding: Binding, refusal: Refusal) -> bool:
    """The binding is for this account, not for all."""
    account = refusal.service_account
    name = account[1] if account else refusal.user
    return any(subject.name == name and subject.kind != "Group" for subject in binding.subjects or ())


def _bound(binding: Binding) -> Evidence:
    return quote(binding, "roleRef.name", f"{ref(binding).kind} {binding.name} binds it")
