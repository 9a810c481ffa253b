"""Controllers and what the Kubernetes API tells them: rights, resource types, caches, leases, serving certificates."""

from __future__ import annotations

import re
from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.replay.logs.families.troubles import LIMITED_BY_ITSELF, LIMITED_BY_THE_SERVER
from kubedoctor.replay.logs.faults import LogFault, Pattern, PatternFamily
from kubedoctor.replay.logs.subjects import last_path

_FORBIDDEN: Final = compiled_later(
    r"cannot (?P<verb>[\w*]+) resource \"(?P<resource>[^\"]+)\" in API group \"(?P<group>[^\"]*)\""
)
_OLD_FORBIDDEN: Final = compiled_later(r"cannot (?P<verb>[\w*]+) (?P<resource>[\w./-]+)")
_NO_MATCH: Final = compiled_later(r"no matches for kind \"(?P<kind>[^\"]+)\" in versions? \[?\"(?P<version>[^\"]+)\"")
_NO_MATCH_OLD: Final = compiled_later(r"no matches for (?P<version>[\w./-]+), (?:Kind|Resource)=(?P<kind>\w+)")
_CACHES: Final = compiled_later(
    r"wait for ([\w.-]+) caches to sync|caches? (?:to sync )?for ([\w./*-]+)", re.IGNORECASE
)
_RECONCILER_KIND: Final = compiled_later(r"(?:kind source: |source=\"?|synced for Kind )\*?(?:[\w.]+\.)?([A-Z]\w+)")


def _refused(message: str) -> str:
    """`list deployments.apps`."""
    match = _FORBIDDEN.search(message)
    if match is not None:
        group = f".{match['group']}" if match["group"] else ""
        return f"{match['verb']} {match['resource']}{group}"
    old = _OLD_FORBIDDEN.search(message)
    return f"{old['verb']} {old['resource']}" if old is not None else ""


def _type(message: str) -> str:
    """`cert-manager.io/v1 Certificate`."""
    match = _NO_MATCH.search(message) or _NO_MATCH_OLD.search(message)
    return f"{match['version']} {match['kind']}" if match is not None else ""


def _cache(message: str) -> str:
    kind = _RECONCILER_KIND.search(message)
    match = _CACHES.search(message)
    return kind[1] if kind is not None else next(filter(None, match.groups()), "") if match is not None else ""


