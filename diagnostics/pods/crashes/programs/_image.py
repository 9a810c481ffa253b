"""An image that does not fit its node's CPU, or lacks a library of its program."""

from __future__ import annotations

import re
from typing import Final

from diagnostics.pods._node import blamed_node
from diagnostics.pods.crashes._story import Story
from kubedoctor.cluster import Container, Pod, visible
from kubedoctor.findings import Fix, Ref, fix_by_hand, quote
from kubedoctor.replay.logs.families.images import ICU
from kubedoctor.replay.logs.reading import LogCause
from kubedoctor.replay.logs.runtimes.versions import RuntimeVersions, runtime_versions

LONGEST_IMAGE: Final = 120


def cpu_too_old(pod: Pod, message: str, about: Ref) -> Story:
    """Other nodes may have the instructions, and so may the machine below a virtual one."""
    node = pod.spec.node_name
    where = f"the CPU of node {node}" if node else "the node's CPU"
    return Story(
        f"{where} lacks instructions that it needs: {message}",
        evidence=(quote(pod, "spec.nodeName", "the node whose CPU it is"),) if blamed_node(pod) else (),
        fixes=(
            Fix(f"If {node or 'the node'} is a virtual machine, give it the CPU model of its host (host-passthrough)"),
            fix_by_hand(about, "Use an image that is built for older CPUs, or nodes with a newer CPU (nodeSelector)"),
        ),
    )


_OTHER_VERSION: Final = frozenset({"cannot import name", "nosuchmethoderror", "undefined symbol", "symbol not found"})
"""The library is there, but not as the program knows it."""
_INSTALLED: Final = re.compile(r"/(?:site|dist)-packages/")
_CIRCULAR: Final = "from partially initialized module"


def library_missing(container: Container, cause: LogCause, lines: tuple[str, ...], message: str, about: Ref) -> Story:
    """The message of .NET is as long as its advice."""
    image, library = visible(container.image, LONGEST_IMAGE), cause.subject
    if (versions := runtime_versions(lines, cause.index)) is not None:
        return _other_runtime(image, versions)
    if library == ICU:
        return Story(
            f"image {image} lacks the ICU libraries (libicu) that .NET needs for its culture settings",
            fixes=(
                Fix("Install them in the image (Alpine: icu-libs, Debian: libicu), or use its -extra variant"),
                fix_by_hand(about, f"Or set DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 in container `{container.name}`"),
            ),
        )
    if _CIRCULAR in message:
        return Story(f"its own modules import each other: {message}")
    if cause.pattern in _OTHER_VERSION and (cause.pattern != "cannot import name" or _INSTALLED.search(message)):
        return Story(
            f"a library in the image has another version than the program needs: {message}",
            fixes=(
                Fix(
                    f"Build image {image} with versions of its libraries that fit each other (pin them in a lock file)"
                ),
            ),
        )
    return Story(f"a library is missing in the image: {message}")


def _other_runtime(image: str, versions: RuntimeVersions) -> Story:
    name, needs, has = versions.runtime, versions.needs, versions.has
    found = f"{name} {has}" if has else f"no {name}"
    return Story(
        f"its program needs {name} {needs}, image {image} has {found}",
        fixes=(
            Fix(
                f"Build the image on {name} {needs}, or build the program for {name} {has}"
                if has
                else f"Install {name} {needs} in the image"
            ),
        ),
    )


def interpreter_missing(container: Container, program: str) -> Story:
    """runc has found the file before it asks the kernel to execute it: what the kernel does not find is the interpreter
    in its first line, or the loader that it was linked for."""
    image = visible(container.image, LONGEST_IMAGE)
    return Story(
        f"{program} cannot be executed, although it is there: image {image} lacks the interpreter of its first line, or that"
        " line ends in CR LF, or its loader is of another C library",
        fixes=(
            Fix(
                f"Convert the line endings of {program} to LF (Git: eol=lf in .gitattributes), or install its interpreter in"
                " the image"
            ),
        ),
    )
