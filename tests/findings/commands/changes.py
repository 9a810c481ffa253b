"""Changes of the objects of a small shop, with the commands that people would type for them."""

from __future__ import annotations

from typing import Any

from kubedoctor.cluster import KubernetesObject, Ref
from kubedoctor.cluster.changes import Change, Operation, Step, create, delete, drop, edit, put, scale
from kubedoctor.cluster.seen.decoding import convert_object, kind_of_data

Object = dict[str, Any]

WEB = Ref("Deployment", "shop", "web")
DATABASE = Ref("StatefulSet", "shop", "db")
JOB = Ref("Job", "shop", "import")
NIGHTLY = Ref("CronJob", "shop", "nightly")
BARE = Ref("Pod", "shop", "bare")
OWNED = Ref("Pod", "shop", "owned")
SERVICE = Ref("Service", "shop", "web")
CLAIM = Ref("PersistentVolumeClaim", "shop", "data-db-0")
OPEN_CLAIM = Ref("PersistentVolumeClaim", "shop", "open")
VOLUME = Ref("PersistentVolume", "", "disk")
NODE = Ref("Node", "", "n1")
NAMESPACE = Ref("Namespace", "", "shop")
TEMPLATE = ("spec", "template", "spec")
_RBAC = {"apiVersion": "rbac.authorization.k8s.io/v1"}


def _object(api_version: str, kind: str, name: str, spec: Object | None = None, **metadata: Any) -> Object:
    data = {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, **metadata}}
    return {**data, **({"spec": spec} if spec is not None else {})}


def _pod_spec(**more: Any) -> Object:
    containers = [
        {
            "name": "app",
            "image": "web:1",
            "resources": {"requests": {"cpu": "2"}},
            "env": [{"name": "A", "value": "1"}],
        },
        {"name": "proxy", "image": "proxy:1", "ports": [{"containerPort": 80, "hostPort": 80, "protocol": "TCP"}]},
    ]
    return {"containers": containers, **more}


_LABELS = {"app": "web"}
_TEMPLATE = {"metadata": {"labels": _LABELS}, "spec": _pod_spec(nodeSelector={"disk": "ssd"})}
_SELECTOR = {"matchLabels": _LABELS}
_CLAIM_SPEC = {
    "accessModes": ["ReadWriteOnce"],
    "resources": {"requests": {"storage": "1Gi"}},
    "storageClassName": "manaul",
}
_GATED = {"schedulingGates": [{"name": "example.com/quota"}]}
_OWNER = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "uid": "u", "controller": True}]
_TAINTS = [
    {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"},
    {"key": "team", "value": "pay", "effect": "NoSchedule"},
    {"key": "gpu", "effect": "NoExecute"},
]

OBJECTS: tuple[Object, ...] = (
    _object("apps/v1", "Deployment", "web", {"replicas": 2, "paused": True, "selector": _SELECTOR, "template": _TEMPLATE}, namespace="shop"),
    _object(
        "apps/v1",
        "StatefulSet",
        "db",
        {
            "replicas": 1,
            "serviceName": "db",
            "selector": _SELECTOR,
            "template": _TEMPLATE,
            "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": _CLAIM_SPEC}],
        },
        namespace="shop",
    ),
    _object("batch/v1", "Job", "import", {"template": _TEMPLATE}, namespace="shop"),
    _object("batch/v1", "CronJob", "nightly", {"schedule": "0 1 * * *", "suspend": True, "jobTemplate": {"spec": {"template": _TEMPLATE}}}, namespace="shop"),
    _object("v1", "Pod", "bare", _pod_spec(**_GATED), namespace="shop"),
    _object("v1", "Pod", "owned", _pod_spec(), namespace="shop", ownerReferences=_OWNER),
    _object("v1", "Service", "web", {"selector": {"app": "wbe", "tier": "front"}, "ports": [{"port": 80, "targetPort": "htpp"}]}, namespace="shop"),
    _object("v1", "PersistentVolumeClaim", "data-db-0", _CLAIM_SPEC, namespace="shop"),
    _object("v1", "PersistentVolumeClaim", "open", {key: value for key, value in _CLAIM_SPEC.items() if key != "storageClassName"}, namespace="shop"),
    _object("v1", "PersistentVolume", "disk", {"capacity": {"storage": "1Gi"}, "claimRef": {"namespace": "shop", "name": "gone"}}),
    _object("v1", "Node", "n1", {"unschedulable": True, "taints": _TAINTS}, labels={"old": "yes"}),
    _object("v1", "Namespace", "shop", labels={"istio-injection": "enabled"}),
)  # fmt: skip


