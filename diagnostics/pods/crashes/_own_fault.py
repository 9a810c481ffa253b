"""Faults of a program's own surroundings that its log states: files, ports, settings, rights, memory, defects."""

from __future__ import annotations

import re
from functools import partial

from diagnostics.pods._clock import wrong_clock
from diagnostics.pods._read_only import cannot_write
from diagnostics.pods.crashes._credentials import no_cloud_identity, refused_login
from diagnostics.pods.crashes._forbidden import forbidden
from diagnostics.pods.crashes._not_served import not_served
from diagnostics.pods.crashes._resolver import no_nameservers
from diagnostics.pods.crashes._service_link import taken_from_a_link
from diagnostics.pods.crashes._story import Story
from diagnostics.pods.crashes.files._missing_file import missing_file
from diagnostics.pods.crashes.kernel._huge_pages import huge_pages_refused, says_bus_error
from diagnostics.pods.crashes.kernel._limits import IN_MEMORY, limit_of_the_node, too_little_shared_memory
from diagnostics.pods.crashes.kernel._permission import denied, low_port, refused_path
from diagnostics.pods.crashes.programs._archive import archive_fails
from diagnostics.pods.crashes.programs._azure_identity import no_azure_token
from diagnostics.pods.crashes.programs._cloud_right import denied_by_cloud
from diagnostics.pods.crashes.programs._database_tls import database_without_tls
from diagnostics.pods.crashes.programs._image import cpu_too_old, interpreter_missing, library_missing
from diagnostics.pods.crashes.programs._known import known_trouble
from diagnostics.pods.crashes.programs._plain_text import other_scheme
from diagnostics.pods.crashes.taken._full_volume import full_volume
from diagnostics.pods.crashes.taken._in_use import address_in_use, is_left_over, left_over_file
from diagnostics.pods.crashes.taken._not_empty import not_empty
from diagnostics.pods.crashes.taken._shared_data import held_by_another_pod
from diagnostics.pods.crashes.taken._used_up import used_up
from kubedoctor.cluster import Cluster, ConfigMap, Container, Pod, visible, visible_end
from kubedoctor.findings import SETTABLE, Effect, Fix, Ref, fix_by_hand, kubectl, quote, quote_spec
from kubedoctor.replay.kubelet.memory.heaps import heap_setting
from kubedoctor.replay.logs.continued import listed_errors, whole_message
from kubedoctor.replay.logs.families.machine import SHARED_MEMORY
from kubedoctor.replay.logs.faults import LogFault
from kubedoctor.replay.logs.log_lines import parse_line
from kubedoctor.replay.logs.reading import LogCause, read_log
from kubedoctor.replay.logs.traces import crash_message

LONGEST_MESSAGE = 200
SHORTEST_SENTENCE = 60

_CLAUSES = {
    LogFault.IMAGE_ARCHITECTURE: "exec format error: {subject} is built for another CPU architecture",
    LogFault.MISSING_FILE: "{subject} not found",
    LogFault.BAD_SETTING: "its configuration is not accepted: {message}",
    LogFault.NOT_AUTHORIZED: "another service denies it a right: {message}",
    LogFault.TLS: "a TLS certificate is not accepted: {message}",
    LogFault.HEAP: "the program ran out of its own memory (heap): {message}",
    LogFault.API_FORBIDDEN: "the Kubernetes API denies a request (RBAC): {message}",
    LogFault.RESOURCE_NOT_SERVED: "the cluster does not serve a resource type that it needs: {message}",
    LogFault.WEBHOOK: "the serving certificate of its webhook is not there: {message}",
    LogFault.CACHE_SYNC: "its caches did not sync with the Kubernetes API: {message}",
    LogFault.LEADER_ELECTION: "it lost its leader lease: {message}",
    LogFault.DEPENDENCY_SCHEMA: "a schema does not match what the program expects: {message}",
    LogFault.DATA_DIRECTORY: "its data directory cannot be used: {message}",
    LogFault.LICENCE: "its licence is not accepted: {message}",
}
_SAID_OF_ANYTHING = frozenset(
    {"invalid", "unsupported", "malformed", "unrecognized", "unknown", "expected", "not allowed"}
)
_OF_SETTINGS = re.compile(
    r"\b(?:(?:mis)?conf(?:ig\w*)?|settings?|options?|values?|param(?:eter)?s?|arg(?:v|s|uments?)?|flags?|env(?:ironment)?s?"
    r"|propert(?:y|ies)|keys?|ports?|ur[li]s?|addr(?:ess(?:es)?)?|fields?|attributes?|variables?|ya?ml|json|toml|xml|syntax"
    r"|(?:un)?pars(?:e|ed|er|ing|e?able)|format\w*|direct(?:ives?|ory|ories)|modes?|levels?|types?|schemes?|plugins?"
    r"|drivers?)\b",
    re.IGNORECASE,
)
"""Words of a complaint that is about the program's settings; what it reads at work may be invalid too."""
_JOINED = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|_")
"""Where the words of a name meet: `logLevel`, `LOG_LEVEL`."""
_OF_AN_IDENTITY = (LogFault.CREDENTIALS, LogFault.NOT_AUTHORIZED)
_OF_A_TYPE = (LogFault.RESOURCE_NOT_SERVED, LogFault.CACHE_SYNC)
_IS_A_DIRECTORY = "is a directory"
_NAMELESS = {LogFault.IMAGE_ARCHITECTURE: "its program", LogFault.MISSING_FILE: "a file"}


