"""Why an agent of Calico has no session with its peers: the address that it took for its node's."""

from __future__ import annotations

import re
from typing import Final

from diagnostics.pods.crashes._story import Story
from kubedoctor.cluster import Cluster, Node, Pod
from kubedoctor.findings import Ref, fix_by_hand, quote

_NO_SESSION: Final = re.compile(r"BGP not established with (?P<peers>[0-9a-fA-F.:, ]*[0-9a-fA-F])")
_ANNOTATION: Final = "projectcalico.org/IPv4Address"
"""Written by calico/node at its start: the address that it takes for its node's, with the length of its network."""


def no_session(pod: Pod, why: str, about: Ref, cluster: Cluster) -> Story:
    """why: the result of its readiness probe. Empty where it is about something else, or the address is the node's."""
    if _NO_SESSION.search(why) is None:
        return Story()
    node = cluster.maybe.get(Node, "", pod.spec.node_name)
    taken = (node.metadata.annotations or {}).get(_ANNOTATION, "").partition("/")[0] if node is not None else ""
    known = (node.status.addresses or ()) if node is not None else ()
    own = [entry.address for entry in known if entry.type in ("InternalIP", "ExternalIP")]
    if node is None or not taken or not own or taken in own:
        return Story()
    fix = fix_by_hand(
        about,
        f"Set IP_AUTODETECTION_METHOD so that it finds the node's address, for example kubernetes-internal-ip, not {taken}",
    )
    return Story(
        f"it takes {taken} for the address of node {node.name}, which has {', '.join(own)}",
        evidence=(
            quote(node, f"metadata.annotations[{_ANNOTATION}]", "the address that it uses"),
            quote(node, "status.addresses", "the node's own addresses"),
        ),
        fixes=(fix,),
    )
