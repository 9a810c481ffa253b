"""The API server's verdict and ours on the same object."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import msgspec

from kubedoctor.cluster.kinds.resources import kind_named
from kubedoctor.replay.validation.objects import violations
from kubedoctor.replay.validation.schemas import Schemas
from tests.real.verdicts.bases import bases
from tests.real.verdicts.mutants import mutated
from tests.real.verdicts.server import ApiServer


class Verdict(msgspec.Struct, frozen=True):
    """server: its words; empty where it takes the object. ours: what is found."""

    document: dict[str, Any]
    server: str
    ours: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        return bool(self.server) == bool(self.ours)


def documents(number: int, seed: int) -> Iterator[dict[str, Any]]:
    """Half as they are, half changed; the names of those that are not changed differ."""
    chance = random.Random(seed)
    all_bases = bases()
    for place in range(number):
        base = all_bases[place % len(all_bases)]
        yield (
            mutated(base, chance)
            if (place // len(all_bases)) % 2
            else {**base, "metadata": {**base["metadata"], "name": f"{base['metadata']['name']}-{place}"}}
        )


def verdicts(server: ApiServer, schemas: Schemas, number: int, seed: int) -> Iterator[Verdict]:
    """In the order of the documents."""
    for document in documents(number, seed):
        row = kind_named(document["kind"])
        assert row is not None
        schema = schemas.of(document["apiVersion"], document["kind"])
        assert schema is not None
        metadata = document.get("metadata")
        named = metadata.get("namespace") if isinstance(metadata, dict) else None
        path = row.path("default" if row.namespaced and not named else None)
        ours = tuple(violation.text for violation in violations(document, schema, schemas, namespaced=row.namespaced))
        yield Verdict(document, server.dry_run(path, document), ours)
