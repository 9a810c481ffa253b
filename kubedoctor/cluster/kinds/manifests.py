"""An object of a file that was not applied: where it stands, and why an API server refuses it.

It is no kind of Kubernetes: `kubedoctor check` puts it beside the objects of the cluster, so that diagnostics find it.
"""

from typing import ClassVar

from kubedoctor.cluster.kinds.meta import KubernetesObject, Part
from kubedoctor.cluster.kinds.references import Ref, ref

GROUP = "kubedoctor.dev"


class ManifestRefusal(Part):
    """fault: `Required value`, `unknown field`, `wrong type`, …; path: as the API server writes it; text: its line; nearest:
    the name of a field, or the version, that was probably meant."""

    fault: str = ""
    path: str = ""
    text: str = ""
    nearest: str = ""


class ManifestSubject(Part):
    """The object that the file describes. kind: as a Ref spells it."""

    api_version: str = ""
    kind: str = ""
    name: str = ""


class DeadKey(Part):
    """The key of a label or taint that Kubernetes no longer sets. instead: the key of today; since: the release that removed
    it."""

    path: str = ""
    key: str = ""
    instead: str = ""
    since: str = ""


class DeprecatedVersion(Part):
    """A version of an API that a later release does not serve. instead: the version of today."""

    api_version: str = ""
    removed_in: str = ""
    instead: str = ""


class MissingPort(Part):
    """A port that a probe or hook names, and that its container does not have. names: those that it has."""

    path: str = ""
    port: str = ""
    container: str = ""
    names: tuple[str, ...] | None = None


class Manifest(KubernetesObject):
    """metadata: the file, line and column as its name, and the namespace of the object."""

    api_group: ClassVar[str] = GROUP

    describes: ManifestSubject = ManifestSubject()
    refusals: tuple[ManifestRefusal, ...] | None = None
    dead_keys: tuple[DeadKey, ...] | None = None
    deprecated: DeprecatedVersion | None = None
    missing_ports: tuple[MissingPort, ...] | None = None

    @property
    def subject(self) -> Ref:
        """The object that the file describes; the manifest itself where that cannot be read."""
        if not self.describes.kind:
            return ref(self)
        return Ref(self.describes.kind, self.metadata.namespace, self.describes.name)
