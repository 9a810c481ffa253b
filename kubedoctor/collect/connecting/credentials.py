"""The credentials of a kubeconfig's user, added to every request and renewed when they expire.

Tokens, passwords and certificates are read here, and exec plug-ins run. Auth providers (OIDC) go through the official
client, which is imported only for them: the import takes longer than a small diagnosis.
"""

from __future__ import annotations

import base64
import binascii
import importlib
import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from kubedoctor.collect.connecting.kubeconfig import Chosen, text_of
from kubedoctor.problems import KubeconfigProblem, LoginProblem

_FILE_IS_FRESH = 60.0  # seconds, as client-go re-reads a token file
_RENEW_BEFORE = 60.0  # seconds before a credential expires
_RENEW_AT_MOST_EVERY = 10.0  # seconds, for plug-ins whose credentials are always about to expire


class Credentials:
    """No credentials except for an optional client certificate. `certificate` is PEM, `key` too; both or none."""

    kind = "no credentials"
    certificate: bytes = b""
    key: bytes = b""

    def headers(self) -> dict[str, str]:
        """The headers of each request. May read a file or run a plug-in; raises KubeconfigProblem or LoginProblem."""
        return {}

    def renew(self) -> bool:
        """After a 401: fetch new credentials. False where that is not possible."""
        return False

    def expired(self, now: datetime) -> str:
        """A clause if these credentials have expired; empty if not, or if unknown."""
        return ""


class Token(Credentials):
    """A fixed bearer token."""

    kind = "a token"

    def __init__(self, token: str) -> None:
        self._token = token.strip()  # a file read into a kubeconfig ends with a line feed

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def expired(self, now: datetime) -> str:
        until = token_expiry(self._token)
        return f"the token expired at {until:%Y-%m-%d %H:%M} UTC" if until and until < now else ""


class TokenFile(Credentials):
    """A token in a file that another process renews, such as a pod's service account token."""

    kind = "a token file"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._token = ""
        self._read_at = -_FILE_IS_FRESH

    def headers(self) -> dict[str, str]:
        if not self._token or time.monotonic() - self._read_at > _FILE_IS_FRESH:
            try:
                self._token = self._path.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise KubeconfigProblem(
                    f"token file {self._path} cannot be read: {getattr(error, 'strerror', None) or error}",
                    f"Check: ls -l {self._path}",
                ) from None
            self._read_at = time.monotonic()
        return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        before, self._token = self._token, ""
        self.headers()
        return self._token != before

    def expired(self, now: datetime) -> str:
        return Token(self._token).expired(now)


class Password(Credentials):
    """HTTP basic authentication, which a proxy in front of an API server may require."""

    kind = "a password"

    def __init__(self, name: str, password: str) -> None:
        self._value = base64.b64encode(f"{name}:{password}".encode()).decode()

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Basic {self._value}"}


class ExecPlugin(Credentials):
    """An exec plug-in. It runs at once, and again when its credentials expire or are refused."""

    kind = "an exec plugin"

    def __init__(self, spec: dict[str, Any], cluster: dict[str, Any], user: str, seconds: float | None) -> None:
        self._spec, self._cluster, self._user, self._seconds = spec, cluster, user, seconds
        self._ran_at = 0.0
        self._lock = threading.Lock()
        self._token = ""
        self._expires: datetime | None = None
        self._run()

    def headers(self) -> dict[str, str]:
        with self._lock:
            soon = self._expires and (self._expires - datetime.now(UTC)).total_seconds() < _RENEW_BEFORE
            if soon and time.monotonic() - self._ran_at > _RENEW_AT_MOST_EVERY:
                self._run()
            return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def renew(self) -> bool:
        with self._lock:
            before = (self._token, self.certificate)
            self._run()
            return (self._token, self.certificate) != before

    def expired(self, now: datetime) -> str:
        if self._expires and self._expires < now:
            return f"the credentials from exec plugin {self._command} expired at {self._expires:%Y-%m-%d %H:%M} UTC"
        return ""

    @property
    def _command(self) -> str:
        return text_of(self._spec.get("command"))

    def _run(self) -> None:
        import shutil  # slow, and only for plug-ins

        if not self._command or shutil.which(self._command) is None:
            hint = text_of(self._spec.get("installHint")).strip()
            raise KubeconfigProblem(
                f"exec plugin {self._command or '(no command)'} of user {self._user} is not installed",
                hint or f"Install {self._command}, or check that it is in PATH",
            )
        from kubedoctor.collect.connecting.plugin_process import PluginFailed, run_plugin  # starting processes is slow

        try:
            if not self._take(run_plugin(self._spec, self._cluster, self._user, self._seconds)):
                raise PluginFailed("it returned neither a token nor a client certificate")
        except PluginFailed as failure:
            raise LoginProblem(
                f"exec plugin {self._command} of user {self._user} failed: {failure}",
                "Its own message may hold credentials; kubectl prints it: kubectl get --raw=/version",
            ) from None
        self._ran_at = time.monotonic()

    def _take(self, status: dict[str, Any]) -> bool:
        """Whether there is something to take."""
        token, certificate = text_of(status.get("token")), text_of(status.get("clientCertificateData"))
        if not token and not certificate:
            return False
        self._token = token.strip()
        self.certificate, self.key = certificate.encode(), text_of(status.get("clientKeyData")).encode()
        self._expires = _expiry(text_of(status.get("expirationTimestamp")))
        return True


