"""A connection's settings: the address of the API server, its TLS settings, and the credentials."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from kubedoctor import __version__
from kubedoctor.cluster.grammar.durations import DurationError, parse_nanoseconds
from kubedoctor.collect.connecting.certificates import expiry_of, server_name, tls_settings
from kubedoctor.collect.connecting.credentials import Credentials, TokenFile, credentials_of, file_or_data
from kubedoctor.collect.connecting.kubeconfig import Chosen, choose, find_files, no_contexts, read_kubeconfig, text_of
from kubedoctor.collect.options import Options
from kubedoctor.problems import KubeconfigProblem, UsageProblem

USER_AGENT = f"kubedoctor/{__version__}"
SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_CONNECT = 10.0  # seconds
_LONGEST = 20 * 86400.0  # seconds; a longer timeout is none, and sockets cannot count it
_OF_HEADER_NAMES = "!#$&'*+-.^_`|~"
"""What may stand in them beside letters and digits (RFC 9110, 5.6.2), but for the sign of what is quoted."""
_ANSWER = 60.0  # seconds for one request and its whole answer


class Connection:
    """Everything that a transport needs. `answer_timeout` is None for no limit."""

    def __init__(self, chosen: Chosen, credentials: Credentials, options: Options) -> None:
        self.context = chosen.context
        self.namespace = chosen.namespace
        self.named_namespace = chosen.named_namespace
        self.user = chosen.user_name
        self.cluster = chosen.cluster
        self.cluster_name = chosen.cluster_name
        self.where = chosen.where
        self.server = text_of(chosen.cluster["server"]).rstrip("/")
        self.credentials = credentials
        self.impersonation = _impersonation(chosen.user, options)
        self.flags = _flags(options)
        self.server_name = server_name(chosen.cluster)
        self.connect_timeout, self.answer_timeout = _timeouts(options.request_timeout)
        parts = _address(self.server, self.where)
        self.host = parts[0]
        self.secure = parts[1]
        self.proxy = _proxy(chosen.cluster, parts[0], parts[1], os.environ)

    @property
    def is_hasty(self) -> bool:
        """Whether the time that is allowed for a request shortens that for connecting."""
        return self.connect_timeout < _CONNECT

    @property
    def insecure(self) -> bool:
        """Whether the kubeconfig turns off the check of the server's certificate."""
        return str(self.cluster.get("insecure-skip-tls-verify", "")).lower() == "true"

    def tls(self) -> ssl.SSLContext | None:
        """TLS settings with the present client certificate; None for plain HTTP."""
        if not self.secure:
            return None
        authorities = file_or_data(self.cluster, "certificate-authority", f"cluster {self.cluster_name}")
        credentials = self.credentials
        return tls_settings(
            self.cluster, self.cluster_name, authorities, credentials.certificate, credentials.key, self.user
        )

    def why_not_accepted(self, now: datetime) -> str:
        """A clause if the credentials have expired; empty if they are refused for another reason."""
        until = expiry_of(self.credentials.certificate) if self.credentials.certificate else None
        if until and until < now:
            return f"the client certificate of {self.user} expired at {until:%Y-%m-%d %H:%M} UTC"
        return self.credentials.expired(now)


def connect(options: Options, environment: Mapping[str, str] | None = None) -> Connection:
    """The connection for the flags and the environment; sends no request, but may run an exec plug-in. Raises
    KubeconfigProblem, LoginProblem, or UsageProblem for invalid flags.
    """
    environment = os.environ if environment is None else environment
    _, allowed = _timeouts(options.request_timeout)
    if options.as_groups and not options.as_user:
        raise UsageProblem("--as-group needs --as", "Add the user: --as=USER --as-group=GROUP")
    config = read_kubeconfig(find_files(options.kubeconfig, environment))
    if not config.empty:
        chosen = choose(config, options.context, options.namespace)
        return Connection(chosen, credentials_of(chosen, allowed), options)
    if options.kubeconfig or options.context:
        raise no_contexts(config, options.context or "")
    if environment.get("KUBERNETES_SERVICE_HOST") and (SERVICE_ACCOUNT / "token").exists():
        return _in_cluster(options, environment)
    looked = environment.get("KUBECONFIG") or "~/.kube/config"
    raise KubeconfigProblem(
        f"no kubeconfig: {looked} {'is empty' if config.files else 'does not exist'}",
        "Set one with --kubeconfig=FILE or KUBECONFIG, read a recording with --from=FILE, or try: kubedoctor demo",
    )


