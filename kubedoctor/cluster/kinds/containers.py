"""Containers: their parts and their statuses."""

from typing import Any

import msgspec

from kubedoctor.cluster.grammar.redaction import redact_arguments, redact_text, redact_value
from kubedoctor.cluster.kinds.meta import Part, Time


class ResourceClaimUse(Part):
    name: str = ""
    request: str = ""


class ResourceRequirements(Part):
    """Quantities as text, as the API server holds them."""

    limits: dict[str, str] | None = None
    requests: dict[str, str] | None = None
    claims: tuple[ResourceClaimUse, ...] | None = None


class ContainerPort(Part):
    container_port: int = 0
    name: str = ""
    protocol: str = "TCP"
    host_port: int = 0
    host_ip: str = msgspec.field(default="", name="hostIP")


class KeySelector(Part):
    """A key of a ConfigMap or Secret."""

    name: str = ""
    key: str = ""
    optional: bool | None = None


class FieldReference(Part):
    field_path: str = ""


class EnvVarSource(Part):
    config_map_key_ref: KeySelector | None = None
    secret_key_ref: KeySelector | None = None
    field_ref: FieldReference | None = None


class EnvVar(Part):
    """A variable; a value that looks like a secret is redacted while it is decoded."""

    name: str = ""
    value: str = ""
    value_from: EnvVarSource | None = None

    def __post_init__(self) -> None:
        if self.value:
            redacted = redact_value(self.name, self.value)
            if redacted != self.value:
                msgspec.structs.force_setattr(self, "value", redacted)


class OptionalReference(Part):
    name: str = ""
    optional: bool | None = None


class EnvFromSource(Part):
    prefix: str = ""
    config_map_ref: OptionalReference | None = None
    secret_ref: OptionalReference | None = None


class HTTPHeader(Part):
    name: str = ""
    value: str = ""


class HTTPGetAction(Part):
    """`port` is a number or the name of a container port."""

    path: str = ""
    port: int | str = 0
    host: str = ""
    scheme: str = "HTTP"
    http_headers: tuple[HTTPHeader, ...] | None = None


class TCPSocketAction(Part):
    port: int | str = 0
    host: str = ""


class ExecAction(Part):
    command: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.command:
            msgspec.structs.force_setattr(self, "command", redact_arguments(self.command))


class GRPCAction(Part):
    port: int = 0
    service: str | None = None


class Probe(Part):
    """A probe; times in seconds."""

    http_get: HTTPGetAction | None = None
    tcp_socket: TCPSocketAction | None = None
    exec: ExecAction | None = None
    grpc: GRPCAction | None = None
    initial_delay_seconds: int = 0
    timeout_seconds: int = 1
    period_seconds: int = 10
    success_threshold: int = 1
    failure_threshold: int = 3
    termination_grace_period_seconds: int | None = None


class SleepAction(Part):
    seconds: int = 0


class LifecycleHandler(Part):
    exec: ExecAction | None = None
    http_get: HTTPGetAction | None = None
    tcp_socket: TCPSocketAction | None = None
    sleep: SleepAction | None = None


class Lifecycle(Part):
    post_start: LifecycleHandler | None = None
    pre_stop: LifecycleHandler | None = None


class Capabilities(Part):
    add: tuple[str, ...] | None = None
    drop: tuple[str, ...] | None = None


class SecurityContext(Part):
    """Of a container or a pod; a pod has no capabilities, a container no fs_group and no sysctls."""

    run_as_user: int | None = None
    run_as_group: int | None = None
    run_as_non_root: bool | None = None
    read_only_root_filesystem: bool | None = None
    privileged: bool | None = None
    allow_privilege_escalation: bool | None = None
    capabilities: Capabilities | None = None
    fs_group: int | None = None
    fs_group_change_policy: str | None = None
    seccomp_profile: dict[str, Any] | None = None
    app_armor_profile: dict[str, Any] | None = None
    sysctls: tuple[dict[str, Any], ...] | None = None
    proc_mount: str | None = None
    se_linux_options: dict[str, Any] | None = None
    windows_options: dict[str, Any] | None = None


