"""The keys in the help, and the commands that kubedoctor shows instead of running them. Pure."""

from __future__ import annotations

from kubedoctor.cluster import Ref
from kubedoctor.cluster.changes import delete, scale
from kubedoctor.cluster.relations.workloads import WORKLOAD_KINDS
from kubedoctor.engine.words import DELETES_DATA, EFFECTS
from kubedoctor.findings import Effect
from kubedoctor.findings.commands import command_line, delete_by_force, kubectl
from kubedoctor.tui.pages.incidents import Copyable
from kubedoctor.tui.pages.page import Page
from kubedoctor.tui.rows import TABS, WITH_LOGS, View, next_tab

HELP_TITLE = "Keys"

HelpKeys = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
"""Titles, and the keys below each with what they do."""

CLUSTER_KEYS: HelpKeys = (
    (
        "Clusters",
        (
            ("j  k", "the next cluster, the one before"),
            ("enter", "open the cluster; esc returns, and it goes on meanwhile"),
            ("tab", "its incidents: j k scroll"),
            (":ctx NAME", "open any context of the kubeconfig"),
            (":theme  :q", "another theme; quit"),
        ),
    ),
)
LOG_KEYS: HelpKeys = (
    (
        "Lines",
        (
            ("0  1  2  3  4  5", "the last lines, 1m, 5m, 15m, 1h, all"),
            ("6  7", "30m, the first lines"),
            ("f", "pause, follow again"),
            ("p", "the previous run"),
            ("c", "the next container; after the last all of them"),
            ("e", "errors only"),
            ("&", "filter: a regular expression, or ! and one for the other lines"),
            ("C", "clear: only what comes from now on"),
        ),
    ),
    (
        "Look",
        (
            ("d", "the line that decides, in the middle"),
            ("m", "a mark behind what is there now"),
            ("/  n  N", "search, next match, previous match"),
            ("t  w  J", "times, wrap, JSON unfolded"),
        ),
    ),
    (
        "Take along",
        (
            ("x", "copy the kubectl command for these lines"),
            ("Y", "copy the lines"),
            ("ctrl-s", "save them to a file"),
        ),
    ),
)
KEYS: HelpKeys = (
    (
        "Why",
        (
            ("w", "why: the whole incident"),
            ("t", "timeline: what happened to it and to what it depends on"),
            ("n", "why-pending: why each node rejects a Pending pod; binding: why each volume does not serve a claim"),
            ("m", "connectivity: which workloads of the namespace connect to which"),
            ("a", "ask: all questions about the row"),
            ("e", "learn: the lesson of the finding"),
            ("x", "copy the command of the fix"),
            ("X", "all commands, copied by their numbers"),
            ("r", "rehearse the fix: what would be gone, follow, stay and break"),
            ("W", "what if: try any change of the object; nothing is sent"),
            ("R", "write the report: Markdown and HTML, into the working directory"),
            ("i  z", "copy what suppresses the finding; what is suppressed, and why"),
            ("f", "incidents"),
            ("{  }", "back through what was watched, and on; also :at 14:49:50, :at 5m, :live"),
            ("enter", "unfold an incident; the pods of a workload, Service or node, then why"),
        ),
    ),
    (
        "Look",
        (
            ("d", "describe"),
            ("y", "YAML"),
            ("l  p", "logs, previous logs: 0-7 since, & filter, d deciding line, m mark"),
            ("o", "the node of a pod"),
            ("shift-j", "the owner"),
            ("u", "used by"),
            (
                "b",
                "tree: what belongs to it, from Ingress and Service to pods, ConfigMaps, Secrets and volumes",
            ),
            ("c  Y", "copy the name, the namespace"),
            ("/  n  N", "on every page of text: search, the next match, the one before"),
            ("ctrl-s", "save the page, the log or the list to a file in the working directory, without secrets"),
        ),
    ),
    (
        "Lists",
        (
            ("/", "filter: web, a regular expression, !web, -l app=web, -f letters of the name in their order"),
            (
                ":",
                "command: po, deploy NAMESPACE, po app=web, po /web, po @CONTEXT, ns, ctx, incidents, events, pulses,",
            ),
            ("", "why-pending, suppressed, theme NAME, q; tab completes each word"),
            ("0  1-9", "all namespaces, namespace by number"),
            ("ctrl-z", "faults only"),
            (
                "shift-s n a t",
                "sort by health, name, age, restarts; c CPU, m memory, p namespace, o node, i IP, k kind; again: backwards",
            ),
            ("<  >", "sort by the column before, the next one; sorts are kept"),
            ("ctrl-w", "wide: the whole width, with the columns of kubectl get -o wide; right shows the page again"),
            ("tui.yaml", "in ~/.config/kubedoctor: own aliases, hotkeys, and the columns and the sort of each list"),
            ("j k g G", "down, up, first, last"),
            ("tab  shift-tab", "next tab, previous tab: incidents, workloads, nodes, events"),
            ("right left", "between list and page; there j k choose a link, enter opens it, 1-9 a fix"),
            ("esc -", "back"),
            ("[  ]", "back and on through what was visited, lists and pages"),
        ),
    ),
    (
        "Changes cluster",
        (("ctrl-d  ctrl-k  s", "show the kubectl command to copy; kubedoctor itself is read-only"),),
    ),
)


