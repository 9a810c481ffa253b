"""What people type: the real kubectl against a recording of a real cluster, with metrics and a custom resource beside it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kubedoctor.sandbox import SandboxServer, load_recording, recording_path, serve
from kubedoctor.sandbox.exchange import Object
from tests.sandbox.conftest import WIDGET, WIDGETS

pytestmark = [
    pytest.mark.kubectl,
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl on the PATH: runs where it is installed"),
]

CHECKOUT = "checkout-797c86bfff-q29bm"
WEB = "web-7465595d67-s2fxx"
METRICS = "metrics.k8s.io/v1beta1"
PATH = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}
EXTRA: list[Object] = [
    WIDGETS,
    WIDGET,
    {
        "apiVersion": METRICS,
        "kind": "NodeMetrics",
        "metadata": {"name": "node-1"},
        "timestamp": "2026-11-23T14:39:00Z",
        "window": "30s",
        "usage": {"cpu": "350m", "memory": "2100Mi"},
    },
    {
        "apiVersion": METRICS,
        "kind": "PodMetrics",
        "metadata": {"name": WEB, "namespace": "shop"},
        "timestamp": "2026-11-23T14:39:00Z",
        "window": "30s",
        "containers": [{"name": "web", "usage": {"cpu": "5m", "memory": "12Mi"}}],
    },
    {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 1,
            "maxReplicas": 5,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
                }
            ],
        },
    },
    {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "shop", "namespace": "shop"},
        "spec": {"ingressClassName": "nginx", "rules": [{"host": "shop.example.com", "http": {"paths": [PATH]}}]},
    },
    {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "limits", "namespace": "shop"},
        "spec": {"hard": {"pods": "8"}},
        "status": {"hard": {"pods": "8"}, "used": {"pods": "8"}},
    },
]

# Command, what the output matches (multi-line), exit code.
READS: list[tuple[str, str, int]] = [
    ("version", "Server Version: v1.37.2", 0),
    ("cluster-info", "control plane", 0),
    ("api-resources", r"deployments +deploy +apps/v1 +true +Deployment", 0),
    ("api-resources --api-group=acme.example", r"widgets +wd", 0),
    ("api-resources --namespaced=false -o name", "^nodes$", 0),
    ("api-versions", "metrics.k8s.io/v1beta1", 0),
    ("get --raw /readyz", "^ok", 0),
    ("get --raw /version", '"v1.37.2"', 0),
    ("config view --minify", "current-context: kubedoctor-demo", 0),
    ("get ns", r"^shop +Active", 0),
    ("get pods", rf"^{CHECKOUT} +0/1 +CrashLoopBackOff +3 \(\d+s ago\)", 0),
    ("get pods -o wide", r"10\.244\.0\.11 +node-1 +<none> +<none>", 0),
    ("get po -A --sort-by=.metadata.creationTimestamp", "coredns", 0),
    ("get pods --show-labels -L app", r"checkout +app=checkout", 0),
    ("get pods --no-headers", rf"\A(?!NAME)(?s:.*){WEB}", 0),
    ("get all", r"^replicaset\.apps/checkout", 0),
    (f"get pod {CHECKOUT} -o yaml", "reason: OOMKilled", 0),
    ("get pods -o json", '"kind": "List"', 0),
    ("get pods -o jsonpath={.items[*].metadata.name}", "checkout", 0),
    ("get pods -o custom-columns=N:.metadata.name,R:.status.containerStatuses[0].restartCount", rf"^{CHECKOUT} +3$", 0),
    ("get pods -o name", f"^pod/{WEB}$", 0),
    ("get pods -o go-template='{{len .items}}'", "^8$", 0),
    ("get pods --chunk-size=2 -o name", r"\A(pod/\S+\n){8}\Z", 0),
    ("get pods -l app=web", rf"\A(?!(?s:.*)checkout)(?s:.*){WEB}", 0),
    ("get pods -l 'app in (web,checkout),!nope'", CHECKOUT, 0),
    ("get pods --field-selector status.phase=Running,spec.nodeName=node-1", WEB, 0),
    (f"get pods --field-selector metadata.name!={WEB}", rf"\A(?!(?s:.*){WEB})(?s:.*){CHECKOUT}", 0),
    ("get pods --field-selector spec.x=y", "field label not supported: spec.x", 1),
    ("get pods -l 'app in ('", ".", 1),
    ("get pods -n nowhere", "No resources found in nowhere namespace", 0),
    ("get pod nope", r'Error from server \(NotFound\): pods "nope" not found', 1),
    ("get foo", "the server doesn't have a resource type", 1),
    ("get nodes -o wide", r"containerd://2\.", 0),
    ("get deploy,rs,svc,pvc,cm,sc -o wide", r"registry\.shop\.internal:5000/checkout", 0),
    ("get deploy.v1.apps checkout", r"^checkout +0/1", 0),
    ("get hpa", r"Deployment/web +cpu: <unknown>/80% +1 +5", 0),
    ("get ingress", r"^shop +nginx +shop.example.com +80", 0),
    ("get quota", r"pods: 8/8", 0),
    ("get crd", r"^widgets.acme.example +", 0),
    ("get deploy web --subresource=scale", r"^web +2 +2 ", 0),
    ("get deploy web --subresource=status", r"^web +2/2 ", 0),
    ("get widgets", r"^first +3 +True +", 0),
    ("get wd first -o yaml", "size: 3", 0),
    ("get events", "BackOff", 0),
    ("get events --sort-by=.lastTimestamp", "BackOff", 0),
    (f"get events --field-selector involvedObject.name={CHECKOUT},type=Warning", "BackOff", 0),
    ("events", "BackOff", 0),
    (f"events --for pod/{CHECKOUT}", "BackOff", 0),
    ("events --types=Warning", "BackOff", 0),
    (f"describe pod {CHECKOUT}", r"OOMKilled(?s:.*)Exit Code: +137(?s:.*)BackOff", 0),
    ("describe pods -l app=web", rf"Name: +{WEB}", 0),
    ("describe node node-1", r"Allocated resources(?s:.*)memory(?s:.*)Events:", 0),
    ("describe deploy checkout", r"NewReplicaSet: +checkout-797c86bfff", 0),
    ("describe rs", "Pods Status: +1 Running / 0 Waiting", 0),
    ("describe sts db", r"Volume Claims:(?s:.*)data", 0),
    ("describe ds -n ops", "Desired Number of Nodes Scheduled: 1", 0),
    ("describe job", "Pods Statuses: +0 Active", 0),
    ("describe cronjob", "Schedule: ", 0),
    ("describe svc web", r"Endpoints: +10\.244\.", 0),
    ("describe endpoints web", "Addresses: ", 0),
    ("describe endpointslice", "AddressType: +IPv4", 0),
    ("describe pvc", r"Status: +Bound(?s:.*)Used By: +db-0", 0),
    ("describe pv", r"Claim: +shop/data-db-0", 0),
    ("describe sc", "Provisioner: +kubernetes.io/no-provisioner", 0),
    ("describe cm", "Data", 0),
    ("describe secret", "Type: +Opaque", 0),
    ("describe sa", "Name: +default", 0),
    ("describe ns shop", r"Status: +Active(?s:.*)pods +8 +8", 0),
    ("describe quota", r"pods +8 +8", 0),
    ("describe netpol", "Policy Types: ", 0),
    ("describe pdb", "Allowed disruptions: ", 0),
    ("describe hpa", r"resource cpu on pods +\(as a percentage of request\): +<unknown> / 80%", 0),
    ("describe ingress", r"shop.example.com *\n +/ +web:80 \(10\.244\.", 0),
    ("describe role -A", "PolicyRule:", 0),
    ("describe rolebinding -A", "Role:", 0),
    ("describe clusterrole", "PolicyRule:", 0),
    ("describe clusterrolebinding", "Subjects:", 0),
    ("describe priorityclass", "Value: ", 0),
    ("describe lease -A", "Holder Identity: ", 0),
    ("describe csinode", "Name: +node-1", 0),
    ("describe controllerrevision", "Revision: +1", 0),
    ("describe events", "Reason: +BackOff", 0),
    ("describe crd", "Kind: +Widget", 0),
    ("describe widget first", "Size: +3", 0),
    (f"logs {WEB}", r"listening on \[::\]:8080", 0),
    (f"logs {CHECKOUT}", "cache holds 1 MiB", 0),
    (f"logs {CHECKOUT} --previous", "cache holds 113 MiB", 0),
    ("logs deploy/checkout -p --tail=1", r"^\S+ \S+ cache holds 113 MiB$", 0),
    (f"logs {CHECKOUT} --limit-bytes=10", r"\A\d{4}/\d\d/\d\d\Z", 0),
    (f"logs {CHECKOUT} --timestamps --since=1h", r"^\S+Z \S+ \S+ cache holds 1 MiB", 0),
    ("logs -l app=web --prefix", f"^.pod/{WEB}/web. ", 0),
    (f"logs {WEB} --all-containers", "listening", 0),
    (f"logs {WEB} --previous", 'previous terminated container "web" in pod', 1),
    (f"logs {WEB} -c nope", "container nope is not valid for pod", 1),
    ("top nodes", r"^node-1 +350m +17% +2100Mi", 0),
    ("top pods", r"5m +12Mi", 0),
    (f"top pod {WEB} --containers", r"web +5m", 0),
    ("explain pod.spec.containers.resources.limits", "maximum amount of compute", 0),
    ("explain deployment", "KIND: +Deployment", 0),
    ("explain deployment.spec.template", "<PodTemplateSpec>", 0),
    ("explain pod --recursive", "<PodSpec>", 0),
    ("explain hpa.spec.metrics", r"<\[\]MetricSpec>", 0),
    ("explain widget.spec", "How large it is", 0),
    ("explain pod.spec.nope", 'field "nope" does not exist', 1),
    ("auth can-i get pods", "^yes", 0),
    ("auth can-i delete pods", "^no - This is a read-only recording", 1),
    ("auth can-i --list", r"\*\.\* +\[\] +\[\] +\[get list watch\]", 0),
    ("auth whoami", "kubedoctor-demo", 0),
    ("get pods --as=bob", WEB, 0),
    ("rollout history deploy/checkout", r"REVISION(?s:.*)^1 ", 0),
    ("rollout history sts/db", r"REVISION(?s:.*)^1 ", 0),
    ("rollout status deploy/web --timeout=5s", "successfully rolled out", 0),
    ("wait --for=condition=Available deploy/web --timeout=5s", "condition met", 0),
    ("wait --for=delete pod/nope --timeout=5s", "", 0),
    ("cluster-info dump --output-directory={folder}/dump --all-namespaces", "Cluster info dumped", 0),
]
READ_ONLY = "This is a read-only recording of a cluster"
WRITES: list[tuple[str, str, int]] = [
    (f"delete pod {WEB}", READ_ONLY, 1),
    ("delete pods --all --wait=false", READ_ONLY, 1),
    ("apply -f {folder}/configmap.yaml", READ_ONLY, 1),
    ("apply --server-side -f {folder}/configmap.yaml", READ_ONLY, 1),
    ("create -f {folder}/configmap.yaml", READ_ONLY, 1),
    ("replace -f {folder}/configmap.yaml", "not found|" + READ_ONLY, 1),
    ("create configmap x --from-literal=a=b", READ_ONLY, 1),
    ("create namespace x", READ_ONLY, 1),
    ("create deployment x --image=nginx", READ_ONLY, 1),
    ("run x --image=nginx", READ_ONLY, 1),
    ("expose deploy web --port=80 --name=x", READ_ONLY, 1),
    ("scale deploy/web --replicas=3", READ_ONLY, 1),
    ("autoscale deploy api --max=5", READ_ONLY + "|failed to create autoscaling/v2 HPA", 1),
    ("set image deploy/web web=x:2", READ_ONLY, 1),
    ("set resources deploy/checkout --limits=memory=512Mi", READ_ONLY, 1),
    ("edit deploy checkout", READ_ONLY, 1),
    ("patch svc web -p '{{\"spec\":{{}}}}'", READ_ONLY, 1),
    (f"label pod {WEB} a=b", READ_ONLY, 1),
    (f"annotate pod {WEB} a=b", READ_ONLY, 1),
    ("rollout restart deploy/web", READ_ONLY, 1),
    ("rollout undo deploy/web", "no rollout history found|" + READ_ONLY, 1),
    ("taint node node-1 a=b:NoSchedule", READ_ONLY, 1),
    ("cordon node-1", READ_ONLY, 0),  # kubectl 1.32 says so and leaves with 0
    ("drain node-1 --ignore-daemonsets", READ_ONLY, 1),
    (f"debug {WEB} --image=busybox", READ_ONLY, 1),
    (f"exec {WEB} -- ls", "nothing runs in it, so exec is not possible", 1),
    (f"attach {WEB}", "nothing runs in it, so attach is not possible", 1),
    ("port-forward svc/web 0:80", "nothing runs in it, so port-forward is not possible", 1),
    (f"cp {WEB}:/a {{folder}}/b", "nothing runs in it, so exec is not possible", 1),
    ("diff -f {folder}/configmap.yaml", READ_ONLY, 2),
]
EDITOR = "sed -i -e s/128Mi/512Mi/"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """kubectl's home, and what its commands read and write."""
    path = tmp_path_factory.mktemp("kubectl")
    (path / "configmap.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: b}\n")
    return path


