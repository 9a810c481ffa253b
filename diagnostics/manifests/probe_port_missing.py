"""Probe or hook names a port that its container does not have.

## What it means
The API server takes the object. The kubelet looks for the name among the ports of the same container, does not find it, and
sends no request: the readiness or startup probe never succeeds, the liveness probe restarts the container repeatedly.

## Why it happens
- The port has another name, or none.
- The port belongs to another container of the pod.
- The number was meant, and the name of the Service's port was written.

## How to fix it
1. Use a name from `ports` of this container, or the number of the port.
2. Or give the container's port this name.

## References
- https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
"""

from __future__ import annotations

from collections.abc import Iterator

from kubedoctor.cluster import Cluster, Manifest, MissingPort, listed, misspellings, quote
from kubedoctor.findings import Confidence, Finding, Fix, Severity, diagnostic


def names_missing_ports(manifest: Manifest) -> bool:
    """A probe or hook of it names a port that is not there."""
    return bool(manifest.missing_ports)


@diagnostic(
    code="KD5306",
    subject=Manifest,
    severity=Severity.CRITICAL,
    reads=(),
    when=names_missing_ports,
    symptoms=("couldn't find port",),
)
def probe_port_missing(manifest: Manifest, _: Cluster) -> Iterator[Finding]:
    for place, missing in enumerate(manifest.missing_ports or ()):
        names = missing.names or ()
        meant = misspellings(missing.port, names, 1) or (names if len(names) == 1 else ())
        has = f"its ports are {listed(names, 4)}" if names else "it names no port"
        use = f"Use {meant[0]}" if meant else "Use the number of the port"
        yield Finding(
            about=manifest.subject,
            summary=f"{_what(missing)} of container {missing.container} names port {missing.port}, which the container does "
            f"not have: {has}",
            evidence=(quote(manifest, f"missingPorts[{place}].port", missing.path),),
            confidence=Confidence.CERTAIN,
            fixes=(Fix(f"{use}, or name a port of the container {missing.port}"),),
            aspect=f"@{missing.path}",
        )


def _what(missing: MissingPort) -> str:
    steps = missing.path.split(".")
    return f"hook {steps[-3]}" if steps[-4] == "lifecycle" else steps[-3]
