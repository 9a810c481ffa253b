"""Print where the verdicts differ."""

from __future__ import annotations

import json
import sys

import msgspec

from kubedoctor.collect.manifests.schemas import schemas_for
from kubedoctor.replay.validation.schemas import Schemas
from tests.real.verdicts.comparing import verdicts
from tests.real.verdicts.server import ApiServer


def main(number: int, seed: int) -> None:
    with ApiServer() as server:
        _, served = server.request("GET", "/openapi/v2")
        for name, schemas in (("served", Schemas(served["definitions"], "1.37")), ("client", schemas_for(None))):
            found = list(verdicts(server, schemas, number, seed))
            same = sum(verdict.agrees for verdict in found)
            refused = sum(bool(verdict.server) for verdict in found)
            print(f"{name}: {same} of {len(found)} agree ({same / len(found):.2%}), {refused} refused by the server")
            with open(f"/tmp/verdicts-{name}-{seed}.json", "wb") as file:
                file.write(msgspec.json.encode([verdict for verdict in found if not verdict.agrees]))
            if name == "served":
                for verdict in found:
                    if not verdict.agrees:
                        where = f"{verdict.document['kind']}"
                        print(
                            f"  {where}: server: {verdict.server[:300] or 'takes it'}\n      ours: {json.dumps(verdict.ours)[:300]}"
                        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000, int(sys.argv[2]) if len(sys.argv) > 2 else 1)
