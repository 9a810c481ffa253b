"""Which values are secrets. Structs apply this while they are decoded, so that no snapshot ever holds one."""

from __future__ import annotations

import re

REDACTED = "<redacted>"

_NAME = re.compile(
    r"passw|passphrase|passwd|pwd$|secret|token|api_?-?key|access_?-?key|private_?-?key|credential|"
    r"client_?-?key|encryption_?-?key|signing_?-?key|auth_?-?key|connection_?-?string|dsn$|_sas$|\.pem$|\.key$|\.p12$|\.jks$",
    re.IGNORECASE,
)
_USER_INFO = re.compile(r"(?P<scheme>\b[a-zA-Z][a-zA-Z0-9+.-]*://)(?P<user>[^\s:/@]*):(?P<password>[^\s@/]+)@")
_KNOWN_FORM = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+|"
    r"\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bxox[abprs]-[A-Za-z0-9-]{10,}"
)
# A name that only says where a secret lies is not one: PASSWORD_FILE=/run/secrets/db.
_PLACE = re.compile(r"(_FILE|_PATH|_DIR|_NAME|_REF)$", re.IGNORECASE)


def looks_secret(name: str) -> bool:
    """Whether the name of an environment variable or key says that its value is a secret."""
    return _NAME.search(name) is not None and _PLACE.search(name) is None


def redact_value(name: str, value: str) -> str:
    """The value, or `<redacted>` when its name or its form says secret; a password inside a URL is cut out."""
    if not value:
        return value
    if looks_secret(name) or _KNOWN_FORM.search(value):
        return REDACTED
    return redact_text(value)


def redact_text(text: str) -> str:
    """The text without passwords in URLs and without values that have the form of a key or token."""
    if "://" in text:
        text = _USER_INFO.sub(rf"\g<scheme>\g<user>:{REDACTED}@", text)
    return _KNOWN_FORM.sub(REDACTED, text)
