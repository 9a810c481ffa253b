"""The pictures of the README, byte for byte. After a wanted change: pytest tests/tui/test_pictures.py --snapshot-update."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tui.screenshots import CALM, PICTURES, Picture, application, settle, take


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_picture(picture: Picture, snap_compare: Any) -> None:
    async def before(pilot: Any) -> None:
        await settle(pilot.app, CALM)
        for key in picture.keys:
            await pilot.press(key)
            await settle(pilot.app, CALM)

    assert snap_compare(
        application(picture.recording, "", picture.theme), terminal_size=picture.size, run_before=before
    )


async def test_the_same_recording_gives_the_same_picture() -> None:
    assert await take(PICTURES[0]) == await take(PICTURES[0])
