"""`python -m tests.real.cluster.metrics FOLDER`: metrics.k8s.io as metrics-server serves it, inside the node's network.

Each container of each running pod uses what is written in FOLDER/usage.json.
"""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.real.cluster.layout import KUBECTL, METRICS_PORT, NODE_ADDRESS, Document

GROUP = "metrics.k8s.io/v1beta1"
FOLDER = Path(sys.argv[-1])


def measured(pod: Document) -> Document:
    usage = json.loads((FOLDER / "usage.json").read_text())
    names = [status["name"] for status in pod["status"].get("containerStatuses", []) if status["state"].get("running")]
    return {
        "metadata": {key: pod["metadata"].get(key) for key in ("name", "namespace", "labels")},
        "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "window": "15s",
        "containers": [{"name": name, "usage": usage} for name in names],
    }


class Metrics(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        url = urlsplit(self.path)
        parts = url.path.strip("/").split("/")
        if "namespaces" not in parts:
            verbs = {"name": "pods", "namespaced": True, "kind": "PodMetrics", "verbs": ["get", "list"]}
            self._answer({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": GROUP, "resources": [verbs]})
            return
        (selector,) = parse_qs(url.query).get("labelSelector", [""])
        place = ["-n", parts[parts.index("namespaces") + 1], f"--selector={selector}"]
        command = [str(KUBECTL), f"--kubeconfig={FOLDER / 'kubeconfig.inside'}", "get", "pods", *place, "-o", "json"]
        pods = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["items"]
        self._answer(
            {"kind": "PodMetricsList", "apiVersion": GROUP, "metadata": {}, "items": list(map(measured, pods))}
        )

    def _answer(self, body: Document) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    server = ThreadingHTTPServer((NODE_ADDRESS, METRICS_PORT), Metrics)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(FOLDER / "certificates/apiserver.crt", FOLDER / "certificates/apiserver.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()
