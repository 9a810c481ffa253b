"""Requests that the Kubernetes API refused for want of a right, as its message writes them."""

from __future__ import annotations

from typing import Final

import msgspec

from kubedoctor.cluster.grammar.patterns import compiled_later

SERVICE_ACCOUNT: Final = "system:serviceaccount:"
_REFUSED: Final = compiled_later(
    r'User "(?P<user>[^"]+)" cannot (?P<verb>[\w*]+) '
    r'(?:resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"|path "(?P<path>[^"]+)")'
    r'(?: in the namespace "(?P<namespace>[^"]+)"| at the cluster scope)?'
)
_NAMED: Final = compiled_later(r'"(?P<name>[^"]+)" is forbidden')


class Refusal(msgspec.Struct, frozen=True):
    """Who may not do what.

    resource: with its subresource, `pods/log`. namespace: empty at the cluster scope. path: of a request for no resource.
    """

    user: str
    verb: str
    resource: str = ""
    group: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def service_account(self) -> tuple[str, str] | None:
        """Namespace and name of the ServiceAccount; None for any other user."""
        parts = self.user.removeprefix(SERVICE_ACCOUNT).split(":")
        return (parts[0], parts[1]) if self.user.startswith(SERVICE_ACCOUNT) and len(parts) == 2 else None

    @property
    def what(self) -> str:
        """`endpointslices.discovery.k8s.io`."""
        return self.path or (f"{self.resource}.{self.group}" if self.group else self.resource)


def refusal_in(message: str) -> Refusal | None:
    """The refusal that a message quotes; its quotes may be escaped."""
    plain = message.replace('\\"', '"')
    match = _REFUSED.search(plain)
    if match is None:
        return None
    groups = {key: value or "" for key, value in match.groupdict().items()}
    named = _NAMED.search(plain[: match.start()])
    return Refusal(**groups, name=named["name"] if named is not None else "")