def typed() -> dict[Ref, KubernetesObject]:
    """The objects as diagnostics see them."""
    found = {}
    for data in OBJECTS:
        (item,) = convert_object(kind_of_data(data), data).objects
        found[Ref(kind_of_data(data), item.namespace, item.name)] = item
    return found


def _all(*changes: Change) -> Change:
    return Change(tuple(operation for change in changes for operation in change.operations))


def _container(field: str, *path: str | int, at: int = 0) -> tuple[str | int, ...]:
    return (*TEMPLATE, "containers", at, field, *path)


TOLERATION = {"key": "team", "operator": "Exists", "effect": "NoSchedule"}
RECREATE = "--dry-run=client -o json | kubectl replace --force -f -"

# One object is changed in place by one command: what kubectl makes of it is compared with the change in the snapshot.
IN_PLACE: dict[str, tuple[Change, str]] = {
    "scale": (scale(WEB, 3), "kubectl scale deployment/web -n shop --replicas=3"),
    "scale a stateful set": (scale(DATABASE, 0), "kubectl scale statefulset/db -n shop --replicas=0"),
    "resume": (put(WEB, ("spec", "paused"), False), "kubectl rollout resume deployment/web -n shop"),
    "resume a cron job": (
        put(NIGHTLY, ("spec", "suspend"), False),
        """kubectl patch cronjob/nightly -n shop --type=merge -p '{"spec": {"suspend": false}}'""",
    ),
    "request": (
        put(WEB, _container("resources", "requests", "cpu"), "500m"),
        "kubectl set resources deployment/web -n shop -c app --requests=cpu=500m",
    ),
    "request and limit": (
        edit(
            WEB,
            Step(_container("resources", "requests", "memory"), "64Mi"),
            Step(_container("resources", "requests", "cpu"), "1"),
            Step(_container("resources", "limits", "memory"), "128Mi"),
        ),
        "kubectl set resources deployment/web -n shop -c app --requests=memory=64Mi,cpu=1 --limits=memory=128Mi",
    ),
    "the same amount for two": (
        edit(WEB, *(Step(_container("resources", "limits", "cpu", at=at), "1") for at in (0, 1))),
        """kubectl patch deployment/web -n shop -p '{"spec": {"template": {"spec": {"containers": [{"name": "app", "resources": {"limits": {"cpu": "1"}}}, {"name": "proxy", "resources": {"limits": {"cpu": "1"}}}]}}}}'""",
    ),
    "image": (put(WEB, _container("image"), "web:2"), "kubectl set image deployment/web -n shop app=web:2"),
    "variable": (
        put(WEB, _container("env", "-"), {"name": "URL", "value": "http://db?x=1"}),
        "kubectl set env deployment/web -n shop -c app 'URL=http://db?x=1'",
    ),
    "by the container's name": (
        put(WEB, _container("imagePullPolicy", at=1), "IfNotPresent"),
        """kubectl patch deployment/web -n shop -p '{"spec": {"template": {"spec": {"containers": [{"name": "proxy", "imagePullPolicy": "IfNotPresent"}]}}}}'""",
    ),
    "an image of a pod": (
        put(OWNED, ("spec", "containers", 0, "image"), "web:2"),
        """kubectl patch pod/owned -n shop -p '{"spec": {"containers": [{"name": "app", "image": "web:2"}]}}'""",
    ),
    "in a list": (
        drop(WEB, _container("ports", 0, "hostPort", at=1)),
        """kubectl patch deployment/web -n shop --type=json -p '[{"op": "remove", "path": "/spec/template/spec/containers/1/ports/0/hostPort"}]'""",
    ),
    "a list that is not there": (
        put(WEB, (*TEMPLATE, "tolerations", "-"), TOLERATION),
        """kubectl patch deployment/web -n shop --type=json -p '[{"op": "add", "path": "/spec/template/spec/tolerations", "value": [{"key": "team", "operator": "Exists", "effect": "NoSchedule"}]}]'""",
    ),
    "a key with a slash": (
        edit(
            WEB,
            Step((*TEMPLATE, "nodeSelector", "example.com/disk"), "hdd"),
            Step((*TEMPLATE, "tolerations", "-"), TOLERATION),
        ),
        """kubectl patch deployment/web -n shop --type=json -p '[{"op": "add", "path": "/spec/template/spec/nodeSelector/example.com~1disk", "value": "hdd"}, {"op": "add", "path": "/spec/template/spec/tolerations", "value": [{"key": "team", "operator": "Exists", "effect": "NoSchedule"}]}]'""",
    ),
    "a selector in place of another": (
        put(SERVICE, ("spec", "selector"), {"app": "web"}),
        """kubectl patch service/web -n shop --type=merge -p '{"spec": {"selector": {"app": "web", "tier": null}}}'""",
    ),
    "a port": (
        put(SERVICE, ("spec", "ports", 0, "targetPort"), 8080),
        """kubectl patch service/web -n shop --type=json -p '[{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 8080}]'""",
    ),
    "let a volume go": (
        drop(VOLUME, ("spec", "claimRef")),
        """kubectl patch persistentvolume/disk --type=merge -p '{"spec": {"claimRef": null}}'""",
    ),
    "gates": (
        drop(BARE, ("spec", "schedulingGates")),
        """kubectl patch pod/bare -n shop --type=merge -p '{"spec": {"schedulingGates": null}}'""",
    ),
    "the class of a claim that has none": (
        put(OPEN_CLAIM, ("spec", "storageClassName"), "fast"),
        """kubectl patch persistentvolumeclaim/open -n shop --type=merge -p '{"spec": {"storageClassName": "fast"}}'""",
    ),
    "label": (
        edit(
            NAMESPACE,
            Step(("metadata", "labels", "istio.io/rev"), "stable"),
            Step(("metadata", "labels", "istio-injection"), remove=True),
        ),
        "kubectl label namespace/shop istio.io/rev=stable istio-injection- --overwrite",
    ),
    "no label": (drop(NODE, ("metadata", "labels", "old")), "kubectl label node/n1 old-"),
    "annotation": (
        put(SERVICE, ("metadata", "annotations", "a/b"), "c d"),
        "kubectl annotate service/web -n shop 'a/b=c d' --overwrite",
    ),
    "taint": (drop(NODE, ("spec", "taints", 1)), "kubectl taint nodes n1 team=pay:NoSchedule-"),
    "taints": (
        edit(
            NODE,
            Step(("spec", "taints", 2), remove=True),
            Step(("spec", "taints", 0), remove=True),
        ),
        "kubectl taint nodes n1 gpu:NoExecute- node.kubernetes.io/unschedulable:NoSchedule-",
    ),
    "uncordon": (put(NODE, ("spec", "unschedulable"), False), "kubectl uncordon n1"),
}

