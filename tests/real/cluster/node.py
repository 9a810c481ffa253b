"""The real node: containerd, kubelet and kube-proxy, inside the cluster's namespaces.

Nothing is written to the machine's own folders: /var/lib, /var/log, /run and /etc/resolv.conf are covered by
private mounts, and the kernel settings that a kubelet wants to change are covered by plain files that already
hold the wanted values.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.real.cluster import registry
from tests.real.cluster.certificates import NODE_TOKEN, write_kubeconfig
from tests.real.cluster.images import PAUSE
from tests.real.cluster.layout import (
    BINARIES,
    DEBIAN_ROOT,
    DNS_SERVICE_ADDRESS,
    NODE_ADDRESS,
    NODE_NAME,
    POD_RANGE,
    REGISTRY,
    SECURE_PORT,
    Document,
    control_group,
)
from tests.real.cluster.requirements import CONTROL_GROUPS

if TYPE_CHECKING:
    from tests.real.cluster.supervisor import Supervisor

WANTED_KERNEL_SETTINGS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
NETWORKS = "cni/net.d"
"""The configuration of the pod network, below the folder of the cluster."""
SOCKET = Path("/run/containerd/containerd.sock")
CONTAINERD = """\
version = 3
root = '/var/lib/containerd'
state = '/run/containerd'
[grpc]
  address = '{socket}'
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = '{registry}/{pause}'
[plugins.'io.containerd.cri.v1.images'.registry]
  config_path = '{registries}'
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = 'io.containerd.runc.v2'
  runtime_path = '{binaries}/containerd-shim-runc-v2'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  BinaryName = '{binaries}/runc'
  SystemdCgroup = false
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ['{plugins}']
  conf_dir = '{networks}'
[plugins.'io.containerd.nri.v1.nri']
  disable = true
"""
POD_NETWORK: Document = {
    "cniVersion": "1.0.0",
    "name": "pods",
    "plugins": [
        {
            "type": "bridge",
            "bridge": "cni0",
            "isGateway": True,
            "hairpinMode": True,
            "promiscMode": False,
            "ipam": {
                "type": "host-local",
                "dataDir": "/run/cni-addresses",
                "ranges": [[{"subnet": POD_RANGE.replace("/16", "/24")}]],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        }
    ],
}


def start(supervisor: Supervisor) -> None:
    """Start the node's daemons and wait until the API server calls the node ready."""
    folder = supervisor.folder
    tools = DEBIAN_ROOT / "usr/sbin"
    os.environ["PATH"] = f"{BINARIES}:{tools}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    os.environ["LD_LIBRARY_PATH"] = str(DEBIAN_ROOT / "usr/lib/x86_64-linux-gnu")
    _cover_folders(supervisor)
    _make_control_groups(control_group(folder.name))
    registry.serve_names()
    registry.serve_registry()
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    _start_containerd(supervisor)
    _start_kubelet(supervisor)
    _start_proxy(supervisor)
    _wait_until_ready(supervisor)


def _cover_folders(supervisor: Supervisor) -> None:
    folder, run = supervisor.folder, supervisor.run
    run("mount", "--make-rshared", "/")
    for name, target in (("var-lib", "/var/lib"), ("var-log", "/var/log")):
        (folder / name).mkdir()
        run("mount", "--bind", str(folder / name), target)
    run("mount", "-t", "tmpfs", "tmpfs", "/run")
    names = folder / "resolv.conf"
    names.write_text(f"nameserver {NODE_ADDRESS}\n")
    run("mount", "--bind", str(names), "/etc/resolv.conf")
    for setting, value in WANTED_KERNEL_SETTINGS.items():
        cover = folder / f"setting-{setting.replace('/', '-')}"
        cover.write_text(value + "\n")
        run("mount", "--bind", str(cover), f"/proc/sys/{setting}")


def _make_control_groups(group: str) -> None:
    """Make one control group per mounted v1 controller; the kubelet puts everything below it."""
    for controller in CONTROL_GROUPS.iterdir():
        if controller.is_symlink() or not (controller / "cgroup.procs").exists():
            continue
        own = controller / group
        own.mkdir(exist_ok=True)
        if controller.name == "cpuset":
            for name in ("cpuset.cpus", "cpuset.mems"):
                (own / name).write_text((controller / name).read_text())


