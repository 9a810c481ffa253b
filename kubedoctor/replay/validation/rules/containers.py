"""Containers (`validateContainers`, `validateInitContainers`, `pkg/apis/core/validation/validation.go`, v1.37)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from kubedoctor.cluster.grammar.quantities import Quantity, parse_quantity
from kubedoctor.replay.validation import names
from kubedoctor.replay.validation.fields import Field, FieldFault, FieldViolation
from kubedoctor.replay.validation.rules.probes import probes

PROTOCOLS: Final = ("SCTP", "TCP", "UDP")
_PULL: Final = ("Always", "IfNotPresent", "Never")
_SOURCES: Final = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
_NATIVE: Final = ("cpu", "memory", "ephemeral-storage", "storage")
_NO_OVERCOMMIT: Final = "hugepages-"


def containers(spec: Field) -> None:
    """Of a pod."""
    all_names: set[Any] = set()
    volumes = {volume["name"].text for volume in spec["volumes"].each()}
    init_names: set[Any] = set()
    for init in spec["initContainers"].each():
        restarts = init["restartPolicy"]
        _container(init, spec, volumes, init_names, restartable=restarts.text == "Always")
    if not spec["containers"]:
        spec["containers"].required()
    for container in spec["containers"].each():
        _container(container, spec, volumes, all_names, restartable=True)
    for init in spec["initContainers"].each():
        if init["name"].text in all_names:
            init["name"].duplicate()
    _host_ports(spec)


def _container(at: Field, spec: Field, volumes: set[str], seen: set[Any], *, restartable: bool) -> None:
    name = at["name"]
    if not name.text:
        name.required()
    else:
        name.must(names.dns_label(name.text))
        name.unlike(seen)
    image = at["image"]
    if not image.text:
        image.required()
    elif image.text != image.text.strip():
        image.invalid("must not have leading or trailing whitespace")
    at["imagePullPolicy"].one_of(_PULL)
    at["terminationMessagePolicy"].one_of(("File", "FallbackToLogsOnError"))
    restarts = at["restartPolicy"]
    if restarts.text and not at["restartPolicyRules"].given and restarts.text not in ("Always", "OnFailure", "Never"):
        restarts.unsupported(("Always", "Never", "OnFailure"))
    _ports(at["ports"], host_network=spec["hostNetwork"].value is True)
    _environment(at)
    _mounts(at["volumeMounts"], volumes)
    _devices(at["volumeDevices"], at["volumeMounts"], volumes)
    probes(at, restartable=restartable)
    resources(at["resources"], claims={claim["name"].text for claim in spec["resourceClaims"].each()})
    _security(at["securityContext"])


def _ports(at: Field, *, host_network: bool) -> None:
    seen: set[Any] = set()
    for port in at.each():
        name = port["name"]
        if name.text:
            problems = names.port_name(name.text)
            name.must(problems)
            if not problems:
                name.unlike(seen)
        number = port["containerPort"]
        if number.number in (None, 0):
            number.required()
        else:
            number.must(names.port_number(number.number or 0))
        host = port["hostPort"]
        if host.number:
            host.must(names.port_number(host.number))
            if host_network and host.number != number.number:
                host.invalid("must match `containerPort` when `hostNetwork` is true")
        port["protocol"].one_of(PROTOCOLS)


def _host_ports(spec: Field) -> None:
    """No two containers of a pod use the same port of its node."""
    seen: set[tuple[Any, ...]] = set()
    everywhere = spec["hostNetwork"].value is True
    for container in spec["containers"].each():
        for port in container["ports"].each():
            host = port["hostPort"]
            number = host.number or (port["containerPort"].number if everywhere else None)
            if not number:
                continue
            key = (number, port["protocol"].text or "TCP", port["hostIP"].text)
            if key in seen:
                Field(number, host.path, host.sink).duplicate()
            seen.add(key)


def _environment(at: Field) -> None:
    for variable in at["env"].each():
        name = variable["name"]
        if not name.text:
            name.required()
        else:
            name.must(names.environment_name(name.text))
        source = variable["valueFrom"]
        if not source.given:
            continue
        given = [kind for kind in _SOURCES if source[kind].given]
        if not given:
            source.invalid(
                "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
            )
        elif variable["value"].text:
            source.invalid("may not be specified when `value` is not empty")
        elif len(given) > 1:
            source.invalid("may not have more than one field specified at a time")
        for kind in ("configMapKeyRef", "secretKeyRef"):
            if source[kind].given:
                _key(source[kind])
        if source["fieldRef"].given:
            field_path(source["fieldRef"], _IN_ENVIRONMENT)
        if source["resourceFieldRef"].given:
            resource_field(source["resourceFieldRef"], needs_container=False)
    for source in at["envFrom"].each():
        prefix = source["prefix"]
        if prefix.text:
            prefix.must(names.environment_name(prefix.text))
        given = [kind for kind in ("configMapRef", "secretRef") if source[kind].given]
        if not given:
            source.invalid("must specify one of: `configMapRef` or `secretRef`")
        elif len(given) > 1:
            source.invalid("may not have more than one field specified at a time")
        for kind in given:
            if not source[kind]["name"].text:
                source[kind]["name"].required()


_IN_ENVIRONMENT: Final = (
    *("metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName"),
    *("status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"),
)
IN_VOLUME: Final = ("metadata.name", "metadata.namespace", "metadata.labels", "metadata.annotations", "metadata.uid")
_RESOURCE_FIELDS: Final = (
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
)


def field_path(at: Field, allowed: tuple[str, ...]) -> None:
    """`fieldRef`."""
    path = at["fieldPath"]
    if not path.text:
        path.required()
        return
    if path.text.startswith(("metadata.labels['", "metadata.annotations['")) and path.text.endswith("']"):
        key = path.text.partition("['")[2][:-2]
        path.must(names.qualified_name(key.lower() if "annotations" in path.text else key))
    elif path.text.endswith("]") or "[" in path.text:
        path.invalid("error converting fieldPath: field label does not support subscript")
    elif path.text not in (*_IN_ENVIRONMENT, *IN_VOLUME):
        path.invalid(f"error converting fieldPath: field label not supported: {path.text}")
    elif path.text not in allowed:
        path.unsupported(sorted(allowed))


def resource_field(at: Field, *, needs_container: bool) -> None:
    """`resourceFieldRef`."""
    if needs_container and not at["containerName"].text:
        at["containerName"].required()
    resource = at["resource"]
    if not resource.text:
        resource.required()
    elif not resource.text.startswith(("limits.hugepages-", "requests.hugepages-")):
        resource.one_of(_RESOURCE_FIELDS)


def _key(at: Field) -> None:
    if not at["name"].text:
        at["name"].required()
    if not at["key"].text:
        at["key"].required()
    else:
        at["key"].must(names.config_key(at["key"].text))


def _mounts(at: Field, volumes: set[str]) -> None:
    """`ValidateVolumeMounts`."""
    seen: set[Any] = set()
    for mount in at.each():
        name, path = mount["name"], mount["mountPath"]
        if not name.text:
            name.required()
        if name.text not in volumes:
            name.sink(_not_found(name))
        if not path.text:
            path.required()
        path.unlike(seen)
        if mount["subPath"].text and mount["subPathExpr"].text:
            mount["subPathExpr"].invalid("subPathExpr and subPath are mutually exclusive")
        for key in ("subPath", "subPathExpr"):
            _relative(mount[key])
        mount["mountPropagation"].one_of(("Bidirectional", "HostToContainer", "None"))


def _devices(at: Field, mounted: Field, volumes: set[str]) -> None:
    paths: set[Any] = set()
    mounted_names = {mount["name"].text for mount in mounted.each()}
    for device in at.each():
        name, path = device["name"], device["devicePath"]
        if not name.text:
            name.required()
        elif name.text not in volumes:
            name.sink(_not_found(name))
        elif name.text in mounted_names:
            name.invalid("must not already exist in volumeMounts")
        if not path.text:
            path.required()
        path.unlike(paths)


def _not_found(at: Field) -> FieldViolation:
    return FieldViolation(at.path, FieldFault.INVALID, f'Not found: "{at.text}"')


def _relative(at: Field) -> None:
    if at.text.startswith("/"):
        at.invalid("must be a relative path")
    elif ".." in at.text.split("/"):
        at.invalid("must not contain '..'")


def resources(at: Field, *, claims: Collection[str] = ()) -> None:
    """Requests and limits of a container (`ValidateContainerResourceRequirements`)."""
    limits, requests = _amounts(at["limits"]), _amounts(at["requests"])
    for name, limit in limits.items():
        requested = requests.get(name)
        field = at["requests"][name]
        if requested is None or name not in at["requests"].given_keys:
            continue
        if (name.startswith(_NO_OVERCOMMIT) or _is_extended(name)) and requested != limit:
            field.invalid(f"must be equal to {name} limit of {limit}")
        elif requested > limit:
            field.invalid(f"must be less than or equal to {name} limit of {limit}")
    for name in requests:
        if _is_extended(name) and name not in limits:
            at["limits"][name].required("Limit must be set for non overcommitable resources")
    seen: set[Any] = set()
    for claim in at["claims"].each():
        if not claim["name"].text:
            claim["name"].required()
        elif claim["name"].text not in claims:
            claim["name"].sink(_not_found(claim["name"]))
        else:
            claim["name"].unlike(seen)


def _is_extended(name: str) -> bool:
    return "/" in name and "kubernetes.io/" not in name and not name.startswith("requests.")


def _amounts(at: Field) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for name, amount in at.entries():
        key = Field(name, amount.path, at.sink)
        key.must(names.qualified_name(name))
        if "/" not in name and name not in _NATIVE[:3] and not name.startswith(_NO_OVERCOMMIT):
            key.invalid(
                "must be a standard resource for containers"
                if name == "storage"
                else "must be a standard resource type or fully qualified"
            )
        try:
            quantity = parse_quantity("0" if amount.value is None else str(amount.value))
        except ValueError:
            continue
        if quantity < Quantity():
            amount.invalid("must be greater than or equal to 0")
        if _is_extended(name) and quantity.milli_value() % 1000:
            amount.invalid("must be an integer")
        found[name] = quantity
    return found


def _security(at: Field) -> None:
    for key in ("runAsUser", "runAsGroup"):
        user = at[key]
        if user.number is not None and not 0 <= user.number < 2**31:
            user.invalid("must be between 0 and 2147483647, inclusive")
    if at["privileged"].value is True and at["allowPrivilegeEscalation"].value is False:
        at.invalid("cannot set `allowPrivilegeEscalation` to false and `privileged` to true")
    added = {item.text for item in at["capabilities"]["add"].each()}
    if at["allowPrivilegeEscalation"].value is False and added & {"CAP_SYS_ADMIN"}:
        at.invalid("cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN")
    at["procMount"].one_of(("Default", "Unmasked"))
    profile(at["seccompProfile"])
    profile(at["appArmorProfile"])


def profile(at: Field) -> None:
    """A seccomp or AppArmor profile."""
    if not at.given:
        return
    at["type"].one_of(("Localhost", "RuntimeDefault", "Unconfined"), needed=True)
    local = at["localhostProfile"]
    if at["type"].text == "Localhost" and not local.text:
        local.required("must be set when seccomp type is Localhost")
    elif at["type"].text in ("RuntimeDefault", "Unconfined") and local.given:
        local.invalid("can only be set when seccomp type is Localhost")