def own_fault(pod: Pod, container: str, lines: tuple[str, ...], cause: LogCause, about: Ref, cluster: Cluster) -> Story:
    """The story of a fault that no other object is asked about."""
    subject = cause.subject
    if (linked := taken_from_a_link(pod, container, message_of(lines, cause), about, cluster)) is not None:
        return linked
    message = shortened(_with_below(lines, cause))
    if (archive := archive_fails(lines, cause)) is not None:
        return archive
    if (known := known_trouble(pod, cause, message, cluster)) is not None:
        return known
    mine = _container(pod, container)
    if mine is not None:
        spent = used_up(pod, mine, shortened(message_of(lines, cause)), about, cluster)
        if spent is not None:
            return spent
    if cause.fault is LogFault.TLS and (skewed := wrong_clock(pod, message_of(lines, cause), cluster)) is not None:
        return skewed
    if cause.fault is LogFault.TLS and mine is not None:
        without = database_without_tls(pod, mine, cause, message, about, cluster)
        if without is not None:
            return without
    if cause.fault is LogFault.TLS and (story := other_scheme(cause, message)) is not None:
        return story
    if cause.fault is LogFault.READ_ONLY:
        return cannot_write(pod, mine, subject, about, cluster)
    if cause.fault is LogFault.PERMISSION_FILE and mine is not None:
        path = subject or refused_path(lines, cause.index)
        return denied(pod, mine, path, lines[cause.index], about, cluster)
    if cause.fault is LogFault.PERMISSION_PORT and mine is not None:
        return low_port(pod, mine, subject, about, cluster)
    if cause.fault is LogFault.ADDRESS_IN_USE:
        return address_in_use(pod, container, subject.rpartition(":")[2], about, cluster)
    if cause.fault is LogFault.MISSING_VARIABLE:
        if (unset := _property(container, subject, about)) is not None:
            return unset
        return _missing_variable(pod, container, subject, about, cluster)
    if cause.fault is LogFault.BAD_FLAG:
        return _bad_flag(pod, container, subject, message_of(lines, cause), about, cluster)
    if cause.fault in _OF_AN_IDENTITY:
        token = no_azure_token(pod, lines, cause, message, about, cluster)
        if token is not None:
            return token
    identity = no_cloud_identity(pod, message_of(lines, cause)) if cause.fault in _OF_AN_IDENTITY else None
    if identity is not None:
        return identity
    if cause.fault in _OF_AN_IDENTITY and (story := denied_by_cloud(message_of(lines, cause), lines[cause.index])):
        return story
    if cause.fault is LogFault.CREDENTIALS:
        return refused_login(pod, container, shortened(message_of(lines, cause)), about, cluster)
    if cause.fault is LogFault.DATA_DIRECTORY and is_left_over(subject):
        return left_over_file(pod, container, subject, about, cluster)
    if mine is not None and says_bus_error(message_of(lines, cause)):
        bus_error = huge_pages_refused(pod, mine, about, cluster)
        if bus_error is not None:
            return bus_error
    if cause.fault is LogFault.DATA_DIRECTORY:
        held = held_by_another_pod(pod, container, shortened(message_of(lines, cause)), about, cluster)
        if held is not None:
            return held
        if mine is not None and (used := not_empty(pod, mine, subject, message, about, cluster)) is not None:
            return used
    if cause.fault in _OF_A_TYPE:
        served = not_served(
            message_of(lines, cause), _CLAUSES[LogFault.RESOURCE_NOT_SERVED].format(message=message), cluster
        )
        if served is not None:
            return served
    if cause.fault is LogFault.API_FORBIDDEN and (story := forbidden(message_of(lines, cause), cluster)) is not None:
        return story
    if cause.fault is LogFault.HEAP and (story := _heap(pod, container, about, cluster)) is not None:
        return story
    if cause.fault is LogFault.MISSING_FILE and mine is not None and _NOT_EXECUTED.match(message):
        return interpreter_missing(mine, subject)
    if cause.fault is LogFault.MISSING_FILE and mine is not None and subject.startswith("/"):
        if (story := missing_file(pod, mine, subject, about, cluster)) is not None:
            return story
        if _IS_A_DIRECTORY in lines[cause.index]:
            return Story(f"{subject} is a directory, not a file")
    clause = _CLAUSES.get(cause.fault, "{message}")
    if cause.pattern in _SAID_OF_ANYTHING and not _OF_SETTINGS.search(_JOINED.sub(" ", message)):
        clause = "{message}"
    if subject == SHARED_MEMORY or (cause.fault is LogFault.NO_SPACE and subject.startswith(IN_MEMORY)):
        return too_little_shared_memory(pod, container, message, about, cluster)
    if cause.pattern == "no nameservers found":
        return no_nameservers(pod, message, about)
    if cause.fault is LogFault.KERNEL_SETTING:
        return limit_of_the_node(pod, subject, message, cluster)
    if cause.fault is LogFault.UNSUPPORTED_CPU:
        return cpu_too_old(pod, message, about)
    if cause.fault is LogFault.MISSING_LIBRARY and mine is not None:
        return library_missing(mine, cause, lines, message, about)
    if cause.fault is LogFault.NO_SPACE:
        return full_volume(pod, mine, subject, about, cluster)
    if cause.fault is LogFault.TLS and subject and subject not in message:
        clause = "a TLS certificate is not accepted, on the connection to {subject}: {message}"
    named = subject or _NAMELESS.get(cause.fault, "")
    return Story(clause.format(subject=named, message=message))


