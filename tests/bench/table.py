"""The list with 150,000 rows: CPU time to make, show, filter and page. `python -m tests.bench.table [ROWS]`.

CPU time, since a pilot's key press has a floor of its own in wall time.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from textual.app import ComposeResult

from kubedoctor.cluster import Ref, Snapshot, Source
from kubedoctor.cluster.kinds.containers import Container, ContainerStatus
from kubedoctor.cluster.kinds.meta import ObjectMeta, OwnerReference
from kubedoctor.cluster.kinds.pods import Pod, PodSpec, PodStatus
from kubedoctor.tui.columns import columns_of
from kubedoctor.tui.filters import keep
from kubedoctor.tui.rows import Row, View, arrange, make_rows
from kubedoctor.tui.widgets.themed_app import ThemedApp
from kubedoctor.tui.widgets.virtual_table import VirtualTable

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def cluster(pods: int) -> Snapshot:
    """So many pods in 300 namespaces."""
    spec = PodSpec(node_name="n1", containers=(Container(name="app", image="app:1"),))
    statuses = tuple(
        PodStatus(phase="Running", container_statuses=(ContainerStatus(name="app", ready=True, restart_count=n),))
        for n in range(2)
    )
    snapshot = Snapshot(NOW, Source("bundle", "made"), complete=True)
    snapshot.add(
        Pod(
            metadata=ObjectMeta(
                name=f"web-{n // 30}-{n:06}",
                namespace=f"team-{n % 300}",
                creation_timestamp=NOW,
                owner_references=(OwnerReference(kind="ReplicaSet", name=f"web-{n // 30}", controller=True),),
            ),
            spec=spec,
            status=statuses[n % 7 == 0],
        )
        for n in range(pods)
    )
    return snapshot


def spent(what: str, work: Callable[[], object], times: int = 1) -> None:
    """Run it and print the CPU time of one run."""
    before = time.process_time()
    for _ in range(times):
        work()
    print(f"{what:<44} {(time.process_time() - before) / times * 1000:10.2f} ms")


class TableApp(ThemedApp):
    """A table and nothing else."""

    def compose(self) -> ComposeResult:
        yield VirtualTable()


def paint(table: VirtualTable) -> None:
    """Draw every visible line."""
    for y in range(table.size.height):
        table.render_line(y)


def move(table: VirtualTable, by: int) -> None:
    table.highlight(table.cursor + by)
    paint(table)


async def measure(count: int) -> None:
    snapshot = cluster(count)
    view = View("Pod")
    made: list[tuple[Row, ...]] = []
    spent("rows from the snapshot, sorted (a worker)", lambda: made.append(make_rows(snapshot, view)))
    spent("the same again, with its indexes", lambda: made.append(make_rows(snapshot, view)))
    rows = made[-1]
    spent("sort by name (a worker)", lambda: arrange(rows, "name"))
    spent("filter, first letter (a worker)", lambda: keep(rows, "w"))
    spent("filter, a name (a worker)", lambda: keep(rows, "web-17-"))
    spent("filter, nothing fits (a worker)", lambda: keep(rows, "zzz"))
    app = TableApp()
    async with app.run_test(size=(120, 50)) as pilot:
        table = app.query_one(VirtualTable)
        columns = columns_of(view)

        def show() -> None:
            table.show(rows, columns, NOW)
            paint(table)

        spent("show and paint (event loop)", show)
        await pilot.pause()
        spent("cursor down and paint (event loop)", lambda: move(table, 1), 200)
        spent("page down and paint (event loop)", lambda: move(table, 48), 200)
        spent("show rows made anew, cursor kept (event loop)", lambda: table.show(made[0], columns, NOW))
        assert table.current is not None
        assert table.current.ref == Ref("Pod", table.current.ref.namespace, table.current.ref.name)


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 150_000))
