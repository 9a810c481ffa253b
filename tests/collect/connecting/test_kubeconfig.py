"""Kubeconfig files merged as kubectl merges them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubedoctor.collect.connecting.connection import Connection, connect
from kubedoctor.collect.connecting.kubeconfig import choose, find_files, read_kubeconfig
from kubedoctor.collect.options import Options
from kubedoctor.problems import KubeconfigProblem, UsageProblem


def write(path: Path, current: str = "", **entries: dict[str, dict[str, Any]]) -> Path:
    """A kubeconfig; `contexts`, `clusters`, `users` by name."""
    document: dict[str, Any] = {"current-context": current} if current else {}
    for key, named in entries.items():
        document[key] = [{"name": name, key[:-1]: values} for name, values in named.items()]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """Both have the user `red`; the second has the current context's cluster, the first its user."""
    first = write(
        tmp_path / "a/config",
        contexts={"prod": {"cluster": "big", "user": "red", "namespace": "shop"}},
        users={"red": {"client-certificate": "red.crt"}},
    )
    second = write(
        tmp_path / "b/config",
        current="prod",
        contexts={"prod": {"cluster": "wrong"}, "dev": {"cluster": "big", "user": "blue"}},
        clusters={"big": {"server": "https://10.0.0.1:6443/", "certificate-authority": "certs/ca.crt"}},
        users={"red": {"token": "of the second"}, "blue": {"tokenFile": "/run/token", "exec": {"command": "./login"}}},
    )
    return first, second


def test_the_first_file_wins_whole_entries_and_paths_are_relative_to_their_file(two: tuple[Path, Path]) -> None:
    environment = {"KUBECONFIG": os.pathsep.join([str(two[0]), "", "/nowhere", str(two[1])])}

    files = find_files(None, environment)
    chosen = choose(read_kubeconfig(files), None)

    assert files == two
    assert (chosen.context, chosen.namespace) == ("prod", "shop")
    assert chosen.user == {"client-certificate": str(two[0].parent / "red.crt")}
    assert chosen.cluster["certificate-authority"] == str(two[1].parent / "certs/ca.crt")


def test_the_first_current_context_counts(two: tuple[Path, Path], tmp_path: Path) -> None:
    third = write(tmp_path / "c", current="dev")

    assert read_kubeconfig((third, *two)).current_context == "dev"
    assert read_kubeconfig((*two, third)).current_context == "prod"


def test_a_plugin_with_a_path_is_relative_to_its_file_and_absolute_paths_stay(two: tuple[Path, Path]) -> None:
    user = choose(read_kubeconfig(two), "dev").user

    assert user["exec"]["command"] == str(two[1].parent / "login")
    assert user["tokenFile"] == "/run/token"


def test_an_explicit_file_is_the_only_one(two: tuple[Path, Path]) -> None:
    assert find_files(str(two[1]), {"KUBECONFIG": str(two[0])}) == (two[1],)


ODD_VALUES = """
current-context: a
contexts:
- {name: a, context: {cluster: c, user: ~, odd: [on, 0x1f, 1_000, 012, 1.5, 1:30, .inf, 2024-01-02, 2024-01-02T03:04:05Z]}}
- name: "b"
  context: &defaults
    cluster: c
    namespace: 'é'
    text: |-
      two
      lines
- name: 7
  context: {<<: *defaults, cluster: d}
"""
READ_IN_A_NEW_PROCESS = """
import re, sys
from pathlib import Path
compile_now = re.compile
from kubedoctor.collect.connecting.kubeconfig import read_kubeconfig
assert "yaml" not in sys.modules
config = read_kubeconfig((Path(sys.argv[1]),))
assert re.compile is compile_now
print({name: entry.values for name, entry in config.contexts.items()})
"""


def test_a_first_reading_of_yaml_is_that_of_the_library(tmp_path: Path) -> None:
    """The library is imported without compiling its patterns: they must match as ever, and others be compiled at once."""
    (tmp_path / "config").write_text(ODD_VALUES, encoding="utf-8")
    command = (sys.executable, "-c", READ_IN_A_NEW_PROCESS, str(tmp_path / "config"))
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, check=True)
    expected = {str(entry["name"]): entry["context"] for entry in yaml.safe_load(ODD_VALUES)["contexts"]}
    assert done.stdout.strip() == str(expected)