@pytest.fixture(scope="module")
def served() -> Iterator[SandboxServer]:
    state = load_recording(recording_path("oom-killed"), rebase_to=datetime.now(UTC))
    with serve(state) as running:
        for obj in EXTRA:
            running.sandbox.put(obj)
        yield running


def _environment(served: SandboxServer, folder: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "LANG", "TMPDIR")}
    own = {"HOME": str(folder), "KUBECACHEDIR": str(folder / "cache"), "KUBE_EDITOR": EDITOR}
    return {**kept, **served.environment, **own}


def _kubectl(command: str, served: SandboxServer, folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        ["kubectl", *shlex.split(command.format(folder=folder))],
        env=_environment(served, folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(("command", "expected", "code"), READS, ids=[each[0] for each in READS])
def test_reading_works(command: str, expected: str, code: int, served: SandboxServer, folder: Path) -> None:
    if "{folder}" not in command:
        command = command.replace("{", "{{").replace("}", "}}")
    returned, output = _kubectl(command, served, folder)
    assert re.search(expected, output, re.MULTILINE), output
    assert returned == code, output


@pytest.mark.parametrize(("command", "expected", "code"), WRITES, ids=[each[0] for each in WRITES])
def test_writing_is_refused_with_a_sentence(
    command: str, expected: str, code: int, served: SandboxServer, folder: Path
) -> None:
    returned, output = _kubectl(command, served, folder)
    assert re.search(expected, output), output
    assert returned == code, output


def test_a_watch_shows_what_happens(served: SandboxServer, folder: Path) -> None:
    watching = subprocess.Popen(
        ["kubectl", "get", "configmaps", "-w", "-o", "name"],
        env=_environment(served, folder),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert watching.stdout is not None
    try:
        assert watching.stdout.readline() == "configmap/api-config\n"
        served.sandbox.put(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "watched", "namespace": "shop"}}
        )
        assert "configmap/watched\n" in iter(watching.stdout.readline, "")
    finally:
        watching.terminate()
        watching.communicate()


def test_a_followed_log_shows_what_is_written(served: SandboxServer, folder: Path) -> None:
    following = subprocess.Popen(
        ["kubectl", "logs", "-f", WEB], env=_environment(served, folder), stdout=subprocess.PIPE, text=True
    )
    assert following.stdout is not None
    try:
        assert "listening" in following.stdout.readline()
        served.sandbox.append_log("shop", WEB, "web", "a new line\n")
        assert following.stdout.readline() == "a new line\n"
    finally:
        following.terminate()
        following.communicate()


def test_the_dump_holds_the_state_and_the_logs(served: SandboxServer, folder: Path) -> None:
    target = folder / "another-dump"
    returned, output = _kubectl(f"cluster-info dump --output-directory={target} --namespaces shop", served, folder)
    assert returned == 0, output
    assert "OOMKilled" in (target / "shop" / "pods.json").read_text()
    assert "cache holds" in (target / "shop" / CHECKOUT / "logs.txt").read_text()