FAMILIES: Final = (
    PatternFamily(
        LogFault.API_FORBIDDEN,
        (
            Pattern("forbidden: user ", r"is forbidden: User \"[^\"]*\" cannot \w+"),
            Pattern("cannot", r"User \"system:[^\"]+\" cannot \w+"),
            Pattern(
                "forbidden: ", r"forbidden: (?:[\w.]+ )?.*attempting to grant (?:RBAC permissions|extra privileges)"
            ),
            Pattern("forbidden", r"ForbiddenError.*system:serviceaccount|system:serviceaccount\S* .*(?:is )?forbidden"),
            Pattern("forbidden", r"(?:Forbidden|\(403\)|403 Forbidden).*(?:Reason: Forbidden|message.*serviceaccount)"),
            Pattern("apiexception: forbidden"),
            Pattern("configured service account doesn't have access"),
            Pattern("unable to list resources", r"(?P<subject>unable to list resources).*forbidden"),
            Pattern("forbidden", r"kubernetes.*(?:status(?:code)?|code)[\":= ]+403\b"),
        ),
        _refused,
    ),
    PatternFamily(
        LogFault.API_BUSY,
        (
            Pattern(
                "server has received too many",
                r"server has received too many (?:API )?requests",
                trouble=LIMITED_BY_THE_SERVER,
            ),
            Pattern(
                "client rate limiter wait returned an error",
                r"error: (?:context deadline exceeded|rate: Wait\(n=\d+\) would exceed context deadline)",
                trouble=LIMITED_BY_ITSELF,
                weak=True,
            ),
        ),
    ),
    PatternFamily(
        LogFault.RESOURCE_NOT_SERVED,
        (
            Pattern("no matches for "),
            Pattern("could not find the requested resource"),
            Pattern("is not registered in the kubernetes api", r"(?P<subject>\S+) is not registered"),
            Pattern("should be installed before calling start", r"kind (?P<subject>\S+)?.*should be installed"),
            Pattern("failed to get api group resources", r"unable to retrieve.*(?P<subject>[\w.-]+/v\w+)"),
            Pattern("unable to retrieve the complete list of server apis", r"server APIs: (?P<subject>[\w./-]+)"),
            Pattern("not found in group version", r"(?P<subject>\S+) not found in group version"),
            Pattern("customresourcedefinition", r"customresourcedefinitions?\.\S+ \"(?P<subject>[^\"]+)\" not found"),
            Pattern(
                "crd", r"(?:required |missing )?CRDs? .*(?:(?:are|is) )?(?:not (?:found|installed|present)|missing)"
            ),
            Pattern("doesn't have a resource type", r"resource type \"(?P<subject>[^\"]+)\""),
        ),
        _type,
    ),
    PatternFamily(
        LogFault.WEBHOOK,
        (
            Pattern("serving-certs", r"(?P<subject>/\S*serving-certs/[\w.-]+)[^:]*: no such file"),
            Pattern("tls.crt", r"webhook.*(?P<subject>/\S*tls\.crt): no such file"),
            Pattern("certwatcher", r"certwatcher.*no such file"),
            Pattern("webhook", r"(?:unable|failed) to (?:load|read|get) .*(?:webhook|serving).* cert"),
            Pattern("no such file", r"webhook-?(?:server|certs?|tls).*\.(?:crt|pem|key)\S*:? no such file"),
            Pattern("secret", r"webhook.*(?:tls|cert)\w* secret \S+ (?:was )?not found"),
        ),
        last_path,
    ),
    PatternFamily(
        LogFault.CACHE_SYNC,
        (
            Pattern("caches to sync", r"(?:failed|timed out|could not).*caches to sync"),
            Pattern("wait for cache to sync", r"(?:could not|failed to|timed out).*wait for cache to sync"),
            Pattern("cache to be synced", r"timed out waiting for cache to be synced"),
            Pattern("cache did not sync"),
            Pattern("caches did not sync"),
            Pattern("unable to sync caches"),
            Pattern("failed to sync", r"failed to sync (?:\S+ )?(?:informer )?caches?", weak=True),
            Pattern("failed to sync", r"failed to sync (?P<subject>\*v\S+): context deadline exceeded", weak=True),
        ),
        _cache,
    ),
    PatternFamily(
        LogFault.LEADER_ELECTION,
        (
            Pattern("failed to renew lease", r"failed to renew lease (?P<subject>[\w./-]+)", at_any_level=True),
            Pattern("leader election lost"),
            Pattern("leaderelection lost"),
            Pattern("leader lease lost", at_any_level=True),
            Pattern("lost leader", r"lost (?:the )?leader(?:ship|[ -]?election| lease)?", at_any_level=True),
            Pattern("lost leadership", at_any_level=True),
            Pattern(
                "leader",
                r"could not renew the leader lease|failed to (?:renew|update) (?:the )?(?:leader )?(?:lock|lease)",
            ),
            Pattern("failed to update lock", weak=True),
            Pattern("error retrieving resource lock", r"lock (?P<subject>[^\s:]+)", weak=True),
            Pattern("master lease", r"lost (?:the )?master lease"),
            Pattern("no longer the leader", at_any_level=True),
            Pattern("no longer leader", at_any_level=True),
            Pattern(
                "leader election", r"stopped leading|leader election (?:lease )?(?:expired|failed)", at_any_level=True
            ),
            Pattern("stopped leading", at_any_level=True),
        ),
    ),
)