def _start_containerd(supervisor: Supervisor) -> None:
    folder = supervisor.folder
    registries, networks = folder / "registries", folder / NETWORKS
    hosts = registries / REGISTRY / "hosts.toml"
    hosts.parent.mkdir(parents=True)
    hosts.write_text(f'server = "http://{REGISTRY}"\n')
    networks.mkdir(parents=True)
    (networks / "10-bridge.conflist").write_text(json.dumps(POD_NETWORK))
    settings = CONTAINERD.format(
        socket=SOCKET,
        registry=REGISTRY,
        pause=PAUSE,
        registries=registries,
        binaries=BINARIES,
        plugins=DEBIAN_ROOT / "usr/lib/cni",
        networks=networks,
    )
    (folder / "containerd.toml").write_text(settings)
    supervisor.spawn("containerd", f"--config={folder}/containerd.toml")
    while not SOCKET.exists():
        supervisor.check_children()
        time.sleep(0.05)
    supervisor.mark("containerd")


def _start_kubelet(supervisor: Supervisor) -> None:
    folder = supervisor.folder
    authority = supervisor.certificates / "ca.crt"
    server = f"https://127.0.0.1:{SECURE_PORT}"
    kubeconfig = write_kubeconfig(folder / "kubeconfig.node", server, authority, NODE_TOKEN)
    settings: Document = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "failCgroupV1": False,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{control_group(folder.name)}",
        "cgroupsPerQOS": True,
        "enforceNodeAllocatable": ["pods"],
        "failSwapOn": False,
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "address": "0.0.0.0",
        "readOnlyPort": 0,
        "resolvConf": "/etc/resolv.conf",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(authority)},
        },
        "authorization": {"mode": "Webhook"},
        "clusterDNS": [DNS_SERVICE_ADDRESS],
        "clusterDomain": "cluster.local",
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "maxPods": 60,
        "kubeReserved": {"memory": "1Gi"},
        "nodeStatusUpdateFrequency": "5s",
        "syncFrequency": "5s",
        "shutdownGracePeriod": "0s",
        "volumePluginDir": "/var/lib/kubelet/volumeplugins",
    }
    (folder / "kubelet.json").write_text(json.dumps(settings, indent=1))
    supervisor.spawn(
        "kubelet",
        f"--config={folder}/kubelet.json",
        f"--kubeconfig={kubeconfig}",
        f"--node-ip={NODE_ADDRESS}",
        f"--hostname-override={NODE_NAME}",
        "--root-dir=/var/lib/kubelet",
    )


def _start_proxy(supervisor: Supervisor) -> None:
    untouched = {"maxPerCore": 0, "min": 0, "tcpCloseWaitTimeout": "0s", "tcpEstablishedTimeout": "0s"}
    settings: Document = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": {"kubeconfig": str(supervisor.folder / "kubeconfig.inside")},
        "clusterCIDR": POD_RANGE,
        "hostnameOverride": NODE_NAME,
        "bindAddress": "0.0.0.0",
        "conntrack": untouched,
    }
    (supervisor.folder / "kube-proxy.json").write_text(json.dumps(settings, indent=1))
    supervisor.spawn("kube-proxy", f"--config={supervisor.folder}/kube-proxy.json")


def _wait_until_ready(supervisor: Supervisor, seconds: float = 120) -> None:
    url = f"https://127.0.0.1:{SECURE_PORT}/api/v1/nodes/{NODE_NAME}"
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        supervisor.check_children()
        try:
            node: Document = json.loads(supervisor.get(url))
        except OSError:
            node = {"status": {}, "spec": {}}
        conditions = {row["type"]: row["status"] for row in node["status"].get("conditions", [])}
        if conditions.get("Ready") == "True" and not node["spec"].get("taints"):
            return
        time.sleep(0.1)
    raise SystemExit(f"{NODE_NAME} did not become ready in {seconds:.0f} s; see kubelet.log")
