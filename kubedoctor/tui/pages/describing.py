"""The description of an object: its fields by path, conditions, owners and users, events, findings. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from kubedoctor.cluster import (
    Cluster,
    ClusterRoleBinding,
    Condition,
    Ingress,
    KubernetesObject,
    Pod,
    Ref,
    RoleBinding,
    Secret,
    Service,
    ServiceAccount,
    Snapshot,
    kind_name,
    ref,
)
from kubedoctor.cluster.grammar.durations import human_duration
from kubedoctor.cluster.kinds.containers import EnvVar
from kubedoctor.cluster.kinds.pods import PodSpec
from kubedoctor.cluster.relations.family import Family
from kubedoctor.cluster.relations.services import services_selecting
from kubedoctor.cluster.relations.workloads import owner_chain, template_of, template_path
from kubedoctor.cluster.triage import container_path, status_path
from kubedoctor.engine.health import health_of
from kubedoctor.engine.words import and_more
from kubedoctor.tui.pages.events import add_event, events_about
from kubedoctor.tui.pages.incidents import ObjectVerdict
from kubedoctor.tui.pages.page import Page

MOST_VALUES = 60
EVERY_POD_HAS = "kube-api-access-"  # the volume with the service account's token
MOST_LETTERS = 1_000
HEADS = ("kind", "apiVersion", "metadata")
LEFT_OUT = ("containers", "initContainers", "ephemeralContainers", "template", "conditions", "containerStatuses")


def describe(obj: KubernetesObject, snapshot: Snapshot, verdict: ObjectVerdict) -> Page:
    """The page of the key `d`."""
    page = Page()
    name = ref(obj)
    page.add((name.title, "strong"))
    for incident in verdict.incidents:
        finding, health = verdict.finding(incident.cause), health_of(verdict.severity_of(incident))
        whose = f"{finding.about.title}  " if finding.about != name else ""
        mark = (f"{health.symbol} ", health.value)
        page.add(mark, (whose, "dim"), finding.summary, indent=2, hang=4, right=finding.code)
    page.heading("Object")
    _fact(page, "created", _ago(obj, snapshot))
    for owner in owner_chain(obj, Cluster(snapshot, lenient=True)) if snapshot.closed else ():
        _fact(page, "controlled by", owner.title)
    for group, values in (("labels", obj.labels), ("annotations", obj.annotations)):
        for label, value in sorted(values.items()):
            _fact(page, f"{group}[{label}]", value[:300])
    _containers(page, obj)
    _parts(page, obj)
    _bindings(page, obj, snapshot)
    _conditions(page, obj, snapshot)
    events = [event for member in _members(name, snapshot) for event in events_about(member, snapshot)]
    page.heading("Events")
    if not events:
        why = snapshot.refusals()
        unseen = next((text for kind, text in why if kind == "Event"), "")
        page.add((f"not checked: {unseen}" if unseen else "none; events expire, by default after 1h", "dim"), indent=2)
    for event in events[-20:]:
        add_event(page, event, snapshot)
    return page


def _parts(page: Page, obj: KubernetesObject) -> None:
    """All that an object holds, in the order of its kind: a Role has rules, a StorageClass parameters."""
    fields = msgspec.to_builtins(obj)
    for part, held in sorted(fields.items(), key=lambda field: field[0] in ("spec", "status")):
        if part in HEADS:
            continue
        if isinstance(obj, Secret) and isinstance(held, dict):
            held = dict.fromkeys(held, "(not shown)")
        facts = list(_flat(held, part))
        if facts:
            page.heading(f"{part[:1].upper()}{part[1:]}")
        for path, text in facts[:MOST_VALUES]:
            _fact(page, path, text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}… (y shows all)")
        if len(facts) > MOST_VALUES:
            page.add((f"{and_more(len(facts) - MOST_VALUES)} (y shows all)", "dim"), indent=2)


def _bindings(page: Page, obj: KubernetesObject, snapshot: Snapshot) -> None:
    """What gives a ServiceAccount its rights, as far as that was read."""
    if not isinstance(obj, ServiceAccount):
        return
    found = (
        binding
        for kind in ("RoleBinding", "ClusterRoleBinding")
        for binding in snapshot.of_kind(kind)
        if isinstance(binding, RoleBinding | ClusterRoleBinding)
        and any(
            (subject.kind, subject.namespace or binding.namespace, subject.name)
            == ("ServiceAccount", obj.namespace, obj.name)
            for subject in binding.subjects or ()
        )
    )
    texts = [(ref(binding).title, f"{binding.role_ref.kind} {binding.role_ref.name}") for binding in found]
    if texts:
        page.heading("Bindings")
    for path, text in texts:
        _fact(page, path, text)


def _members(name: Ref, snapshot: Snapshot) -> list[Ref]:
    return sorted(Family(snapshot).members(name), key=lambda member: (member != name, member))


def _ago(obj: KubernetesObject, snapshot: Snapshot) -> str:
    created = obj.metadata.creation_timestamp
    return f"{created:%Y-%m-%d %H:%M:%S} UTC, age {human_duration(snapshot.taken_at - created)}" if created else ""


def _fact(page: Page, path: str, value: object) -> None:
    text = str(value)
    if text:
        page.add((path, "path"), f"  {text}", indent=2, hang=6)


def _flat(data: Any, path: str) -> Iterator[tuple[str, str]]:
    """Values by path, without empty ones and those with a section of their own."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key not in LEFT_OUT:
                yield from _flat(value, f"{path}.{key}")
    elif isinstance(data, list | tuple):
        if all(isinstance(item, str | int) for item in data):
            if data:
                yield path, ", ".join(str(item) for item in data)
            return
        for number, item in enumerate(data):
            name = item.get("name") if isinstance(item, dict) else None
            if isinstance(name, str) and name.startswith(EVERY_POD_HAS):
                continue
            fields = {key: value for key, value in item.items() if key != "name"} if name else item
            yield from _flat(fields, f"{path}[name={name}]" if name else f"{path}[{number}]")
    elif data not in (None, "", 0, False):
        yield path, str(data)


