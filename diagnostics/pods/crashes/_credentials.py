"""A login that another service refuses: where the program's user name and password come from."""

from __future__ import annotations

import re
from typing import NamedTuple

from diagnostics.pods.crashes._story import Story
from kubedoctor.cluster import Cluster, Container, Pod, has_path, listed, quote, visible_end
from kubedoctor.findings import Evidence, Fix, Ref, fix_by_hand, quote_spec
from kubedoctor.replay.logs import subjects
from kubedoctor.replay.messages.classes import MessageClass
from kubedoctor.replay.messages.extensions.cloud_identity import CLOUD_IDENTITY
from kubedoctor.replay.messages.message import Message
from kubedoctor.replay.messages.phrases import first_phrase
from kubedoctor.replay.network.parties import parse_address

MOST = 2
_PASSWORD = re.compile(
    r"PASS(?:WORD|WD|PHRASE)?|PWD|TOKEN|SECRET|API_?KEY|CREDENTIAL|(?:DATABASE|DB|MONGO\w*|REDIS|AMQP)_UR[IL]|DSN",
    re.IGNORECASE,
)

_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[^:@/\s]*(?P<password>:[^@/\s]+)?@)?(?P<host>[\w.-]+(?::\d+)?)(?:[/?]|$)"
)
_PORT = re.compile(r":\d+$")
_OF_A_SERVICE = re.compile(r"_UR[IL]$|^UR[IL]$|DSN|BROKER|_ADDR(?:ESS)?$|_HOST$", re.IGNORECASE)
_WRITES: dict[str, re.Pattern[str]] = {
    scheme: re.compile(words, re.IGNORECASE)
    for schemes, words in (
        ("redis rediss valkey valkeys", r"redis|valkey|\bNOAUTH\b|\bWRONGPASS\b|ReplyError|\bERR AUTH\b"),
        ("postgres postgresql", r"postgres|\bpq:|psycopg|pg_hba|\bPG\b|(?:password|peer) authentication failed for user|\brole \""),
        ("mysql mariadb", r"mysql|mariadb|Access denied for user|\bERROR 1045\b"),
        ("mongodb mongo", r"mongo|AuthenticationFailed|SCRAM"),
        ("amqp amqps", r"amqp|rabbit|ACCESS_REFUSED|login was refused"),
        ("nats", r"\bnats\b"),
        ("kafka", r"kafka|SASL"),
        ("ldap ldaps", r"ldap"),
        ("sqlserver mssql", r"login failed for user|sqlserver|mssql"),
        ("oracle", r"ORA-01017|logon denied"),
        ("smtp smtps", r"smtp|\b535\b"),
    )
    for scheme in schemes.split()
}  # fmt: skip
"""How the servers behind a scheme refuse a login."""
_LONGEST = 240
_C = MessageClass
_IDENTITY = {
    _C.CLOUD_IDENTITY_NO_PROVIDER: ("it does not know the issuer of the cluster's tokens", "Create the identity provider for the cluster's OIDC issuer in the account of the role (AWS: an IAM OIDC provider)"),
    _C.CLOUD_IDENTITY_TRUST_POLICY: ("the role does not trust it", "Let the trust policy of the role admit ServiceAccount {account} of this namespace and cluster"),
    _C.CLOUD_IDENTITY_FEDERATION: ("its token is not accepted", "Compare issuer, subject and audience of the federated credential with ServiceAccount {account}"),
    _C.CLOUD_IDENTITY_DENIED: ("it may not act as the cloud account", "Let ServiceAccount {account} act as the cloud account that its annotation names (workloadIdentityUser)"),
}  # fmt: skip
"""What the cloud says in words, and what repairs it."""


class _Source(NamedTuple):
    variable: str
    secret: str
    key: str

    @property
    def words(self) -> str:
        where = f"Secret {self.secret}"
        return f"{self.variable} is key {self.key} of {where}" if self.variable else f"its variables are from {where}"


def no_cloud_identity(pod: Pod, message: str) -> Story | None:
    """The cloud gives the pod's ServiceAccount no identity: no password of the program is wrong."""
    found = first_phrase(Message(text=message), CLOUD_IDENTITY.phrases)
    if found is None or found.message_class not in _IDENTITY:
        return None
    words, fix = _IDENTITY[found.message_class]
    account = pod.spec.service_account_name or "default"
    path = "spec.serviceAccountName"
    return Story(
        f"the cloud gives ServiceAccount {account} no identity: {words}: {visible_end(message, _LONGEST)}",
        evidence=(quote(pod, path, "whose token it shows"),) if has_path(pod, path) else (),
        fixes=(Fix(fix.format(account=account)),),
    )


def refused_login(pod: Pod, container: str, message: str, about: Ref, cluster: Cluster) -> Story:
    """The Secrets that the container's passwords are read from, named beside the refusal."""
    text = f"another service rejects its user name or password: {message}"
    containers = (*(pod.spec.init_containers or ()), *pod.spec.containers)
    mine = next((one for one in containers if one.name == container), None)
    sources = _sources(mine) if mine is not None else []
    if not sources:
        return _plain_address(pod, mine, text, about, cluster) if mine is not None else Story(text)
    evidence: list[Evidence] = []
    for source in sources:
        path = f"env[name={source.variable}].valueFrom" if source.variable else "envFrom"
        evidence += quote_spec(pod, cluster, about, container, path, "where the password comes from")
    named = listed([f"Secret {secret}" for secret in dict.fromkeys(source.secret for source in sources)], MOST)
    fix = Fix(
        f"Compare {named} with what the other service has stored: a database keeps the password of its first start"
    )
    return Story(f"{text}; {'; '.join(source.words for source in sources)}", evidence=tuple(evidence), fixes=(fix,))


def _plain_address(pod: Pod, container: Container, text: str, about: Ref, cluster: Cluster) -> Story:
    """Without a Secret: the variable with the address of the other service, and whether it holds a password."""
    for variable in container.env or ():
        found = _URL.match(variable.value or "")
        if found is None or not _OF_A_SERVICE.search(variable.name) or not _refuses(found, text):
            continue
        holds = "" if found["password"] else " and has no password"
        fix = fix_by_hand(about, f"Give container `{container.name}` the password of {found['host']} from a Secret")
        return Story(
            f"{text}; {variable.name} names {found['host']}{holds}",
            evidence=tuple(
                quote_spec(
                    pod, cluster, about, container.name, f"env[name={variable.name}].value", "the address that it uses"
                )
            ),
            fixes=() if holds == "" else (fix,),
        )
    return Story(text)


def _refuses(address: re.Match[str], text: str) -> bool:
    """Whether the refusal is of that service: it names its host, or else no other host and is as such services write."""
    scheme, host = address["scheme"].partition("+")[0], _PORT.sub("", address["host"])
    if scheme in ("http", "https"):
        return False
    named = _PORT.sub("", subjects.address(text))
    if named == host:
        return True
    if named not in ("", "localhost") and parse_address(named) is None:
        return named.partition(".")[0] == host.partition(".")[0]
    return scheme in _WRITES and bool(_WRITES[scheme].search(text))


def _sources(container: Container) -> list[_Source]:
    direct = [
        _Source(variable.name, variable.value_from.secret_key_ref.name, variable.value_from.secret_key_ref.key)
        for variable in container.env or ()
        if variable.value_from is not None and variable.value_from.secret_key_ref is not None
    ]
    passwords = [source for source in direct if _PASSWORD.search(source.variable)]
    whole = [_Source("", source.secret_ref.name, "") for source in container.env_from or () if source.secret_ref]
    return (passwords or whole or direct)[:MOST]
