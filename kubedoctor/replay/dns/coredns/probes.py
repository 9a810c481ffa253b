"""Which probe of a CoreDNS pod no plugin of its Corefile answers.

Source: CoreDNS 1.14, `plugin/health` and `plugin/ready`: each serves one path, on the address of its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

import msgspec

from kubedoctor.cluster.kinds.containers import Container, Probe
from kubedoctor.replay.dns.coredns.syntax import CorefileProblem, PluginConfig, server_blocks
from kubedoctor.replay.kubelet.probes import port_number

_SERVED: Final = {"/health": ("health", "8080"), "/ready": ("ready", "8181")}
"""By path: the plugin that serves it, and its port where its line names no address."""
_IMPORT: Final = re.compile(r"^\s*import\s+(\S+)", re.MULTILINE)
_UNSPECIFIED: Final = frozenset(("", "0.0.0.0", "::"))


class UnservedProbe(msgspec.Struct, frozen=True):
    """A probe that no plugin answers. port: what it asks; line: of the Corefile, where the plugin has another address,
    which is `address`; 0 where the plugin is not loaded."""

    plugin: str
    path: str
    port: int
    address: str = ""
    line: int = 0
    usual: bool = False
    """The port is the plugin's where its line names none."""
    zone: str = ""
    """The first server block, as the Corefile writes it."""


def unserved_probe(probe: Probe, container: Container, corefile: str) -> UnservedProbe | None:
    """Why CoreDNS with this Corefile does not answer the probe; None where it does, or where that is not known."""
    asked = probe.http_get
    if (
        asked is None
        or asked.scheme == "HTTPS"
        or asked.path not in _SERVED
        or not (port := port_number(probe, container))
    ):
        return None
    try:
        blocks = server_blocks(corefile)
    except CorefileProblem:
        return None
    plugin, usual = _SERVED[asked.path]
    loaded = [config for block in blocks for config in block.all(plugin)]
    if not blocks or (not loaded and _imports_files(corefile)):
        return None
    if not loaded:
        return UnservedProbe(plugin, asked.path, port, usual=usual == str(port), zone=" ".join(blocks[0].keys))
    if any(_answers(address, usual, port, asked.host or "") for config in loaded for address in _addresses(config)):
        return None
    address = next(_addresses(loaded[0])) or f":{usual}"
    line = int(loaded[0].where[0].rpartition(":")[2])
    return UnservedProbe(plugin, asked.path, port, address, line)


def _addresses(config: PluginConfig) -> Iterator[str]:
    """The address on the plugin's line; empty where it names none."""
    yield config.head[0] if config.head else ""


def _answers(address: str, usual: str, port: int, host: str) -> bool:
    bound, _, number = (address or f":{usual}").rpartition(":")
    return number == str(port) and (bound in _UNSPECIFIED or not _loopback(bound) or _loopback(host))


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _imports_files(corefile: str) -> bool:
    """Whether it reads other files, which may load the plugin."""
    return any(f"({name})" not in corefile for name in _IMPORT.findall(corefile))