def _in_cluster(options: Options, environment: Mapping[str, str]) -> Connection:
    """In a pod: its service account, as `rest.InClusterConfig` of client-go."""
    host = environment["KUBERNETES_SERVICE_HOST"]
    host = f"[{host}]" if ":" in host else host
    cluster = {
        "server": f"https://{host}:{environment.get('KUBERNETES_SERVICE_PORT') or '443'}",
        "certificate-authority": str(SERVICE_ACCOUNT / "ca.crt"),
    }
    try:
        own = (SERVICE_ACCOUNT / "namespace").read_text(encoding="utf-8").strip()
    except OSError:
        own = ""
    space = options.namespace or own or "default"
    named = options.namespace or ""
    chosen = Chosen("in-cluster", space, "in-cluster", cluster, "the service account", {}, str(SERVICE_ACCOUNT), named)
    return Connection(chosen, TokenFile(SERVICE_ACCOUNT / "token"), options)


def _flags(options: Options) -> tuple[str, ...]:
    """Those that a command in another terminal needs too, wherever it is run."""
    file = ("--kubeconfig", os.path.abspath(os.path.expanduser(options.kubeconfig))) if options.kubeconfig else ()
    return (*file, *(("--context", options.context) if options.context else ()))


def _impersonation(user: dict[str, Any], options: Options) -> tuple[tuple[str, str], ...]:
    """The headers of who one acts as; as for kubectl, the others of them need the user."""
    name = options.as_user or text_of(user.get("as"))
    if not name:
        return ()
    groups = options.as_groups or (() if options.as_user else tuple(map(text_of, user.get("as-groups") or ())))
    headers = [("Impersonate-User", name)]
    headers += [("Impersonate-Group", group) for group in groups]
    if not options.as_user and user.get("as-uid"):
        headers.append(("Impersonate-Uid", text_of(user["as-uid"])))
    if not options.as_user:
        headers += _extra(user.get("as-user-extra"))
    for _, value in headers:
        if not value.isprintable():
            raise UsageProblem(f"{value!r} is not the name of a user or group", "Check --as and --as-group")
    return tuple(headers)


def _extra(extra: Any) -> list[tuple[str, str]]:
    """What else is known of the user, key by key (`headerKeyEscape` in client-go's transport/round_trippers.go, v1.37)."""
    if not isinstance(extra, dict):
        return []
    return [
        (f"Impersonate-Extra-{quote(text_of(key), safe=_OF_HEADER_NAMES)}", text_of(value))
        for key, values in extra.items()
        if text_of(key)
        for value in (values if isinstance(values, list) else [values])
    ]


def _timeouts(text: str | None) -> tuple[float, float | None]:
    """Seconds to connect and to wait for an answer. As in kubectl, a bare number is seconds and 0 is no limit."""
    if not text:
        return _CONNECT, _ANSWER
    try:
        seconds = float(text) if text.isdecimal() else parse_nanoseconds(text) / 1e9
    except DurationError as error:
        raise UsageProblem(f"--request-timeout={text}: {error}", "Example: --request-timeout=30s") from None
    if seconds < 0:
        raise UsageProblem(f"--request-timeout={text} must not be negative", "Example: --request-timeout=30s")
    if not seconds or seconds > _LONGEST:
        return _CONNECT, None
    return min(_CONNECT, seconds), seconds


def _address(server: str, where: str) -> tuple[str, bool]:
    """Host, and whether it is HTTPS."""
    try:
        parts = urlsplit(server)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise KubeconfigProblem(f"server {server!r} in {where} is not a URL", "Example: https://10.0.0.1:6443")
    return host, parts.scheme == "https"


def _proxy(cluster: dict[str, Any], host: str, secure: bool, environment: Mapping[str, str]) -> str:
    """The proxy of the cluster or of the environment; as in Go, never for this machine itself."""
    if own := text_of(cluster.get("proxy-url")):
        return own
    if not any(name.lower() in ("https_proxy", "http_proxy", "all_proxy") for name in environment):
        return ""
    import urllib.request

    proxies = urllib.request.getproxies_environment()
    bypass = getattr(urllib.request, "proxy_bypass_environment")  # noqa: B009  # typeshed lacks this function
    if is_loopback(host) or bypass(host, proxies):
        return ""
    return proxies.get("https" if secure else "http", "")


def is_loopback(host: str) -> bool:
    """Whether a host's name or address means this machine."""
    return host in ("localhost", "::1") or host.startswith("127.")