# Several commands, or what is recreated or deleted: as text.
OTHERS: dict[str, tuple[Change, str]] = {
    "uncordon, and a taint": (
        edit(
            NODE,
            Step(("spec", "unschedulable"), False),
            Step(("spec", "taints", 0), remove=True),
            Step(("spec", "taints", 1), remove=True),
        ),
        "kubectl uncordon n1 && kubectl taint nodes n1 team=pay:NoSchedule-",
    ),
    "two nodes": (
        _all(put(NODE, ("spec", "unschedulable"), False), put(Ref("Node", "", "n2"), ("spec", "unschedulable"), False)),
        "kubectl uncordon n1 n2",
    ),
    "a request and a selector": (
        edit(
            WEB,
            Step(_container("resources", "requests", "cpu"), "1"),
            Step((*TEMPLATE, "nodeSelector", "disk"), remove=True),
        ),
        "kubectl set resources deployment/web -n shop -c app --requests=cpu=1 && "
        """kubectl patch deployment/web -n shop --type=merge -p '{"spec": {"template": {"spec": {"nodeSelector": {"disk": null}}}}}'""",
    ),
    "cordon": (put(NODE, ("spec", "unschedulable"), True), "kubectl cordon n1"),
    "one more taint": (
        put(NODE, ("spec", "taints", "-"), {"key": "x", "value": "y", "effect": "NoSchedule"}),
        "kubectl taint nodes n1 x=y:NoSchedule",
    ),
    "delete": (delete(OWNED), "kubectl delete pod/owned -n shop"),
    "a bare pod": (
        put(BARE, ("spec", "nodeSelector", "disk"), "ssd"),
        f"""kubectl patch pod/bare -n shop --type=merge -p '{{"spec": {{"nodeSelector": {{"disk": "ssd"}}}}}}' {RECREATE}""",
    ),
    "a pod with a controller": (put(OWNED, ("spec", "nodeSelector", "disk"), "ssd"), ""),
    "the template of a Job": (put(JOB, (*TEMPLATE, "nodeSelector", "disk"), "hdd"), ""),
    "the class of a claim": (
        put(CLAIM, ("spec", "storageClassName"), "manual"),
        f"""kubectl patch persistentvolumeclaim/data-db-0 -n shop --type=merge -p '{{"spec": {{"storageClassName": "manual"}}}}' {RECREATE}""",
    ),
    "a claim template": (
        _all(put(DATABASE, ("spec", "volumeClaimTemplates", 0, "spec", "storageClassName"), "manual"), delete(CLAIM)),
        """kubectl patch statefulset/db -n shop --type=json -p '[{"op": "replace", "path": "/spec/volumeClaimTemplates/0/spec/storageClassName", "value": "manual"}]' --dry-run=client -o json"""
        " | kubectl replace --force --cascade=orphan -f - && kubectl delete persistentvolumeclaim/data-db-0 -n shop",
    ),
    "a list of an object that is not known": (put(Ref("Service", "shop", "other"), ("spec", "ports", 0, "port"), 1), ""),
    "a field of an object that is not known": (scale(Ref("Deployment", "shop", "other"), 1), "kubectl scale deployment/other -n shop --replicas=1"),
    "a service account": (
        create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "ci", "namespace": "shop"}}),
        "kubectl create serviceaccount ci -n shop",
    ),
    "a config map": (
        create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "shop"}, "data": {"a": "it's"}}),
        """printf %s '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "shop"}, "data": {"a": "it'"'"'s"}}' | kubectl create -f -""",
    ),
    "a role": (
        create({**_RBAC, "kind": "Role", "metadata": {"name": "scaler", "namespace": "shop"}, "rules": [{"apiGroups": ["apps"], "resources": ["deployments/scale"], "resourceNames": ["web"], "verbs": ["get", "update"]}]}),
        "kubectl create role scaler --verb=get,update --resource=deployments.apps/scale --resource-name=web -n shop",
    ),
    "a cluster role": (
        create({**_RBAC, "kind": "ClusterRole", "metadata": {"name": "scraper"}, "rules": [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]}),
        "kubectl create clusterrole scraper --verb=get --non-resource-url=/metrics",
    ),
    "a role binding": (
        create({**_RBAC, "kind": "RoleBinding", "metadata": {"name": "scaler", "namespace": "shop"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "scaler"}, "subjects": [{"kind": "ServiceAccount", "name": "ci", "namespace": "tools"}]}),
        "kubectl create rolebinding scaler --role=scaler --serviceaccount=tools:ci -n shop",
    ),
    "a cluster role binding": (
        create({**_RBAC, "kind": "ClusterRoleBinding", "metadata": {"name": "scraper"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "scraper"}, "subjects": [{"kind": "ServiceAccount", "name": "ci", "namespace": "tools"}]}),
        "kubectl create clusterrolebinding scraper --clusterrole=scraper --serviceaccount=tools:ci",
    ),
    "a copy": (Change((Operation(NODE, copy_as="n2"),)), ""),
}  # fmt: skip
