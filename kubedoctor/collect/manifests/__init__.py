"""Files of objects that were not applied: manifests, rendered charts, the output of kustomize."""

from kubedoctor.collect.manifests.reading import read_manifests

__all__ = ["read_manifests"]
