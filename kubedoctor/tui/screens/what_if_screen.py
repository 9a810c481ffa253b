"""The line on which a change of an object is typed."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from kubedoctor.cluster import Ref
from kubedoctor.cluster.kinds.resources import is_namespaced
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS
from kubedoctor.findings.commands.lines import kubectl
from kubedoctor.tui.widgets.one_line import Heading, Keys

_OF_PODS: Final = ("requests.cpu=500m", "limits.memory=256Mi", "image=NAME:TAG", "nodeSelector.zone=a")
_MEANING: Final = "A change of it, or any line of kubectl: it is tried on a copy, nothing is sent."
_NOT_DELETED: Final = frozenset({"Namespace", "CustomResourceDefinition"})
"""So much follows from their deletion that it is not replayed."""
_SCALED: Final = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"})


def examples(about: Ref) -> tuple[str, ...]:
    """Changes that fit an object."""
    namespace = about.namespace if is_namespaced(about.kind) else ""
    if about.kind == "Node":
        return (
            kubectl("cordon", about.name),
            kubectl("taint", "nodes", about.name, "KEY=VALUE:NoSchedule"),
            "labels.zone=a",
        )
    of_pods = _OF_PODS if about.kind in (*WORKLOAD_KINDS, "Pod") else ()
    scaled = ("replicas=3",) if about.kind in _SCALED else ()
    return (
        *scaled,
        *of_pods,
        "labels.app=web",
        *(() if about.kind in _NOT_DELETED else ("delete",)),
        kubectl("patch", about.argument, "--type=merge", "-p", "{…}", namespace=namespace),
    )


class WhatIfScreen(ModalScreen[str | None]):
    """Gives the line that was typed, None where none was."""

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "app.pop_screen", "Back")]

    def __init__(self, subject: Ref, line: str = "") -> None:
        super().__init__()
        self._subject = subject
        self._line = line

    def compose(self) -> ComposeResult:
        first, *others = examples(self._subject)
        with Vertical(id="box"):
            yield Heading(id="heading")
            yield Input(self._line, first, select_on_focus=False)
            yield Static(_MEANING, classes="argument", markup=False)
            for example in (first, *others):
                yield Static(example, classes="argument", markup=False)
            yield Keys(id="keys")

    def on_mount(self) -> None:
        self.query_one(Heading).entitle("What-if", self._subject.title, ())
        self.query_one(Keys).offer((("enter", "try"),), (("esc", "back"),))

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self.dismiss(event.value.strip())
