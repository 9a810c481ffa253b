"""The rule of a policy engine that denies an object, read from the message of its webhook."""

from __future__ import annotations

import re
from typing import Final

from kubedoctor.cluster import listed

_GATEKEEPER: Final = re.compile(r"\[(?:denied by )?(?P<name>[a-z0-9][a-z0-9.-]*)\] ")
"""`open-policy-agent/gatekeeper`, `pkg/webhook/policy.go`, 3.17; before 3.3 with `denied by`."""
_GATEKEEPER_HOOK: Final = "gatekeeper"
_KYVERNO: Final = re.compile(r"(?:blocked due to the following policies|was blocked due to|policy \S+ (?:fail|error))")
_KYVERNO_RULE: Final = re.compile(
    r"(?:^|\s)(?P<policy>[a-z0-9][a-z0-9.-]*):\s+(?P<rule>[A-Za-z0-9][\w.-]*): ['\"]?(?P<why>.*?)(?=['\"]?\s+[a-z0-9][a-z0-9.-]*:\s+[A-Za-z0-9][\w.-]*: |$)"
)
"""`kyverno/kyverno`, `pkg/webhooks/utils/block.go`, 1.13: policy, rule, message, as YAML."""
_PLACE: Final = re.compile(r"failed at path (?P<path>/\S+?)/?[.'\"]*(?:\s|$)")


def rule_named(text: str) -> str:
    """text: the API server's words about the webhook that denies. Empty for other webhooks."""
    line = " ".join(text.split())
    if _KYVERNO.search(line):
        body = _KYVERNO.split(line, maxsplit=1)[-1]
        found = list(_KYVERNO_RULE.finditer(body))
        if not found:
            return ""
        rules = listed([f"{one['rule']} of policy {one['policy']}" for one in found], 3)
        place = _PLACE.search(found[0]["why"])
        where = f" (at {place['path']})" if place is not None else ""
        return f"Kyverno's rule {rules}{where}"
    names = dict.fromkeys(one["name"] for one in _GATEKEEPER.finditer(line)) if _GATEKEEPER_HOOK in line else {}
    if names:
        return f"Gatekeeper's constraint {listed(names, 3)}"
    return ""
