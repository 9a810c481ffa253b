"""The steps to an API server: kubeconfig, proxy or connection, certificate, login, clock, version, health.

The first step that fails is the last: what comes after it cannot be judged. Each waits as long as a request does.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

import msgspec

from kubedoctor.answers.access.steps import AccessStep
from kubedoctor.answers.sheet import Mark
from kubedoctor.cluster.grammar.credentials import without_credentials
from kubedoctor.cluster.grammar.text import counted, listed
from kubedoctor.cluster.seen.wants import READYZ
from kubedoctor.collect.connecting.connection import Connection, connect
from kubedoctor.collect.connecting.failures import ConnectionFailed, NotReachedInTime, NotResolved
from kubedoctor.collect.connecting.transport import Transport
from kubedoctor.collect.doctor.certificate import certificate_steps, own_certificate_steps
from kubedoctor.collect.doctor.reaching import Reached, reach
from kubedoctor.collect.live.access import Identity, whoami
from kubedoctor.collect.live.answers import ApiRefusal, problem_of
from kubedoctor.collect.live.cluster import LARGE_SKEW
from kubedoctor.collect.live.tails import read_tail
from kubedoctor.collect.options import Options
from kubedoctor.problems import LoginProblem, Problem, SourceProblem
from kubedoctor.replay.status.readyz import checks_of

_MOST_GROUPS = 3


class AccessWay(msgspec.Struct):
    """What was found so far. began: by this machine's clock. transport: once the server has answered a request with these credentials; the caller closes it."""

    began: datetime
    steps: list[AccessStep] = []
    title: str = "the cluster"
    connection: Connection | None = None
    transport: Transport | None = None
    identity: Identity = Identity("")
    version: str = ""

    @property
    def failed(self) -> bool:
        """Whether the way ended at a step."""
        return any(step.mark is Mark.NO and not step.passable for step in self.steps)


def take_way(options: Options, environment: Mapping[str, str] | None = None) -> AccessWay:
    """Take the steps as far as they lead. Raises UsageProblem for invalid flags only."""
    now = datetime.now(UTC)
    way = AccessWay(now, title=options.context or "the cluster")
    try:
        way.connection = connect(options, environment)
    except SourceProblem as problem:
        way.steps.append(_failed("login" if isinstance(problem, LoginProblem) else "kubeconfig", problem))
        return way
    connection = way.connection
    way.title = connection.context
    way.steps.append(AccessStep("kubeconfig", _configured(connection)))
    try:
        tls = connection.tls()
    except SourceProblem as problem:
        way.steps.append(_failed("kubeconfig", problem))
        return way
    way.steps += own_certificate_steps(connection, now)
    if way.failed:
        return way
    way.steps += _reached(connection, tls, now)
    if not way.failed:
        way.steps += _answered(way, connection)
    return way


def _configured(connection: Connection) -> str:
    """Which context, server and user, and how the user is known; never a credential."""
    user = f", user {connection.user}" if connection.user else ""
    how = connection.credentials.kind
    acting = next((value for name, value in connection.impersonation if name == "Impersonate-User"), "")
    as_whom = f", acting as {acting}" if acting else ""
    server = without_credentials(connection.server)
    return f"{connection.where}: context {connection.context}, {server}{user} with {how}{as_whom}"


def _failed(name: str, problem: Problem) -> AccessStep:
    return AccessStep(name, problem.what, Mark.NO, problem.hint)


