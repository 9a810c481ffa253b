"""Tiny container images, made without any container tool.

An image is one gzip'd tar layer with one static Go program, a configuration and a manifest, kept as OCI blobs
in the cache folder. `registry.py` serves that folder, so the kubelet's pulls are real.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

from tests.real.cluster.layout import BINARIES, COREDNS_VERSION, IMAGES, Document

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIGURATION = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
APPLICATIONS = ("checkout:1.4.2", "web:1.4.2")
PAUSE = "pause:3.10"
COREDNS = f"coredns:{COREDNS_VERSION}"


def build_all() -> None:
    """Make all images whose programs changed since the last call."""
    app, coredns = BINARIES / "app", BINARIES / "coredns"
    sources = {path.name: [path.stat().st_mtime_ns, path.stat().st_size] for path in (app, coredns)}
    recipe = json.dumps([sources, APPLICATIONS, PAUSE, COREDNS])
    note = IMAGES / "recipe.json"
    if note.exists() and note.read_text() == recipe:
        return
    (IMAGES / "blobs").mkdir(parents=True, exist_ok=True)
    application = _build(app, ["/app"])
    tags = dict.fromkeys(APPLICATIONS, application)
    tags[PAUSE] = _build(app, ["/app", "pause"])
    tags[COREDNS] = _build(coredns, ["/app"])
    (IMAGES / "tags.json").write_text(json.dumps(tags, indent=1))
    note.write_text(recipe)


def _build(program: Path, entry_point: list[str]) -> str:
    """Make one image whose only program is `/app`; returns the digest of its manifest."""
    raw = _layer(program)
    layer = {"mediaType": LAYER, **_store(gzip.compress(raw, 6, mtime=0))}
    configuration = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": entry_point},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(raw).hexdigest()}"]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIGURATION, **_store(json.dumps(configuration).encode())},
        "layers": [layer],
    }
    return str(_store(json.dumps(manifest).encode())["digest"])


def _layer(program: Path) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name, mode in (("tmp", 0o1777), ("etc", 0o755)):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, mode
            tar.addfile(folder)
        passwd = b"root:x:0:0:root:/:/none\nnobody:x:65534:65534:nobody:/:/none\n"
        for name, data, mode in (("etc/passwd", passwd, 0o644), ("app", program.read_bytes(), 0o755)):
            file = tarfile.TarInfo(name)
            file.size, file.mode = len(data), mode
            tar.addfile(file, io.BytesIO(data))
    return raw.getvalue()


def _store(data: bytes) -> Document:
    digest = hashlib.sha256(data).hexdigest()
    (IMAGES / "blobs" / digest).write_bytes(data)
    return {"digest": f"sha256:{digest}", "size": len(data)}
