"""Files of objects that were not applied: manifests, rendered charts, the output of kustomize."""

from kubedoctor.collect.manifests.reading import ReadFiles, read_manifests

__all__ = ["ReadFiles", "read_manifests"]
