"""How a pod is printed: its readiness, its one-word status and its restarts (`printPod`, v1.37)."""

from __future__ import annotations

from datetime import datetime

from kubedoctor.sandbox.exchange import Object
from kubedoctor.sandbox.tables.ages import age
from kubedoctor.sandbox.tables.printing import NONE, Cells, Printer, at, created, name

_COLUMNS = "Name, Ready, Status, Restarts, Age, IP*, Node*, Nominated Node*, Readiness Gates*"


class _Restarts:
    def __init__(self) -> None:
        self.count = 0
        self.last = ""

    def add(self, status: Object) -> None:
        self.count += at(status, "restartCount", default=0)
        self.last = max(self.last, at(status, "lastState", "terminated", "finishedAt", default=""))

    def text(self, now: datetime) -> str:
        return f"{self.count} ({age(self.last, now)} ago)" if self.count and self.last else str(self.count)


class _Pod:
    def __init__(self, pod: Object) -> None:
        self.pod = pod
        self.status: Object = at(pod, "status", default={})
        self.init: list[Object] = at(pod, "spec", "initContainers", default=[])
        self.sidecars = {container["name"] for container in self.init if container.get("restartPolicy") == "Always"}
        self.ready = 0
        self.total = len(at(pod, "spec", "containers", default=[])) + len(self.sidecars)
        self.restarts = _Restarts()
        self.reason = str(self.status.get("reason") or self.status.get("phase") or "")
        if any(
            condition.get("type") == "PodScheduled" and condition.get("reason") == "SchedulingGated"
            for condition in self.conditions
        ):
            self.reason = "SchedulingGated"
        of_sidecars = _Restarts()
        initializing = self._init_containers(of_sidecars)
        if not initializing or self._is_true("Initialized"):
            self.restarts = of_sidecars
            self._containers()
        self._deletion()

    @property
    def conditions(self) -> list[Object]:
        conditions: list[Object] = at(self.status, "conditions", default=[])
        return conditions

    def _is_true(self, condition_type: str) -> bool:
        return any(
            condition.get("type") == condition_type and condition.get("status") == "True"
            for condition in self.conditions
        )

    def _init_containers(self, of_sidecars: _Restarts) -> bool:
        """Whether an init container still blocks the pod; it then determines the reason."""
        for index, status in enumerate(at(self.status, "initContainerStatuses", default=[])):
            self.restarts.add(status)
            sidecar = status.get("name") in self.sidecars
            if sidecar:
                of_sidecars.add(status)
            terminated = at(status, "state", "terminated")
            if terminated is not None and not terminated.get("exitCode"):
                continue
            if sidecar and status.get("started"):
                self.ready += bool(status.get("ready"))
                continue
            waiting = at(status, "state", "waiting", "reason", default="")
            if terminated is not None:
                self.reason = f"Init:{_ended(terminated)}"
            elif waiting and waiting != "PodInitializing":
                self.reason = f"Init:{waiting}"
            else:
                self.reason = f"Init:{index}/{len(self.init)}"
            return True
        return False

    def _containers(self) -> None:
        running, failed = False, ""
        for status in reversed(at(self.status, "containerStatuses", default=[])):
            self.restarts.add(status)
            terminated = at(status, "state", "terminated")
            if waiting := at(status, "state", "waiting", "reason"):
                self.reason = waiting
            elif terminated is not None:
                self.reason = _ended(terminated)
                if terminated.get("exitCode"):
                    failed = self.reason
            elif status.get("ready") and at(status, "state", "running") is not None:
                running = True
                self.ready += 1
        if self.reason == "Completed":
            if running and self._is_true("Ready"):
                self.reason = "Running"
            elif failed:
                self.reason = failed
            elif running:
                self.reason = "NotReady"

    def _deletion(self) -> None:
        if not at(self.pod, "metadata", "deletionTimestamp"):
            return
        if self.status.get("reason") == "NodeLost":
            self.reason = "Unknown"
        elif self.status.get("phase") not in ("Failed", "Succeeded"):
            self.reason = "Terminating"

    def gates(self) -> str:
        gates = at(self.pod, "spec", "readinessGates", default=[])
        return f"{sum(self._is_true(gate['conditionType']) for gate in gates)}/{len(gates)}" if gates else NONE


def _ended(terminated: Object) -> str:
    if reason := terminated.get("reason"):
        return str(reason)
    signal = terminated.get("signal")
    return f"Signal:{signal}" if signal else f"ExitCode:{terminated.get('exitCode', 0)}"


def _pod(pod: Object, now: datetime) -> Cells:
    details = _Pod(pod)
    addresses = at(pod, "status", "podIPs", default=[])
    return [
        name(pod),
        f"{details.ready}/{details.total}",
        details.reason,
        details.restarts.text(now),
        created(pod, now),
        (addresses[0].get("ip") if addresses else None) or NONE,
        at(pod, "spec", "nodeName") or NONE,
        at(pod, "status", "nominatedNodeName") or NONE,
        details.gates(),
    ]


PRINTERS = {"Pod": Printer(_COLUMNS, _pod)}