def _conditions(page: Page, obj: KubernetesObject, snapshot: Snapshot) -> None:
    conditions = getattr(getattr(obj, "status", None), "conditions", None)
    typed = [condition for condition in conditions or () if isinstance(condition, Condition)]
    if typed:
        page.heading("Conditions")
    for condition in typed:
        since = condition.last_transition_time
        age = f"for {human_duration(snapshot.taken_at - since)}" if since else ""
        page.add(
            (f"{condition.type} = {condition.status}", "path"), f"  {condition.reason}", indent=2, hang=4, right=age
        )
        if condition.message:
            page.add(condition.message, indent=6)


def _containers(page: Page, obj: KubernetesObject) -> None:
    pod = obj if isinstance(obj, Pod) else None
    template = template_of(obj)
    spec: PodSpec | None = pod.spec if pod else (template.spec if template else None)
    if spec is None:
        return
    root = "" if pod else f"{template_path(obj)}."
    kinds = (("initContainers", spec.init_containers or ()), ("containers", spec.containers))
    for kind, containers in kinds:
        for container in containers:
            location = container_path(pod, container.name) if pod else f"{root}{kind}[name={container.name}]"
            page.heading(f"Container {container.name}")
            data = msgspec.to_builtins(msgspec.structs.replace(container, env=None))
            data.pop("name", None)
            for path, text in _flat(data, ""):
                _fact(page, path.lstrip("."), text)
            for variable in container.env or ():
                _fact(page, f"env[name={variable.name}]", _source_of(variable))
            if pod:
                _status(page, pod, container.name)
            page.add((f"at {location}", "dim"), indent=2)


def _source_of(variable: EnvVar) -> str:
    source = variable.value_from
    if source is None:
        return variable.value
    if source.config_map_key_ref:
        return f"key {source.config_map_key_ref.key} of ConfigMap {source.config_map_key_ref.name}"
    if source.secret_key_ref:
        return f"key {source.secret_key_ref.key} of Secret {source.secret_key_ref.name}"
    return f"field {source.field_ref.field_path}" if source.field_ref else ""


