"""The commands of kubectl that create roles and their bindings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubedoctor.cluster.kinds.references import Ref


def role_words(about: Ref, data: Mapping[str, Any]) -> tuple[str, ...]:
    """The words that create a role with one rule, or a binding of one ServiceAccount; empty for all others."""
    if about.kind in ("Role", "ClusterRole"):
        return _role(about, data)
    if about.kind in ("RoleBinding", "ClusterRoleBinding"):
        return _binding(about, data)
    return ()


def _role(about: Ref, data: Mapping[str, Any]) -> tuple[str, ...]:
    rules = list(data.get("rules") or [])
    if len(rules) != 1 or not data["metadata"].keys() <= {"name", "namespace"}:
        return ()
    (rule,) = rules
    words = ("kubectl", "create", about.kind.lower(), about.name, f"--verb={','.join(rule['verbs'])}")
    if urls := rule.get("nonResourceURLs"):
        return (*words, f"--non-resource-url={','.join(urls)}")
    groups = list(rule.get("apiGroups") or [])
    if len(groups) != 1:
        return ()
    resources = ",".join(_in_group(resource, groups[0]) for resource in rule["resources"])
    names = tuple(f"--resource-name={name}" for name in rule.get("resourceNames") or ())
    return (*words, f"--resource={resources}", *names)


def _in_group(resource: str, group: str) -> str:
    """`deployments.apps/scale`."""
    name, slash, subresource = resource.partition("/")
    return f"{name}.{group}{slash}{subresource}" if group else resource


def _binding(about: Ref, data: Mapping[str, Any]) -> tuple[str, ...]:
    subjects, role = list(data.get("subjects") or []), data["roleRef"]
    if len(subjects) != 1 or subjects[0].get("kind") != "ServiceAccount":
        return ()
    (subject,) = subjects
    account = f"--serviceaccount={subject['namespace']}:{subject['name']}"
    return ("kubectl", "create", about.kind.lower(), about.name, f"--{role['kind'].lower()}={role['name']}", account)
