"""Volumes of built-in plugins as their CSI drivers see them (`csi-translation-lib`, v1.37)."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from kubedoctor.cluster.kinds.affinity import NodeSelectorRequirement, NodeSelectorTerm
from kubedoctor.cluster.kinds.storage import CSINode, PersistentVolume
from kubedoctor.cluster.kinds.volumes import Volume
from kubedoctor.replay.scheduler.well_known import BETA_REGION, BETA_ZONE, REGION, ZONE

ZONE_SEPARATOR: Final = "__"
MIGRATED_PLUGINS: Final = "storage.alpha.kubernetes.io/migrated-plugins"


class BuiltIn(msgspec.Struct, frozen=True):
    """A built-in plugin. topology_key: the driver's label for zones, empty if it has none. always: kubelet and
    scheduler leave its volumes to the driver in every supported release."""

    source: str
    plugin: str
    driver: str
    topology_key: str = ""
    always: bool = True


BUILT_IN: Final = (
    BuiltIn("aws_elastic_block_store", "kubernetes.io/aws-ebs", "ebs.csi.aws.com", "topology.ebs.csi.aws.com/zone"),
    BuiltIn("gce_persistent_disk", "kubernetes.io/gce-pd", "pd.csi.storage.gke.io", "topology.gke.io/zone"),
    BuiltIn("azure_disk", "kubernetes.io/azure-disk", "disk.csi.azure.com"),
    BuiltIn("cinder", "kubernetes.io/cinder", "cinder.csi.openstack.org", "topology.cinder.csi.openstack.org/zone"),
    BuiltIn("portworx_volume", "kubernetes.io/portworx-volume", "pxd.portworx.com"),
    BuiltIn("azure_file", "kubernetes.io/azure-file", "file.csi.azure.com", always=False),
    BuiltIn("vsphere_volume", "kubernetes.io/vsphere-volume", "csi.vsphere.vmware.com", always=False),
)
BY_PLUGIN: Final = {built_in.plugin: built_in for built_in in BUILT_IN}
_EBS_VOLUME: Final = re.compile(r"vol-[^/]*")


def built_in_of_volume(volume: Volume) -> BuiltIn | None:
    """The built-in plugin of an inline volume of a pod."""
    return next((built_in for built_in in BUILT_IN if getattr(volume, built_in.source) is not None), None)


def built_in_of(volume: PersistentVolume) -> BuiltIn | None:
    """The built-in plugin of a PersistentVolume."""
    return next((built_in for built_in in BUILT_IN if getattr(volume.spec, built_in.source) is not None), None)


class Untranslatable(ValueError):
    """A volume that cannot be translated for the driver; the text is upstream's."""


def inline_handle(built_in: BuiltIn, source: dict[str, Any]) -> str:
    """The driver's handle of an inline volume of a pod; raises Untranslatable."""
    if built_in.source == "gce_persistent_disk":
        return f"projects/UNSPECIFIED/zones/UNSPECIFIED/disks/{source.get('pdName', '')}"
    return _plain_handle(built_in, source)


def handle(built_in: BuiltIn, volume: PersistentVolume) -> str:
    """The driver's handle of a PersistentVolume; raises Untranslatable."""
    source: dict[str, Any] = getattr(volume.spec, built_in.source)
    if built_in.source != "gce_persistent_disk":
        return _plain_handle(built_in, source)
    disk = source.get("pdName", "")
    zones = (volume.labels.get(BETA_ZONE) or volume.labels.get(ZONE, "")).split(ZONE_SEPARATOR)
    if len(zones) == 1:
        return f"projects/UNSPECIFIED/zones/{zones[0] or 'UNSPECIFIED'}/disks/{disk}"
    return f"projects/UNSPECIFIED/regions/{_region(zones)}/disks/{disk}"


