"""Kubeconfig files: found, merged and read as kubectl does (`k8s.io/client-go/tools/clientcmd`, v1.37)."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from kubedoctor.cluster.grammar.nearest import nearest_word
from kubedoctor.cluster.grammar.patterns import compiled_later
from kubedoctor.cluster.grammar.text import listed
from kubedoctor.problems import KubeconfigProblem

DEFAULT_FILE = "~/.kube/config"
_FILE_KEYS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")


class Entry(msgspec.Struct, frozen=True):
    """A named cluster, user or context, and the folder to which its paths are relative."""

    name: str
    values: dict[str, Any]
    folder: Path


class Kubeconfig(msgspec.Struct, frozen=True):
    """Several files merged: for equal names, and for current contexts, the first counts."""

    files: tuple[Path, ...]
    current_context: str
    contexts: dict[str, Entry]
    clusters: dict[str, Entry]
    users: dict[str, Entry]

    @property
    def empty(self) -> bool:
        """Whether nothing is configured."""
        return not (self.contexts or self.clusters or self.users or self.current_context)

    @property
    def where(self) -> str:
        """The files, for a sentence."""
        return ", ".join(map(str, self.files))


class Chosen(msgspec.Struct, frozen=True):
    """A context with its cluster and user. Paths are absolute; a context without a user has an empty one.

    named_namespace: the namespace that a flag or the context names; empty where `namespace` is only the default.
    """

    context: str
    namespace: str
    cluster_name: str
    cluster: dict[str, Any]
    user_name: str
    user: dict[str, Any]
    where: str
    named_namespace: str = ""


def find_files(explicit: str | None, environment: Mapping[str, str]) -> tuple[Path, ...]:
    """The files to read: `--kubeconfig`, or the existing files of KUBECONFIG, else of the home folder."""
    if explicit:
        path = Path(explicit).expanduser()
        if not path.exists():
            raise KubeconfigProblem(
                f"kubeconfig {explicit} does not exist", "Check --kubeconfig, or omit it to use KUBECONFIG"
            )
        return (path,)
    if listed := environment.get("KUBECONFIG", ""):
        paths = [Path(name).expanduser() for name in listed.split(os.pathsep) if name]
    else:
        paths = [Path(DEFAULT_FILE).expanduser()]
    return tuple(dict.fromkeys(path for path in paths if path.exists()))


def read_kubeconfig(files: tuple[Path, ...]) -> Kubeconfig:
    """Read and merge. Raises KubeconfigProblem with the file, and the line where YAML is broken."""
    current = ""
    merged: dict[str, dict[str, Entry]] = {"contexts": {}, "clusters": {}, "users": {}}
    for path in files:
        document = _read(path)
        current = current or text_of(document.get("current-context"))
        for key, entries in merged.items():
            for entry in _entries(document.get(key), key, path):
                entries.setdefault(entry.name, entry)
    return Kubeconfig(files, current, **merged)


def choose(config: Kubeconfig, context: str | None, namespace: str | None = None) -> Chosen:
    """The context of a name with its cluster and user; the current context without a name. Raises KubeconfigProblem."""
    name = context or config.current_context
    if not name:
        names = ", ".join(sorted(config.contexts)) or "none"
        raise KubeconfigProblem(
            f"no current context is set in {config.where}",
            f"Set one with --context, or: kubectl config use-context NAME. Contexts: {names}",
        )
    if name not in config.contexts:
        raise _no_such_context(name, config)
    chosen = config.contexts[name].values
    cluster_name, user_name = text_of(chosen.get("cluster")), text_of(chosen.get("user"))
    if cluster_name not in config.clusters:
        raise _dangling(name, "cluster", cluster_name, config.clusters, config.where)
    if user_name and user_name not in config.users:
        raise _dangling(name, "user", user_name, config.users, config.where)
    cluster = _absolute(config.clusters[cluster_name])
    if not text_of(cluster.get("server")):
        raise KubeconfigProblem(
            f"cluster {cluster_name} in {config.where} has no server",
            f"Set it: kubectl config set-cluster {cluster_name} --server=https://HOST:6443",
        )
    user = _absolute(config.users[user_name]) if user_name else {}
    named = namespace or text_of(chosen.get("namespace"))
    return Chosen(name, named or "default", cluster_name, cluster, user_name, user, config.where, named)


def no_contexts(config: Kubeconfig, name: str = "") -> KubeconfigProblem:
    """Where nothing is configured. name: of the context that was asked for; empty for any."""
    where = f"in {config.where}" if config.where else "on this machine: there is no kubeconfig"
    return KubeconfigProblem(
        f"no context {name} {where}" if name else f"there is no context {where}",
        "Name a kubeconfig with contexts: --kubeconfig=FILE, or KUBECONFIG",
    )


def text_of(value: Any) -> str:
    """A YAML scalar as text: a name may look like a number."""
    return "" if value is None else str(value)


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise _broken(path, "not UTF-8 text") from None
    except OSError as error:
        raise KubeconfigProblem(
            f"kubeconfig {path} cannot be read: {error.strerror or error}", f"Check: ls -l {path}"
        ) from None
    document = _json(text)
    if document is None:
        document = _yaml(text, path)
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise _broken(path, "the top level is not a mapping")
    return document


def _json(text: str) -> Any:
    """A kubeconfig in JSON, as many tools write it; None for YAML, whose library takes longer to import than a request."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None  # the YAML library says what is wrong with it


