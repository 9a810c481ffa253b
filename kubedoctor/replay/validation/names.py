"""Which texts are names (`apimachinery/pkg/util/validation`, `pkg/apis/core/validation/names.go`, v1.37)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

Check = Callable[[str], list[str]]
"""What a text must be and is not; empty where nothing is wrong."""

_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LABEL_1035: Final = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_QUALIFIED: Final = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_LABEL_VALUE: Final = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_PORT_NAME: Final = re.compile(r"[-a-z0-9]+")
_CONFIG_KEY: Final = re.compile(r"[-._a-zA-Z0-9]+")
_WILDCARD: Final = re.compile(r"\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_ENVIRONMENT: Final = re.compile(r"[ -<>-~]+")
_HTTP_PATH: Final = re.compile(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+")
_LABEL_RULE: Final = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an "
    "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_SUBDOMAIN_RULE: Final = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LABEL_1035_RULE: Final = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end "
    "with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_VALUE_RULE: Final = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_QUALIFIED_RULE: Final = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)


def _checked(text: str, pattern: re.Pattern[str], rule: str, most: int) -> list[str]:
    problems = [] if len(text) <= most else [f"must be no more than {most} bytes"]
    return problems if pattern.fullmatch(text) else [*problems, rule]


def dns_label(text: str) -> list[str]:
    """RFC 1123, 63 characters: containers, volumes, namespaces."""
    return _checked(text, _LABEL, _LABEL_RULE, 63)


def dns_label_1035(text: str) -> list[str]:
    """Services."""
    return _checked(text, _LABEL_1035, _LABEL_1035_RULE, 63)


def dns_subdomain(text: str) -> list[str]:
    """RFC 1123, 253 characters: most objects."""
    return _checked(text, _SUBDOMAIN, _SUBDOMAIN_RULE, 253)


def wildcard_subdomain(text: str) -> list[str]:
    """`*.example.com`."""
    rule = "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain"
    return _checked(text, _WILDCARD, rule, 253)


def path_segment(text: str) -> list[str]:
    """The names of roles and their bindings."""
    if text in (".", ".."):
        return [f"may not be '{text}'"]
    return [f"may not contain '{part}'" for part in ("/", "%") if part in text]


def label_value(text: str) -> list[str]:
    return _checked(text, _LABEL_VALUE, _VALUE_RULE, 63)


def qualified_name(text: str) -> list[str]:
    """Keys of labels: `app`, `example.com/app`."""
    prefix, slash, name = text.rpartition("/")
    problems: list[str] = []
    if slash and not prefix:
        problems.append("prefix part must be non-empty")
    elif slash:
        if "/" in prefix:
            return [_QUALIFIED_RULE.replace("name part", "a qualified name")]
        problems += [f"prefix part {why}" for why in dns_subdomain(prefix)]
    if not name:
        problems.append("name part must be non-empty")
    elif len(name) > 63:
        problems.append("name part must be no more than 63 bytes")
    return problems if _QUALIFIED.fullmatch(name) else [*problems, _QUALIFIED_RULE]


def port_name(text: str) -> list[str]:
    """IANA_SVC_NAME: 15 characters, at least a letter."""
    problems = [] if len(text) <= 15 else ["must be no more than 15 characters"]
    if not _PORT_NAME.fullmatch(text):
        problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", text):
        problems.append("must contain at least one letter (a-z)")
    if "--" in text:
        problems.append("must not contain consecutive hyphens")
    if text.startswith("-") or text.endswith("-"):
        problems.append("must not begin or end with a hyphen")
    return problems


def port_number(number: int) -> list[str]:
    return [] if 1 <= number <= 65535 else ["must be between 1 and 65535, inclusive"]


def environment_name(text: str) -> list[str]:
    """Since 1.30 every printable character but `=`."""
    return (
        []
        if _ENVIRONMENT.fullmatch(text)
        else ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
    )


def config_key(text: str) -> list[str]:
    """Keys of ConfigMaps and Secrets."""
    problems = [] if len(text) <= 253 else ["must be no more than 253 bytes"]
    if not _CONFIG_KEY.fullmatch(text):
        problems.append(
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
            "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
        )
    if text == ".":
        problems.append("must not be '.'")
    elif text.startswith(".."):
        problems.append("must not be '..'" if text == ".." else "must not start with '..'")
    return problems


def domain_prefixed_path(text: str) -> list[str]:
    """`acme.io/foo`: the name of a controller."""
    domain, slash, path = text.partition("/")
    if not slash or not domain or not path:
        return ['must be a domain-prefixed path (such as "acme.io/foo")']
    problems = [f"prefix part {why}" for why in dns_subdomain(domain)]
    if not _HTTP_PATH.fullmatch(path):
        problems.append("Invalid path (e.g. 'my/valid/path')")
    return problems
