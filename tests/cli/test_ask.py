"""`why-pending`: the formats, and the command from arguments to exit code."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import msgspec
import pytest
import yaml

from kubedoctor.answers.placement.placement import Placement
from kubedoctor.answers.placement.sheet import placement_sheet
from kubedoctor.cli import main
from kubedoctor.cli.formats.sheet import render_sheet
from kubedoctor.engine.asking import Answered
from kubedoctor.findings import Fix
from kubedoctor.sandbox import recording_path
from tests.answers.placement.test_placement import place_in, placed
from tests.engine.clinic import complete
from tests.engine.fleet import FLEET, fleet_node, waiting_pod

GOLDEN = Path(__file__).parent / "golden"
SHORT_OF_CPU = str(recording_path("insufficient-cpu"))
PENDING = "checkout-5cd64775f7-78zxq"
"""One of its pods."""
HOSTILE = "\x1b[2J\x07<script>|`rm`\u202e"
FIX = Fix("lower the request of app to 800m cpu: fits near", "kubectl set resources deploy/web -n shop", verified=True)
ADDED = "Node group big is at the maximum size."
SOURCE = complete().source
TRIED = msgspec.structs.replace(
    placed("requests.cpu=800m"), fixes=(FIX,), autoscaler=(ADDED,), gaps=("Event: list is forbidden",)
)


def render_placement(placement: Placement, name: str, *, node: str = "", width: int = 100) -> str:
    answered = Answered("why-pending", placement_sheet(placement, node), placement.taken_at, SOURCE)
    return render_sheet(answered, name, width=width)


Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize(("name", "suffix"), [("text", "txt"), ("json", "json"), ("yaml", "yaml"), ("markdown", "md")])
def test_golden_files(name: str, suffix: str) -> None:
    """To renew one, look at the difference first, then write the new text into the file."""
    assert render_placement(TRIED, name) == (GOLDEN / f"why-pending.{suffix}").read_text(encoding="utf-8")


def test_golden_file_of_one_node() -> None:
    text = render_placement(placed(), "text", node="near")
    assert text == (GOLDEN / "why-pending-node.txt").read_text(encoding="utf-8")


def test_the_document_keeps_the_published_schema() -> None:
    schema = json.loads(files("kubedoctor.cli.formats").joinpath("why-pending.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    gated = placed(schedulingGates=[{"name": "example.com/wait"}], says="")
    for one in (TRIED, placed(), gated, placed(priority=1000), place_in(complete(*FLEET))):
        for node in ("", "near"):
            validator.validate(json.loads(render_placement(one, "json", node=node)))
    broken = json.loads(render_placement(TRIED, "json"))
    broken["outcome"] = "happy"
    assert not validator.is_valid(broken)


def test_preemption_that_would_help_names_whom_it_costs() -> None:
    text = render_placement(placed(priority=1000), "text")
    assert "would help: evict shop/busy-" in text


def test_a_headline_of_two_lines_has_one_mark() -> None:
    gates = [{"name": f"example.com/gate-{number}-{'x' * 30}"} for number in range(3)]
    lines = render_placement(placed(schedulingGates=gates, says=""), "text").splitlines()
    assert lines[0].startswith("✗ Pod shop/waiting: held back")
    assert lines[1].startswith("  ")


def hostile() -> Placement:
    taint = {"key": HOSTILE, "value": HOSTILE, "effect": "NoSchedule"}
    manifests = (fleet_node(HOSTILE, taints=[taint]), fleet_node("n2", "500m"))
    made = placed(manifests=manifests, says=HOSTILE, nodeSelector={HOSTILE: HOSTILE}, schedulerName=HOSTILE)
    return msgspec.structs.replace(made, fixes=(Fix(HOSTILE, HOSTILE),))


@pytest.mark.parametrize("name", ["text", "json", "yaml", "markdown"])
@pytest.mark.parametrize("node", ["", HOSTILE])
def test_foreign_text_is_shown_and_not_obeyed(name: str, node: str) -> None:
    text = render_placement(hostile(), name, node=node)
    assert not set(text) & {"\x1b", "\x07", "\u202e", "\r"}
    if name == "markdown":
        lines = [line for line in text.splitlines() if not line.startswith("      ")]  # The rest are code blocks.
        assert not [line for line in lines if "<script>" in line.replace("\\<script\\>", "")]


def test_lines_of_the_table_stay_within_the_width() -> None:
    names = [f"worker-{number}.{'x' * 40}.example.com" for number in range(3)]
    manifests = tuple(
        fleet_node(name, "1", ssd=False, taints=[{"key": "k" * 60, "effect": "NoSchedule"}], unschedulable=True)
        for name in names
    )
    lines = render_placement(placed(manifests=manifests, says=""), "text", width=80).splitlines()
    assert max(len(line) for line in lines if "kube" not in line) <= 80


def run(capsys: Capture, *words: str, source: str = SHORT_OF_CPU) -> tuple[int, str, str]:
    code = main([*words, "--from", source])
    said = capsys.readouterr()
    return code, said.out, said.err


def bundle(folder: Path, *manifests: object) -> str:
    path = folder / "state.json"
    path.write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": manifests}))
    return str(path)


def test_a_pod_that_fits_nowhere(capsys: Capture) -> None:
    code, out, err = run(capsys, "why-pending", "deploy/checkout", "-n", "shop")
    assert (code, err) == (1, "")
    assert "fits none of 4 nodes" in out.splitlines()[0]
    assert "lacks 2150m to 2250m" in out


@pytest.mark.parametrize("form", [(), ("pod",)])
def test_a_pod_by_its_name(capsys: Capture, form: tuple[str, ...]) -> None:
    assert PENDING in run(capsys, "why-pending", *form, PENDING, "-n", "shop")[1]
    assert PENDING in run(capsys, "why-pending", f"pod/{PENDING}", "-n", "shop")[1]


def test_what_if_it_asked_for_less(capsys: Capture) -> None:
    code, out, _ = run(capsys, "why-pending", "deploy/checkout", "--what-if", "requests.cpu=100m", "-o", "json")
    document = json.loads(out)
    assert (code, document["outcome"]) == (0, "fits")
    assert document["replay"]["feasible"] == []
    assert document["replay_with_changes"]["feasible"] == ["worker-a", "worker-b", "worker-c"]
    both = "requests.cpu=100m,toleration=node-role.kubernetes.io/control-plane"
    _, out, _ = run(capsys, "why-pending", "deploy/checkout", "--what-if", both, "-o", "json")
    assert len(json.loads(out)["replay_with_changes"]["feasible"]) == 4


def test_json_and_yaml_say_the_same(capsys: Capture) -> None:
    _, as_json, _ = run(capsys, "why-pending", "deploy/checkout", "-o", "json", "--node", "cp-1")
    _, as_yaml, _ = run(capsys, "why-pending", "deploy/checkout", "-o", "yaml", "--node", "cp-1")
    assert json.loads(as_json) == yaml.safe_load(as_yaml)
    assert json.loads(as_json)["node"]["name"] == "cp-1"


def test_one_node_with_numbers(capsys: Capture) -> None:
    code, out, _ = run(capsys, "why-pending", "deploy/checkout", "--node", "cp-1")
    assert code == 1
    cpu = next(line.split() for line in out.splitlines() if line.startswith("  cpu  "))
    assert cpu == ["cpu", "6", "50m", "4", "3950m", "✗", "lacks", "2050m"]


def test_a_workload_whose_pods_all_have_a_node(capsys: Capture) -> None:
    code, out, _ = run(capsys, "why-pending", "deploy/api", "-n", "shop")
    assert (code, out) == (0, "✓ Deployment shop/api: no pod of it waits for a node\n")
    _, out, _ = run(capsys, "why-pending", "deploy/api", "-n", "shop", "-o", "json")
    assert (json.loads(out)["pod"]["kind"], json.loads(out)["outcome"]) == ("Deployment", "scheduled")


def test_nodes_that_are_not_recorded_leave_it_open(capsys: Capture, tmp_path: Path) -> None:
    source = bundle(tmp_path, {"apiVersion": "v1", **waiting_pod()})
    code, out, _ = run(capsys, "why-pending", "waiting", "-n", "shop", source=source)
    assert code == 3
    assert "the scheduler cannot be replayed" in out
    assert "not in this recording" in out
    assert run(capsys, "why-pending", "waiting", "-n", "shop", "--allow-gaps", source=source)[0] == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "which pod?"),
        (("svc/checkout",), "why-pending cannot be asked about a Service"),
        (("chekout",), "Pod chekout not found"),
        (("deploy/checkout", "--node", "cp-2"), "there is no node cp-2\n  did you mean cp-1"),
        (("deploy/checkout", "--what-if", "cpu=1"), "--what-if: 'cpu=1' is no change that can be tried"),
        (("deploy/checkout", "--what-if", "requests.cpu=lots"), "'lots' is no quantity"),
        (("deploy/checkout", "-o", "xml"), "unknown output format 'xml'"),
    ],
)
def test_what_makes_no_sense_gets_one_sentence(capsys: Capture, words: tuple[str, ...], sentence: str) -> None:
    code, out, err = run(capsys, "why-pending", *words, "-n", "shop")
    assert (code, out) == (2, "")
    assert sentence in err