Key = tuple[str, str]


def list_keys(view: View, kind: str, *, in_tree: bool, in_pane: bool, empty: bool) -> tuple[Key, ...]:
    """The keys of a list for the kind under the cursor: logs only for a kind that has some. in_pane: the page has the keys."""
    logs: tuple[Key, ...] = (("l", "logs"),) if kind in WITH_LOGS else ()
    home = view.kind == "Finding"
    tab = next_tab(view, 1)
    other: tuple[Key, ...] = (("tab", dict(TABS)[tab].lower()),) if tab is not None else ()
    if empty:
        return (*other, ("0-9", "namespace"), ("esc", "back"))
    if in_pane:
        return (
            ("j k", "links"),
            ("enter", "open"),
            ("1-9", "fix"),
            ("x", "copy"),
            ("r", "rehearse"),
            ("w", "why"),
            *logs,
            ("esc", "back"),
        )
    opens = ("enter", "open" if in_tree or view.kind not in ("", "Finding") else "unfold" if home else "pods")
    rest = (("d", "describe"), ("e", "learn")) if home else (("d", "describe"), ("y", "YAML"), ("e", "learn"))
    back: tuple[Key, ...] = () if home else (("esc", "back"),)
    return (opens, ("x", "copy fix"), ("r", "rehearse"), ("w", "why"), *other, ("t", "timeline"), *logs, *rest, *back)


def why_keys(kind: str) -> tuple[Key, ...]:
    """The keys of the whole incident of an object."""
    logs: tuple[Key, ...] = (("l", "logs"), ("p", "previous")) if kind in WITH_LOGS else ()
    return (
        ("x", "copy"),
        ("r", "rehearse"),
        ("j k enter", "links"),
        *logs,
        ("d", "describe"),
        ("y", "YAML"),
        ("e", "learn"),
    )


def help_page(notice: str = "", groups: HelpKeys = KEYS) -> Page:
    """The keys of a screen, after the remarks about this session."""
    page = Page()
    for line in notice.splitlines():
        page.add(line)
    if notice:
        page.blank()
    page.add(("✗ broken   ! degraded   · notice   ✓ healthy   – idle, or without a status", "dim"))
    for title, keys in groups:
        page.heading(title)
        for key, description in keys:
            page.add((f"{key:<22}", "key"), description, indent=2, hang=24)
    page.blank()
    page.add(("Mouse: click to select, double-click to open, wheel to scroll. Select text to copy it.", "dim"))
    return page


def changing_command(key: str, ref: Ref, scaler: Ref | None = None) -> Copyable:
    """The command of a k9s key that changes something, for a person to copy. `scaler`: what sets the number of pods, and
    would undo a change of it."""
    if key == "ctrl+d":
        return Copyable(command_line(delete(ref)), f"deletes {ref.title}", _effect_of_deleting(ref))
    if key == "ctrl+k":
        return Copyable(delete_by_force(ref), f"deletes {ref.title}", _effect_of_deleting(ref))
    if key == "s" and scaler is not None:
        return Copyable(scaler.describe_command, f"{scaler.title} sets the number of pods", EFFECTS[Effect.READS])
    if key == "s" and ref.kind in ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"):
        return Copyable(command_line(scale(ref, 1)), "sets the number of pods", EFFECTS[Effect.CHANGES])
    if key == "s" and ref.kind == "Pod":
        line = kubectl("exec", "-it", ref.name, *(["-n", ref.namespace] if ref.namespace else []), "--", "sh")
        return Copyable(line, "opens a shell in the pod", EFFECTS[Effect.CHANGES])
    return Copyable(ref.describe_command, "this kind cannot be scaled", EFFECTS[Effect.READS])


def _effect_of_deleting(ref: Ref) -> str:
    if ref.kind in ("PersistentVolumeClaim", "PersistentVolume", "Namespace"):
        return DELETES_DATA
    return EFFECTS[Effect.DISRUPTS if ref.kind == "Pod" or ref.kind in WORKLOAD_KINDS else Effect.CHANGES]