def _status(page: Page, pod: Pod, container: str) -> None:
    statuses = (*(pod.status.container_statuses or ()), *(pod.status.init_container_statuses or ()))
    for status in statuses:
        if status.name == container:
            data = msgspec.to_builtins(status)
            fields = {key: data.get(key) for key in ("ready", "restartCount", "state", "lastState")}
            for path, text in _flat(fields, status_path(pod, container)):
                _fact(page, path, text)


def used_by(obj: KubernetesObject, snapshot: Snapshot) -> Page:
    """The objects that use an object: those that select it, mount it, read it or send traffic to it."""
    page = Page()
    name = ref(obj)
    page.add((f"Used by: {name.title}", "strong"))
    page.blank()
    users = sorted(set(_users(obj, snapshot)))
    for user, how in users:
        page.add(user.title, (f"  {how}", "dim"), indent=2, hang=4)
    if not users:
        page.add("No visible object uses it.")
    return page


def _users(obj: KubernetesObject, snapshot: Snapshot) -> Iterator[tuple[Ref, str]]:
    family = Family(snapshot)
    members = family.members(ref(obj))
    if kind_name(obj) in ("ConfigMap", "Secret", "PersistentVolumeClaim", "ServiceAccount", "Node"):
        for pod in snapshot.of_kind("Pod", obj.namespace):
            if isinstance(pod, Pod) and (how := _how_pod_uses(pod, obj)):
                yield family.top(ref(pod)), how
    for member in members:
        candidate = snapshot.get(member)
        if isinstance(candidate, Pod) and snapshot.of_kind("Service", candidate.namespace):
            cluster = Cluster(snapshot, lenient=True)
            yield from (
                (ref(service), "selects its pods") for service in _quietly(services_selecting, candidate, cluster)
            )
    if isinstance(obj, Service):
        for ingress in snapshot.of_kind("Ingress", obj.namespace):
            if isinstance(ingress, Ingress) and obj.name in _backends(ingress):
                yield ref(ingress), "routes traffic to it"
    for scaler in snapshot.of_kind("HorizontalPodAutoscaler", obj.namespace):
        target = getattr(getattr(scaler, "spec", None), "scale_target_ref", None)
        if target is not None and (target.kind, target.name) == (kind_name(obj), obj.name):
            yield ref(scaler), "scales it"


def _quietly(read: Callable[[Pod, Cluster], tuple[Service, ...]], pod: Pod, cluster: Cluster) -> tuple[Service, ...]:
    from kubedoctor.cluster import NotCollected

    try:
        return read(pod, cluster)
    except NotCollected:
        return ()


def _backends(ingress: Ingress) -> set[str]:
    backends = [ingress.spec.default_backend]
    for rule in ingress.spec.rules or ():
        backends.extend(path.backend for path in (rule.http.paths if rule.http else None) or ())
    return {backend.service.name for backend in backends if backend and backend.service}


def _how_pod_uses(pod: Pod, obj: KubernetesObject) -> str:
    kind, name = kind_name(obj), obj.name
    if kind == "ServiceAccount":
        return "uses it as its account" if pod.spec.service_account_name == name else ""
    if kind == "Node":
        return "runs on it" if pod.spec.node_name == name else ""
    for volume in pod.spec.volumes or ():
        claim, config, secret = volume.persistent_volume_claim, volume.config_map, volume.secret
        if (
            (kind == "PersistentVolumeClaim" and claim and claim.claim_name == name)
            or (kind == "ConfigMap" and config and config.name == name)
            or (kind == "Secret" and secret and secret.secret_name == name)
        ):
            return f"mounts it as volume {volume.name}"
    for container in (*pod.spec.containers, *(pod.spec.init_containers or ())):
        for source in container.env_from or ():
            reference = source.config_map_ref if kind == "ConfigMap" else source.secret_ref
            if kind in ("ConfigMap", "Secret") and reference and reference.name == name:
                return f"container {container.name} reads environment variables from it"
        for variable in container.env or ():
            value = variable.value_from
            key = (value.config_map_key_ref if kind == "ConfigMap" else value.secret_key_ref) if value else None
            if kind in ("ConfigMap", "Secret") and key and key.name == name:
                return f"container {container.name} reads its key {key.key}"
    return ""
