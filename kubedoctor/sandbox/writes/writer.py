"""Creates, updates, patches and deletes objects of the sandbox, as the API server's generic registry does
(`apiserver/pkg/endpoints/handlers`, `apiserver/pkg/registry/generic/registry/store.go`, v1.37)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime
from typing import Any, Final, NamedTuple

from kubedoctor.cluster.patching import PatchError, json_patched, merged, strategically_merged
from kubedoctor.sandbox.exchange import FailureStatus, Object, Request, no_such_path
from kubedoctor.sandbox.resources import Resource, Resources
from kubedoctor.sandbox.scale import scale_of
from kubedoctor.sandbox.selection import selection
from kubedoctor.sandbox.store import Store
from kubedoctor.sandbox.targets import RequestTarget
from kubedoctor.sandbox.writes.admission import WriteAdmission
from kubedoctor.sandbox.writes.applying import applied, updated
from kubedoctor.sandbox.writes.bodies import body_of, checked_identity, document_of
from kubedoctor.sandbox.writes.defaults import with_defaults
from kubedoctor.sandbox.writes.deleting import Deleting
from kubedoctor.sandbox.writes.validation import checked, checked_update

_SUFFIX: Final = "bcdfghjklmnpqrstvwxz2456789"
_PATCHES: Final = {
    "application/json-patch+json": json_patched,
    "application/merge-patch+json": merged,
    "application/strategic-merge-patch+json": strategically_merged,
}
_APPLY: Final = "application/apply-patch+yaml"
_KEPT: Final = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "selfLink")


class WriteAnswer(NamedTuple):
    """The answer to a write. code: 201 for what is new. resource: of the document."""

    code: int
    document: Object
    resource: Resource


class Writer:
    """version: of Kubernetes. stored: called with each object that was put into the store; removed: with each that is gone."""

    def __init__(
        self,
        store: Store,
        resources: Resources,
        clock: Callable[[], datetime],
        version: str,
        stored: Callable[[Resource, Object], None],
        removed: Callable[[Resource, Object], None],
    ) -> None:
        self._store, self._resources, self._clock, self._stored = store, resources, clock, stored
        self._admission = WriteAdmission(store, resources, version)
        self._deleting = Deleting(store, resources, clock, removed)

    def answer(self, request: Request, target: RequestTarget) -> WriteAnswer:
        """Raises FailureStatus with the API server's refusal."""
        resource, subresource = target.resource, target.subresource
        if subresource == "eviction" and resource.kind == "Pod" and request.method == "POST":
            return self._evict(request, target)
        if subresource and subresource not in resource.subresources:
            raise no_such_path()
        if request.method == "POST" and not target.name:
            return self._create(request, target, body_of(request))
        if request.method == "DELETE" and not subresource:
            return self._delete(request, target) if target.name else self._delete_all(request, target)
        if request.method in ("PUT", "PATCH") and target.name:
            if request.method == "PATCH" and _content_type(request) == _APPLY:
                return self._apply(request, target)
            return self._change(request, target)
        raise FailureStatus(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")

    def _create(self, request: Request, target: RequestTarget, body: Object) -> WriteAnswer:
        resource = target.resource
        obj = deepcopy(checked_identity(body, resource, target.namespace, target.name))
        metadata = obj["metadata"]
        if metadata.pop("resourceVersion", ""):
            message = "resourceVersion should not be set on objects to be created"
            raise FailureStatus(400, "BadRequest", message)
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + "".join(secrets.choice(_SUFFIX) for _ in range(5))
        for field in (*_KEPT, "managedFields"):
            metadata.pop(field, None)
        if "status" in resource.subresources and resource.kind != "Node":
            obj.pop("status", None)
        checked(obj, resource, _strictness(request))
        name = metadata["name"]
        if self._store.find(resource, target.namespace, name) is not None:
            raise FailureStatus(
                409, "AlreadyExists", f'{resource.qualified} "{name}" already exists', _details(target, name)
            )
        self._check_namespace(target, name)
        with_defaults(obj)
        if resource.kind == "Pod":
            obj["status"] = {"phase": "Pending", **(obj.get("status") or {})}
        if "spec" in obj:
            metadata["generation"] = 1
        charged = self._admission.admitted(obj, resource, self._clock())
        for quotas, quota in charged if not _is_dry(request) else ():
            self._store.put(quotas, quota)
        if _content_type(request) != _APPLY:
            updated(None, obj, _manager(request), self._clock())
        return WriteAnswer(201, self._put(request, resource, obj), resource)

    def _check_namespace(self, target: RequestTarget, name: str) -> None:
        """Nothing is created in a namespace that is not there, or that is going."""
        if not target.resource.namespaced:
            return
        resource = self._resources.at("", "v1", "namespaces")
        namespace = self._store.find(resource, "", target.namespace) if resource is not None else None
        if namespace is None:
            details = {"name": target.namespace, "kind": "namespaces"}
            raise FailureStatus(404, "NotFound", f'namespaces "{target.namespace}" not found', details)
        if namespace["metadata"].get("deletionTimestamp"):
            message = (
                f'{target.resource.qualified} "{name}" is forbidden: unable to create new content in namespace'
                f" {target.namespace} because it is being terminated"
            )
            raise FailureStatus(403, "Forbidden", message, _details(target, name))

    def _change(self, request: Request, target: RequestTarget) -> WriteAnswer:
        """PUT, and the patches that need the object to be there."""
        resource = target.resource
        live = self._store.get(resource, target.namespace, target.name)
        before = scale_of(live) if target.subresource == "scale" else live
        wanted = body_of(request) if request.method == "PUT" else self._patched(request, resource, before)
        if target.subresource == "scale":
            after = _scaled(live, wanted)
        else:
            wanted = checked_identity(wanted, resource, target.namespace, target.name)
            after = (
                _only_status(live, wanted) if target.subresource == "status" else _but_status(live, wanted, resource)
            )
        return self._updated(request, target, live, after, wanted)

    def _patched(self, request: Request, resource: Resource, before: Object) -> Object:
        kind = _content_type(request)
        patch = _PATCHES.get(kind)
        if patch is None or (patch is strategically_merged and resource.columns is not None):
            accepted = ", ".join((*_PATCHES, _APPLY))
            message = f"the body of the request was in an unknown format - accepted media types include: {accepted}"
            raise FailureStatus(415, "UnsupportedMediaType", message)
        try:
            result = patch(deepcopy(before), document_of(request))
        except PatchError as error:
            raise FailureStatus(422, "Invalid", f"The patch does not fit the object: {error}.") from error
        if not isinstance(result, dict):
            raise FailureStatus(400, "BadRequest", "The patch makes something else of the object.")
        return result

    def _updated(
        self, request: Request, target: RequestTarget, live: Object, after: Object, wanted: Object
    ) -> WriteAnswer:
        resource = target.resource
        version = str((wanted.get("metadata") or {}).get("resourceVersion") or "")
        if version and version != live["metadata"].get("resourceVersion"):
            message = (
                f'Operation cannot be fulfilled on {resource.qualified} "{target.name}": the object has been modified;'
                " please apply your changes to the latest version and try again"
            )
            raise FailureStatus(409, "Conflict", message, _details(target, target.name))
        _keep_identity(live, after, target)
        if target.subresource != "status":
            checked(after, resource, _strictness(request))
            with_defaults(after)
            before = deepcopy(live)
            with_defaults(before)
            checked_update(before, after, resource)
            if after.get("spec") != live.get("spec"):
                after["metadata"]["generation"] = int(live["metadata"].get("generation") or 1) + 1
        scaled = target.subresource == "scale"
        if _content_type(request) != _APPLY:
            updated(live, after, _manager(request), self._clock(), target.subresource)
        if _same(live, after):
            return WriteAnswer(200, scale_of(live) if scaled else live, resource)
        stored = self._put(request, resource, after)
        released = stored["metadata"].get("deletionTimestamp") and not stored["metadata"].get("finalizers")
        if released and resource.kind not in ("Namespace", "Pod") and not _is_dry(request):
            self._deleting.remove(resource, stored)
        return WriteAnswer(200, scale_of(stored) if scaled else stored, resource)

    def _apply(self, request: Request, target: RequestTarget) -> WriteAnswer:
        resource = target.resource
        manager = request.query.get("fieldManager", "")
        if not manager:
            message = (
                'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'
            )
            raise FailureStatus(422, "Invalid", message)
        configuration = checked_identity(body_of(request), resource, target.namespace, target.name)
        if configuration["metadata"].get("managedFields"):
            raise FailureStatus(400, "BadRequest", "metadata.managedFields must be nil")
        live = self._store.find(resource, target.namespace, target.name)
        wanted = applied(live, deepcopy(configuration), manager, self._clock(), force=request.flag("force"))
        if live is None:
            entries = wanted["metadata"].pop("managedFields")
            written = self._create(request, target._replace(name=""), wanted)
            written.document["metadata"]["managedFields"] = entries
            return written
        return self._updated(request, target, live, _but_status(live, wanted, resource), configuration)

    def _delete(self, request: Request, target: RequestTarget) -> WriteAnswer:
        resource = target.resource
        obj = self._store.get(resource, target.namespace, target.name)
        options = _deletion(request)
        if not _is_dry(request):
            left = self._deleting.delete(resource, obj, options)
            if left is not None:
                return WriteAnswer(200, left, resource)
        return WriteAnswer(200, _gone(target, obj), resource)

    def _delete_all(self, request: Request, target: RequestTarget) -> WriteAnswer:
        resource, accepts = target.resource, selection(request, target.resource)
        chosen = [obj for obj in self._store.list(resource, target.namespace) if accepts(obj)]
        for obj in chosen if not _is_dry(request) else ():
            self._deleting.delete(resource, obj, _deletion(request))
        kind = {"kind": f"{resource.kind}List", "apiVersion": resource.api_version}
        return WriteAnswer(
            200, {**kind, "metadata": {"resourceVersion": str(self._store.version)}, "items": chosen}, resource
        )

    def _evict(self, request: Request, target: RequestTarget) -> WriteAnswer:
        pod = self._store.get(target.resource, target.namespace, target.name)
        body = body_of(request)
        spent = self._admission.evicted(pod)
        options = body.get("deleteOptions") or {}
        if not (_is_dry(request) or options.get("dryRun")):
            for resource, budget in spent:
                self._store.put(resource, budget)
            self._deleting.delete(target.resource, pod, options)
        return WriteAnswer(
            201,
            {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201},
            target.resource,
        )

    def _put(self, request: Request, resource: Resource, obj: Object) -> Object:
        """Stored, and the watches notified; a dry run only says what would be."""
        if _is_dry(request):
            metadata = obj["metadata"]
            metadata.setdefault("uid", "00000000-0000-0000-0000-000000000000")
            metadata.setdefault("creationTimestamp", self._clock().strftime("%Y-%m-%dT%H:%M:%SZ"))
            return obj
        stored = self._store.put(resource, obj)
        self._stored(resource, stored)
        return stored


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip()


def _is_dry(request: Request) -> bool:
    return request.query.get("dryRun", "") == "All"


def _strictness(request: Request) -> str:
    return request.query.get("fieldValidation") or "Warn"


def _manager(request: Request) -> str:
    """The manager that a request names, else the first word of its user agent."""
    return request.query.get("fieldManager") or request.headers.get("user-agent", "unknown").partition("/")[0]


def _details(target: RequestTarget, name: str) -> Object:
    details = {"name": name, "kind": target.resource.plural}
    return {**details, "group": target.resource.group} if target.resource.group else details


def _deletion(request: Request) -> Object:
    """The options of a deletion: of the body, and of the query, which counts more."""
    options = dict(body_of(request))
    if policy := request.query.get("propagationPolicy"):
        options["propagationPolicy"] = policy
    if (seconds := request.number("gracePeriodSeconds")) is not None:
        options["gracePeriodSeconds"] = seconds
    if options.get("dryRun") and not _is_dry(request):
        message = "The sandbox takes dryRun of a deletion in the query only."
        raise FailureStatus(400, "BadRequest", message)
    return options


def _gone(target: RequestTarget, obj: Object) -> Object:
    details = {**_details(target, obj["metadata"]["name"]), "uid": obj["metadata"].get("uid", "")}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def _scaled(live: Object, scale: Object) -> Object:
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if not isinstance(replicas, int) or isinstance(replicas, bool) or replicas < 0:
        message = f'Scale "{live["metadata"]["name"]}" is invalid: spec.replicas: Invalid value: {replicas!r}: must be greater than or equal to 0'
        raise FailureStatus(422, "Invalid", message)
    after = deepcopy(live)
    after["spec"]["replicas"] = replicas
    return after


def _only_status(live: Object, wanted: Object) -> Object:
    return {**deepcopy(live), "status": deepcopy(wanted.get("status"))}


def _but_status(live: Object, wanted: Object, resource: Resource) -> Object:
    after = deepcopy(wanted)
    if "status" in resource.subresources:
        after.pop("status", None)
        if "status" in live:
            after["status"] = deepcopy(live["status"])
    return after


def _keep_identity(live: Object, after: Object, target: RequestTarget) -> None:
    """What a client cannot change; another uid is another object."""
    own, wanted = live["metadata"], after["metadata"]
    if wanted.get("uid") and wanted["uid"] != own.get("uid"):
        message = (
            f'Operation cannot be fulfilled on {target.resource.qualified} "{target.name}": Precondition failed: UID in'
            f" precondition: {wanted['uid']}, UID in object meta: {own.get('uid')}"
        )
        raise FailureStatus(409, "Conflict", message, _details(target, target.name))
    for field in _KEPT:
        if field in own:
            wanted[field] = own[field]
        else:
            wanted.pop(field, None)
    wanted["resourceVersion"] = own.get("resourceVersion")
    wanted.setdefault("managedFields", own.get("managedFields") or [])


def _same(live: Object, after: Object) -> bool:
    """Whether nothing changes but who says so when."""

    def compared(obj: Object) -> dict[str, Any]:
        metadata = {name: value for name, value in obj["metadata"].items() if name != "managedFields"}
        owners = [
            {name: value for name, value in each.items() if name != "time"}
            for each in obj["metadata"].get("managedFields") or ()
        ]
        return {**obj, "metadata": {**metadata, "owners": owners}}

    return compared(live) == compared(after)
