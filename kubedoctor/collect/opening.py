"""Opens the source of objects: a live cluster or a recorded bundle."""

from __future__ import annotations

from kubedoctor.collect.options import Options
from kubedoctor.collect.source import ReadableCluster
from kubedoctor.problems import UsageProblem


def open_source(options: Options, *, read: bool = True) -> ReadableCluster:
    """Open what the options name. Raises SourceProblem where it cannot be read; sends no request to a live server
    yet. `read`: false leaves reading a recording to the first `list_all`."""
    if options.from_:
        from kubedoctor.collect.histories.source import HistorySource, is_history

        if len(options.from_) == 1 and is_history(options.from_[0]):
            source = HistorySource(options.from_[0], options.at)
            if read:
                source.list_all(())
            return source
    if options.at:
        raise UsageProblem(
            "--at needs a recorded history", "Record one: kubedoctor record -o FILE; then read it with --from FILE --at"
        )
    if options.from_:
        from kubedoctor.collect.bundles import BundleSource, open_bundle

        return open_bundle(options.from_) if read else BundleSource(options.from_)
    from kubedoctor.collect.live.cluster import open_live

    return open_live(options)
