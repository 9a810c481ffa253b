"""What changed of a snapshot that is kept current."""

from __future__ import annotations

import msgspec

from kubedoctor.cluster.kinds.references import Ref


class News(msgspec.Struct, frozen=True):
    """`objects` were added, changed or removed one by one; of `kinds` a whole list was read, or what is known of them
    changed."""

    kinds: frozenset[str] = frozenset()
    objects: frozenset[Ref] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.kinds or self.objects)

    def __or__(self, other: News) -> News:
        return News(self.kinds | other.kinds, self.objects | other.objects)

    @property
    def namespaces(self) -> set[str]:
        """Where single objects changed."""
        return {name.namespace for name in self.objects if name.namespace}

    @property
    def all_kinds(self) -> frozenset[str]:
        """The kinds of everything that changed."""
        return self.kinds | {name.kind for name in self.objects}