def test_the_namespace_is_the_flag_then_the_context_then_default(two: tuple[Path, Path]) -> None:
    config = read_kubeconfig(two)

    assert choose(config, "prod", "mine").namespace == "mine"
    assert choose(config, "prod").namespace == "shop"
    assert choose(config, "dev").namespace == "default"


def test_names_that_look_like_numbers_are_names(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(
        "current-context: 1\ncontexts: [{name: 1, context: {cluster: 2}}]\nclusters: [{name: 2, cluster: {server: 'https://x'}}]\n"
    )

    assert choose(read_kubeconfig((path,)), None).cluster_name == "2"


EXTRA = {"reason": ["page", 7], "acme.example/team%1": ["night"], "none": []}


def connection(tmp_path: Path, cluster: dict[str, Any] | None = None, **options: Any) -> Connection:
    path = write(
        tmp_path / "config",
        "c",
        contexts={"c": {"cluster": "c", "user": "u"}},
        clusters={"c": {"server": "https://10.0.0.1:6443/", **(cluster or {})}},
        users={"u": {"as": "joe", "as-groups": ["devs"], "as-uid": "7", "as-user-extra": EXTRA}},
    )
    return connect(Options(kubeconfig=str(path), **options), {})


def test_impersonation_of_the_file_gives_way_to_the_flags(tmp_path: Path) -> None:
    assert connection(tmp_path).impersonation == (
        ("Impersonate-User", "joe"),
        ("Impersonate-Group", "devs"),
        ("Impersonate-Uid", "7"),
        ("Impersonate-Extra-acme.example%2Fteam%251", "night"),
        ("Impersonate-Extra-reason", "page"),
        ("Impersonate-Extra-reason", "7"),
    )
    assert connection(tmp_path, as_user="ann", as_groups=("ops",)).impersonation == (
        ("Impersonate-User", "ann"),
        ("Impersonate-Group", "ops"),
    )


@pytest.mark.parametrize("options", [{"as_groups": ("ops",)}, {"as_user": "a\r\nX-Evil: 1"}])
def test_impersonation_that_makes_no_sense(options: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="--as"):
        connection(tmp_path, **options)


@pytest.mark.parametrize(
    ("text", "connecting", "answer"), [("5s", 5.0, 5.0), ("1m30s", 10.0, 90.0), ("20", 10.0, 20.0), ("0", 10.0, None)]
)
def test_request_timeouts_are_kubectls(text: str, connecting: float, answer: float | None, tmp_path: Path) -> None:
    made = connection(tmp_path, request_timeout=text)

    assert (made.connect_timeout, made.answer_timeout) == (connecting, answer)


def test_proxies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", "")
    assert connection(tmp_path).proxy == "http://proxy:3128"
    assert connection(tmp_path, {"proxy-url": "socks5://jump:1080"}).proxy == "socks5://jump:1080"
    assert connection(tmp_path, {"server": "https://127.0.0.1:6443"}).proxy == ""
    monkeypatch.setenv("NO_PROXY", "10.0.0.1")
    assert connection(tmp_path).proxy == ""


def test_in_a_pod_the_service_account_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("kubedoctor.collect.connecting.connection.SERVICE_ACCOUNT", tmp_path)
    (tmp_path / "token").write_text("abc\n")
    (tmp_path / "namespace").write_text("shop")

    made = connect(Options(), {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"})

    assert (made.server, made.namespace, made.context) == ("https://[fd00::1]:443", "shop", "in-cluster")
    assert made.credentials.headers() == {"Authorization": "Bearer abc"}


def test_a_context_that_is_asked_for_is_not_replaced_by_the_pods_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("kubedoctor.collect.connecting.connection.SERVICE_ACCOUNT", tmp_path)
    (tmp_path / "token").write_text("abc\n")

    with pytest.raises(KubeconfigProblem, match="no context prod"):
        connect(Options(context="prod"), {"KUBERNETES_SERVICE_HOST": "10.0.0.1"})
