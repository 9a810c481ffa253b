"""Removes the credentials that libraries, servers and kubeconfigs put into error texts."""

from __future__ import annotations

from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.grammar.redaction import REDACTED, redact_text

# In an error nothing before the @ of a URL is needed; a password may itself hold `@`, or `/` after the colon.
_USER_INFO = compiled_later(
    r"\b([a-zA-Z][a-zA-Z0-9+.-]{0,30}://)(?:[^\s/@:'\"]{0,256}:[^\s@'\"]{0,1024}|[^\s/'\"]{1,1024})@"
)
_SCHEME = compiled_later(r"(?i)\b(bearer|basic)(\s{1,4})(?!auth|token|cred)[^\s'\"\\,;)]+")


def without_credentials(text: str) -> str:
    """The error text without tokens, passwords, and user info of URLs. Every error text goes through here before it is
    shown."""
    if "://" in text and "@" in text:
        text = _USER_INFO.sub(rf"\1{REDACTED}@", text)
    return redact_text(_SCHEME.sub(rf"\1\2{REDACTED}", text))
