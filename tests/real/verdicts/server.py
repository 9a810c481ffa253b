"""An etcd and a kube-apiserver, without controllers: enough to validate and to admit."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Mapping
from http.client import HTTPSConnection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.real.cluster.certificates import ADMINISTRATOR_TOKEN, TOKENS, make_certificates
from tests.real.cluster.layout import BINARIES

BUILT = all((BINARIES / name).exists() for name in ("etcd", "kube-apiserver"))


class ApiServer:
    """A context manager. `dry_run` asks what would become of an object."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="verdicts-"))
        self._children: list[subprocess.Popen[bytes]] = []
        self._port, self._etcd, self._peers = _free_ports(3)
        self._connection: HTTPSConnection | None = None

    def __enter__(self) -> Self:
        make_certificates(self._folder / "certificates")
        (self._folder / "tokens.csv").write_text(TOKENS)
        certificates = self._folder / "certificates"
        etcd = f"http://127.0.0.1:{self._etcd}"
        self._spawn(
            "etcd",
            f"--data-dir={self._folder / 'etcd'}",
            "--unsafe-no-fsync",
            f"--listen-client-urls={etcd}",
            f"--advertise-client-urls={etcd}",
            f"--listen-peer-urls=http://127.0.0.1:{self._peers}",
            "--log-level=warn",
        )
        self._spawn(
            "kube-apiserver",
            f"--etcd-servers={etcd}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self._port}",
            "--service-cluster-ip-range=10.96.0.0/16",
            f"--tls-cert-file={certificates}/apiserver.crt",
            f"--tls-private-key-file={certificates}/apiserver.key",
            f"--client-ca-file={certificates}/ca.crt",
            f"--token-auth-file={self._folder}/tokens.csv",
            "--authorization-mode=RBAC",
            "--allow-privileged=true",
            "--disable-admission-plugins=ServiceAccount",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={certificates}/service-account.key",
            f"--service-account-signing-key-file={certificates}/service-account.key",
            "--profiling=false",
        )
        self._wait(180)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hang_up()
        for child in reversed(self._children):
            child.kill()
            child.wait(60)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _spawn(self, name: str, *arguments: str) -> None:
        with (self._folder / f"{name}.log").open("wb") as log:
            command = [str(BINARIES / name), *arguments]
            self._children.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while True:
            try:
                if self.request("GET", "/readyz?exclude=poststarthook/start-service-ip-repair-controllers")[0] == 200:
                    return
            except OSError:
                self._hang_up()
            if time.monotonic() > end or any(child.poll() is not None for child in self._children):
                said = (self._folder / "kube-apiserver.log").read_text()[-2000:]
                raise RuntimeError(f"the API server did not start: {said}")
            time.sleep(0.2)

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def request(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """The status and the document of an answer."""
        if self._connection is None:
            self._connection = HTTPSConnection(
                "127.0.0.1", self._port, context=ssl._create_unverified_context(), timeout=60
            )
        headers = {"Authorization": f"Bearer {ADMINISTRATOR_TOKEN}", "Content-Type": "application/json"}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        try:
            self._connection.request(method, path, data, headers)
            answer = self._connection.getresponse()
            text = answer.read()
        except OSError:
            self._hang_up()
            raise
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text.decode(errors="replace")

    def dry_run(self, path: str, document: Mapping[str, Any]) -> str:
        """The words of the refusal; empty where the object would be created."""
        query = "?dryRun=All&fieldValidation=Strict&fieldManager=verdicts"
        status, answer = self.request("POST", path + query, document)
        if status in (200, 201):
            return ""
        return str(answer.get("message", answer)) if isinstance(answer, dict) else str(answer)


def _free_ports(number: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
