"""Build the real components into the cache folder: `python -m tests.real.cluster.build`.

Each is a plain `go build` from a go.mod in `go/`; what is already built from the same recipe is skipped, so
a second call takes a second. All builds use CGO_ENABLED=0, so that they share one build cache. runc and the
network plug-ins are Debian packages, unpacked into the cache and not installed. About 10 minutes on two free
cores, about 600 MiB in the cache folder, and the Go module and build caches beside it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.real.cluster import images
from tests.real.cluster.layout import (
    BINARIES,
    CACHE,
    CONTAINERD_VERSION,
    DEBIAN_ROOT,
    GATEWAY_KINDS,
    GO_MODULES,
    INGRESS_NGINX_TEMPLATE,
    INGRESS_NGINX_VERSION,
    KUBERNETES_VERSION,
    POLICY_ROOT,
    RECIPES,
    SIDECAR_VERSIONS,
    SNAPSHOT_KINDS,
)
from tests.real.cluster.requirements import why_not_build

STAMP = "k8s.io/component-base/version."
MAJOR, MINOR, _ = KUBERNETES_VERSION.removeprefix("v").split(".")
KUBERNETES_FLAGS = (
    f"-s -w -X {STAMP}gitVersion={KUBERNETES_VERSION} -X {STAMP}gitMajor={MAJOR} -X {STAMP}gitMinor={MINOR} "
    f"-X {STAMP}gitTreeState=clean -X {STAMP}gitCommit=unknown -X {STAMP}buildDate=1970-01-01T00:00:00Z"
)
CONTAINERD = "github.com/containerd/containerd/v2"
CONTAINERD_FLAGS = f"-s -w -X {CONTAINERD}/version.Version={CONTAINERD_VERSION}"
INGRESS_NGINX = "k8s.io/ingress-nginx"
SNAPSHOT_CLIENT, SNAPSHOT_GROUP = "github.com/kubernetes-csi/external-snapshotter/client/v8", "snapshot.storage.k8s.io"
GATEWAY_API, GATEWAY_GROUP = "sigs.k8s.io/gateway-api", "gateway.networking.k8s.io"
INGRESS_NGINX_FLAGS = f"-s -w -X {INGRESS_NGINX}/version.RELEASE={INGRESS_NGINX_VERSION}"
DEBIAN_PACKAGES = (
    "runc",
    "libseccomp2",
    "containernetworking-plugins",
    "nftables",
    "libnftables1",
    "libnftnl11",
    "libmnl0",
    "libxtables12",
)
POLICY_PACKAGES = (
    "iptables",
    "ipset",
    "libipset13",
    "libip4tc2",
    "libip6tc2",
    "libnfnetlink0",
    "libnetfilter-conntrack3",
    "libnftnl11",
    "libmnl0",
    "libxtables12",
    "libc6",
)


@dataclass(frozen=True)
class Component:
    module: str
    """The folder below `go/`."""
    name: str
    package: str
    flags: str = "-s -w"
    options: tuple[str, ...] = ()
    """Further ones of `go build`."""

    @property
    def recipe(self) -> str:
        """Everything that decides what the binary is."""
        sources = sorted(path for path in (GO_MODULES / self.module).iterdir() if path.suffix in (".mod", ".go"))
        return "".join(
            ["\n".join(path.read_text() for path in sources), self.package, self.flags, "amd64", *self.options]
        )

    @property
    def up_to_date(self) -> bool:
        note = RECIPES / self.name
        return (BINARIES / self.name).exists() and note.exists() and note.read_text() == self.recipe

    def build(self) -> None:
        RECIPES.mkdir(parents=True, exist_ok=True)
        command = [
            "go",
            "build",
            "-buildvcs=false",
            *self.options,
            "-ldflags",
            self.flags,
            "-o",
            str(BINARIES / self.name),
        ]
        environment = {**os.environ, "CGO_ENABLED": "0", "GOARCH": "amd64", "GOFLAGS": "-mod=readonly"}
        subprocess.run([*command, self.package], cwd=GO_MODULES / self.module, env=environment, check=True)
        (RECIPES / self.name).write_text(self.recipe)


def _kubernetes(name: str) -> Component:
    return Component("kubernetes", name, f"k8s.io/kubernetes/cmd/{name}", KUBERNETES_FLAGS)


def _sidecar(name: str, repository: str) -> Component:
    """Of a CSI driver, out of the repository and major version that Kubernetes CSI keeps it in."""
    package = f"github.com/kubernetes-csi/{repository}/cmd/{name}"
    return Component("csi", name, package, f"-s -w -X main.version={SIDECAR_VERSIONS[name]}")


COMPONENTS = (
    Component("etcd", "etcd", "go.etcd.io/etcd/server/v3"),
    _kubernetes("kube-apiserver"),
    _kubernetes("kube-scheduler"),
    _kubernetes("kube-controller-manager"),
    _kubernetes("kubelet"),
    _kubernetes("kube-proxy"),
    Component("containerd", "containerd", f"{CONTAINERD}/cmd/containerd", CONTAINERD_FLAGS),
    Component("containerd", "containerd-shim-runc-v2", f"{CONTAINERD}/cmd/containerd-shim-runc-v2", CONTAINERD_FLAGS),
    Component("kubectl", "kubectl", "k8s.io/kubernetes/cmd/kubectl", KUBERNETES_FLAGS),
    Component("coredns", "coredns", "."),
    Component("policies", "kube-router", "."),
    Component("ingress", "nginx-ingress-controller", f"{INGRESS_NGINX}/cmd/nginx", INGRESS_NGINX_FLAGS),
    Component("ingress", "nginx", "."),
    _sidecar("csi-provisioner", "external-provisioner/v6"),
    _sidecar("csi-attacher", "external-attacher/v4"),
    _sidecar("csi-resizer", "external-resizer/v2"),
    _sidecar("csi-snapshotter", "external-snapshotter/v8"),
    _sidecar("snapshot-controller", "external-snapshotter/v8"),
    Component("disks", "disks", "."),
    # Its panics are recorded, and must not name the folder where it was built.
    Component("app", "app", ".", options=("-trimpath",)),
)


def copy_texts() -> None:
    """What else of a module is needed than programs: ingress-nginx's template of nginx.conf, the kinds of the Gateway API
    and of snapshots."""
    template = _folder_of("ingress", INGRESS_NGINX) / "rootfs/etc/nginx/template/nginx.tmpl"
    INGRESS_NGINX_TEMPLATE.write_text(template.read_text())
    kinds = sorted((_folder_of("gateway", GATEWAY_API) / "config/crd/standard").glob(f"{GATEWAY_GROUP}_*.yaml"))
    GATEWAY_KINDS.write_text("---\n".join(path.read_text() for path in kinds))
    kinds = sorted((_folder_of("csi", SNAPSHOT_CLIENT) / "config/crd").glob(f"{SNAPSHOT_GROUP}_*.yaml"))
    SNAPSHOT_KINDS.write_text("---\n".join(path.read_text() for path in kinds))


def _folder_of(module: str, path: str) -> Path:
    """Where Go has put a module that a recipe requires."""
    for command in (["go", "mod", "download", path], ["go", "list", "-m", "-f", "{{.Dir}}", path]):
        done = subprocess.run(command, cwd=GO_MODULES / module, capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


def unpack_debian_packages() -> None:
    """Fetch and unpack the Debian packages of the node and of the policy engine's image."""
    if not (BINARIES / "runc").exists() or not (DEBIAN_ROOT / "usr/sbin/nft").exists():
        _unpack(DEBIAN_PACKAGES, DEBIAN_ROOT)
        # Written last: its presence means that all packages were unpacked.
        shutil.copy2(DEBIAN_ROOT / "usr/sbin/runc", BINARIES / "runc")
    done = POLICY_ROOT / "unpacked"
    if not done.exists():
        _unpack(POLICY_PACKAGES, POLICY_ROOT)
        done.touch()