def _expiry(stamp: str) -> datetime | None:
    """A plug-in's date, which is UTC where it has no zone; None for other text: the API server decides then."""
    try:
        time = datetime.fromisoformat(stamp.replace("Z", "+00:00"))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


class Provider(Credentials):
    """An auth provider of the old kind (oidc, gcp), as the official client reads and renews it."""

    kind = "an auth provider"

    def __init__(self, chosen: Chosen) -> None:
        self._chosen = chosen
        self._lock = threading.Lock()
        self._name = text_of(chosen.user["auth-provider"].get("name"))
        self._configuration = self._load()

    def headers(self) -> dict[str, str]:
        with self._lock:
            try:
                value = self._configuration.get_api_key_with_prefix("BearerToken")
            except Exception as error:  # noqa: BLE001  # renewing contacts an identity provider: anything may be raised
                raise self._problem(error) from None
        return {"Authorization": value} if value else {}

    def renew(self) -> bool:
        with self._lock:
            before = self._configuration.api_key.get("BearerToken")
            self._configuration = self._load()
            return bool(self._configuration.api_key.get("BearerToken") != before)

    def _load(self) -> Any:
        import json
        import ssl

        client: Any = importlib.import_module("kubernetes.client")
        loader: Any = importlib.import_module("kubernetes.config.kube_config")
        provider = json.loads(json.dumps(self._chosen.user["auth-provider"], default=str))
        # Without a certificate authority the client would not check the identity provider's certificate.
        authorities = ssl.get_default_verify_paths().cafile
        if authorities and isinstance(provider.get("config"), dict):
            keys = ("idp-certificate-authority", "idp-certificate-authority-data")
            if not any(provider["config"].get(key) for key in keys):
                provider["config"]["idp-certificate-authority"] = authorities
        document = {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": "https://unused"}}],
            "users": [{"name": "u", "user": {"auth-provider": provider}}],
        }
        configuration = client.Configuration()
        try:
            loader.KubeConfigLoader(document, config_base_path="").load_and_set(configuration)
        except Exception as error:  # noqa: BLE001  # the same: renewing may raise anything
            raise self._problem(error) from None
        if not configuration.api_key.get("BearerToken"):
            raise self._problem(ValueError("it returned no token"))
        return configuration

    def _problem(self, error: Exception) -> LoginProblem:
        return LoginProblem(
            f"auth provider {self._name} of user {self._chosen.user_name} returned no credentials: {error}",
            "Log in again with the tool of your provider, or use its exec plugin",
        )


def credentials_of(chosen: Chosen, seconds: float | None = None) -> Credentials:
    """The credentials of a context's user, in client-go's order. May run a plug-in, for so many seconds."""
    user = chosen.user
    if not text_of(chosen.cluster.get("server")).startswith("https://"):
        return Credentials()  # client-go does not send credentials without TLS either
    if path := text_of(user.get("tokenFile")):
        credentials: Credentials = TokenFile(Path(path))
    elif token := text_of(user.get("token")):
        credentials = Token(token)
    elif user.get("username"):
        credentials = Password(text_of(user["username"]), text_of(user.get("password")))
    elif isinstance(user.get("auth-provider"), dict):
        credentials = Provider(chosen)
    elif isinstance(user.get("exec"), dict):
        credentials = ExecPlugin(user["exec"], chosen.cluster, chosen.user_name, seconds)
    else:
        credentials = Credentials()
    if not credentials.certificate:
        credentials.certificate = file_or_data(user, "client-certificate", f"user {chosen.user_name}")
        credentials.key = file_or_data(user, "client-key", f"user {chosen.user_name}")
    if credentials.certificate and type(credentials) is Credentials:
        credentials.kind = "a client certificate"
    return credentials


def file_or_data(values: dict[str, Any], key: str, owner: str) -> bytes:
    """The bytes of `key-data` (base64), else of the file `key`. Raises KubeconfigProblem."""
    if data := text_of(values.get(f"{key}-data")):
        try:
            return base64.b64decode(data, validate=False)
        except (binascii.Error, ValueError):
            raise KubeconfigProblem(
                f"{key}-data of {owner} is not base64", "Get a new kubeconfig from its source"
            ) from None
    path = text_of(values.get(key))
    if not path:
        return b""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        why = "does not exist" if missing else f"cannot be read: {error.strerror or error}"
        raise KubeconfigProblem(
            f"{key} of {owner}, {path}, {why}",
            f"Get a new kubeconfig, or check: ls -l {os.path.dirname(path)}",
        ) from None


def token_expiry(token: str) -> datetime | None:
    """The time in a JSON Web Token after which it is not accepted; None for other tokens."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = msgspec.json.decode(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return datetime.fromtimestamp(claims["exp"], UTC)
    except (ValueError, KeyError, TypeError, OverflowError, OSError):
        return None
