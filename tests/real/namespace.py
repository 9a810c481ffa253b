"""One namespace of the real cluster: what a test applies there, and what the cluster says about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.layout import Document


@dataclass(frozen=True)
class Namespace:
    cluster: RealCluster
    name: str

    def apply(self, *objects: Document) -> None:
        self.cluster.apply(*objects)

    def pods(self, app: str) -> list[Document]:
        return self.cluster.items("pods", self.name, f"app={app}")

    def pod_name(self, app: str) -> str:
        return str(self.pods(app)[0]["metadata"]["name"])

    def containers(self, app: str) -> Iterator[Document]:
        """The container statuses of all pods of a workload."""
        for pod in self.pods(app):
            yield from pod["status"].get("containerStatuses", [])

    def waiting(self, app: str, reason: str) -> bool:
        return any(status["state"].get("waiting", {}).get("reason") == reason for status in self.containers(app))

    def last_ended(self, app: str, reason: str) -> bool:
        """A container of the workload ended for this reason and was started again, or waits for that."""
        return any(status["lastState"].get("terminated", {}).get("reason") == reason for status in self.containers(app))

    def running_for(self, app: str) -> timedelta:
        """How long the workload's first container runs in its present run; zero if it does not."""
        for status in self.containers(app):
            if running := status["state"].get("running"):
                return datetime.now(UTC) - datetime.fromisoformat(running["startedAt"])
        return timedelta(0)

    def event(self, reason: str, text: str = "") -> str:
        """The message of the first event with this reason and text; empty when there is none."""
        for event in self.cluster.items("events", self.name):
            if event["reason"] == reason and text in event.get("message", ""):
                return str(event["message"])
        return ""

    def wait_until_available(self, deployment: str) -> None:
        self.cluster.kubectl("rollout", "status", f"deployment/{deployment}", "-n", self.name, "--timeout=120s")