def _reached(connection: Connection, tls: ssl.SSLContext | None, now: datetime) -> Iterator[AccessStep]:
    """Name, connection and certificate; through a proxy they are its part."""
    if connection.proxy:
        yield AccessStep("proxy", f"requests go through {without_credentials(connection.proxy)}")
        return
    server = connection.server
    try:
        found = reach(connection, tls)
    except NotResolved as error:
        yield _failed("host name", problem_of(error, connection))
        return
    except (ConnectionFailed, ssl.SSLError, OSError) as error:
        late = NotReachedInTime(error) if isinstance(error, TimeoutError) else error
        problem = problem_of(late, connection)
        if isinstance(error, ssl.SSLError):
            yield AccessStep("connection", f"{server} accepts connections")
            yield from certificate_steps(connection, Reached("", b""), now, problem)
            return
        yield _failed("connection", problem)
        return
    address = f" at {found.address}" if found.address != urlsplit(server).hostname else ""
    yield AccessStep("connection", f"{server} accepts connections{address}")
    if tls is None:
        yield AccessStep("encryption", f"{server} is plain HTTP: no credentials are sent to it", Mark.UNKNOWN)
        return
    yield from certificate_steps(connection, found, now)


def _answered(way: AccessWay, connection: Connection) -> Iterator[AccessStep]:
    """Login, clock, version and health, by requests."""
    try:
        transport = Transport(connection)
        way.transport = transport
        way.identity = _identity(transport)
    except (SourceProblem, ApiRefusal) as error:
        if isinstance(error, ApiRefusal):
            yield AccessStep(
                "login", f"{connection.server}: {error.clause}", Mark.NO, "Try again. See: kubectl auth whoami"
            )
        else:
            yield _failed("login" if isinstance(error, LoginProblem) else "answer", error)
        return
    yield AccessStep("login", _known_as(way.identity, connection))
    yield _clock(transport)
    yield _version(way, transport)
    yield _health(transport)


def _identity(transport: Transport) -> Identity:
    """Empty where the server does not tell, which are those before 1.28 and those of other authors."""
    try:
        return whoami(transport)
    except ApiRefusal as refusal:
        if refusal.status in (403, 404, 405):
            return Identity("")
        raise


def _known_as(identity: Identity, connection: Connection) -> str:
    if not identity.user:
        return f"the credentials of {connection.user or 'the kubeconfig'} are accepted; the server does not say as whom"
    groups = f", in {listed(identity.groups, _MOST_GROUPS)}" if identity.groups else ""
    return f"the server knows you as {identity.user}{groups}"


def _clock(transport: Transport) -> AccessStep:
    if transport.server_time is None:
        return AccessStep("clock", "the server's answers have no date", Mark.UNKNOWN)
    skew = transport.skew
    if abs(skew) <= LARGE_SKEW:
        return AccessStep("clock", f"this machine's clock agrees with the server's to {LARGE_SKEW:g}s")
    side = "behind" if skew > 0 else "ahead of"
    text = f"this machine's clock is {round(abs(skew) / 60)}m {side} the server's; certificates and tokens may count as expired"
    return AccessStep("clock", text, Mark.NO, "Set the clock of this machine, or of the control plane, by NTP")


def _version(way: AccessWay, transport: Transport) -> AccessStep:
    try:
        version = msgspec.json.decode(transport.get("/version"))
        way.version = str(version["gitVersion"])
    except (SourceProblem, ApiRefusal, msgspec.DecodeError, KeyError, TypeError):
        return AccessStep("version", "the server does not tell its version", Mark.UNKNOWN)
    return AccessStep("version", f"Kubernetes {way.version}")


def _health(transport: Transport) -> AccessStep:
    try:
        tail = read_tail(transport, READYZ)
    except ApiRefusal as refusal:
        return AccessStep("health", f"/readyz: {refusal.clause}", Mark.UNKNOWN)
    except SourceProblem as problem:
        return AccessStep("health", f"/readyz: {problem.what}", Mark.UNKNOWN)
    checks = checks_of(tail.lines) if tail is not None else ()
    failed = [check for check in checks if not check.passed]
    if failed:
        text = "the API server is not ready: " + "; ".join(f"{check.name} {check.said}" for check in failed)
        return AccessStep("health", text, Mark.NO, "See: kubectl get --raw='/readyz?verbose'")
    if not checks:
        return AccessStep("health", "the server has no checks of its own at /readyz", Mark.UNKNOWN)
    return AccessStep("health", f"all of the API server's {counted(len(checks), 'check')} passed")