def _region(zones: list[str]) -> str:
    """The common region of zones such as europe-west1-b; raises Untranslatable."""
    for zone in zones:
        if zone.count("-") != 2:
            text = f"zone in unexpected format, expected: {{locale}}-{{region}}-{{zone}}, got: {zone}"
            raise Untranslatable(f"failed to get region from zones: {text}")
    regions = sorted({zone.rpartition("-")[0] for zone in zones})
    if len(regions) != 1:
        layout = " ".join(f"{region}:{{}}" for region in regions)
        text = f"multiple or no regions gotten from zones, got: map[{layout}]"
        raise Untranslatable(f"failed to get region from zones: {text}")
    return regions[0]


def _plain_handle(built_in: BuiltIn, source: dict[str, Any]) -> str:
    if built_in.source == "azure_disk":
        kind = str(source.get("kind", "Managed"))
        if kind.lower() != "managed":
            raise Untranslatable(f"kind({kind}) is not supported in csi migration")
        return str(source.get("diskURI", ""))
    text = str(source.get("volumeID", ""))
    if built_in.source == "aws_elastic_block_store" and text.startswith("aws://"):
        identifier = text.removeprefix("aws://").partition("/")[2].strip("/")
        if not _EBS_VOLUME.fullmatch(identifier):
            problem = f"Invalid format for AWS volume ({text})"
            raise Untranslatable(f"failed to translate Kubernetes ID to EBS Volume ID {problem}")
        return identifier
    return text


def migrated_on(built_in: BuiltIn, node: CSINode | None) -> bool:
    """Whether the node's kubelet leaves the plugin's volumes to the driver."""
    if node is None or not built_in.always:
        return False
    return built_in.plugin in node.annotations.get(MIGRATED_PLUGINS, "").split(",")


def topology_terms(volume: PersistentVolume, csi_node: CSINode | None) -> tuple[NodeSelectorTerm, ...] | None:
    """The terms that a node must match, in the driver's labels where the node has the driver; None if there are none."""
    affinity = volume.spec.node_affinity
    required = affinity.required if affinity else None
    terms = (required.node_selector_terms or ()) if required is not None else None
    built_in = built_in_of(volume)
    if built_in is None or not built_in.topology_key or not migrated_on(built_in, csi_node):
        return terms
    zone, region = _zone_and_region(terms or (), volume.labels)
    values = {
        requirement.key
        for term in terms or ()
        for requirement in term.match_expressions or ()
        if requirement.key == zone and requirement.values
    }
    renamed = {zone: built_in.topology_key} if values else {}
    if region == BETA_REGION:
        renamed[BETA_REGION] = REGION
    changed = tuple(_renamed(term, renamed) for term in terms or ())
    zones = tuple(
        sorted(
            {zone_name.strip() for zone_name in volume.labels.get(zone, "").split(ZONE_SEPARATOR) if zone_name.strip()}
        )
    )
    if not values and zones:
        extra = NodeSelectorRequirement(key=built_in.topology_key, operator="In", values=zones)
        return tuple(
            NodeSelectorTerm(match_expressions=(*(term.match_expressions or ()), extra), match_fields=term.match_fields)
            for term in changed or (NodeSelectorTerm(),)
        )
    return changed if terms is not None else None


def _zone_and_region(terms: tuple[NodeSelectorTerm, ...], labels: dict[str, str]) -> tuple[str, str]:
    """The labels in which the volume names its zones: current or beta."""
    keys = {requirement.key for term in terms for requirement in term.match_expressions or ()}
    for places in (keys, labels):
        if ZONE in places:
            return ZONE, REGION
        if BETA_ZONE in places:
            return BETA_ZONE, BETA_REGION
    return ZONE, REGION


def _renamed(term: NodeSelectorTerm, names: dict[str, str]) -> NodeSelectorTerm:
    expressions = tuple(
        NodeSelectorRequirement(
            key=names.get(requirement.key, requirement.key), operator=requirement.operator, values=requirement.values
        )
        for requirement in term.match_expressions or ()
    )
    return NodeSelectorTerm(match_expressions=expressions, match_fields=term.match_fields)
