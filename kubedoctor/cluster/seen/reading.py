"""`Cluster`: how a diagnostic reads the snapshot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar, cast

from kubedoctor.cluster.grammar.versions import Version
from kubedoctor.cluster.kinds.core import Event
from kubedoctor.cluster.kinds.meta import CustomResource, KubernetesObject
from kubedoctor.cluster.kinds.networking import EndpointSlice
from kubedoctor.cluster.kinds.pods import Pod
from kubedoctor.cluster.kinds.references import Ref, kind_name
from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.cluster.seen.snapshot import NOT_HERE, Snapshot
from kubedoctor.cluster.seen.wants import (
    READYZ,
    Barrier,
    CannotSee,
    Gap,
    LogTail,
    LogWant,
    NotCollected,
    Want,
    volumes_want,
)

T = TypeVar("T", bound=KubernetesObject)


def event_want(about: Ref) -> Want:
    """The events about an object."""
    fields = f"involvedObject.kind={about.short_kind},involvedObject.name={about.name}"
    return Want("Event", about.namespace, fields=fields)


def slices_want(namespace: str, service: str) -> Want:
    """The EndpointSlices of a Service."""
    return Want("EndpointSlice", namespace, labels=f"kubernetes.io/service-name={service}")


class Cluster:
    """A view of a snapshot that remembers what was read through it (`reads`) and what was missing (`gaps`).

    A read raises NotCollected for objects not yet fetched, and CannotSee for objects that cannot be read.
    Through `maybe`, the latter becomes an empty result and a gap.
    """

    def __init__(self, snapshot: Snapshot, *, lenient: bool = False, parent: Cluster | None = None) -> None:
        self.snapshot = snapshot
        self._lenient = lenient
        self.gaps: set[Gap] = parent.gaps if parent else set()
        self.reads: set[str] = parent.reads if parent else set()
        self._maybe: Cluster | None = None

    @property
    def maybe(self) -> Cluster:
        """The same reads for optional objects: a refused read returns nothing and leaves a gap."""
        if self._lenient:
            return self
        if self._maybe is None:
            self._maybe = Cluster(self.snapshot, lenient=True, parent=self)
        return self._maybe

    def over(self, snapshot: Snapshot) -> Cluster:
        """A view of another snapshot that shares the reads and gaps of this one."""
        return Cluster(snapshot, lenient=self._lenient, parent=self)

    @property
    def taken_at(self) -> datetime:
        """The moment that the snapshot shows: the only clock."""
        return self.snapshot.taken_at

    @property
    def version(self) -> Version | None:
        """The version of the API server, if it is known."""
        return self.snapshot.version

    def forget(self) -> None:
        """Clear `gaps` and `reads`."""
        self.gaps.clear()
        self.reads.clear()

    def all(self, kind: type[T], namespace: str = "") -> tuple[T, ...]:
        """The objects of a kind, of one namespace or of all, sorted by namespace and name."""
        return cast("tuple[T, ...]", self.all_named(kind_name(kind), namespace))

    def all_named(self, kind: str, namespace: str = "") -> tuple[KubernetesObject, ...]:
        """As `all`, by the name of the kind (custom resources: `Kind.group`)."""
        return self.snapshot.of_kind(kind, namespace) if self._may_read(Want(kind, namespace)) else ()

    def has_all(self, kind: type[T], namespace: str, labels: str = "") -> bool:
        """Whether the objects of a kind are in the snapshot already, all or those with these labels: for what is worth
        knowing and not worth a request."""
        name = kind_name(kind)
        self.reads.add(name)
        return self.snapshot.covers(Want(name, namespace, labels=labels))

    def labelled(self, kind: type[T], namespace: str, labels: str) -> tuple[KubernetesObject, ...]:
        """Make sure that the objects with these labels (a selector as in kubectl) are in the snapshot; returns all
        objects of the namespace, from which the caller selects."""
        name = kind_name(kind)
        return self.snapshot.of_kind(name, namespace) if self._may_read(Want(name, namespace, labels=labels)) else ()

    def get(self, kind: type[T], namespace: str, name: str) -> T | None:
        """One object, or None if it does not exist. Cluster-scoped kinds: namespace is empty."""
        return cast("T | None", self.get_ref(Ref(kind_name(kind), namespace, name)))

    def get_ref(self, ref: Ref) -> KubernetesObject | None:
        """The object that a Ref names, or None if it does not exist."""
        self.reads.add(ref.kind)
        if not ref.name:
            return None
        obj = self.snapshot.get(ref)
        if obj is not None and self.snapshot.is_whole(ref):
            return obj
        return obj if self._may_read(Want(ref.kind, ref.namespace, ref.name)) else None

    def custom(self, kind: str, group: str, namespace: str = "") -> tuple[CustomResource, ...]:
        """Custom resources of a kind; empty where the cluster does not serve it."""
        return cast("tuple[CustomResource, ...]", self.all_named(f"{kind}.{group}", namespace))

    def events_about(self, ref: Ref) -> tuple[Event, ...]:
        """Events about the object, oldest first. Events expire: their absence proves nothing. Always lenient."""
        if not self.maybe._may_read(event_want(ref)):
            return ()
        events = self.snapshot.index("Event", "involved").get((ref.short_kind, ref.namespace, ref.name), ())
        return tuple(sorted(events, key=_seen))

    def events_about_kind(self, kind: str) -> tuple[Event, ...]:
        """Events whose subject is of a cluster-scoped kind, oldest first. As `events_about`."""
        if not self.maybe._may_read(Want("Event", fields=f"involvedObject.kind={kind}")):
            return ()
        events = cast("tuple[Event, ...]", self.snapshot.of_kind("Event"))
        return tuple(sorted((event for event in events if event.involved_object.kind == kind), key=_seen))

    def pods_on(self, node: str) -> tuple[Pod, ...]:
        """The pods that are bound to a node."""
        if not self._may_read(Want("Pod", fields=f"spec.nodeName={node}")):
            return ()
        return self.snapshot.index("Pod", "node").get(node, ())

    def pods_at_hand(self, node: str) -> tuple[Pod, ...]:
        """The pods that are bound to a node, where they were read already; else none, and none are fetched."""
        self.reads.add("Pod")
        at_hand = self.snapshot.covers(Want("Pod", fields=f"spec.nodeName={node}"))
        return self.snapshot.index("Pod", "node").get(node, ()) if at_hand else ()

    def pods_named(self, name: str) -> tuple[Pod, ...]:
        """The pods of a name in any namespace: components name the pod that they run in without it."""
        if not self._may_read(Want("Pod", fields=f"metadata.name={name}")):
            return ()
        pods = cast("tuple[Pod, ...]", self.snapshot.of_kind("Pod"))
        return tuple(pod for pod in pods if pod.name == name)

    def owned_by(self, kind: type[T], owner: Ref) -> tuple[T, ...]:
        """The objects of a kind whose controller is `owner`, in the owner's namespace."""
        if not self._may_read(Want(kind_name(kind), owner.namespace)):
            return ()
        return self.snapshot.index(kind_name(kind), "owner").get((owner.short_kind, owner.namespace, owner.name), ())

    def slices_of(self, namespace: str, service: str) -> tuple[EndpointSlice, ...]:
        """The EndpointSlices of a Service."""
        if not self._may_read(slices_want(namespace, service)):
            return ()
        return self.snapshot.index("EndpointSlice", "service").get((namespace, service), ())

    def measured(self, kind: type[T], namespace: str, name: str = "") -> tuple[T, ...]:
        """What metrics-server measured: of the pods of a namespace (PodMetrics), or of a node by its name (NodeMetrics).
        Numbers only help: where there are none, nothing is missing, and what is at hand is not fetched."""
        want = Want(kind_name(kind), namespace, name)
        known = self.snapshot.closed or self.snapshot.covers(want) or bool(self.snapshot.refusal(want))
        if not known and not self.snapshot.limitation(want):
            raise NotCollected(want)
        objects = cast("tuple[T, ...]", self.snapshot.of_kind(want.kind, namespace))
        return tuple(obj for obj in objects if not name or obj.metadata.name == name)

    def log_tail(self, pod: Pod, container: str, *, previous: bool = False, optional: bool = False) -> LogTail | None:
        """The last lines of a container's log; None where it has none or it cannot be read. Always lenient. `optional`: that
        a recording lacks it is no gap."""
        want = LogWant(pod.namespace, pod.name, container, previous)
        self.reads.add("Log")
        try:
            return self.snapshot.log(want)
        except KeyError:
            pass
        if why := self.snapshot.refusal(want):
            if not (optional and why == NOT_HERE):
                self.gaps.add(Gap("Log", f"{want}: {why}"))
            return None
        raise NotCollected(want)

    def readyz(self) -> LogTail | None:
        """The lines of the API server's own checks, `/readyz?verbose`; None where they cannot be read: a recording may lack
        them, a server that refuses them leaves a gap."""
        try:
            return self.snapshot.log(READYZ)
        except KeyError:
            pass
        if self.snapshot.closed:
            return None
        if why := self.snapshot.refusal(READYZ):
            if why != NOT_HERE:
                self.gaps.add(Gap("API server", why))
            return None
        raise NotCollected(READYZ)

    def volumes_of_node(self, node: str, first: str = "") -> LogTail | None:
        """How full the volumes of a node are, a line for each claim; None where its kubelet cannot be asked, which needs the
        right to its proxy. Numbers only help: where there are none, nothing is missing. first: a node that is asked before;
        where that is forbidden, no other is asked."""
        want = volumes_want(node)
        if self.snapshot.has_log(want):
            return self.snapshot.log(want)
        if self.snapshot.closed or self.snapshot.refusal(want):
            return None
        if first and first != node:
            self.volumes_of_node(first)
            if self.snapshot.barrier(volumes_want(first)) is Barrier.FORBIDDEN:
                return None
        raise NotCollected(want)

    def require(self, *kinds: type[KubernetesObject], namespace: str = "") -> None:
        """Request several kinds at once, so that they are fetched in one round."""
        missing = []
        for kind in kinds:
            want = Want(kind_name(kind), namespace)
            if not (self.snapshot.covers(want) or self.snapshot.refusal(want) or self.snapshot.limitation(want)):
                missing.append(want)
        if missing:
            raise NotCollected(*missing)

    def together(self, *readings: Callable[[], object]) -> None:
        """Try several reads, so that missing objects are fetched in one round. Refusals and gaps show when the objects are
        read again, and only where that is needed."""
        missing: list[Want | LogWant] = []
        known = set(self.gaps)
        for reading in readings:
            try:
                reading()
            except NotCollected as more:
                missing += more.wants
            except CannotSee:
                continue
        self.gaps.intersection_update(known)
        if missing:
            raise NotCollected(*missing)

    def _may_read(self, want: Want) -> bool:
        """True if the snapshot answers; notes a partial answer. Raises as the class says."""
        self.reads.add(want.kind)
        row = kind_named(want.kind)
        if row and not row.namespaced and want.namespace:
            want = Want(want.kind, "", want.name, want.labels, want.fields)
        if self.snapshot.covers(want):
            return True
        if why := self.snapshot.limitation(want):
            self.gaps.add(Gap(want.kind, why, partial=True))
            return True
        if why := self.snapshot.refusal(want):
            if not self._lenient:
                raise CannotSee(want.kind, why)
            self.gaps.add(Gap(want.kind, why))
            return False
        raise NotCollected(want)


def _seen(event: Event) -> tuple[float, str]:
    seen_at = event.seen_at
    return (seen_at.timestamp() if seen_at else 0.0, event.metadata.name)