class VolumeMount(Part):
    name: str = ""
    mount_path: str = ""
    sub_path: str = ""
    read_only: bool | None = None
    bind_mount_options: tuple[str, ...] | None = None


class VolumeDevice(Part):
    name: str = ""
    device_path: str = ""


class ContainerRestartRuleOnExitCodes(Part):
    operator: str = ""
    values: tuple[int, ...] | None = None


class ContainerRestartRule(Part):
    action: str = ""
    exit_codes: ContainerRestartRuleOnExitCodes | None = None


class Container(Part):
    name: str = ""
    image: str = ""
    image_pull_policy: str = ""
    command: tuple[str, ...] | None = None
    args: tuple[str, ...] | None = None
    working_dir: str = ""
    env: tuple[EnvVar, ...] | None = None
    env_from: tuple[EnvFromSource, ...] | None = None
    ports: tuple[ContainerPort, ...] | None = None
    resources: ResourceRequirements | None = None
    restart_policy: str = ""
    restart_policy_rules: tuple[ContainerRestartRule, ...] | None = None
    liveness_probe: Probe | None = None
    readiness_probe: Probe | None = None
    startup_probe: Probe | None = None
    lifecycle: Lifecycle | None = None
    security_context: SecurityContext | None = None
    volume_mounts: tuple[VolumeMount, ...] | None = None
    volume_devices: tuple[VolumeDevice, ...] | None = None
    termination_message_policy: str = ""

    @property
    def restarts_always(self) -> bool:
        """A sidecar: an init container with `restartPolicy: Always` (1.28 and later)."""
        return self.restart_policy == "Always"

    def __post_init__(self) -> None:
        if self.command:
            msgspec.structs.force_setattr(self, "command", _redacted(self.command))
        if self.args:
            msgspec.structs.force_setattr(self, "args", _redacted(self.args))
        for name in _ALIKE:
            if (part := getattr(self, name)) is not None:
                msgspec.structs.force_setattr(self, name, _shared(part))


# The pods of a workload have these in common; one part for all takes a fraction of the memory.
_ALIKE = ("env", "ports", "liveness_probe", "readiness_probe", "startup_probe")
_MOST_SHARED = 50_000
_parts: dict[Any, Any] = {}


def _redacted(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """A command line without secrets. What equals one that is kept already was redacted before."""
    kept: tuple[str, ...] | None = _parts.get(arguments)
    return kept if kept is not None else _shared(redact_arguments(arguments))


def _shared(part: Any) -> Any:
    try:
        if len(_parts) >= _MOST_SHARED:
            _parts.clear()
        return _parts.setdefault(part, part)
    except TypeError:  # a value that has no hash
        return part


class ContainerStateRunning(Part):
    started_at: Time | None = None


class ContainerStateWaiting(Part):
    reason: str = ""
    message: str = ""

    def __post_init__(self) -> None:
        if self.message and (redacted := redact_text(self.message)) != self.message:
            msgspec.structs.force_setattr(self, "message", redacted)


class ContainerStateTerminated(Part):
    exit_code: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""
    started_at: Time | None = None
    finished_at: Time | None = None

    def __post_init__(self) -> None:
        if self.message and (redacted := redact_text(self.message)) != self.message:
            msgspec.structs.force_setattr(self, "message", redacted)


class ContainerState(Part):
    """One of the three is set; none means waiting to start."""

    running: ContainerStateRunning | None = None
    waiting: ContainerStateWaiting | None = None
    terminated: ContainerStateTerminated | None = None


class ContainerStatus(Part):
    name: str = ""
    ready: bool = False
    started: bool | None = None
    restart_count: int = 0
    image: str = ""
    image_id: str = msgspec.field(default="", name="imageID")
    container_id: str = msgspec.field(default="", name="containerID")
    state: ContainerState | None = None
    last_state: ContainerState | None = None
    resources: ResourceRequirements | None = None
    allocated_resources: dict[str, str] | None = None
