"""Bundles: the record of a cluster in files, recognised by their content and written without secrets."""

from __future__ import annotations

from kubedoctor.collect.bundles.source import BundleSource, open_bundle
from kubedoctor.collect.bundles.writing import write_bundle

__all__ = ["BundleSource", "open_bundle", "write_bundle"]
