"""The image registry and the name server inside the namespaces.

Unknown names and tags get the 404 that a registry gives, some folders are refused, and each host name but the
registry's own gets NXDOMAIN.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.real.cluster.images import MANIFEST
from tests.real.cluster.layout import IMAGES, NODE_ADDRESS, REGISTRY

HOST, _, PORT = REGISTRY.partition(":")
REFUSALS = {
    "private/": (401, "UNAUTHORIZED", "authentication required"),
    "secret/": (403, "DENIED", "requested access to the resource is denied"),
    "busy/": (429, "TOOMANYREQUESTS", "You have reached your pull rate limit"),
    "broken/": (503, "UNAVAILABLE", "service unavailable"),
}
"""What is answered about the images below a folder: status, code and message of a registry."""


class Registry(BaseHTTPRequestHandler):
    """The read half of the OCI distribution protocol."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        tags: dict[str, str] = json.loads((IMAGES / "tags.json").read_text())
        parts = self.path.partition("?")[0].strip("/").split("/")
        if parts == ["v2"]:
            self._answer(200, b"{}")
            return
        name, kind, reference = "/".join(parts[1:-2]), parts[-2], parts[-1]
        for place, refusal in REFUSALS.items():
            if name.startswith(place):
                self._refuse(*refusal)
                return
        if kind == "manifests" and not reference.startswith("sha256:"):
            tag, reference = reference, tags.get(f"{name}:{reference}", "")
            if not reference:
                known = any(other.startswith(f"{name}:") for other in tags)
                code = "MANIFEST_UNKNOWN" if known else "NAME_UNKNOWN"
                self._refuse(404, code, f"manifest {tag} unknown" if known else "repository name not known to registry")
                return
        blob = IMAGES / "blobs" / reference.removeprefix("sha256:")
        if not blob.is_file():
            self._refuse(404, "BLOB_UNKNOWN", "blob unknown to registry")
            return
        self._answer(200, blob.read_bytes(), MANIFEST if kind == "manifests" else "application/octet-stream", reference)

    do_HEAD = do_GET  # noqa: N815  # the base class looks the method up by this name

    def _refuse(self, status: int, code: str, message: str) -> None:
        self._answer(status, json.dumps({"errors": [{"code": code, "message": message}]}).encode())

    def _answer(self, status: int, body: bytes, media_type: str = "application/json", digest: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        if digest:
            self.send_header("Docker-Content-Digest", digest)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the kubelet's log tells what was pulled."""


def serve_registry() -> None:
    """Serve the images on the node's address, in a thread."""
    server = ThreadingHTTPServer((NODE_ADDRESS, int(PORT)), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def serve_names() -> None:
    """Answer DNS on the node's address, in a thread."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((NODE_ADDRESS, 53))

    def loop() -> None:
        while True:
            query, client = server.recvfrom(512)
            server.sendto(_answer_query(query), client)

    threading.Thread(target=loop, daemon=True).start()


def _answer_query(query: bytes) -> bytes:
    labels, at = [], 12
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode("ascii", "replace"))
        at += length + 1
    question = query[12 : at + 5]
    (query_type,) = struct.unpack(">H", query[at + 1 : at + 3])
    known = ".".join(labels).lower() == HOST
    answer = b""
    if known and query_type == 1:
        answer = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton(NODE_ADDRESS)
    flags = 0x8580 if known else 0x8583  # an authoritative answer: found, or no such name
    return query[:2] + struct.pack(">HHHHH", flags, 1, 1 if answer else 0, 0, 0) + question + answer