_NOT_EXECUTED = re.compile(r"exec /\S+: no such file or directory$")
_RUBY_PLACE = re.compile(r"^\S+\.rb:\d+:in [`'][^']*': ")
"""Ruby writes the place before the message of an uncaught exception."""
_LONG_URL = re.compile(r"(https?://[^/\s\"]+/)[^\s\"]{40,}")
_ESCAPED_END = re.compile(r"(?<!\\)(?:\\++r)?\\++n")
_CONTEXT = re.compile(r"\s+\{\"exception\":.*", re.DOTALL)
"""As monolog writes the trace behind the message."""
_NEXT_SENTENCE = re.compile(r"[.!?]\s+[A-Z]")


def shortened(message: str) -> str:
    """A long message: of several sentences the first, where the fault stands; else the end, as of an error that wraps
    others."""
    message = _of_inner_lines(_CONTEXT.sub("", message)).removeprefix("---> ")
    message = _LONG_URL.sub(r"\1…", message) if len(message) > LONGEST_MESSAGE else message
    ends = [end.start() + 1 for end in _NEXT_SENTENCE.finditer(message)]
    whole = max((end for end in ends if end <= LONGEST_MESSAGE), default=0)
    if len(message) > LONGEST_MESSAGE and whole >= SHORTEST_SENTENCE:
        message = message[:whole]
    shown = visible if ends else visible_end
    return shown(message, LONGEST_MESSAGE).rstrip(".")


def _of_inner_lines(message: str) -> str:
    """Of a long message that has the output of another program in it, the line of it that decides and the one before."""
    inner = [line.strip(' "{}') for line in _ESCAPED_END.split(message)] if len(message) > LONGEST_MESSAGE else []
    cause = read_log(inner, 1) if len(inner) > 1 else None
    if cause is None:
        return message
    before = inner[cause.index - 1].rpartition('"')[2] if cause.index else ""
    decides = inner[cause.index] if cause.index else inner[0].rpartition('"')[2] or inner[0]
    return " ".join(filter(None, (before, decides)))