def _yaml(text: str, path: Path) -> Any:
    yaml = _import_yaml()
    # The C loader is 15 times faster; not every build of PyYAML has it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(text, Loader=loader)  # both loaders are safe ones
    except yaml.YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise _broken(path, f"{place}{problem or 'not YAML'}") from None
    except (ValueError, RecursionError) as error:
        raise _broken(path, str(error)) from None


def _import_yaml() -> Any:
    """Without compiling its patterns, which takes most of the import: the C loader uses few of them. Only while no other
    thread could compile one meanwhile."""
    if "yaml" not in sys.modules and threading.active_count() == 1:
        compile_now = re.compile
        re.compile = compiled_later  # type: ignore[assignment]  # it takes only text and flags: enough for that library
        try:
            import yaml
        finally:
            re.compile = compile_now
    import yaml

    return yaml


def _broken(path: Path, why: str) -> KubeconfigProblem:
    return KubeconfigProblem(
        f"kubeconfig {path} is not valid: {why}", f"Check it: kubectl config view --kubeconfig={path}"
    )


def _entries(listed: Any, key: str, path: Path) -> list[Entry]:
    if listed is None:
        return []
    if not isinstance(listed, list):
        raise _broken(path, f"{key} is not a list")
    singular = key[:-1]
    entries = []
    for entry in listed:
        if not isinstance(entry, dict) or not text_of(entry.get("name")):
            raise _broken(path, f"an entry of {key} has no name")
        values = entry.get(singular)
        if values is not None and not isinstance(values, dict):
            raise _broken(path, f"{singular} of {entry['name']} is not a mapping")
        entries.append(Entry(text_of(entry["name"]), values or {}, path.absolute().parent))
    return entries


def _absolute(entry: Entry) -> dict[str, Any]:
    """The values with absolute paths: paths are relative to their kubeconfig file."""
    values = dict(entry.values)
    for key in _FILE_KEYS:
        if path := text_of(values.get(key)):
            values[key] = os.path.normpath(entry.folder / path)
    plugin = values.get("exec")
    if isinstance(plugin, dict) and os.sep in (command := text_of(plugin.get("command"))):
        # A bare name is looked up in PATH.
        values["exec"] = {**plugin, "command": os.path.normpath(entry.folder / command)}
    return values


def _no_such_context(name: str, config: Kubeconfig) -> KubeconfigProblem:
    if not config.contexts:
        return no_contexts(config, name)
    near = nearest_word(name, config.contexts)
    hint = f"Did you mean {', '.join(near)}?" if near else f"Contexts: {listed(sorted(config.contexts), 10)}"
    return KubeconfigProblem(f"no context {name} in {config.where}", hint)


def _dangling(context: str, what: str, name: str, known: dict[str, Entry], where: str) -> KubeconfigProblem:
    if not name:
        return KubeconfigProblem(
            f"context {context} in {where} has no {what}",
            f"Set it: kubectl config set-context {context} --{what}=NAME",
        )
    near = nearest_word(name, known)
    hint = f"Did you mean {', '.join(near)}?" if near else f"Known: {', '.join(sorted(known)) or 'none'}"
    return KubeconfigProblem(f"{what} {name} of context {context} is not in {where}", hint)
