"""`python -m tests.bench.lasting [PODS [MINUTES [CHANGES_A_SECOND]]]`: whether the memory of the terminal UI grows.

As `watching`, but long: nine tenths are changes of objects, one tenth creates and deletes pods and Events. The history of the
time machine grows to its bound, and the memory with it; from then on it must not grow. 10 minutes at 300 a second are as many changes as
an hour at 50.
"""

from __future__ import annotations

import sys
import time

from tests.bench.watching import MIX, running

CHURNED = 0.1
"""The part of the changes that creates and deletes objects."""


def main() -> int:
    """Print the resident memory, the blocks in use and the size of the history at each minute."""
    given = [int(word) for word in sys.argv[1:]]
    pods, minutes, rate = (*given, *(3_000, 10, 300)[len(given) :])
    with running(pods) as (screen, server):
        rates = {what: rate * (1 - CHURNED) * part for what, part in MIX.items()}
        began = server.send(churn=rate * CHURNED, **rates)
        for minute in range(minutes + 1):
            state = screen.state()
            sent = server.send(churn=rate * CHURNED, **rates) - began
            print(
                f"minute {minute:3}  {screen.memory():6.0f} MiB  {state['blocks'] / 1000:7.0f} thousand blocks  "
                f"{state['history'] / 2**20:5.1f} MiB of history  {sent:8,} changes  {state['lost'] or ''}",
                flush=True,
            )
            if minute < minutes:
                time.sleep(60)
    return 0


if __name__ == "__main__":
    sys.exit(main())
