"""`python -m tests.tui.screenshots FOLDER`: pictures of the real application on recorded clusters."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import msgspec
from textual.message_pump import MessagePump
from textual.timer import Timer

from kubedoctor.collect.opening import open_source
from kubedoctor.collect.options import Options
from kubedoctor.engine import load_catalogue
from kubedoctor.sandbox import recording_path
from kubedoctor.tui.app import KubedoctorApp
from kubedoctor.tui.session import Session

CALM = 0.3
"""Seconds without work after which a picture is taken, also on a busy machine."""


class Picture(msgspec.Struct, frozen=True):
    """A file, the recording that it shows, the size in cells, the keys pressed before, and the colours."""

    name: str
    recording: str
    size: tuple[int, int]
    keys: tuple[str, ...] = ()
    theme: str = "dark"


def _typed(text: str) -> tuple[str, ...]:
    """The keys of a text."""
    names = {" ": "space", ":": "colon", ".": "full_stop", "/": "slash"}
    return tuple(names.get(letter, letter) for letter in text)


PICTURES = (
    Picture("home", "shop-at-night", (120, 36)),
    Picture("tree", "shop-at-night", (120, 36), ("enter", "j")),
    Picture("workloads", "shop-at-night", (120, 32), ("tab",)),
    Picture("why", "insufficient-cpu", (120, 36), ("w",)),
    Picture("nodes", "insufficient-cpu", (120, 24), ("w", "n")),
    Picture("rehearse", "insufficient-cpu", (120, 24), ("r",)),
    Picture("timeline", "oom-killed", (120, 32), ("t",)),
    Picture("logs", "oom-killed", (120, 24), ("p",)),
    Picture("reach", "shop-at-night", (120, 28), ("tab", "colon", *_typed("reach db.shop:5432"), "enter")),
    Picture("lesson", "oom-killed", (120, 36), ("e",)),
    Picture("connectivity", "shop-at-night", (120, 32), ("m", "l", "l")),
    Picture("narrow", "shop-at-night", (80, 24)),
    Picture("light", "oom-killed", (120, 36), (), "light"),
)


def application(recording: str, namespace: str = "shop", theme: str = "dark") -> KubedoctorApp:
    """The application on one of the package's own recordings."""
    options = Options(from_=(str(recording_path(recording)),))
    app = KubedoctorApp(lambda: Session(open_source(options, read=False), load_catalogue()), namespace)
    app.theme = theme
    return app


SHORT = 0.3
"""Seconds: a timer of a screen that waits no longer than this is about to change what is shown."""


LONGEST = 120.0
"""Seconds: what is still busy then would be for ever."""


async def settle(app: KubedoctorApp, quiet: float = 0.1) -> None:
    """Wait until nothing has been made for so many seconds: a finished worker's message may start the next one. Raises
    AssertionError that names what does not end."""
    step = 0.02
    calm = waited = 0.0
    while calm < quiet:
        await asyncio.sleep(step)
        waited += step
        busy = _busy(app)
        calm = 0.0 if busy else calm + step
        assert waited < LONGEST, f"still busy after {LONGEST:.0f}s: {busy}"


def _busy(app: KubedoctorApp) -> list[str]:
    """What works, or will without a key: on a slow machine a screen that is opened mounts its widgets for longer than the quiet
    time, and its first worker starts only then."""
    if not app.is_running:
        return []
    pumps: list[MessagePump] = [app]
    for screen in app.screen_stack:
        pumps += [screen, *screen.walk_children()]
    return [
        *(
            f"worker {worker.name}"
            for one in (app, *app.screen_stack)
            for worker in one.workers
            if not worker.is_finished
        ),
        *(
            f"{pump} with {pump.message_queue_size} messages"
            for pump in pumps
            if not pump.is_running or not pump._is_mounted or pump.message_queue_size
        ),
        *(f"timer of {pump}" for pump in pumps[1:] if any(map(_is_short, pump._timers))),
    ]


def _is_short(timer: Timer) -> bool:
    """Whether it goes off once, and soon."""
    runs = timer._task is not None and not timer._task.done()
    return runs and timer._repeat == 0 and timer._interval <= SHORT


async def take(picture: Picture) -> str:
    """The picture as SVG; the same recording gives the same bytes."""
    app = application(picture.recording, "", picture.theme)
    async with app.run_test(size=picture.size) as pilot:
        await settle(app, CALM)
        for key in picture.keys:
            await pilot.press(key)
            await settle(app, CALM)
        await pilot.pause()
        return re.sub(r"terminal-\d+-", "terminal-", app.export_screenshot(title="kubedoctor"))


def main(arguments: list[str]) -> int:
    """Write every picture into the folder."""
    folder = Path(arguments[0] if arguments else "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    for picture in PICTURES:
        (folder / f"{picture.name}.svg").write_text(asyncio.run(take(picture)), encoding="utf-8")
        sys.stdout.write(f"{folder / picture.name}.svg\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
