"""The servers that settings name, as programs of many languages write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec
import pytest

from kubedoctor.cluster import Cluster, Pod, Snapshot, Source
from kubedoctor.replay.services.settings import named_servers


def servers(**variables: str) -> list[tuple[str, int]]:
    container = {"name": "app", "env": [{"name": name, "value": value} for name, value in variables.items()]}
    return named(container)


def named(container: Mapping[str, object]) -> list[tuple[str, int]]:
    data = {"metadata": {"name": "web", "namespace": "shop"}, "spec": {"containers": [container]}}
    pod = msgspec.convert(data, Pod)
    return [
        (server.host, server.port)
        for server in named_servers(
            pod, "app", Cluster(Snapshot(datetime(2026, 1, 15, tzinfo=UTC), Source("files", "t", "v1.37.2")))
        )
    ]


@pytest.mark.parametrize(
    ("value", "server"),
    [
        ("jdbc:postgresql://db:5432/shop?ssl=true", ("db", 5432)),
        ("jdbc:mysql://db.data/shop", ("db.data", 3306)),
        ("jdbc:sqlserver://mssql:1433;databaseName=shop", ("mssql", 1433)),
        ("postgresql+psycopg2://user@db/shop", ("db", 5432)),
        ("amqp://guest@rabbit//", ("rabbit", 5672)),
        ("mongodb+srv://cluster.example/shop", ("cluster.example", 27017)),
        ("http://api.shop.svc.cluster.local/v1", ("api.shop.svc.cluster.local", 80)),
        ("Server=tcp:mssql,1433;Initial Catalog=shop", ("mssql", 1433)),
        ("Host=db;Port=5433;Database=shop", ("db", 5433)),
        ("host=db port=5432 dbname=shop", ("db", 5432)),
        ("kafka-0.kafka:9092", ("kafka-0.kafka", 9092)),
    ],
)
def test_a_value_names_a_server(value: str, server: tuple[str, int]) -> None:
    assert servers(TARGET=value) == [server]


def test_host_and_port_apart() -> None:
    assert servers(DB_HOST="db", DB_PORT="5432", DB_NAME="shop") == [("db", 5432)]
    assert servers(REDIS_HOSTNAME="redis") == [("redis", 0)]


def test_several_and_the_pod_itself() -> None:
    assert servers(BROKERS="k0:9092,k1:9092", OTHER="k0:9092") == [("k0", 9092), ("k1", 9092)]
    assert servers(LISTEN="0.0.0.0:8080", METRICS="http://localhost:9090", LEVEL="info", IMAGE_TAG="v1.2:3") == []


def test_arguments() -> None:
    assert named({"name": "app", "args": ["--db.host=db", "--cache", "redis://cache"]}) == [("cache", 6379)]
    assert named({"name": "app", "command": ["wait-for-it", "db:5432"]}) == [("db", 5432)]
