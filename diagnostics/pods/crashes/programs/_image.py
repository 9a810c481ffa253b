"""An image that does not fit its node's CPU, or lacks a library of its program."""

from __future__ import annotations

from typing import Final

from diagnostics.pods._node import blamed_node
from diagnostics.pods.crashes._story import Story
from kubedoctor.cluster import Container, Pod, visible
from kubedoctor.findings import Fix, Ref, fix_by_hand, quote
from kubedoctor.replay.logs.families.images import ICU

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


def library_missing(container: Container, library: str, message: str, about: Ref) -> Story:
    """The message of .NET is as long as its advice."""
    image = visible(container.image, LONGEST_IMAGE)
    if library == ICU:
        return Story(
            f"image {image} lacks the ICU libraries (libicu) that .NET needs for its culture settings",
            fixes=(
                Fix("Install them in the image (Alpine: icu-libs, Debian: libicu), or use its -extra variant"),
                fix_by_hand(about, f"Or set DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 in container `{container.name}`"),
            ),
        )
    return Story(f"a library is missing in the image: {message}")


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
