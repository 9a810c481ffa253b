"""Tiny container images, made without any container tool.

An image is one gzip'd tar layer, mostly with one static Go program, a configuration and a manifest, kept as OCI blobs
in the cache folder. `registry.py` serves that folder, so the kubelet's pulls are real.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

from tests.real.cluster.layout import (
    BINARIES,
    COREDNS_VERSION,
    IMAGES,
    INGRESS_NGINX_TEMPLATE,
    INGRESS_NGINX_VERSION,
    KUBE_ROUTER_VERSION,
    KUBERNETES_VERSION,
    POLICY_ROOT,
    SIDECAR_VERSIONS,
    Document,
)

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIGURATION = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
APPLICATIONS = ("checkout:1.4.2", "web:1.4.2")
PAUSE = "pause:3.10"
COREDNS = f"coredns:{COREDNS_VERSION}"
KUBE_ROUTER = f"kube-router:{KUBE_ROUTER_VERSION}"
KUBE_PROXY = f"kube-proxy:{KUBERNETES_VERSION}"
INGRESS_NGINX = f"ingress-nginx/controller:{INGRESS_NGINX_VERSION}"
SIDECARS = {name: f"sig-storage/{name}:{version}" for name, version in SIDECAR_VERSIONS.items()}
SNAPSHOT_CONTROLLER = SIDECARS["snapshot-controller"]
DISKS = "disks-csi-driver:1.0.0"
Files = dict[str, Path | str]
"""What is in an image: a file, or the target of a link, by path."""


def build_all() -> None:
    """Make all images whose programs changed since the last call."""
    programs = app, coredns, kube_router, kube_proxy, controller, nginx = tuple(
        BINARIES / name for name in ("app", "coredns", "kube-router", "kube-proxy", "nginx-ingress-controller", "nginx")
    )
    of_storage = {SIDECARS.get(name, DISKS): BINARIES / name for name in (*SIDECARS, "disks")}
    sources = {path.name: [path.stat().st_mtime_ns, path.stat().st_size] for path in (*programs, *of_storage.values())}
    names = [APPLICATIONS, PAUSE, COREDNS, KUBE_ROUTER, KUBE_PROXY, INGRESS_NGINX, *of_storage]
    recipe = json.dumps([sources, *names])
    note = IMAGES / "recipe.json"
    if note.exists() and note.read_text() == recipe:
        return
    (IMAGES / "blobs").mkdir(parents=True, exist_ok=True)
    application = _build({"app": app}, ["/app"])
    tags = dict.fromkeys(APPLICATIONS, application)
    tags[PAUSE] = _build({"app": app}, ["/app", "pause"])
    tags[COREDNS] = _build({"app": coredns}, ["/app"])
    tags[KUBE_ROUTER] = _build({"app": kube_router, **_policy_tools()}, ["/app"])
    tags[KUBE_PROXY] = _build({"app": kube_proxy, **_policy_tools()}, ["/app"])
    tags[INGRESS_NGINX] = _build(
        {
            "nginx-ingress-controller": controller,
            "usr/bin/nginx": nginx,
            "etc/nginx/template/nginx.tmpl": INGRESS_NGINX_TEMPLATE,
        },
        ["/nginx-ingress-controller"],
        ("tmp/nginx", "etc/ingress-controller/telemetry"),
    )
    for name, program in of_storage.items():
        tags[name] = _build({program.name: program}, [f"/{program.name}"])
    (IMAGES / "tags.json").write_text(json.dumps(tags, indent=1))
    note.write_text(recipe)


def _policy_tools() -> Files:
    """iptables (by nftables) and ipset, where Debian has them, and all libraries that they load."""
    files: Files = {}
    for path in sorted(POLICY_ROOT.rglob("*")):
        place = path.relative_to(POLICY_ROOT)
        if path.is_file() and {"lib", "lib64", "sbin"} & set(place.parts[:2]) and "gconv" not in place.parts:
            files[str(place)] = str(path.readlink()) if path.is_symlink() else path
    return files | {
        f"usr/sbin/{name}": "xtables-nft-multi" for name in ("iptables", "iptables-save", "iptables-restore")
    }


def _build(files: Files, entry_point: list[str], folders: tuple[str, ...] = ()) -> str:
    """Make one image; returns the digest of its manifest. folders: those without a file."""
    raw = _layer(files, folders)
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


def _layer(files: Files, empty: tuple[str, ...]) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        placed = [*files, *(f"{folder}/file" for folder in empty)]
        folders = {str(parent) for name in placed for parent in Path(name).parents if parent.name}
        for name, mode in [("tmp", 0o1777), *((name, 0o755) for name in sorted((folders | {"etc"}) - {"tmp"}))]:
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, mode
            tar.addfile(folder)
        passwd = b"root:x:0:0:root:/:/none\nnobody:x:65534:65534:nobody:/:/none\n"
        _add(tar, "etc/passwd", passwd, 0o644)
        for name, source in files.items():
            if isinstance(source, Path):
                _add(tar, name, source.read_bytes(), 0o755)
                continue
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, source
            tar.addfile(link)
    return raw.getvalue()


def _add(tar: tarfile.TarFile, name: str, data: bytes, mode: int) -> None:
    file = tarfile.TarInfo(name)
    file.size, file.mode = len(data), mode
    tar.addfile(file, io.BytesIO(data))


def _store(data: bytes) -> Document:
    digest = hashlib.sha256(data).hexdigest()
    (IMAGES / "blobs" / digest).write_bytes(data)
    return {"digest": f"sha256:{digest}", "size": len(data)}
