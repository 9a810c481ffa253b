"""Whether a request is allowed, by which binding, and the words of the API server.

Upstream: `plugin/pkg/auth/authorizer/rbac/rbac.go`, `pkg/registry/rbac/validation/rule.go` and
`apiserver/pkg/endpoints/handlers/responsewriters/errors.go`, v1.37.
"""

from __future__ import annotations

import msgspec

from kubedoctor.cluster.kinds.control import Subject
from kubedoctor.cluster.kinds.references import Ref
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.replay.permissions.grants import Binding, allows, bindings_of, rules_of
from kubedoctor.replay.permissions.refusals import Refusal


class AccessDecision(msgspec.Struct, frozen=True):
    """The answer. Where it is allowed, `binding`, `role` and `subject` say by what; `missing` are the roles that bindings
    of the user name and that do not exist."""

    request: Refusal
    binding: Binding | None = None
    role: Ref | None = None
    subject: Subject | None = None
    missing: tuple[Ref, ...] = ()

    @property
    def allowed(self) -> bool:
        return self.binding is not None

    @property
    def reason(self) -> str:
        """`RBAC: allowed by RoleBinding "web/shop" of Role "reader" to ServiceAccount "web/shop"`; which roles do not
        exist; otherwise empty."""
        if self.binding is not None and self.role is not None and self.subject is not None:
            name = "/".join(filter(None, (self.binding.name, self.binding.namespace)))
            who = self.subject.name
            if self.subject.kind == "ServiceAccount":
                who += f"/{self.subject.namespace or self.binding.namespace}"
            kind = type(self.binding).__name__
            return f'RBAC: allowed by {kind} "{name}" of {self.role.kind} "{self.role.name}" to {self.subject.kind} "{who}"'
        gone = [f'{role.kind.lower()}.rbac.authorization.k8s.io "{role.name}" not found' for role in self.missing]
        unique = list(dict.fromkeys(gone))
        if not unique:
            return ""
        return f"RBAC: {unique[0]}" if len(unique) == 1 else f"RBAC: [{', '.join(unique)}]"

    @property
    def message(self) -> str:
        """What the client reads when it is refused."""
        request, reason = self.request, f": {self.reason}" if self.reason else ""
        name = f' "{request.name}"' if request.name else ""
        plain = request.resource.partition("/")[0]
        what = f"{plain}.{request.group}" if request.group else plain
        head = "forbidden" if request.path else f"{what}{name} is forbidden"
        return f"{head}: {request.words}{reason}"


def authorize(request: Refusal, cluster: Cluster) -> AccessDecision:
    """The first binding with a rule that allows the request: those of the cluster first, then those of its namespace."""
    missing: list[Ref] = []
    for binding, role, subject in bindings_of(request, cluster):
        rules = rules_of(role, cluster)
        if rules is None:
            missing.append(role)
        elif any(allows(rule, request) for rule in rules):
            return AccessDecision(request, binding, role, subject)
    return AccessDecision(request, missing=tuple(missing))
