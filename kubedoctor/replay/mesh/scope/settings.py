"""The part of Istio's mesh configuration that decides what a sidecar sees (`istio.io/api/mesh/v1alpha1`, 1.31)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from kubedoctor.replay.mesh.config import ROOT_NAMESPACE, part, text, words

EVERYWHERE: Final = "*"
NOWHERE: Final = "~"
OWN: Final = "."
ALLOW_ANY: Final = "ALLOW_ANY"
REGISTRY_ONLY: Final = "REGISTRY_ONLY"


class MeshSettings(NamedTuple):
    """`services`, `virtual_services`, `destination_rules`: where such objects without `exportTo` are seen; `outbound`:
    what happens to requests for hosts that the mesh does not know."""

    root: str = ROOT_NAMESPACE
    services: tuple[str, ...] = (EVERYWHERE,)
    virtual_services: tuple[str, ...] = (EVERYWHERE,)
    destination_rules: tuple[str, ...] = (EVERYWHERE,)
    outbound: str = ALLOW_ANY

    @classmethod
    def of(cls, written: Mapping[str, Any]) -> MeshSettings:
        """From the mesh configuration as plain data."""
        return cls(
            text(written.get("rootNamespace")) or ROOT_NAMESPACE,
            words(written, "defaultServiceExportTo") or (EVERYWHERE,),
            words(written, "defaultVirtualServiceExportTo") or (EVERYWHERE,),
            words(written, "defaultDestinationRuleExportTo") or (EVERYWHERE,),
            text(part(written, "outboundTrafficPolicy").get("mode")) or ALLOW_ANY,
        )
