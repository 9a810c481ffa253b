"""Why a program crashed, as far as its log tells: the sentence, the objects it blames, the evidence and the remedies."""

from __future__ import annotations

from dataclasses import dataclass

from diagnostics.pods._commands import change, kubectl, look_at
from diagnostics.pods._containers import in_container, quote_spec, seconds
from diagnostics.pods._ends import End
from kubedoctor.cluster import Cluster, LogTail, Namespace, NetworkPolicy, Pod, Service
from kubedoctor.cluster.nearest import misspellings
from kubedoctor.cluster.relations import applies_to, ready_endpoints
from kubedoctor.cluster.text import visible
from kubedoctor.cluster.wants import CannotSee
from kubedoctor.findings import Command, Evidence, Fix, Ref, quote, quote_line, ref
from kubedoctor.replay.kubelet.hosts import is_address, is_local, service_named, service_with_address, split_address
from kubedoctor.replay.kubelet.log_lines import LogSign, Sign, read_log

CLUSTER_DNS = Ref("Service", "kube-system", "kube-dns")
LONGEST_SUBJECT = 120


@dataclass(frozen=True)
class Story:
    """What the log of an end tells. `text`: a clause, empty if the log tells nothing."""

    text: str = ""
    sign: LogSign | None = None
    because_of: tuple[Ref, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    fixes: tuple[Fix, ...] = ()
    commands: tuple[Command, ...] = ()


def story_of(pod: Pod, end: End, about: Ref, cluster: Cluster) -> Story:
    """Read the log of the end and check what it names against the cluster."""
    return story_of_lines(pod, end.name, end.log.lines, end.log.previous, about, cluster)


def story_of_lines(
    pod: Pod, container: str, lines: tuple[str, ...], previous: bool, about: Ref, cluster: Cluster
) -> Story:
    """As `story_of`, for lines of any run."""
    sign = read_log(lines)
    if sign is None:
        return Story(evidence=_last_line(pod, container, lines, previous))
    line = quote_line(LogTail(ref(pod), container, previous, lines), sign.index, sign.sign.value)
    subject = visible(sign.subject, LONGEST_SUBJECT)
    if sign.sign is Sign.UNRESOLVED_HOST:
        story = _unresolved(pod, sign, subject, cluster)
    elif sign.sign in (Sign.REFUSED, Sign.TIMED_OUT):
        story = _unreachable(pod, sign, subject, lines, cluster)
    else:
        story = _own_fault(pod, container, sign, subject, about, cluster)
    return Story(story.text, sign, story.because_of, (line, *story.evidence), story.fixes, story.commands)


def _last_line(pod: Pod, container: str, lines: tuple[str, ...], previous: bool) -> tuple[Evidence, ...]:
    for index in range(len(lines) - 1, -1, -1):
        if lines[index].strip():
            return (quote_line(LogTail(ref(pod), container, previous, lines), index, "the last it wrote"),)
    return ()


# A name that does not resolve


def _unresolved(pod: Pod, sign: LogSign, host: str, cluster: Cluster) -> Story:
    # A server that says that there is no such name is up, and can be reached.
    blamed = () if sign.dns_answered else (*_dns_blamed(), *_egress_policies(pod, cluster))
    if not host:
        return Story("it cannot resolve a host name", because_of=blamed)
    namespaces = [one.name for one in cluster.maybe.all(Namespace)] if host.count(".") == 1 else []
    meant = service_named(host, pod.namespace, namespaces)
    if meant is None:
        return Story(f"it cannot resolve the host {host}", because_of=blamed)
    try:
        service = cluster.get(Service, meant.namespace, meant.name)
    except CannotSee:
        cluster.maybe.get(Service, meant.namespace, meant.name)
        return Story(f"it cannot resolve {host}", because_of=blamed)
    if service is not None:
        return Story(
            f"it cannot resolve {host}, although Service {meant.namespace}/{meant.name} exists",
            because_of=blamed,
            evidence=(quote(service, "metadata.name", "the Service exists: name resolution is what fails"),),
            commands=(look_at(CLUSTER_DNS, "is the cluster's DNS up"),),
        )
    text = f"it cannot resolve {host}: there is no Service {meant.name} in namespace {meant.namespace}"
    names = [one.name for one in cluster.maybe.all(Service, meant.namespace)]
    elsewhere = [one for one in cluster.maybe.all(Service) if one.name == meant.name]
    near = misspellings(meant.name, names, 1)
    missing = Ref("Service", meant.namespace, meant.name)
    commands = (Command(kubectl("get", "services", namespace=meant.namespace), "the Services that there are"),)
    because = (missing, *(_dns_blamed() if sign.dns_silent else ()))
    if near:
        right = host.replace(meant.name, near[0], 1)
        fix = Fix(f"Use the name {right} in the program's settings", "")
        return Story(f"{text}; did you mean {near[0]}?", because_of=because, fixes=(fix,), commands=commands)
    if elsewhere:
        other = elsewhere[0]
        fix = Fix(f"Use the name {other.name}.{other.namespace}.svc in the program's settings", "")
        where = f"{text}; there is one in namespace {other.namespace}"
        return Story(where, because_of=because, fixes=(fix,), commands=commands)
    return Story(text, because_of=because, commands=commands)


def _dns_blamed() -> tuple[Ref, ...]:
    return (CLUSTER_DNS, Ref("Deployment", "kube-system", "coredns"))


def _egress_policies(pod: Pod, cluster: Cluster) -> tuple[Ref, ...]:
    """The policies that isolate what the pod sends: one of them may keep it from the DNS server."""
    return tuple(
        ref(policy)
        for policy in cluster.maybe.all(NetworkPolicy, pod.namespace)
        if "Egress" in (policy.spec.policy_types or ()) and applies_to(policy, pod)
    )


# A connection that does not come about


def _unreachable(pod: Pod, sign: LogSign, address: str, lines: tuple[str, ...], cluster: Cluster) -> Story:
    how = "is refused" if sign.sign is Sign.REFUSED else "gets no answer"
    host, port = split_address(address)
    if host and is_local(host):
        return Story(f"its connection to {address}, inside its own pod, {how}")
    service = _service_of(pod, host, lines, cluster)
    blamed = _egress_policies(pod, cluster) if sign.sign is Sign.TIMED_OUT else ()
    if service is None:
        return Story(f"its connection to {address} {how}" if address else f"a connection {how}", because_of=blamed)
    name = ref(service)
    said = f"its connection to Service {name.namespace}/{name.name} ({address}) {how}"
    commands = (
        Command(kubectl("get", "endpointslices", "-l", f"kubernetes.io/service-name={name.name}", namespace=name.namespace),
                "who stands behind the Service"),
    )  # fmt: skip
    ready = len(ready_endpoints(service, cluster.maybe))
    if not cluster.gaps:
        said += f", which has {_counted(ready)}"
    path = "spec.selector" if service.spec.selector else "metadata.name"
    ports = {one.port for one in service.spec.ports or ()}
    if port and ports and port not in ports:
        said += f"; the Service has no port {port}, only {', '.join(map(str, sorted(ports)))}"
        path = "spec.ports"
    shows = "the Service that the program calls"
    return Story(said, because_of=(name, *blamed), evidence=(quote(service, path, shows),), commands=commands)


def _counted(ready: int) -> str:
    return f"{ready or 'no'} ready endpoint{'s' if ready > 1 else ''}"


def _service_of(pod: Pod, host: str, lines: tuple[str, ...], cluster: Cluster) -> Service | None:
    if not host:
        return None
    if is_address(host):
        return service_with_address(host, cluster.maybe.all(Service))
    namespaces = [one.name for one in cluster.maybe.all(Namespace)] if host.count(".") == 1 else []
    meant = service_named(host, pod.namespace, namespaces)
    return cluster.maybe.get(Service, meant.namespace, meant.name) if meant else None


# What is wrong in the container or its settings


def _own_fault(pod: Pod, container: str, sign: LogSign, subject: str, about: Ref, cluster: Cluster) -> Story:
    named = f" {subject}" if subject else ""
    if sign.sign is Sign.READ_ONLY:
        evidence = quote_spec(pod, cluster, about, container, "securityContext.readOnlyRootFilesystem")
        fix = change(about, f"Mount an emptyDir volume over the directory of{named or ' the file'}")
        return Story(f"it may not write{named}: the file system is read-only", evidence=tuple(evidence), fixes=(fix,))
    if sign.sign is Sign.PERMISSION:
        return _denied(pod, container, subject, about, cluster)
    if sign.sign is Sign.ADDRESS_IN_USE:
        return _address_in_use(pod, subject, about)
    if sign.sign is Sign.MISSING_VARIABLE:
        fix = change(about, f"Set the variable{named} in the container")
        return Story(f"the environment variable{named or ' that it needs'} is not set", fixes=(fix,))
    if sign.sign is Sign.BAD_FLAG:
        field = "args" if quote_spec(pod, cluster, about, container, "args") else "command"
        evidence = quote_spec(pod, cluster, about, container, field, "what it is started with")
        fix = change(about, f"Correct the arguments of container {container}")
        return Story(f"it does not know the argument{named}", evidence=tuple(evidence), fixes=(fix,))
    text = {
        Sign.EXEC_FORMAT: f"its program{named} is for another processor (exec format error)",
        Sign.NO_SPACE: f"no space is left to write{named}",
        Sign.BAD_SYNTAX: f"it cannot read its configuration{named}",
        Sign.MISSING_FILE: f"it does not find{named or ' a file'}",
        Sign.COMMAND_NOT_FOUND: f"the command{named} does not exist in the image",
        Sign.API_FORBIDDEN: f"the Kubernetes API refuses what{named or ' it'} asks for",
        Sign.CREDENTIALS: "another service refuses its user name or password",
        Sign.CERTIFICATE: "a TLS certificate is not accepted",
        Sign.HEAP: "it has used up the memory that it may use",
        Sign.PANIC: "it crashed (see the line)",
    }.get(sign.sign, sign.sign.value)
    return Story(text)


def _denied(pod: Pod, container: str, path: str, about: Ref, cluster: Cluster) -> Story:
    evidence: list[Evidence] = []
    user: int | None = None
    mine = next(
        (one for one in (*(pod.spec.init_containers or ()), *pod.spec.containers) if one.name == container), None
    )
    if mine is not None and mine.security_context is not None and mine.security_context.run_as_user is not None:
        user = mine.security_context.run_as_user
        evidence = quote_spec(pod, cluster, about, container, "securityContext.runAsUser", "the user it runs as")
    elif pod.spec.security_context is not None and pod.spec.security_context.run_as_user is not None:
        user = pod.spec.security_context.run_as_user
        evidence = [quote(pod, "spec.securityContext.runAsUser", "the user it runs as")] if user else []
    who = f"user {user}" if user is not None else "its user"
    on_volume = any(
        path.startswith(one.mount_path) for one in (mine.volume_mounts if mine else None) or () if one.mount_path
    )
    fix = (
        change(about, "Set spec.securityContext.fsGroup, so that the volume belongs to the program's group")
        if on_volume
        else change(about, f"Run as the owner of {path or 'the file'}, or mount a volume there with an fsGroup")
    )
    named = f" {path}" if path else " a file"
    return Story(f"{who} may not use{named}: permission denied", evidence=tuple(evidence), fixes=(fix,))


def _address_in_use(pod: Pod, port: str, about: Ref) -> Story:
    what = f"port {port}" if port else "the port"
    if pod.spec.host_network:
        fix = change(about, "Choose another port, or do without hostNetwork")
        return Story(
            f"{what} is already in use on the node, whose network it shares",
            evidence=(quote(pod, "spec.hostNetwork", "its ports are the node's"),),
            because_of=(),
            fixes=(fix,),
        )
    several = len(pod.spec.containers) > 1
    whose = " by another container of the pod" if several else " in the container"
    return Story(f"{what} is already in use{whose}", fixes=(change(about, "Let it listen on another port"),))


def how_it_ends(pod: Pod, end: End) -> str:
    """`the program ends with exit code 1 after 3 s`."""
    after = f" after {seconds(end.ending.lasted)}" if end.ending.lasted is not None else ""
    return f"the program{in_container(pod, end.name)} ends with {end.ending.text}{after}"
