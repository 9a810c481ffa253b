"""AuthorizationPolicies and RequestAuthentications: workloads and namespaces that they name, and where keys come from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kubedoctor.cluster.grammar.selectors import selector_from_map
from kubedoctor.cluster.kinds.meta import CustomResource
from kubedoctor.replay.mesh.analysis.messages import Analyzer, AnalyzerMessage, message_about
from kubedoctor.replay.mesh.analysis.objects import AnalyzedObjects, full_name, is_ambient
from kubedoctor.replay.mesh.config import AUTHORIZATION_POLICY, SECURITY, labels, part, rows, words

REQUEST_AUTHENTICATION: Final = f"RequestAuthentication.{SECURITY}"
_BLOCKED: Final = "BLOCKED_CIDRS_IN_JWKS_URIS"
_SHOWN: Final = 5


def analyze_policies(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    for policy in objects.of(AUTHORIZATION_POLICY):
        yield from _workloads(policy, objects)
        for _, rule in rows(policy.spec, "rules"):
            for _, row in rows(rule, "from"):
                source = part(row, "source")
                for written in (*words(source, "namespaces"), *words(source, "notNamespaces")):
                    if not any(means_namespace(written, space.name) for space in objects.namespaces):
                        yield message_about("IST0101", policy, "namespace", written)


def _workloads(policy: CustomResource, objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    is_everywhere = policy.namespace == objects.root
    is_narrow = (policy.spec or {}).get("selector") is not None
    if is_everywhere and not is_narrow:
        return
    selector = selector_from_map(labels(policy.spec, "selector", "matchLabels"))
    if not any(
        selector.matches(pod.labels)
        for pod in objects.pods
        if (is_everywhere or pod.namespace == policy.namespace) and (objects.in_mesh(pod) or is_ambient(pod))
    ):
        yield message_about("IST0127", policy, selector.text if is_narrow else "")


def means_namespace(written: str, name: str) -> bool:
    """Whether the namespace of a source stands for one, with `*` at either end."""
    if written.startswith("*"):
        return name.endswith(written[1:])
    return name.startswith(written[:-1]) if written.endswith("*") else written.casefold() == name.casefold()


def analyze_key_fetches(objects: AnalyzedObjects) -> Iterator[AnalyzerMessage]:
    """An istiod that fetches keys from any address that a RequestAuthentication names."""
    names = [full_name(found) for found in objects.of(REQUEST_AUTHENTICATION)]
    shown = ", ".join(names[:_SHOWN])
    if len(names) > _SHOWN:
        shown += f", and {len(names) - _SHOWN} more"
    for deployment in objects.deployments if names else ():
        containers = deployment.spec.template.spec.containers
        is_set = any(row.name == _BLOCKED and row.value for container in containers for row in container.env or ())
        if deployment.labels.get("app") == "istiod" and not is_set:
            yield message_about("IST0175", deployment, str(len(names)), shown)


ANALYZERS: Final = (
    Analyzer("auth.AuthorizationPoliciesAnalyzer", analyze_policies),
    Analyzer("authn.BlockedCIDRsAnalyzer", analyze_key_fetches),
)
