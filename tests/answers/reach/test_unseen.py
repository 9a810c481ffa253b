"""`reach` of a file of selected objects: what is not in it is not known."""

from __future__ import annotations

import pytest

from kubedoctor.answers.question import Choices
from kubedoctor.answers.questions.reach import reach
from kubedoctor.answers.sheet import Conclusion
from kubedoctor.cluster import Cluster
from kubedoctor.cluster.seen.wants import Want
from tests.answers.reach.situations import DB_NAME, SUBJECT, WEB, alias, service, slices
from tests.engine.clinic import complete


@pytest.mark.parametrize(
    ("destination", "words"),
    [
        ("cache:80", "not known: Service shop/cache was not seen (only objects of the file)"),
        ("store:80", "not known: Service data/db was not seen (only objects of the file)"),
        ("empty:80", "not known: the endpoints of Service shop/empty could not be read"),
        ("deployment/cart:80", "not known: no pod of Deployment shop/cart was seen (only objects of the file)"),
    ],
)
def test_what_is_not_in_a_file_of_selected_objects_is_not_known(destination: str, words: str) -> None:
    cart = {
        "kind": "Deployment",
        "metadata": {"name": "cart", "namespace": "shop"},
        "spec": {"selector": {"matchLabels": {"app": "cart"}}},
    }
    owned = {"kind": "ReplicaSet", "metadata": {"name": "web", "namespace": "shop"}, "spec": {}}
    rows = (WEB, cart, owned, alias("store", DB_NAME), service("shop", "empty"), slices("shop", "web"))
    seen = complete(*rows)
    seen.complete = False
    for kind in ("Pod", "Service", "Deployment", "ReplicaSet", "EndpointSlice"):
        seen.limit(Want(kind), "only objects of the file")
        seen.limit(Want(kind, "shop"), "only objects of the file")
        seen.limit(Want(kind, "data"), "only objects of the file")
    sheet = reach.answer(SUBJECT, Choices({"destination": (destination,)}), Cluster(seen))
    assert (sheet.verdict, sheet.conclusion) == (words, Conclusion.UNKNOWN)
