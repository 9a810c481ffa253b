"""Secrets that operators name after their objects: which object should create a Secret that is missing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from kubedoctor.cluster import Cluster, CustomResource

_Names = Callable[[CustomResource, str], bool]


def _suffixed(suffix: str) -> tuple[str, _Names]:
    """Secrets called `<object>-<suffix>`; the suffix is a pattern."""
    return rf".+-(?:{suffix})", lambda creator, name: bool(
        re.fullmatch(rf"{re.escape(creator.name)}-(?:{suffix})", name)
    )


def _given(*path: str, otherwise: str) -> tuple[str, _Names]:
    """Secrets whose name stands in the spec; where it does not: `<object>-<otherwise>`."""
    return r".+", lambda creator, name: name == (_at(creator, path) or f"{creator.name}-{otherwise}")


def _at(creator: CustomResource, path: tuple[str, ...]) -> Any:
    value: Any = creator.spec or {}
    for field in path:
        value = value.get(field) if isinstance(value, dict) else None
    return value


def _zalando(creator: CustomResource, name: str) -> bool:
    return name.endswith(f".{creator.name}.credentials.{creator.kind}.{creator.group}")


def _cloud_native(creator: CustomResource, name: str) -> bool:
    """A Secret of the user that the spec names is not the operator's to create."""
    if name == f"{creator.name}-superuser":
        return _at(creator, ("superuserSecret", "name")) is None
    own = any(_at(creator, ("bootstrap", way, "secret", "name")) for way in ("initdb", "recovery", "pg_basebackup"))
    return not own and name == f"{creator.name}-app"


def _mongo(creator: CustomResource, name: str) -> bool:
    users = _at(creator, ("users",))
    return any(
        name
        == (user.get("connectionStringSecretName") or f"{creator.name}-{user.get('db', 'admin')}-{user.get('name')}")
        for user in (users if isinstance(users, list) else ())
        if isinstance(user, dict)
    )


NAMED_AFTER: Final[dict[str, tuple[str, _Names]]] = {
    "postgresql.acid.zalan.do": (r".+\..+\.credentials\.postgresql\.acid\.zalan\.do", _zalando),
    "Cluster.postgresql.cnpg.io": (r".+-(?:app|superuser)", _cloud_native),
    "PostgresCluster.postgres-operator.crunchydata.com": _suffixed(r"pguser-.+"),
    "PerconaPGCluster.pgv2.percona.com": _suffixed(r"pguser-.+"),
    "PerconaXtraDBCluster.pxc.percona.com": _given("secretsName", otherwise="secrets"),
    "PerconaServerMongoDB.psmdb.percona.com": _given("secrets", "users", otherwise="secrets"),
    "MongoDBCommunity.mongodbcommunity.mongodb.com": (r".+", _mongo),
    "RabbitmqCluster.rabbitmq.com": _suffixed("default-user|erlang-cookie"),
    "User.rabbitmq.com": _suffixed("user-credentials"),
    "Elasticsearch.elasticsearch.k8s.elastic.co": _suffixed(
        "es-elastic-user|es-http-certs-public|es-http-certs-internal"
    ),
    "Kafka.kafka.strimzi.io": _suffixed("(?:cluster|clients)-ca(?:-cert)?"),
    "KafkaUser.kafka.strimzi.io": (r".+", lambda creator, name: name == creator.name),
}
"""How the Secrets of a kind are named: a pattern of all of them, so that other kinds are not read, and of an object.

`postgres-operator`, `pkg/util/constants`, secret_name_template; `cloudnative-pg`, `api/v1/cluster_funcs.go`; `PGO`,
`internal/naming`, PostgresUserSecret; `percona-xtradb-cluster-operator` and `percona-server-mongodb-operator`, the
defaults in `api/v1`; `mongodb-kubernetes-operator`, GetConnectionStringSecretName; `cluster-operator` and
`messaging-topology-operator` of RabbitMQ; `cloud-on-k8s`, `pkg/controller/elasticsearch`; `strimzi-kafka-operator`.
"""


def named_after(name: str, namespace: str, cluster: Cluster) -> CustomResource | None:
    """The object of an operator that should create the Secret, by its name; None where no such object is seen."""
    for kind, (shape, creates) in NAMED_AFTER.items():
        short, _, group = kind.partition(".")
        if re.fullmatch(shape, name):
            for creator in cluster.maybe.custom(short, group, namespace):
                if creates(creator, name):
                    return creator
    return next((creator for creator in _seen(cluster) if _says_it(creator, name, namespace)), None)


def _seen(cluster: Cluster) -> Iterator[CustomResource]:
    """Of any kind, what is there already: kinds of operators are without number, and none is asked for only for this."""
    for kind in cluster.snapshot.kinds():
        if "." in kind:
            yield from (seen for seen in cluster.snapshot.of_kind(kind) if isinstance(seen, CustomResource))


def _says_it(creator: CustomResource, name: str, namespace: str) -> bool:
    """Its connection is to be written there (`crossplane`, writeConnectionSecretToRef), or the name has its own name and
    its API group."""
    written = _at(creator, ("writeConnectionSecretToRef",))
    if isinstance(written, dict) and written.get("name") == name:
        return namespace == (written.get("namespace") or creator.metadata.namespace)
    whole = f".{name}."
    same = creator.namespace == namespace and bool(creator.name)
    return same and f".{creator.name}." in whole and f".{creator.group}." in whole
