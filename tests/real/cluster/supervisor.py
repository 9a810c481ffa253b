"""Process 1 of the namespaces: starts the components, publishes the API, restarts the node's daemons.

Started by `control_plane.py` as `python -m tests.real.cluster.supervisor SETTINGS`, already inside fresh
network, mount and PID namespaces.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.real.cluster import node
from tests.real.cluster.certificates import ADMINISTRATOR_TOKEN, TOKENS, write_kubeconfig
from tests.real.cluster.layout import BINARIES, NODE_ADDRESS, POD_RANGE, SECURE_PORT, SERVICE_RANGE, Document

RESTARTED = ("containerd", "kubelet", "kube-proxy", "kube-scheduler", "kube-controller-manager", "kube-apiserver")
"""What an init system, or the kubelet for static pods, would start again after its end."""
AUDIT_POLICY: Document = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived", "ResponseStarted"],
    "rules": [{"level": "Metadata"}],
}
ETCD = "http://127.0.0.1:2379"
API = f"https://127.0.0.1:{SECURE_PORT}"


class Supervisor:
    """Owns every process of one cluster."""

    def __init__(self, folder: Path, listener: socket.socket, *, with_node: bool) -> None:
        self.folder = folder
        self.listener = listener
        self.with_node = with_node
        self.certificates = folder / "certificates"
        self.begin = time.monotonic()
        self.timings: dict[str, float] = {}
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.arguments: dict[str, tuple[str, ...]] = {}

    def mark(self, what: str) -> None:
        """Note the seconds since the start."""
        self.timings[what] = round(time.monotonic() - self.begin, 2)

    def run(self, *command: str) -> None:
        subprocess.run(command, check=True)

    def spawn(self, name: str, *arguments: str) -> None:
        self.arguments[name] = arguments
        with (self.folder / f"{name}.log").open("ab") as log:
            self.children[name] = subprocess.Popen(
                [str(BINARIES / name), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )

    def main(self) -> None:
        self._network()
        self._audit_policy()
        self._control_plane()
        threading.Thread(target=self._publish, daemon=True).start()
        if self.with_node:
            node.start(self)
            self.mark("node ready")
        partial = self.folder / "ready.json.partial"
        partial.write_text(json.dumps(self.timings))
        partial.rename(self.folder / "ready.json")
        self._watch_children()

    def check_children(self) -> None:
        """Give up while starting when a component ended."""
        for name, child in self.children.items():
            if child.poll() is not None:
                raise SystemExit(f"{name} ended with {child.returncode}; see {name}.log")

    def get(self, url: str) -> bytes:
        """The body of one answer; raises OSError when there is none."""
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {ADMINISTRATOR_TOKEN}"})
        context = None
        if url.startswith("https:"):
            context = ssl.create_default_context(cafile=str(self.certificates / "ca.crt"))
            if not url.startswith(API):  # the scheduler's and the controllers' certificates are their own
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
        with urllib.request.urlopen(request, timeout=3, context=context) as response:
            return bytes(response.read())

    def wait_for(self, url: str, seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while True:
            try:
                self.get(url)
            except (OSError, urllib.error.URLError):
                self.check_children()
                if time.monotonic() > end:
                    raise SystemExit(f"no answer from {url} in {seconds:.0f} s") from None
                time.sleep(0.05)
            else:
                return

    def _network(self) -> None:
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "link", "add", "node0", "type", "bridge")
        self.run("ip", "addr", "add", f"{NODE_ADDRESS}/24", "dev", "node0")
        self.run("ip", "link", "set", "node0", "up")
        # Service addresses need some route, so that kube-proxy's rules see (and refuse) the packets.
        self.run("ip", "route", "add", SERVICE_RANGE, "dev", "node0")

    def _audit_policy(self) -> None:
        (self.folder / "audit-policy.json").write_text(json.dumps(AUDIT_POLICY))

    def _control_plane(self) -> None:
        (self.folder / "tokens.csv").write_text(TOKENS)
        authority = self.certificates / "ca.crt"
        signing_key = self.certificates / "service-account.key"
        inside = write_kubeconfig(self.folder / "kubeconfig.inside", API, authority, ADMINISTRATOR_TOKEN)
        self._etcd()
        self._api_server(authority, signing_key)
        self._controllers(inside, authority, signing_key)

    def _etcd(self) -> None:
        self.spawn(
            "etcd",
            f"--data-dir={self.folder / 'etcd'}",
            "--unsafe-no-fsync",
            f"--listen-client-urls={ETCD}",
            f"--advertise-client-urls={ETCD}",
            "--listen-peer-urls=http://127.0.0.1:2380",
            "--log-level=warn",
        )
        self.wait_for(f"{ETCD}/health")
        self.mark("etcd")

    def _api_server(self, authority: Path, signing_key: Path) -> None:
        certificates = self.certificates
        self.spawn(
            "kube-apiserver",
            f"--etcd-servers={ETCD}",
            "--bind-address=0.0.0.0",
            f"--secure-port={SECURE_PORT}",
            f"--advertise-address={NODE_ADDRESS}",
            f"--service-cluster-ip-range={SERVICE_RANGE}",
            f"--tls-cert-file={certificates}/apiserver.crt",
            f"--tls-private-key-file={certificates}/apiserver.key",
            f"--client-ca-file={authority}",
            f"--token-auth-file={self.folder}/tokens.csv",
            f"--kubelet-client-certificate={certificates}/kubelet-client.crt",
            f"--kubelet-client-key={certificates}/kubelet-client.key",
            "--kubelet-preferred-address-types=InternalIP",
            "--allow-privileged=true",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={signing_key}",
            f"--service-account-signing-key-file={signing_key}",
            "--enable-aggregator-routing=true",
            f"--audit-policy-file={self.folder}/audit-policy.json",
            f"--audit-log-path={self.folder}/audit.log",
            "--profiling=false",
        )
        self.wait_for(f"{API}/readyz")
        self.mark("kube-apiserver")

    def _controllers(self, inside: Path, authority: Path, signing_key: Path) -> None:
        self.spawn(
            "kube-controller-manager",
            f"--kubeconfig={inside}",
            "--leader-elect=false",
            f"--service-account-private-key-file={signing_key}",
            f"--root-ca-file={authority}",
            "--use-service-account-credentials=true",
            f"--cluster-cidr={POD_RANGE}",
            "--allocate-node-cidrs=true",
            "--bind-address=127.0.0.1",
            "--node-monitor-grace-period=24s",
            "--kube-api-qps=300",
            "--kube-api-burst=600",
            "--profiling=false",
        )
        self.spawn(
            "kube-scheduler",
            f"--kubeconfig={inside}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            "--profiling=false",
        )
        self.wait_for("https://127.0.0.1:10259/healthz")
        self.wait_for("https://127.0.0.1:10257/healthz")
        self.wait_for(f"{API}/api/v1/namespaces/default/serviceaccounts/default")
        self.mark("control plane")

    def _watch_children(self) -> None:
        """Reap orphans for ever; start the node's daemons again unless a test holds them down."""
        while True:
            while _reap_one():
                pass
            for name in RESTARTED:
                child = self.children.get(name)
                if child and not Path(f"/proc/{child.pid}").exists() and not (self.folder / f"hold-{name}").exists():
                    self._spawn_again(name)
            time.sleep(0.5)

    def _spawn_again(self, name: str) -> None:
        """With its arguments, and those that a test wrote into `more-NAME`, one a line; of two the last counts."""
        more = self.folder / f"more-{name}"
        own = self.arguments[name]
        self.spawn(name, *own, *(more.read_text().split() if more.exists() else ()))
        self.arguments[name] = own

    def _publish(self) -> None:
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=_join, args=(client,), daemon=True).start()


def _reap_one() -> bool:
    try:
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return False


def _join(client: socket.socket) -> None:
    """Carry bytes between one client outside and the API server inside."""
    with client:
        try:
            server = socket.create_connection(("127.0.0.1", SECURE_PORT))
        except OSError:
            return
        with server:
            for side in (
                client,
                server,
            ):  # the relay must not hold back the end of an answer until the start is confirmed
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            answers = threading.Thread(target=_carry, args=(server, client), daemon=True)
            answers.start()
            _carry(client, server)
            answers.join()


def _carry(source: socket.socket, sink: socket.socket) -> None:
    try:
        while chunk := source.recv(1 << 16):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # one side hung up; the other direction ends on its own


def main() -> None:
    settings = json.loads(sys.argv[1])
    listener = socket.socket(fileno=settings["listener"])
    Supervisor(Path(settings["folder"]), listener, with_node=settings["node"]).main()


if __name__ == "__main__":
    main()
