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
    groups: where they are known; else those that every user of its kind has.
    """

    user: str
    verb: str
    resource: str = ""
    group: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""
    groups: tuple[str, ...] | None = None

    @property
    def member_of(self) -> tuple[str, ...]:
        """The groups of the user."""
        if self.groups is not None:
            return self.groups
        if not self.user.startswith(SERVICE_ACCOUNT):
            return ("system:authenticated",)
        namespace = self.user.removeprefix(SERVICE_ACCOUNT).split(":")[0]
        return ("system:authenticated", "system:serviceaccounts", f"system:serviceaccounts:{namespace}")

    @property
    def request(self) -> str:
        """`list configmaps in namespace shop`, `get leases.coordination.k8s.io "web" in namespace shop`, `get /metrics`."""
        where = f" in namespace {self.namespace}" if self.namespace else " at the cluster scope"
        name = f' "{self.name}"' if self.name else ""
        return f"{self.verb} {self.what}{name}{'' if self.path else where}"

    @property
    def words(self) -> str:
        """The request in the API server's words."""
        if self.path:
            return f'User "{self.user}" cannot {self.verb} path "{self.path}"'
        where = f'in the namespace "{self.namespace}"' if self.namespace else "at the cluster scope"
        return f'User "{self.user}" cannot {self.verb} resource "{self.resource}" in API group "{self.group}" {where}'

    @property
    def service_account(self) -> tuple[str, str] | None:
        """Namespace and name of the ServiceAccount; None for any other user."""
        parts = self.user.removeprefix(SERVICE_ACCOUNT).split(":")
        return (parts[0], parts[1]) if self.user.startswith(SERVICE_ACCOUNT) and len(parts) == 2 else None

    @property
    def what(self) -> str:
        """`endpointslices.discovery.k8s.io`, `deployments.apps/scale`."""
        name, slash, subresource = self.resource.partition("/")
        return self.path or (f"{name}.{self.group}{slash}{subresource}" if self.group else self.resource)


def refusal_in(message: str) -> Refusal | None:
    """The refusal that a message quotes; its quotes may be escaped."""
    plain = message.replace('\\"', '"')
    match = _REFUSED.search(plain)
    if match is None:
        return None
    groups = {key: value or "" for key, value in match.groupdict().items()}
    named = _NAMED.search(plain[: match.start()])
    return Refusal(name=named["name"] if named is not None else "", groups=None, **groups)
