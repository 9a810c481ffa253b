"""Which flow schema takes a request, and to which priority level it leads (`apiserver/pkg/util/flowcontrol/rule.go` and
`apf_controller.go`, v1.37): the first by precedence and name whose rules match. A schema whose level does not exist is
ignored."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from kubedoctor.cluster.kinds.flow_control import (
    FlowSchema,
    FlowSubject,
    LimitedLevel,
    PriorityLevelConfiguration,
    ResourceFlowRule,
)

EXEMPT: Final = "Exempt"
_LIMITED: Final = "Limited"
_ANY: Final = "*"
_AUTHENTICATED: Final = "system:authenticated"
_ACCOUNTS: Final = "system:serviceaccounts"


class Sender(NamedTuple):
    """Who sends a request. title: in words."""

    title: str
    user: str
    groups: tuple[str, ...]


class SentRequest(NamedTuple):
    """A request for a resource; of all namespaces where `namespace` is empty. usual: the schema that every cluster has for
    it (`pkg/apis/flowcontrol/bootstrap`)."""

    caller: Sender
    verb: str
    group: str
    resource: str
    namespace: str = ""
    usual: str = ""


def service_account(namespace: str, name: str) -> Sender:
    """The caller that a ServiceAccount is."""
    groups = (_ACCOUNTS, f"{_ACCOUNTS}:{namespace}", _AUTHENTICATED)
    return Sender(f"ServiceAccount {namespace}/{name}", f"system:serviceaccount:{namespace}:{name}", groups)


_SCHEDULER: Final = Sender("kube-scheduler", "system:kube-scheduler", (_AUTHENTICATED,))
_CONTROLLERS: Final = service_account("kube-system", "replicaset-controller")._replace(title="kube-controller-manager")
_KUBELET: Final = Sender("the kubelets", "system:node:a", ("system:nodes", _AUTHENTICATED))
_OF_CONTROLLERS: Final = frozenset(
    {
        *(f"{name}-controller" for name in ("cronjob", "daemonset", "deployment", "endpoint", "endpoint-slice", "job")),
        *(f"{name}-controller" for name in ("namespace", "node", "persistentvolume", "replicaset", "replication")),
        *(f"{name}-controller" for name in ("service", "statefulset", "ttl-after-finished")),
        *("controllermanager", "endpointslice-controller", "horizontal-pod-autoscaler"),
    }
)
"""How the controllers of kube-controller-manager call themselves in events."""
OF_THE_CONTROL_PLANE: Final = (
    SentRequest(_SCHEDULER, "list", "", "pods", usual="kube-scheduler"),
    SentRequest(_CONTROLLERS, "list", "", "pods", usual="kube-system-service-accounts"),
    SentRequest(_KUBELET, "list", "", "pods", usual="system-nodes"),
    SentRequest(_KUBELET, "update", "coordination.k8s.io", "leases", "kube-node-lease", usual="system-node-high"),
)
"""What has a level of its own, so that no program can delay it."""


def requests_of(component: str) -> SentRequest | None:
    """A request of a component that writes events; None for one whose user is not known."""
    if component == "default-scheduler":
        return OF_THE_CONTROL_PLANE[0]
    if component in _OF_CONTROLLERS:
        return OF_THE_CONTROL_PLANE[1]
    return OF_THE_CONTROL_PLANE[2] if component == "kubelet" else None


def exists(schema: FlowSchema, levels: Iterable[PriorityLevelConfiguration]) -> bool:
    """Whether its priority level does."""
    return any(level.name == schema.spec.priority_level_configuration.name for level in levels)


def taking(
    request: SentRequest, schemas: Iterable[FlowSchema], levels: tuple[PriorityLevelConfiguration, ...]
) -> FlowSchema | None:
    """The schema that takes a request; None only where not all schemas were seen."""
    in_order = sorted(schemas, key=lambda schema: (schema.spec.matching_precedence, schema.name))
    return next((schema for schema in in_order if exists(schema, levels) and _matches(schema, request)), None)


def level_of(schema: FlowSchema, levels: Iterable[PriorityLevelConfiguration]) -> PriorityLevelConfiguration | None:
    """The priority level that it leads to."""
    wanted = schema.spec.priority_level_configuration.name
    return next((level for level in levels if level.name == wanted), None)


def shares(level: PriorityLevelConfiguration) -> int:
    """The shares of the server's capacity that are its own."""
    limited = level.spec.limited or LimitedLevel()
    own = limited.nominal_concurrency_shares
    return (own if own is not None else limited.assured_concurrency_shares) or 0


def is_closed(level: PriorityLevelConfiguration) -> bool:
    """It has no seat of its own and may borrow none: a share of nothing is nothing. Without a limit it may borrow any
    number."""
    limited = level.spec.limited
    known = limited is not None and limited.nominal_concurrency_shares is not None
    return (
        level.spec.type == _LIMITED
        and limited is not None
        and known
        and not limited.nominal_concurrency_shares
        and limited.borrowing_limit_percent is not None
    )


def is_narrower(level: PriorityLevelConfiguration, than: PriorityLevelConfiguration) -> bool:
    """It has a smaller share of the server."""
    if level.spec.type == EXEMPT:
        return False
    return than.spec.type == EXEMPT or shares(level) < shares(than)


def _matches(schema: FlowSchema, request: SentRequest) -> bool:
    return any(
        any(_is_caller(subject, request.caller) for subject in rules.subjects or ())
        and any(_asks_for(rule, request) for rule in rules.resource_rules or ())
        for rules in schema.spec.rules or ()
    )


def _is_caller(subject: FlowSubject, caller: Sender) -> bool:
    if subject.user is not None:
        return subject.user.name in (_ANY, caller.user)
    if subject.group is not None:
        return subject.group.name == _ANY or subject.group.name in caller.groups
    account = subject.service_account
    if account is None:
        return False
    prefix = f"system:serviceaccount:{account.namespace}:"
    return caller.user.startswith(prefix) if account.name == _ANY else caller.user == f"{prefix}{account.name}"


def _asks_for(rule: ResourceFlowRule, request: SentRequest) -> bool:
    if not all(
        _ANY in (of or ()) or value in (of or ())
        for of, value in (
            (rule.verbs, request.verb),
            (rule.api_groups, request.group),
            (rule.resources, request.resource),
        )
    ):
        return False
    if not request.namespace:
        return rule.cluster_scope
    return _ANY in (rule.namespaces or ()) or request.namespace in (rule.namespaces or ())
