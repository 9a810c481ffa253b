"""`reach` goes on where the name of an ExternalName leads."""

from __future__ import annotations

import pytest

from kubedoctor.answers.sheet import Conclusion
from tests.answers.reach.situations import BASE, DB_NAME, DENY_INGRESS, Manifest, alias, asked, hops


def test_an_alias_is_followed_to_the_service_of_another_namespace() -> None:
    sheet = asked("store:80", *BASE, alias("store", "front.data.svc.cluster.local."), alias("front", DB_NAME, "data"))
    assert sheet.verdict == "reaches 1 endpoint of Service data/db"
    assert hops(sheet)[1:4] == [
        "✓ Service shop/store (ExternalName front.data.svc.cluster.local.)",
        f"✓ Service data/front (ExternalName {DB_NAME})",
        "✓ Service data/db (ClusterIP 10.96.0.5)",
    ]
    denied = asked("store:80", *BASE, alias("store", DB_NAME), DENY_INGRESS)
    assert denied.verdict == "does not reach it: NetworkPolicy data/deny denies ingress"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ((alias("store", "gone.data.svc.cluster.local"),), "there is no Service data/gone"),
        ((alias("store", "db.dat.svc.cluster.local"),), "there is no Namespace dat"),
        ((alias("store", "db.data.svc"),), "no search domain is added: write db.data.svc.cluster.local"),
        ((alias("store", "10.0.0.2"),), "an address is no name"),
        ((alias("store", "store.shop.svc.cluster.local"),), "in a circle and to no address: shop/store → shop/store"),
        (
            (alias("store", "other.shop.svc.cluster.local"), alias("other", "store.shop.svc.cluster.local")),
            "shop/store → shop/other → shop/store",
        ),
        ((alias("store", DB_NAME), DENY_INGRESS), "NetworkPolicy data/deny denies ingress"),
    ],
)
def test_an_alias_that_leads_nowhere(rows: tuple[Manifest, ...], words: str) -> None:
    sheet = asked("store:80", *BASE, *rows)
    assert sheet.conclusion is Conclusion.TROUBLE
    assert words in sheet.verdict


def test_the_port_of_an_alias_is_that_of_its_target() -> None:
    assert "has no port 5432/TCP: it has 80/TCP" in asked("store:5432", *BASE, alias("store", DB_NAME)).verdict
