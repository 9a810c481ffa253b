"""Opens the source of objects: a live cluster or a recorded bundle."""

from __future__ import annotations

from kubedoctor.collect.options import Options
from kubedoctor.collect.source import ReadableCluster


def open_source(options: Options, *, read: bool = True) -> ReadableCluster:
    """Open what the options name. Raises SourceProblem where it cannot be read; sends no request to a live server
    yet. `read`: false leaves reading a recording to the first `list_all`."""
    if options.from_:
        from kubedoctor.collect.bundles import BundleSource, open_bundle

        return open_bundle(options.from_) if read else BundleSource(options.from_)
    from kubedoctor.collect.live.cluster import open_live

    return open_live(options)
