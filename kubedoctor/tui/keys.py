"""The keys, as the help shows them, and the commands that kubedoctor shows instead of running them. Pure."""

from __future__ import annotations

from kubedoctor.cluster import Ref
from kubedoctor.tui.incidents import Copyable
from kubedoctor.tui.pages import Page

KEYS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Why",
        (
            ("w", "why: the incident in full"),
            ("n", "why-pending: what each node objects to a Pending pod"),
            ("a", "ask: every question that fits the row"),
            ("e", "the lesson of the finding"),
            ("x", "copy a command, by its number"),
            ("f", "findings of the namespace"),
            ("enter", "open: pods of a workload, then why"),
        ),
    ),
    (
        "Look",
        (
            ("d", "describe"),
            ("y", "YAML"),
            ("l  p", "logs, previous logs"),
            ("o", "the node of a pod"),
            ("shift-j", "the owner"),
            ("u", "what uses it"),
            ("c", "copy the name"),
        ),
    ),
    (
        "Lists",
        (
            ("/", "filter: web, !web, -l app=web"),
            (":", "command: po, deploy NAMESPACE, ns, ctx, findings, why-pending, theme NAME, q"),
            ("0  1-9", "all namespaces, the namespace of that number"),
            ("ctrl-z", "faults only"),
            ("shift-s n a", "sort by health, name, age"),
            ("ctrl-w", "wide"),
            ("j k g G", "down, up, first, last"),
            ("tab", "between the list and the incident"),
            ("esc", "back"),
        ),
    ),
    (
        "Would change the cluster",
        (("ctrl-d  ctrl-k  s  r", "show the kubectl command to copy; kubedoctor itself only reads"),),
    ),
)


def help_page(notice: str = "") -> Page:
    """All keys, and before them what is to be known of this session."""
    page = Page()
    for line in notice.splitlines():
        page.add(line)
    if notice:
        page.blank()
    page.add(("✗ broken   ! degraded   ✓ healthy   – nothing is asked of it", "dim"))
    for title, keys in KEYS:
        page.heading(title)
        for key, does in keys:
            page.add((f"{key:<22}", "key"), does, indent=2, hang=24)
    page.blank()
    page.add(("The mouse works: click, double click to open, wheel. Mark text with the mouse to copy it.", "dim"))
    return page


def changing_command(key: str, ref: Ref) -> Copyable:
    """What a key of k9s that changes something would run, for a person to copy."""
    scope = ref.namespace_flag
    if key in ("ctrl+d", "ctrl+k"):
        force = " --grace-period=0 --force" if key == "ctrl+k" else ""
        return Copyable(
            f"kubectl delete {ref.argument}{scope}{force}", f"deletes {ref.title}", "may interrupt what runs"
        )
    if key == "s" and ref.kind in ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"):
        return Copyable(
            f"kubectl scale {ref.argument} --replicas=1{scope}", "sets the number of pods", "changes the cluster"
        )
    if key == "s" and ref.kind == "Pod":
        return Copyable(
            f"kubectl exec -it {ref.name}{scope} -- sh", "opens a shell in the pod", "may interrupt what runs"
        )
    if key == "r" and ref.kind in ("Deployment", "StatefulSet", "DaemonSet"):
        return Copyable(f"kubectl rollout restart {ref.argument}{scope}", "starts new pods", "may interrupt what runs")
    return Copyable(ref.describe_command, "this kind has nothing to scale or restart", "reads only")
