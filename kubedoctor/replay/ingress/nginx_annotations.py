"""The risks of ingress-nginx's annotations, and up to which risk a controller takes them (`internal/ingress/annotations`,
`parser.CheckAnnotationRisk`, controller-v1.15)."""

from __future__ import annotations

import enum
from typing import Final

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.kinds.core import ConfigMap
from kubedoctor.cluster.kinds.pods import Pod

PREFIX: Final = "nginx.ingress.kubernetes.io/"
RISK_LEVEL: Final = "annotations-risk-level"
SNIPPETS: Final = "allow-snippet-annotations"
_TAG: Final = compiled_later(r":v?(?P<major>\d+)\.(?P<minor>\d+)\.\d+")
_FIRST: Final = (1, 9)
"""The release that brought risks; below it every annotation is taken."""
_HIGH_BY_DEFAULT: Final = (1, 12)
_CUSTOM_HEADERS: Final = (1, 11)
_TRUE: Final = ("1", "t", "true")


class Risk(enum.IntEnum):
    """As `annotations-risk-level` names them."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2
    CRITICAL = 3


_GROUPS: Final = {
    "configuration-snippet": "ConfigurationSnippet",
    "server-snippet": "ServerSnippet",
    "stream-snippet": "StreamSnippet",
    "auth-snippet": "ExternalAuth",
    "modsecurity-snippet": "ModSecurity",
    "server-alias": "Aliases",
    "auth-url": "ExternalAuth",
    "auth-signin": "ExternalAuth",
    "mirror-target": "Mirror",
    "mirror-host": "Mirror",
    "modsecurity-transaction-id": "ModSecurity",
    "proxy-ssl-name": "ProxySSL",
    "upstream-hash-by": "UpstreamHashBy",
}
"""The names that the log has for them; of High and Critical risk, those of lower risk are left out."""


def risk_of(annotation: str) -> Risk | None:
    """The risk of an annotation with its prefix; None below High."""
    name = annotation.removeprefix(PREFIX)
    if name not in _GROUPS:
        return None
    return Risk.CRITICAL if is_snippet(name) else Risk.HIGH


def is_snippet(annotation: str) -> bool:
    """Whether its value is nginx's configuration."""
    return annotation.endswith("-snippet")


def takes_snippets(config: ConfigMap) -> bool:
    """Whether the controller uses snippets, of whichever risk (`dropSnippetDirectives`); it does not by default."""
    return (config.data or {}).get(SNIPPETS, "").strip().lower() in _TRUE


def replacement_of(annotation: str, level: Risk, controller: Pod) -> str:
    """What does the same without the annotation, as a half sentence; empty where nothing does."""
    name = annotation.removeprefix(PREFIX)
    release = _release(controller)
    if name == "server-alias":
        return "for server-alias, add a rule for each of its hosts"
    if name == "configuration-snippet" and level >= Risk.MEDIUM and release is not None and release >= _CUSTOM_HEADERS:
        return "if configuration-snippet only sets response headers, use custom-headers"
    return ""


def group_of(annotation: str) -> str:
    """The name of the parser that reads it, as the controller logs it."""
    return _GROUPS.get(annotation.removeprefix(PREFIX), "")


def accepted_risk(config: ConfigMap | None, controller: Pod) -> Risk | None:
    """Up to which risk the controller takes annotations: by its ConfigMap, else by its version. None where neither tells;
    another word
    than the four means Low (`StringRiskToRisk`)."""
    release = _release(controller)
    if release is None or release < _FIRST:
        return None
    stated = (config.data or {}).get(RISK_LEVEL, "") if config is not None else ""
    if stated:
        return next((risk for risk in Risk if risk.name == stated.upper()), Risk.LOW)
    return Risk.HIGH if release >= _HIGH_BY_DEFAULT else Risk.CRITICAL


def _release(controller: Pod) -> tuple[int, int] | None:
    for container in controller.spec.containers:
        if "controller" in container.image and (match := _TAG.search(container.image)) is not None:
            return int(match["major"]), int(match["minor"])
    return None
