"""`connectivity`: all pairs of workloads, and the outside, against measured packets and in small tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kubedoctor.answers.question import Choices
from kubedoctor.answers.questions.connectivity import connectivity
from kubedoctor.answers.sheet import Conclusion, Sheet
from kubedoctor.cluster import Cluster, Ref
from tests.answers.reach.situations import BASE, DENY_INGRESS, WEB, daemon, pod, policy, space
from tests.engine.clinic import complete


def asked(*manifests: dict[str, Any], namespace: str = "") -> Sheet:
    return connectivity.answer(Ref("Namespace", "", namespace), Choices(), Cluster(complete(*manifests)))


def pairs(sheet: Sheet) -> dict[tuple[str, str], str]:
    assert sheet.data is not None
    return {(row["src"], row["dst"]): row["conn"] for row in sheet.data["connections"]}


def test_measured_packets(shared: Path) -> None:
    wrong, seen = [], 0
    for path in sorted((shared / "conformance/packets").glob("*.json"))[::3]:
        case = json.loads(path.read_text(encoding="utf-8"))
        kinds = ("Namespace", "Pod", "NetworkPolicy")
        found = pairs(asked(*(each for each in case["objects"] if each["kind"] in kinds)))
        for row in case["results"]:
            if row["src"] == row["dst"]:
                continue
            seen += 1
            text = found.get((f"{row['src']}[Pod]", f"{row['dst']}[Pod]"), "")
            if allows(text, row["protocol"], row["port"]) is not row["allowed"]:
                wrong.append((case["name"], row, text))
    assert wrong == []
    assert seen > 3000


def allows(text: str, protocol: str, port: int) -> bool:
    """Whether a text such as `SCTP 9003,TCP 1-79,81-65535` has a connection."""
    if text == "All Connections":
        return True
    current = ""
    for part in text.split(","):
        name, _, ports = part.rpartition(" ")
        current = name or current
        first, _, last = ports.partition("-")
        if current == protocol and first and int(first) <= port <= int(last or first):
            return True
    return False


def test_a_small_cluster() -> None:
    sheet = asked(*BASE, DENY_INGRESS)
    assert sheet.verdict == "of 6 pairs of workloads 4 connect on every port, 0 on some, 2 on none"
    assert sheet.conclusion is Conclusion.ACCOUNT
    assert [[cell.shown for cell in row.cells] for row in sheet.tables[0].rows] == [
        ["1 Pod data/db", "", "✓", "✓"],
        ["2 Pod shop/other", "✗", "", "✓"],
        ["3 Pod shop/web", "✗", "✓", ""],
    ]
    outside = "0.0.0.0-255.255.255.255[External]"
    assert pairs(sheet)["shop/web[Pod]", outside] == "All Connections"
    assert (outside, "data/db[Pod]") not in pairs(sheet)


def test_ports_and_ranges_of_addresses() -> None:
    rule = {"to": [{"ipBlock": {"cidr": "192.0.2.0/24", "except": ["192.0.2.128/25"]}}], "ports": [{"port": 443}]}
    sheet = asked(space("shop"), WEB, policy("shop", policyTypes=["Egress"], egress=[rule]))
    assert {pair: text for pair, text in pairs(sheet).items() if pair[0] == "shop/web[Pod]"} == {
        ("shop/web[Pod]", "192.0.2.0-192.0.2.127[External]"): "TCP 443"
    }


def test_one_namespace_and_many_workloads() -> None:
    many = [pod("shop", f"w{number}", f"10.1.0.{number}") for number in range(13)]
    sheet = asked(*BASE, *many, DENY_INGRESS, namespace="data")
    assert [[cell.shown for cell in row.cells] for row in sheet.tables[0].rows] == [
        ["Pod data/db", "0 of 16", "16 of 16"]
    ]


def test_policies_that_are_not_enforced_are_said() -> None:
    sheet = asked(*BASE, DENY_INGRESS, daemon("kube-flannel-ds"))
    assert [fact.text for fact in sheet.facts] == ["flannel does not enforce network policies: everything connects"]


def test_nothing_to_connect() -> None:
    assert asked(space("shop")).tables == ()


def test_what_cannot_be_read_has_a_title() -> None:
    assert connectivity.unanswered(Ref("Namespace", "", ""), Cluster(complete())).title == "all namespaces"
    assert connectivity.unanswered(Ref("Namespace", "", "shop"), Cluster(complete())).title == "Namespace shop"
