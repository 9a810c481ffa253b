"""Start and stop a real cluster, and speak to it: the caller's side."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from tests.real.cluster.certificates import ADMINISTRATOR_TOKEN, VISITOR_TOKEN, make_certificates, write_kubeconfig
from tests.real.cluster.layout import CACHE, KUBECTL, PROJECT, RUNS, Document, control_group
from tests.real.cluster.requirements import CONTROL_GROUPS

BULKY = ("etcd", "var-lib")


class RealCluster:
    """A real control plane, with or without a real node; a context manager.

    Logs and settings stay in `folder` after the end, for a look, until the next cluster starts.
    """

    def __init__(self, name: str, *, node: bool) -> None:
        self.name = name
        self.node = node
        self.folder = RUNS / name
        self.kubeconfig = self.folder / "kubeconfig"
        self.visitor_kubeconfig = self.folder / "kubeconfig.visitor"
        """May do all that the administrator may, and nobody but the program under test uses it."""
        self.server = ""
        self.timings: dict[str, float] = {}
        """Seconds from the start until each part answered."""
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, seconds: float = 240) -> None:
        remove_abandoned_runs()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self._lock = _lock(self.folder)
        make_certificates(self.folder / "certificates")
        with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
            self.server = f"https://127.0.0.1:{listener.getsockname()[1]}"
            self.kubeconfig_with(ADMINISTRATOR_TOKEN, self.kubeconfig)
            self.kubeconfig_with(VISITOR_TOKEN, self.visitor_kubeconfig)
            self._process = self._spawn_supervisor(listener)
        begin = time.monotonic()
        ready = self.folder / "ready.json"
        while not ready.exists():
            if self._process.poll() is not None or time.monotonic() - begin > seconds:
                said = (self.folder / "supervisor.log").read_text().strip().rpartition("\n")[2]
                self.stop()
                raise RuntimeError(f"the real cluster did not start: {said}; see {self.folder}/*.log")
            time.sleep(0.05)
        self.timings = json.loads(ready.read_text())

    def _spawn_supervisor(self, listener: socket.socket) -> subprocess.Popen[bytes]:
        settings = json.dumps({"folder": str(self.folder), "listener": listener.fileno(), "node": self.node})
        # The kernel ends `unshare` with this process, and all that is inside with `unshare`.
        command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--fork", "--kill-child", "--pid", "--net", "--mount"]
        command += ["--mount-proc", "--propagation", "private"]
        with (self.folder / "supervisor.log").open("wb") as log:
            return subprocess.Popen(
                [*command, sys.executable, "-m", "tests.real.cluster.supervisor", settings],
                cwd=PROJECT,
                env={**os.environ, "REALCLUSTER_CACHE": str(CACHE)},
                pass_fds=[listener.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(60)
        remove_control_groups(self.name)
        for folder in BULKY:
            shutil.rmtree(self.folder / folder, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()

    def kubeconfig_with(self, token: str, path: Path) -> Path:
        """Write a kubeconfig that signs in with a token."""
        return write_kubeconfig(path, self.server, self.folder / "certificates/ca.crt", token)

    def kubectl(self, *arguments: str, text: str | None = None) -> str:
        """What kubectl prints; raises RuntimeError with kubectl's own words when it fails."""
        command = [str(KUBECTL), f"--kubeconfig={self.kubeconfig}", *arguments]
        environment = {**os.environ, "KUBE_EDITOR": "true"}
        done = subprocess.run(command, input=text, capture_output=True, text=True, env=environment)
        if done.returncode:
            raise RuntimeError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def paste(self, line: str) -> None:
        """Run what a finding tells to type: kubectl commands joined by `&&` and pipes, which may begin with `printf %s`."""
        for part in line.split(" && "):
            told: str | None = None
            for command in part.split(" | "):
                program, *words = shlex.split(command)
                told = words[1] if program == "printf" else self.kubectl(*words, text=told)

    def apply(self, *objects: Document) -> None:
        manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        self.kubectl("apply", "-f", "-", text=manifest)

    def get(self, kind: str, name: str, namespace: str = "default") -> Document:
        """One object; empty when there is none."""
        text = self.kubectl("get", kind, name, "-n", namespace, "-o", "json", "--ignore-not-found")
        return dict(json.loads(text)) if text.strip() else {}

    def items(self, kind: str, namespace: str, selector: str = "") -> list[Document]:
        chosen = [f"--selector={selector}"] if selector else []
        return list(json.loads(self.kubectl("get", kind, "-n", namespace, *chosen, "-o", "json"))["items"])

    def wait_for(self, what: str, test: Callable[[], bool], seconds: float = 180) -> None:
        """Ask until the cluster shows something; fails with the pods and events at that time."""
        end = time.monotonic() + seconds
        while not test():
            if time.monotonic() > end:
                state = self.kubectl("get", "pods,events", "-A")
                raise AssertionError(f"the cluster did not show in {seconds:.0f} s: {what}\n{state}")
            time.sleep(0.3)

    def kill(self, component: str) -> None:
        """End a daemon of the node and keep it down until `revive`."""
        (self.folder / f"hold-{component}").touch()
        os.kill(self._pid_of(component), signal.SIGKILL)

    def revive(self, component: str) -> None:
        (self.folder / f"hold-{component}").unlink(missing_ok=True)

    def restart(self, component: str, *more: str) -> None:
        """End a daemon and start it again, with more arguments than before."""
        (self.folder / f"more-{component}").write_text("\n".join(more))
        self.kill(component)
        self.revive(component)

    def inside(self, *command: str) -> str:
        """Run a command as root of the node: in the network and with the mounts of its daemons."""
        assert self._process is not None, "the cluster is not running"
        (supervisor,) = _children(self._process.pid)
        enter = ["nsenter", f"--target={supervisor}", "--mount", "--net", "--pid"]
        done = subprocess.run([*enter, *command], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    @contextmanager
    def beside(self, module: str) -> Iterator[None]:
        """Run a module with the cluster's folder as argument, in the network of the node, until the end."""
        assert self._process is not None, "the cluster is not running"
        (supervisor,) = _children(self._process.pid)
        enter = ["nsenter", f"--target={supervisor}", "--net"]
        command = ["setpriv", "--pdeathsig", "KILL", *enter, sys.executable, "-m", module, str(self.folder)]
        with (self.folder / f"{module}.log").open("wb") as log:
            process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.kill()
            process.wait()

    def end_all_containers(self) -> None:
        """As when the machine is switched off: no program of a container is left, and nobody was told."""
        assert self._process is not None, "the cluster is not running"
        (supervisor,) = _children(self._process.pid)
        for shim in _children(supervisor):
            if _program(shim).startswith("containerd-shim"):
                for pid in (shim, *_descendants(shim)):
                    os.kill(pid, signal.SIGKILL)

    def pid_in_container(self, pod: str, namespace: str) -> int:
        """The process id, outside the namespaces, of the program of a pod's only container."""
        (status,) = self.get("pod", pod, namespace)["status"]["containerStatuses"]
        container = status["containerID"].partition("//")[2]
        for procs in CONTROL_GROUPS.glob(f"memory/{control_group(self.name)}/**/{container}/cgroup.procs"):
            return int(procs.read_text().split()[0])
        raise RuntimeError(f"no program of container {container}")

    def _pid_of(self, component: str) -> int:
        """The process id, outside the namespaces, of a child of the supervisor."""
        assert self._process is not None, "the cluster is not running"
        (supervisor,) = _children(self._process.pid)
        for pid in _children(supervisor):
            if _program(pid) == component:
                return pid
        raise RuntimeError(f"{component} does not run")


def remove_abandoned_runs() -> None:
    """Remove the runs that ended, also those whose owner was killed before it could stop its cluster."""
    for lock in RUNS.glob("*/lock"):
        try:
            with _lock(lock.parent):
                remove_control_groups(lock.parent.name)
                shutil.rmtree(lock.parent, ignore_errors=True)
        except OSError:
            continue  # its owner is alive


def remove_control_groups(run: str) -> None:
    """Remove the (by then empty) control groups of a run; the kernel frees them some moments after the end."""
    for root in CONTROL_GROUPS.glob(f"*/{control_group(run)}"):
        for folder, _, _ in os.walk(root, topdown=False):
            for _ in range(100):
                try:
                    os.rmdir(folder)
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.05)
                else:
                    break


def _lock(folder: Path) -> IO[bytes]:
    """Hold a run's folder while its owner lives; raises OSError when another process holds it."""
    lock = (folder / "lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise
    return lock


def _program(pid: int) -> str:
    """The name of the file that a process runs; empty for one that has ended."""
    try:
        return Path(os.readlink(f"/proc/{pid}/exe")).name
    except OSError:
        return ""


def _descendants(pid: int) -> list[int]:
    return [below for child in _children(pid) for below in (child, *_descendants(child))]


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
