"""How the API server shares its capacity among requests: flow schemas and the priority levels that they lead to."""

from kubedoctor.cluster.kinds.meta import Condition, KubernetesObject, Part


class PriorityLevelReference(Part):
    name: str = ""


class NamedSubject(Part):
    """A user or a group; `*` is any."""

    name: str = ""


class ServiceAccountSubject(Part):
    """`name` may be `*`."""

    namespace: str = ""
    name: str = ""


class FlowSubject(Part):
    kind: str = ""
    user: NamedSubject | None = None
    group: NamedSubject | None = None
    service_account: ServiceAccountSubject | None = None


class ResourceFlowRule(Part):
    verbs: tuple[str, ...] | None = None
    api_groups: tuple[str, ...] | None = None
    resources: tuple[str, ...] | None = None
    cluster_scope: bool = False
    namespaces: tuple[str, ...] | None = None


class FlowRules(Part):
    subjects: tuple[FlowSubject, ...] | None = None
    resource_rules: tuple[ResourceFlowRule, ...] | None = None


class FlowSchemaSpec(Part):
    priority_level_configuration: PriorityLevelReference = PriorityLevelReference()
    matching_precedence: int = 1000
    rules: tuple[FlowRules, ...] | None = None


class FlowSchemaStatus(Part):
    conditions: tuple[Condition, ...] | None = None


class FlowSchema(KubernetesObject):
    spec: FlowSchemaSpec = FlowSchemaSpec()
    status: FlowSchemaStatus = FlowSchemaStatus()


class LimitResponse(Part):
    type: str = ""


class LimitedLevel(Part):
    """`assuredConcurrencyShares` is what v1beta2 calls the shares."""

    nominal_concurrency_shares: int | None = None
    assured_concurrency_shares: int | None = None
    borrowing_limit_percent: int | None = None
    limit_response: LimitResponse = LimitResponse()


class PriorityLevelSpec(Part):
    type: str = ""
    limited: LimitedLevel | None = None


class PriorityLevelConfiguration(KubernetesObject):
    spec: PriorityLevelSpec = PriorityLevelSpec()
