"""The list of any length: only the lines that are seen are made."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace
from textual.app import ComposeResult

from kubedoctor.cluster import Ref
from kubedoctor.engine.health import Health
from kubedoctor.tui.columns import ListColumn, columns_of
from kubedoctor.tui.rows import Row, View, place_in
from kubedoctor.tui.widgets.themed_app import ThemedApp
from kubedoctor.tui.widgets.virtual_table import VirtualTable

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def rows(count: int) -> tuple[Row, ...]:
    return tuple(Row(Ref("Deployment", "shop", f"web-{n}"), Health.HEALTHY, "1/1", created=NOW) for n in range(count))


class TableApp(ThemedApp):
    """A table and nothing else."""

    highlighted: Row | None = None

    def compose(self) -> ComposeResult:
        yield VirtualTable()

    @property
    def table(self) -> VirtualTable:
        return self.query_one(VirtualTable)

    def on_virtual_table_highlighted(self, message: VirtualTable.Highlighted) -> None:
        self.highlighted = message.row


def current(app: TableApp) -> Row | None:
    return app.table.current


def lines(table: VirtualTable) -> list[str]:
    return [table.render_line(y).text.rstrip() for y in range(table.size.height)]


async def test_only_visible_lines_are_made() -> None:
    made: list[str] = []

    def name(row: Row, _: datetime) -> str:
        made.append(row.ref.name)
        return row.ref.name

    app = TableApp()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show(rows(100_000), (ListColumn("NAME", 0, name),), NOW)
        await pilot.pause()
        assert 0 < len(set(made)) <= 10
        app.table.highlight(50_000)
        await pilot.pause()
        assert 0 < len(set(made)) <= 30
        assert any("web-50000" in line for line in lines(app.table))
        assert app.highlighted is not None
        assert app.highlighted.ref.name == "web-50000"


async def test_every_line_is_as_wide_as_the_table() -> None:
    app = TableApp()
    strange = Row(Ref("Pod", "shop", "日本語の名前-" * 9), Health.BROKEN, "0/1", status="Crash")
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.show((strange, *rows(30)), columns_of(View("Pod", "shop")), NOW)
        await pilot.pause()
        width = app.table.scrollable_content_region.width
        assert {app.table.render_line(y).cell_length for y in range(10)} == {width}
        assert "…" in lines(app.table)[1]


async def test_the_cursor_stays_on_its_object_when_rows_change() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 10)) as pilot:
        some = rows(20)
        app.table.show(some, columns_of(View(namespace="shop")), NOW)
        app.table.highlight(7)
        app.table.show((*reversed(some),), columns_of(View(namespace="shop")), NOW)
        await pilot.pause()
        kept = current(app)
        assert kept is not None
        assert kept.ref.name == "web-7"
        app.table.show((*reversed(rows(19)),), columns_of(View(namespace="shop")), NOW)
        assert app.table.cursor == 11  # the same object, in a row that was made again
        app.table.show(some[:3], columns_of(View(namespace="shop")), NOW)
        assert app.table.cursor == 2
        app.table.show((), columns_of(View(namespace="shop")), NOW)
        await pilot.pause()
        assert current(app) is None
        assert app.highlighted is None


async def test_an_object_is_found_by_its_row_and_by_its_name_however_the_rows_are_sorted() -> None:
    app, key = TableApp(), place_in("name")
    async with app.run_test(size=(60, 10)):
        some = sorted(rows(500), key=key)
        for shown in (some, [*reversed(some)], [replace(row, ready="0/1") for row in some]):
            app.table.show(shown, columns_of(View(namespace="shop")), NOW, key=key)
            for row in (some[0], some[77], some[-1]):
                assert shown[app.table.index_of(row, key)].ref == shown[app.table.index_of(row.ref)].ref == row.ref
        gone = replace(some[3], ref=Ref("Pod", "shop", "gone"))
        assert app.table.index_of(gone, key) == app.table.index_of(gone.ref) == -1
        app.table.highlight(400)
        app.table.show(some[:300], columns_of(View(namespace="shop")), NOW, key=key, selected=True)
        assert app.table.cursor == 299
        two = [replace(some[0], finding=finding) for finding in ("f1", "f2")]
        app.table.show(two, columns_of(View(namespace="shop")), NOW)
        assert [app.table.index_of(replace(some[0], finding=finding)) for finding in ("f2", "f1", "f9")] == [1, 0, 0]


async def test_keys_page_and_jump() -> None:
    app = TableApp()
    async with app.run_test(size=(60, 10)) as pilot:
        app.table.focus()
        app.table.show(rows(100), columns_of(View(namespace="shop")), NOW)
        await pilot.press("G")
        assert app.table.cursor == 99
        assert any("web-99" in line for line in lines(app.table))
        await pilot.press("pageup")
        assert app.table.cursor == 91
        await pilot.press("g", "j", "j", "k")
        assert app.table.cursor == 1


async def test_columns_fit_their_texts_and_a_name_keeps_its_end() -> None:
    app = TableApp()
    async with app.run_test(size=(70, 6)) as pilot:
        pods = tuple(
            Row(Ref("Pod", "shop", f"payments-55fb65c6b5-long-{end}"), Health.BROKEN, "0/1", "Pending", created=NOW)
            for end in ("fz26c", "7s4mq")
        )
        app.table.show(pods, columns_of(View("Pod")), NOW)
        await pilot.pause()
        head, first, second = lines(app.table)[:3]
        assert head.split() == ["NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE", "CAUSE"]
        assert "…-fz26c" in first
        assert "…-7s4mq" in second
        longer = Row(Ref("Pod", "payments-of-all-shops", "a"), Health.BROKEN, "0/1", "ImagePullBackOff", created=NOW)
        app.table.show((*pods, longer), columns_of(View("Pod", "")), NOW)
        await pilot.pause()
        assert "ImagePullBack" in lines(app.table)[3]
