"""States that `python -m tests.real.recording` has recorded: the true cause is the first incident, and health is silence."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from kubedoctor.collect.recording import read_recording
from kubedoctor.engine import Report, load_catalogue, scan
from kubedoctor.findings import Severity
from tests.captures.expected_disks import EXPECTED_OF_DISKS
from tests.captures.expected_networks import EXPECTED_OF_NETWORKS

FOLDER = Path(__file__).parent / "recorded"
EXPECTED = (
    EXPECTED_OF_NETWORKS
    | EXPECTED_OF_DISKS
    | {
        "apparmor-profile-missing": ("KD1020", "AppArmor is not enabled on the host"),
        "autoscaler-at-its-maximum": ("KD1303", "would be 20, held at 2 by maxReplicas"),
        "autoscaler-of-a-daemon-set": ("KD1301", "cannot be scaled"),
        "autoscaler-of-a-kind-without-selector": ("KD1309", "names no labelSelectorPath"),
        "autoscaler-pinned": ("KD1302", "metrics API metrics.k8s.io is not served"),
        "autoscaler-without-a-request": ("KD1302", "log-shipper"),
        "bare-pod-crash": ("KD1003", "/var/run/report.lock"),
        "budgets-that-never-yield": ("KD1207", "both select"),
        "canary-crashes": ("KD1003", "DATABASE_URL is not set"),
        "configuration-edited": ("KD1003", "not valid JSON"),
        "container-runtime-dead": ("KD4001", "the container runtime is down"),
        "controller-manager-dead": ("KD4102", "kube-controller-manager does not work"),
        "cordoned-node": ("KD1101", "1 is cordoned"),
        "crash-after-a-rollout": ("KD1003", "DATABASE_URL is not set"),
        "cron-job-never-fires": ("KD1208", "0 0 31 2 *"),
        "cron-job-runs-fail": ("KD1204", 'relation "invoices" does not exist'),
        "daemon-set-behind-its-own-host-port": ("KD1217", "its old pod holds host port 18081"),
        "daemon-set-crash": ("KD1003", "operation not permitted on /dev/kmsg"),
        "daemon-set-no-longer-tolerated": ("KD1218", "taint team=ml:NoSchedule on node-1"),
        "deadline-of-a-pod": ("KD1024", "activeDeadlineSeconds of 10"),
        "directory-over-a-file": ("KD1004", "volume data cannot be mounted at /etc/passwd: not a directory"),
        "disk-read-only": ("KD1023", "the disk of the node is read-only"),
        "driver-of-devices-missing": ("KD1027", "driver gpu.acme.example is not registered with the kubelet"),
        "empty-dir-over-its-limit": ("KD1017", "8Mi"),
        "host-path-of-another-type": ("KD1019", "/var/lib is not a socket file"),
        "image-changed-in-a-pod": ("KD1219", "the image was changed in the pod itself"),
        "image-denied": ("KD1002", "denies"),
        "image-digest-unknown": ("KD1001", "not found in the registry"),
        "image-of-an-init-container": ("KD1001", "migrations:7 not found"),
        "image-rate-limit": ("KD1002", "rate limit"),
        "image-registry-broken": ("KD1006", "server error"),
        "image-registry-refuses": ("KD1006", "connection refused"),
        "image-registry-without-tls": ("KD1006", "plain HTTP"),
        "images-cannot-be-freed": ("KD4010", "cannot free enough disk space by removing images"),
        "init-container-waits-for-nobody": ("KD1016", "did you mean ledgers"),
        "job-failed-by-its-policy": ("KD1204", "schema version 7 is newer"),
        "job-failed-indexes": ("KD1204", "shard is locked"),
        "job-kept-by-a-sidecar": ("KD1212", "proxy is still running"),
        "job-runs-longer-than-ever": ("KD1214", "2 earlier runs took at most"),
        "kernel-out-of-memory": ("KD4008", "the kernel killed app (pid"),
        "kubelet-silent-with-a-stateful-set": ("KD4001", "the kubelet stopped reporting"),
        "liveness-before-the-start": ("KD1013", "liveness probe fails"),
        "memory-limit-below-start": ("KD1023", "the pod's memory limit is too low: container init was OOM-killed"),
        "memory-limit-lowered": ("KD1005", "at its 64Mi memory limit"),
        "memory-of-all-pods-used-up": ("KD1005", "its node ran out of memory for pods"),
        "namespace-misspelled-in-a-name": ("KD1003", "Service kube-system/kube-dns exists"),
        "network-configuration-gone": ("KD4001", "no network plugin is running"),
        "network-plugin-missing": ("KD1023", "a program of the network plugin is missing"),
        "network-range-changed": ("KD1023", "already has an IP address different"),
        "node-restarted": ("KD4007", "all its pods are ready again"),
        "old-pod-ignores-its-end": ("KD1021", "has not exited on SIGTERM"),
        "oom-of-a-child": ("KD1005", "a child process was OOMKilled at its 64Mi"),
        "oom-of-a-child-exit-0": ("KD1005", "a child process was OOMKilled at its 64Mi"),
        "owner-in-another-namespace": ("KD1223", "its owner Deployment coredns is not in namespace"),
        "peers-created-in-order": ("KD1231", "waits for db-1, which OrderedReady creates only when db-0 is ready"),
        "pod-memory-limit": ("KD1005", "the pod's 96Mi memory limit"),
        "pod-range-exhausted": ("KD4011", "kube-controller-manager has none left"),
        "port-below-1024": ("KD1003", "may not bind port 80"),
        "port-of-a-service-wrong": ("KD1003", "has no port 8080, only 80"),
        "port-used-twice-in-a-pod": ("KD1003", "already in use by container `app` of the same pod"),
        "pre-stop-program-missing": ("KD1028", "/bin/drain"),
        "probe-command-missing": ("KD1012", "/bin/grpc_health_probe"),
        "probe-grpc-on-http": ("KD1013", "gRPC health check on port 8080"),
        "probe-port-name-unknown": ("KD1012", "the container declares no such port"),
        "probe-scheme-https": ("KD1013", "server gave HTTP response"),
        "probe-tcp-port-wrong": ("KD1012", "the program listens on port 8080"),
        "quota-leaves-no-room-to-surge": ("KD5101", "pods: 2 of 2 used"),
        "quota-lowered": ("KD5101", "pods: 3 of 2 used"),
        "readiness-gate-never-set": ("KD1201", "readiness gate acme.example/registered"),
        "rollout-all-at-once": ("KD1012", "9999"),
        "rollout-behind-its-own-anti-affinity": ("KD1213", "anti-affinity excludes each node with its old pod"),
        "rollout-behind-its-own-claim": ("KD1213", "the same ReadWriteOncePod claim"),
        "rollout-behind-its-own-host-port": ("KD1213", "its old pod holds host port 18080"),
        "runs-overlap": ("KD1211", "at the same time"),
        "runtime-binary-missing": ("KD1023", "the container runtime fails"),
        "scheduler-dead": ("KD1101", "no scheduler has tried the pod"),
        "seccomp-profile-missing": ("KD1015", "cannot be used: cannot load seccomp profile"),
        "secret-key-misspelled": ("KD1010", "did you mean passwort"),
        "serving-certificate-denied": ("KD4013", "This CSR was denied by kubectl certificate deny"),
        "serving-certificate-not-approved": ("KD4013", "waits for an approval"),
        "stateful-set-name-too-long": ("KD1221", "68 characters"),
        "stateful-set-waits-for-its-first-pod": ("KD1003", "postmaster.pid"),
        "stateful-set-without-its-service": ("KD1003", "no Service db"),
        "sub-path-key-misspelled": ("KD1003", "has no key setting.json; did you mean settings.json"),
        "sysctl-forbidden": ("KD1020", "net.core.somaxconn"),
        "taint-evicts": ("KD1101", "maintenance=soon:NoExecute"),
        "template-goes-back-and-forth": ("KD1220", "3 times each way"),
        "token-not-mounted": ("KD1003", "automountServiceAccountToken to false"),
        "two-autoscalers-for-one": ("KD1304", "none of them scales"),
        "two-hops": ("KD1012", "returns 503"),
        "variable-not-passed": ("KD1003", "ConfigMap checkout-settings has this key"),
        "working-directory-is-a-file": ("KD1004", "workingDir /etc/passwd cannot be used: not a directory"),
    }
)
"""The code of the first incident, and the words that its summary must have."""
FIRST_FIX = {
    "apparmor-profile-missing": "Remove the AppArmor profile",
    "autoscaler-at-its-maximum": "Raise maxReplicas to 20",
    "autoscaler-without-a-request": "Give container log-shipper a cpu request",
    "daemon-set-crash": "Give container `app` the device",
    "deadline-of-a-pod": "Delete the pod and create it again with a longer activeDeadlineSeconds",
    "directory-over-a-file": "Correct the volume mount",
    "host-path-of-another-type": "Set the volume's hostPath type to Directory",
    "peers-created-in-order": "Recreate the StatefulSet with podManagementPolicy Parallel",
    "port-of-a-service-wrong": "Use port 80 in the program's settings",
    "probe-command-missing": "Correct the command of the readiness probe",
    "probe-grpc-on-http": "Serve grpc.health.v1.Health",
    "probe-port-name-unknown": "Declare the port",
    "seccomp-profile-missing": "Correct the seccompProfile",
    "stateful-set-without-its-service": "Create the headless Service db",
    "sysctl-forbidden": "Remove the sysctl",
    "working-directory-is-a-file": "Correct workingDir",
}
"""How the first fix of the first incident begins."""
RECORDED = sorted(FOLDER.glob("*.json.gz"))


def state_in(path: Path) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    return state


def report_of(state: dict[str, Any]) -> Report:
    snapshot = read_recording(state, state["name"])
    assert snapshot.problems == []

    def gather(wants: frozenset[Any]) -> None:
        for want in wants:
            snapshot.refuse(want, "not in this recording")

    report = scan(load_catalogue(), snapshot, gather)
    assert not [one for one in report.not_checked if one.traceback]
    return report


def test_the_table_names_every_recording() -> None:
    states = [state_in(path) for path in RECORDED]
    assert {state["name"] for state in states if state["expect"]["cause"] != "healthy"} == set(EXPECTED)
    assert [state["name"] for state in states] == [path.name.removesuffix(".json.gz") for path in RECORDED]


@pytest.mark.parametrize("path", RECORDED, ids=[path.name.removesuffix(".json.gz") for path in RECORDED])
def test_the_cause_is_the_first_incident(path: Path) -> None:
    state = state_in(path)
    report = report_of(state)
    if state["expect"]["cause"] == "healthy":
        assert [one.summary for one in report.findings if one.severity is not Severity.NOTICE] == []
        return
    (first,) = [one for one in report.findings if one.id == report.incidents[0].cause]
    about = {"kind": first.about.kind, "namespace": first.about.namespace, "name": first.about.name}
    culprits = state["expect"]["culprit"]
    assert about in (culprits[:1] if culprits[0]["kind"] == "Node" else culprits)
    code, words = EXPECTED[state["name"]]
    assert (first.code, words in first.summary) == (code, True), first.summary
    fixes = [fix.summary for fix in first.fixes] or [""]
    assert fixes[0].startswith(FIRST_FIX.get(state["name"], "")), fixes


def test_no_recording_names_the_machine_or_holds_a_secret() -> None:
    for path in RECORDED:
        text = gzip.decompress(path.read_bytes()).decode()
        assert not re.search(r"/root/|tests/real/", text), path.name  # where programs of the test were built, too
        for item in json.loads(text)["objects"]:
            assert item["kind"] != "Secret" or not any((item.get("data") or {}).values()), path.name