def message_of(lines: tuple[str, ...], cause: LogCause) -> str:
    """What the line says, without time and level; of a crash, with the place in the program's code."""
    if cause.fault is LogFault.PANIC:
        return crash_message(lines, cause.index)
    if whole := listed_errors(lines, cause.index) or whole_message(lines, cause.index):
        return whole
    return _RUBY_PLACE.sub("", " ".join(parse_line(lines[cause.index]).message.split()))


def _with_below(lines: tuple[str, ...], cause: LogCause) -> str:
    """The message, and the line that it goes on with, where both together are short."""
    message = message_of(lines, cause)
    if not cause.below or cause.fault is LogFault.PANIC:
        return message
    below = " ".join(parse_line(lines[cause.below[0]]).text.split()).rstrip(".")
    joined = f"{message.rstrip('.: ')}: {below}"
    return joined if len(joined) <= LONGEST_MESSAGE and below not in message else message


def _container(pod: Pod, name: str) -> Container | None:
    containers = (*(pod.spec.init_containers or ()), *pod.spec.containers)
    return next((candidate for candidate in containers if candidate.name == name), None)


def _missing_variable(pod: Pod, container: str, name: str, about: Ref, cluster: Cluster) -> Story:
    if not name:
        fix = fix_by_hand(about, f"Set the environment variable in container `{container}`")
        return Story("a required environment variable is not set", fixes=(fix,))
    text = f"environment variable {name} is not set"
    fix = fix_by_hand(about, f"Set environment variable {name} in container `{container}`")
    holder = next(
        (config for config in cluster.maybe.all(ConfigMap, pod.namespace) if name in (config.data or {})), None
    )
    if holder is None:
        return Story(text, fixes=(fix,))
    evidence = (quote(holder, "metadata.name", f"the ConfigMap has the key {name}"),)
    fixes: tuple[Fix, ...] = (fix_by_hand(about, f"Set environment variable {name} from ConfigMap {holder.name}"),)
    if about.kind in SETTABLE:
        words = ("set", "env", about.argument, "-c", container, f"--from=configmap/{holder.name}", f"--keys={name}")
        line = kubectl(*words, namespace=about.namespace)
        fixes = (Fix(f"Set environment variable {name} from ConfigMap {holder.name}", line, Effect.DISRUPTS), fix)
    return Story(f"{text}; ConfigMap {holder.name} has this key", evidence=evidence, fixes=fixes)


def _property(container: str, name: str, about: Ref) -> Story | None:
    """A property of Spring; it is set by a variable too: dots become underscores, dashes are left out
    (Spring Boot, Binding From Environment Variables). None for the name of a variable."""
    if name.upper() == name or not _PROPERTY.fullmatch(name):
        return None
    variable = name.replace("-", "").replace(".", "_").upper()
    fix = fix_by_hand(about, f"Set {name} in the program's configuration, or {variable} in container `{container}`")
    return Story(f"property {name} is not set", fixes=(fix,))


_PROPERTY = re.compile(r"[A-Za-z][\w-]*(?:[.-][\w-]+)+")
_UNKNOWN = re.compile(
    r"unknown|unrecogni[sz]ed|not defined|no such|unexpected|wasn't expected|illegal option|invalid option",
    re.IGNORECASE,
)


def _bad_flag(pod: Pod, container: str, flag: str, message: str, about: Ref, cluster: Cluster) -> Story:
    field = "args" if quote_spec(pod, cluster, about, container, "args") else "command"
    evidence = quote_spec(pod, cluster, about, container, field, "the container's arguments")
    fix = fix_by_hand(about, f"Correct the arguments of container `{container}`")
    text = f"unknown argument {flag}".rstrip()
    if not flag or not _UNKNOWN.search(message):
        text = f"its arguments are not accepted: {shortened(message)}"
    return Story(text, evidence=tuple(evidence), fixes=(fix,))


def _heap(pod: Pod, container: str, about: Ref, cluster: Cluster) -> Story | None:
    """The heap limit that the program's settings give; None where they give none."""
    mine = _container(pod, container)
    held = partial(cluster.maybe.get, ConfigMap, pod.namespace)
    setting = heap_setting(mine, held) if mine is not None else None
    if setting is None:
        return None
    evidence = quote_spec(pod, cluster, about, container, setting.field, "the heap limit in its settings")
    fix = fix_by_hand(
        about, f"Raise {setting.flag} of container `{container}`, below its memory limit, or find the leak"
    )
    return Story(f"the program reached its own heap limit, {setting.flag}", evidence=tuple(evidence), fixes=(fix,))