def _unpack(packages: tuple[str, ...], root: Path) -> None:
    """The package lists are refreshed only when fetching fails."""
    folder = CACHE / "deb"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    download = ["apt-get", "download", "-qq", *packages]
    if subprocess.run(download, cwd=folder, capture_output=True).returncode != 0:
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(download, cwd=folder, check=True)
    for package in sorted(folder.glob("*.deb")):
        subprocess.run(["dpkg", "-x", str(package), str(root)], check=True)


def main() -> int:
    if reason := why_not_build():
        print(f"Cannot build the real cluster: {reason}.", file=sys.stderr)
        return 1
    BINARIES.mkdir(parents=True, exist_ok=True)
    try:
        for component in COMPONENTS:
            if component.up_to_date:
                continue
            begin = time.monotonic()
            print(f"building {component.name} …", flush=True)
            component.build()
            size = (BINARIES / component.name).stat().st_size >> 20
            print(f"  {time.monotonic() - begin:.0f} s, {size} MiB", flush=True)
        copy_texts()
        unpack_debian_packages()
    except subprocess.CalledProcessError as error:
        print(f"Cannot build the real cluster: `{' '.join(error.cmd)}` failed.", file=sys.stderr)
        print("Check that the Go module proxy and the Debian mirror can be reached, then try again.", file=sys.stderr)
        return 1
    images.build_all()
    print(f"The real cluster is built in {CACHE}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
