"""`reach` and `resolve` by the names that people have: workloads, nodes, namespaces, and the subject behind the arguments."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from kubedoctor.cli import main
from kubedoctor.sandbox import load_recording, recording_path, serve
from tests.cli.test_ask import bundle, run

SHOP = str(recording_path("lost-connections"))
Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("words", "code", "start"),
    [
        (("reach", "worker", "db.shop:80"), 1, "✗ Deployment shop/worker → db.shop:80: does not reach it: NetworkPolicy"),
        (("reach", "db", "web:80", "-n", "shop"), 0, "✓ StatefulSet shop/db → web:80: reaches 2 endpoints of Service"),
        (("reach", "node-agent", "web.shop:80"), 0, "✓ DaemonSet ops/node-agent → web.shop:80: reaches 2"),
        (("reach", "worker-a", "web.shop:80"), 0, "✓ Node worker-a → web.shop:80: reaches 2"),
        (("reach", "10.0.0.1", "web.shop:80"), 0, "✓ Address 10.0.0.1 → web.shop:80"),
        (("reach", "web", "kubernetes.default"), 0, "✓ Deployment shop/web → kubernetes.default: reaches 1 endpoint"),
        (("reach", "web", "api.example.com:443"), 0, "✓ Deployment shop/web → api.example.com:443: no policy blocks"),
        (("reach", "ns/shop", "web:80"), 0, "✓ Namespace shop → web:80: reaches 2 endpoints of Service shop/web"),
        (("reach", "ns/shop", "db:80"), 1, "✗ Namespace shop → db:80: 9 of 10 workloads do not reach it: "),
        (("reach", "--from-everywhere", "db.data:5432"), 0, "every workload → db.data:5432: policies let 2 of 15"),
        (("reach", "--from-everywhere", "db:80", "-n", "shop"), 0, "every workload → db:80: policies let 1 of 15"),
        (("reach", "--from-everywhere", "web:80"), 0, "every workload → web:80: policies let 14 of 15"),
        (("reach", "--from-everywhere", "web:81"), 1, "✗ every workload → web:81: does not reach it (connection refused)"),
        (("resolve", "web", "db"), 0, "✓ Deployment shop/web: db: resolves to"),
        (("resolve", "db", "--from", "web"), 0, "✓ Deployment shop/web: db: resolves to"),
        (("resolve", "db.data", "--from", "deploy/billing", "-n", "payments"), 1, "✗ Deployment payments/billing: db.data"),
    ],
)  # fmt: skip
def test_whom_it_is_asked_about(capsys: Capture, words: tuple[str, ...], code: int, start: str) -> None:
    got, out, err = run(capsys, *words, source=SHOP)
    assert (got, err) == (code, "")
    assert " ".join(out.split()).startswith(start)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("reach", "web"), "B:PORT is missing"),
        (("resolve", "db"), "Write: kubedoctor resolve POD NAME or kubedoctor resolve NAME --from POD"),
        (("reach", "--from-everywhere"), "B:PORT is missing"),
        (("reach", "wep", "db:80"), "Pod wep not found"),
        (("reach", "--from-everywhere", "db:80"), "Service db exists in namespaces data, shop"),
        (("reach", "ns/nope", "db:80"), "Namespace nope not found"),
        (("reach", "ns/kube-public", "db.shop:80"), "Namespace kube-public has no pods that connect"),
        (("resolve", "db", "--from", "nobody"), "Pod nobody not found"),
    ],
)
def test_what_is_missing(capsys: Capture, words: tuple[str, ...], problem: str) -> None:
    code, _, err = run(capsys, *words, source=SHOP)
    assert code == 2
    assert problem in err


def test_a_name_that_several_have(capsys: Capture, tmp_path: Path) -> None:
    pod = {"containers": [{"name": "c", "image": "i"}]}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod}
    made = [
        {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "web", "namespace": "shop"},
         "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template}}
        for kind in ("Deployment", "StatefulSet")
    ]  # fmt: skip
    code, _, err = run(capsys, "reach", "web", "db:80", source=bundle(tmp_path, *made))
    assert code == 2
    assert "2 objects are named web" in err
    assert "deployment/web -n shop, statefulset/web -n shop" in err


def test_a_file_after_from_stays_the_recording(capsys: Capture) -> None:
    assert main(["resolve", "db", "--from", SHOP]) == 2
    assert "NAME is missing" in capsys.readouterr().err


def test_of_a_live_cluster(capsys: Capture) -> None:
    with serve(load_recording(recording_path("lost-connections"), rebase_to=datetime.now(UTC))) as running:
        path = running.environment["KUBECONFIG"]
        for words, start in (
            (("reach", "worker", "db.data:5432"), "✗ Deployment shop/worker → db.data:5432: does not reach it"),
            (("reach", "ns/payments", "db.data:5432"), "✓ Namespace payments → db.data:5432: reaches 1"),
            (("reach", "--from-everywhere", "db.data:5432"), "every workload → db.data:5432: policies let 2 of 15"),
            (("resolve", "db", "--from", "web"), "✓ Deployment shop/web: db: resolves to"),
        ):
            main([*words, "-n", "payments" if "payments" in words[1] else "shop", "--kubeconfig", path])
            assert " ".join(capsys.readouterr().out.split()).startswith(start)
