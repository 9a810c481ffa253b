"""Whether a pod of CoreDNS does not run because of its Corefile."""

from __future__ import annotations

from functools import partial

import msgspec

from kubedoctor.cluster.grammar.nearest import misspellings
from kubedoctor.cluster.kinds.core import ConfigMap
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.seen.reading import Cluster
from kubedoctor.cluster.seen.wants import LogTail
from kubedoctor.replay.dns.corefile import PLUGINS, CorefileError, corefile_error, unknown_directives

COREFILE = "Corefile"


class CorefileRefusal(msgspec.Struct, frozen=True):
    """Why CoreDNS does not load its Corefile. `configuration` may be unreadable; without `tail` no log states it."""

    configuration: ConfigMap | None
    error: CorefileError
    tail: LogTail | None


def refused_corefile(pod: Pod, cluster: Cluster) -> CorefileRefusal | None:
    """The error about the Corefile in the pod's log; without a log, a misspelled plugin in the Corefile itself."""
    logs = [
        partial(cluster.log_tail, pod, container.name, previous=old)
        for container in pod.spec.containers
        for old in (False, True)
    ]
    cluster.together(partial(corefile_of, pod, cluster), *logs)
    configuration = corefile_of(pod, cluster)
    for log in logs:
        tail = log()
        error = corefile_error(tail.lines) if tail is not None else None
        if error is not None:
            return CorefileRefusal(configuration, error, tail)
    text = (configuration.data or {}).get(COREFILE, "") if configuration is not None else ""
    for line, name in unknown_directives(text):
        if misspellings(name, PLUGINS, 1):  # A CoreDNS built with more plugins accepts other names.
            return CorefileRefusal(configuration, CorefileError(0, f"Unknown directive '{name}'", line, name), None)
    return None


def corefile_of(pod: Pod, cluster: Cluster) -> ConfigMap | None:
    """The ConfigMap with the Corefile that the pod mounts."""
    for volume in pod.spec.volumes or ():
        if volume.config_map is not None:
            config_map = cluster.maybe.get(ConfigMap, pod.namespace, volume.config_map.name)
            if config_map is not None and COREFILE in (config_map.data or {}):
                return config_map
    return None
