"""The unmodified kubectl changes the sandbox: what it prints, and what is stored afterwards."""

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

from kubedoctor.sandbox import Sandbox, SandboxServer, load_recording, recording_path, serve

pytestmark = [
    pytest.mark.kubectl,
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl on the PATH: runs where it is installed"),
]

MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: front, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: front}}
  template:
    metadata: {labels: {app: front}}
    spec: {containers: [{name: c, image: "nginx:1.27", resources: {requests: {cpu: 100m, memory: 64Mi}}}]}
"""
Step = tuple[str, str, int]
"""A command without `kubectl`, what it prints (a pattern), and how it ends."""

APPLIED: list[Step] = [
    ("diff -f front.yaml", r"\+kind: Deployment", 1),
    ("apply -f wrong.yaml", r'strict decoding error.*unknown field "spec.replica"', 1),
    ("apply -f front.yaml --dry-run=server", r"created \(server dry run\)", 0),
    ("get deploy front", "NotFound", 1),
    ("apply -f front.yaml", "front created", 0),
    ("apply -f front.yaml", "front unchanged", 0),
    ("apply -f more.yaml", "front configured", 0),
    ("get deploy front -o jsonpath={.spec.replicas}", "^3$", 0),
    ("scale deploy/front --replicas=5", "scaled", 0),
    ("scale deploy/front --replicas=1 --current-replicas=2", "Expected replicas to be 2, was 5", 1),
    ("set image deploy/front c=nginx:1.28", "image updated", 0),
    ("set env deploy/front A=b", "env updated", 0),
    ("set resources deploy/front -c c --limits=memory=512Mi", "resource requirements updated", 0),
    ("rollout restart deploy/front", "restarted", 0),
    ("rollout pause deploy/front", "paused", 0),
    ("rollout resume deploy/front", "resumed", 0),
    ("apply --server-side -f front.yaml", r"Apply failed with \d conflicts.*\.spec\.replicas", 1),
    ("apply --server-side --force-conflicts -f front.yaml", "serverside-applied", 0),
    ("get deploy front -o jsonpath={.spec.replicas}", "^2$", 0),
    ("edit deploy front", "edited", 0),
    ("get deploy front -o jsonpath={.spec.replicas}", "^4$", 0),
    ("replace -f front.yaml", "replaced", 0),
    ("annotate deploy front a=b", "annotated", 0),
    ("label deploy front tier=one", "labeled", 0),
    ("label deploy front tier=two", "already has a value", 1),
    ('patch deploy front -p \'{"spec":{"replicas":6}}\'', "patched", 0),
    ("delete -f front.yaml", "deleted", 0),
]
CREATED: list[Step] = [
    ("create cm foo --from-literal=a=b", "configmap/foo created", 0),
    ("create cm foo --from-literal=a=b", "already exists", 1),
    ("create secret generic s1 --from-literal=a=b", "created", 0),
    ("get secret s1 -o jsonpath={.data.a}", "^Yg==$", 0),
    ("create secret docker-registry r1 --docker-username=a --docker-password=b", "created", 0),
    ("get secret r1 -o jsonpath={.type}", "^kubernetes.io/dockerconfigjson$", 0),
    ("create deployment x --image=nginx:1 --replicas=3", "created", 0),
    ("get deploy x -o jsonpath={.spec.replicas}{.spec.template.spec.containers[0].image}", "^3nginx:1$", 0),
    ("expose deploy x --port=80 --target-port=8080", "exposed", 0),
    ("get svc x -o jsonpath={.spec.ports[0].targetPort}", "^8080$", 0),
    ("run tmp --image=nginx:1 --labels=a=b --env=C=d", "pod/tmp created", 0),
    ("get pod tmp -o jsonpath={.metadata.labels.a}{.spec.containers[0].env[0].name}", "^bC$", 0),
    ("create sa bot", "created", 0),
    ("create role r --verb=get --resource=pods", "created", 0),
    ("create rolebinding rb --role=r --serviceaccount=shop:bot", "created", 0),
    ("get rolebinding rb -o wide", "shop/bot", 0),
    ("create clusterrole cr --verb=get --resource=nodes", "created", 0),
    ("create clusterrolebinding crb --clusterrole=cr --group=ops", "created", 0),
    ("create job j --image=busybox", "created", 0),
    ("create cronjob cj --image=busybox --schedule='0 * * * *'", "created", 0),
    ("get cronjob cj -o jsonpath={.spec.schedule}", r"^0 \* \* \* \*$", 0),
    ("create pdb p --selector=app=x --min-available=50%", "created", 0),
    ("get pdb p -o jsonpath={.spec.minAvailable}", "^50%$", 0),
    ("create svc clusterip s --tcp=80:8080", "created", 0),
    ("create priorityclass hi --value=100", "created", 0),
    ("create quota q --hard=pods=50,services=5", "created", 0),
    ("get quota q -o jsonpath={.spec.hard.pods}", "^50$", 0),
    ("create ingress i --rule=a.example/*=x:80", "created", 0),
    ("get ingress i -o jsonpath={.spec.rules[0].http.paths[0].backend.service.name}", "^x$", 0),
    ("create ns team-a", "created", 0),
    ("create cm foo -n team-b --from-literal=a=b", 'namespaces "team-b" not found', 1),
    ("delete ns team-a", "deleted", 0),
    ("delete pod tmp", "deleted", 0),
    ("delete pdb p", "deleted", 0),
]
NODES: list[Step] = [
    ("taint nodes --all maint=true:NoSchedule", "tainted", 0),
    ("taint nodes --all maint-", "untainted", 0),
    ("cordon node-1", "cordoned", 0),
    ("get node node-1", "SchedulingDisabled", 0),
    ("uncordon node-1", "uncordoned", 0),
    ("auth can-i delete pods", "yes", 0),
    ("delete pdb api", "deleted", 0),
    ("drain node-1 --ignore-daemonsets --force --delete-emptydir-data --timeout=20s", "node/node-1 drained", 0),
    ("get pods", "No resources found", 0),
    ("delete sts db --cascade=orphan", "deleted", 0),
    ("delete pvc --all", "deleted", 0),
]


@pytest.fixture
def served() -> Iterator[SandboxServer]:
    state = load_recording(recording_path("oom-killed"), rebase_to=datetime.now(UTC))
    with serve(Sandbox(state, writable=True)) as running:
        yield running


@pytest.mark.parametrize("steps", [APPLIED, CREATED, NODES], ids=["applied", "created", "nodes"])
def test_kubectl(steps: list[Step], served: SandboxServer, tmp_path: Path) -> None:
    (tmp_path / "front.yaml").write_text(MANIFEST)
    (tmp_path / "more.yaml").write_text(MANIFEST.replace("replicas: 2", "replicas: 3"))
    (tmp_path / "wrong.yaml").write_text(MANIFEST.replace("replicas: 2", "replicas: 2\n  replica: 2"))
    editor = tmp_path / "editor.sh"
    editor.write_text("#!/bin/sh\nsed -i 's/replicas: 2/replicas: 4/' \"$1\"\n")
    editor.chmod(0o700)
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "LANG", "TMPDIR")}
    environment = {**kept, **served.environment, "HOME": str(tmp_path), "KUBE_EDITOR": str(editor)}
    for command, pattern, code in steps:
        done = subprocess.run(
            ["kubectl", *shlex.split(command)],
            env=environment,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == code, f"{command}: {said}"
        assert re.search(pattern, said, re.DOTALL), f"{command}: {said}"
