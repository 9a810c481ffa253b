"""Why a scaler of KEDA fails, by the error that its operator writes into events (`KEDAScalerFailed`, kedacore/keda v2.17).

The operator passes on the errors of the source's client library, so the words are those of Go's net package and of the
clients of the sources.
"""

from __future__ import annotations

import enum
import re
from typing import Final

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later

SCALER_FAILED: Final = "KEDAScalerFailed"
FAILURES: Final = (SCALER_FAILED, "KEDAMetricSourceFailed", "ScaledObjectCheckFailed", "ScaledJobCheckFailed")
"""The reasons of its events about a failure, those that say why first."""


class ScalerFault(enum.Enum):
    """What is wrong."""

    OTHER_AUTOSCALER = "other-autoscaler"
    TARGET = "target"
    MISSING_OBJECT = "missing-object"
    SETTING = "setting"
    NAME = "name"
    UNREACHABLE = "unreachable"
    CERTIFICATE = "certificate"
    RIGHTS = "rights"
    CREDENTIALS = "credentials"
    NO_VALUE = "no-value"
    OTHER = "other"


class ScalerFailure(msgspec.Struct, frozen=True):
    """address: `host:port` or the host that could not be reached or resolved; empty where the message has none. subject:
    what is missing, as `secret rabbit`, or the other autoscaler."""

    fault: ScalerFault
    address: str = ""
    subject: str = ""


_URL: Final = compiled_later(r"\bhttps?://(?:[^/@\s\"]*@)?([^/\s\"?]+)")
_LOOKUP: Final = compiled_later(r"\blookup (\S+?)(?: on \S+)?: ")
_DIAL: Final = compiled_later(r"\bdial (?:tcp|udp)[46]? ([^\s]+?:\d+)")
_FORMS: Final = (
    (ScalerFault.OTHER_AUTOSCALER, compiled_later(r"already managed by the (?:hpa|ScaledObject) '([^']+)'")),
    (
        ScalerFault.MISSING_OBJECT,
        compiled_later(r"\b((?:secret|configmap|(?:cluster)?triggerauthentication)s?(?:\.keda\.sh)? \"[^\"]+\") not found", re.I),
    ),
    (ScalerFault.TARGET, compiled_later(r"scaleTargetRef|scale target|\b(?:deployments|statefulsets)\.apps \"[^\"]+\" not found")),
    (ScalerFault.NAME, compiled_later(r"no such host|server misbehaving|name resolution|\blookup \S+: ", re.I)),
    (ScalerFault.CERTIFICATE, compiled_later(r"x509: |tls: |certificate", re.I)),
    (
        ScalerFault.UNREACHABLE,
        compiled_later(
            r"connection refused|i/o timeout|connection reset|no route to host|network is unreachable|deadline exceeded"
            r"|run out of available brokers|broken pipe|\bEOF\b|status: 50[234]|no servers available|pool timeout|Timeout was reached",
            re.I,
        ),
    ),
    (
        ScalerFault.RIGHTS,
        compiled_later(
            r"not authorized to (?:access|perform(?!:? sts:))|AUTHORIZATION_FAILED|AuthorizationFailed|PermissionDenied|permission denied|NOPERM"
            r"|AccessDenied(?!.{0,80}AssumeRole)|not authorized on \w+ to execute|insufficient permissions?",
            re.I,
        ),
    ),
    (
        ScalerFault.CREDENTIALS,
        compiled_later(
            r"WRONGPASS|NOAUTH|\bauthenticat|unauthori[sz]ed|access ?denied|forbidden|\b40[13]\b|credential|SASL|password"
            r"|not authorized|permission|error resolving secret|InvalidClientTokenId|ExpiredToken|AADSTS\d+|login",
            re.I,
        ),
    ),
    (
        ScalerFault.SETTING,
        compiled_later(
            r"error parsing|missing|no \w+ (?:given|found in)|no scaler found|invalid|must be|unable to parse|unknown scaler"
            r"|not a valid|required|must specify|cannot parse|unsupported",
            re.I,
        ),
    ),
    (
        ScalerFault.NO_VALUE,
        compiled_later(r"result is empty|no data|no queue|empty response|metric was not found|no matching metrics|not found|does not exist", re.I),
    ),
)  # fmt: skip


def scaler_failure(message: str) -> ScalerFailure:
    """What an error of a scaler says."""
    text = " ".join(message.split())
    for fault, form in _FORMS:
        if match := form.search(text):
            subject = (match[1] if match.lastindex else "").replace('"', "")
            return ScalerFailure(fault, _address(text), subject)
    return ScalerFailure(ScalerFault.OTHER)


def _address(text: str) -> str:
    """The name that was looked up, a URL's host, or the address that was dialled: a name says more than an address."""
    for form in (_LOOKUP, _URL, _DIAL):
        if match := form.search(text):
            return match[1]
    return ""
