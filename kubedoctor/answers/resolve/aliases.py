"""Services that stand for another name (`type: ExternalName`): the DNS answers with an alias, which clients follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from kubedoctor.answers.reach.dead_ends import DeadEnd, unresolved
from kubedoctor.answers.resolve.lookup_setting import USUAL_DOMAIN, cluster_domain
from kubedoctor.cluster.kinds.core import Namespace, Service
from kubedoctor.cluster.kinds.references import ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.replay.services.hosts import is_address, service_named


class AliasEnd(NamedTuple):
    """service: where the aliases lead, None where they end before. passed: the aliases, in order. outside: the name that
    is none of the cluster's. obstacle: why they lead nowhere."""

    service: Service | None
    passed: tuple[Service, ...] = ()
    outside: str = ""
    obstacle: DeadEnd | None = None


def is_alias(service: Service) -> bool:
    return service.spec.type == "ExternalName"


def followed(service: Service, cluster: Cluster) -> AliasEnd:
    """From a Service through all aliases. The target of an alias is a whole name: no search domain is added to it."""
    passed: list[Service] = []
    while is_alias(service):
        passed.append(service)
        name = service.spec.external_name.rstrip(".").lower()
        if obstacle := _no_name(service, name):
            return AliasEnd(None, tuple(passed), obstacle=obstacle)
        host = _without_domain(name, cluster)
        named = service_named(host, service.namespace) if host else None
        if named is None:
            return AliasEnd(None, tuple(passed), service.spec.external_name)
        following = cluster.get(Service, named.namespace, named.name)
        if following is None:
            spaces = [space.name for space in cluster.maybe.all(Namespace)]
            end = unresolved(service.spec.external_name, named.namespace, named.name, spaces, cluster)
            return AliasEnd(None, tuple(passed), obstacle=end._replace(about=ref(service)))
        if any(ref(row) == ref(following) for row in passed):
            return AliasEnd(None, tuple(passed), obstacle=_circle(passed, following))
        service = following
    return AliasEnd(service, tuple(passed))


def _no_name(service: Service, name: str) -> DeadEnd | None:
    title = ref(service).title
    if is_address(name):
        text = f"{title} stands for {name}: an address is no name, so it does not resolve"
        return DeadEnd(text, ref(service), "not found")
    if name.endswith(".svc"):
        text = f"{title} stands for {name}, to which no search domain is added: write {name}.{USUAL_DOMAIN}"
        return DeadEnd(text, ref(service), "not found")
    return None


def _without_domain(name: str, cluster: Cluster) -> str:
    """`NAME.NAMESPACE.svc`; empty for names outside of the cluster."""
    if ".svc." not in name:
        return ""
    known = set(cluster.gaps)
    domains = dict.fromkeys(
        (USUAL_DOMAIN, *filter(None, ("" if name.endswith(USUAL_DOMAIN) else cluster_domain(cluster),)))
    )
    cluster.gaps.intersection_update(known)  # Names of the usual domain tell enough.
    return next((name.removesuffix(f".{domain}") for domain in domains if name.endswith(f".svc.{domain}")), "")


def _circle(passed: Sequence[Service], again: Service) -> DeadEnd:
    names = " → ".join(f"{row.namespace}/{row.name}" for row in (*passed, again))
    return DeadEnd(f"the aliases lead in a circle and to no address: {names}", ref(passed[0]), "not found")
