"""CoreDNS, the kubelet's resolv.conf and the resolvers against what was measured on a real node."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kubedoctor.testing.oracle import Oracle

ANSWERS, COREFILES, PODS, LOOKUPS, FUZZED = 529, 29, 26, 1152, 500
TWO_SERVERS = "default-more"


def rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


class Measured:
    def __init__(self, shared: Path) -> None:
        self.folder = shared / "conformance/dns"
        self._oracle = Oracle()
        self.ask("cluster", json.loads((self.folder / "cluster.json").read_text(encoding="utf-8")))

    def ask(self, mode: str, request: Any) -> Any:
        out = self._oracle.answer(json.dumps({"mode": mode, "request": request}).encode())
        assert "error" not in out, out
        return json.loads(json.dumps(out["answer"]))

    def rows(self, name: str) -> Iterator[dict[str, Any]]:
        return rows(self.folder / name)


def test_answers(shared: Path) -> None:
    def records(answers: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
        return sorted((record["name"].lower(), record["type"], record["data"]) for record in answers)

    measured, wrong, seen = Measured(shared), [], 0
    for row in measured.rows("answers.jsonl"):
        seen += 1
        ours = measured.ask("answer", {key: row[key] for key in ("config", "query", "type")})
        if (ours["rcode"], records(ours["answers"])) != (row["rcode"], records(row["answers"])):
            wrong.append((row["config"], row["query"], row["type"], row["rcode"], ours))
    assert wrong == []
    assert seen == ANSWERS


def test_corefiles(shared: Path) -> None:
    """Where CoreDNS does not start, its log has our message too, but for a parser's own words."""
    own_words = {"kubernetes-bad-label", "forward-loop"}
    measured, seen = Measured(shared), 0
    for row in measured.rows("broken.jsonl"):
        seen += 1
        ours = measured.ask("corefile", {"corefile": row["corefile"], "files": row["files"]})
        assert ours["loads"] is (row["exit"] is None), row["name"]
        if not ours["loads"] and row["name"] not in own_words:
            assert ours["problem"] in "\n".join(row["log"]), row["name"]
    assert seen == COREFILES


def pod_of(row: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": row["pod"], "namespace": row["namespace"]}, "spec": row["spec"]}


def test_resolv_conf_files(shared: Path) -> None:
    measured, seen = Measured(shared), 0
    for row in measured.rows("pods.jsonl"):
        seen += 1
        ours = measured.ask("resolvconf", {"pod": pod_of(row)})
        if "refused" in row:
            assert ours == {"refused": row["refused"]}
            continue
        lines = [line.split() for line in row["resolv_conf"].splitlines()]
        assert ours == {
            "nameservers": [words[1] for words in lines if words[0] == "nameserver"],
            "search": [word for words in lines if words[0] == "search" for word in words[1:]],
            "options": sorted(word for words in lines if words[0] == "options" for word in words[1:]),
        }, row["pod"]
    assert seen == PODS


def test_generated_resolv_conf_files(shared: Path) -> None:
    wrong, seen = [], 0
    with gzip.open(shared / "conformance/fuzz/dns.jsonl.gz") as lines:
        for line in lines:
            seen += 1
            row, ours = json.loads(line), json.loads(json.dumps(Oracle().answer(line)))
            if ours["answer"] != row["answer"]:
                wrong.append((row["id"], row["answer"], ours))
    assert wrong == []
    assert seen == FUZZED


def chance(row: dict[str, Any]) -> bool:
    """musl takes a truncated answer as it is, and which of many addresses that holds is chance. Two nameservers that
    know different names give what the first to answer says, and `rotate` begins with either."""
    return row["pod"] == TWO_SERVERS or (
        row["resolver"] == "musl" and row["name"] == "big" and len(row["addresses"]) > 1
    )


def test_lookups(shared: Path) -> None:
    """The names asked are compared as a set: repetitions after failures are the server's and the clock's."""
    measured = Measured(shared)
    pods = {row["pod"]: pod_of(row) for row in measured.rows("pods.jsonl")}
    wrong, seen, by_chance = [], 0, 0
    for row in measured.rows("resolvers.jsonl"):
        seen += 1
        ours = measured.ask("lookup", {"pod": pods[row["pod"]], "resolver": row["resolver"], "name": row["name"]})
        asked = {(query["query"], query["type"]) for query in row["queries"] if not query.get("internal")}
        same = {(name, kind) for name, kind in ours["queries"]} == asked or lost_log(row)
        if same and ours["addresses"] == sorted(row["addresses"]) and ours["failed"] is bool(row["error"]):
            continue
        if chance(row):
            by_chance += 1
        else:
            wrong.append((row["pod"], row["resolver"], row["name"], ours))
    assert wrong == []
    assert seen == LOOKUPS
    assert by_chance <= seen * 2 // 100


def lost_log(row: dict[str, Any]) -> bool:
    """An answer from the cluster's DNS, of which its log has no question."""
    return bool(row["addresses"]) and not row["queries"]
