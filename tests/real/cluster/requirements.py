"""What this machine lacks to build or to run the real cluster, in words for a skip reason."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

from tests.real.cluster.layout import (
    BINARIES,
    CACHE,
    CONTROL_PLANE,
    DEBIAN_ROOT,
    GATEWAY_KINDS,
    IMAGES,
    INGRESS_NGINX_TEMPLATE,
    NODE,
)

CONTROL_GROUPS = Path("/sys/fs/cgroup")
NEEDED_CONTROLLERS = ("cpu", "memory", "pids")
PRIVATE_FOLDERS = ("/var/lib", "/var/log", "/run")
"""Covered by private mounts while the node runs, so nothing that it needs may lie below them."""


def why_not_build() -> str:
    """Why the binaries cannot be built here; empty when they can."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return "the real cluster is built for Linux on x86_64 only"
    if not shutil.which("go"):
        return "Go is not installed, and it builds Kubernetes; install Go 1.26 or newer (https://go.dev/dl)"
    tools = [tool for tool in ("apt-get", "dpkg") if not shutil.which(tool)]
    if tools:
        return f"not installed: {', '.join(tools)}; runc and the network plug-ins come from Debian packages"
    return ""


def why_not_run() -> str:
    """Why the real cluster cannot run here; empty when it can."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return "the real cluster runs on Linux on x86_64 only"
    if os.geteuid() != 0:
        return "the real cluster needs root, to make its namespaces"
    tools = [tool for tool in ("unshare", "setpriv", "nsenter", "ip", "mount", "openssl") if not shutil.which(tool)]
    if tools:
        return f"not installed: {', '.join(tools)}"
    missing = [name for name in CONTROL_PLANE + NODE if not (BINARIES / name).exists()]
    if not (DEBIAN_ROOT / "usr/sbin/nft").exists():
        missing.append("nft")
    missing += [path.name for path in (INGRESS_NGINX_TEMPLATE, GATEWAY_KINDS) if not path.exists()]
    if not (IMAGES / "tags.json").exists():
        missing.append("container images")
    if missing:
        return f"not built: {', '.join(missing)} (run `make real-cluster`)"
    return why_no_node()


def why_no_node() -> str:
    """Why a kubelet cannot run here; empty when it can."""
    lacking = [name for name in NEEDED_CONTROLLERS if not (CONTROL_GROUPS / name / "cgroup.procs").exists()]
    if lacking:
        return f"no control group (v1) controllers at {CONTROL_GROUPS}: {', '.join(lacking)}"
    if not os.access(CONTROL_GROUPS / "memory", os.W_OK):
        return f"{CONTROL_GROUPS} is read-only"
    covered = [folder for folder in PRIVATE_FOLDERS if CACHE.resolve().is_relative_to(folder)]
    if covered:
        return f"the cache folder {CACHE} lies below {covered[0]}; choose another with REALCLUSTER_CACHE"
    return ""
