"""What every test may use."""

from __future__ import annotations

import gc
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.shared import SHARED

# A busy machine is no failure.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
os.environ.pop("COLUMNS", None)  # pytest-xdist sets it; text is as wide as in a pipe unless a test says otherwise
_SETTINGS = tempfile.TemporaryDirectory(prefix="kubedoctor-settings-")
os.environ["XDG_CONFIG_HOME"] = (
    _SETTINGS.name
)  # in a terminal the UI keeps and reads what the user of this machine chose
gc.disable()  # ten thousand tests are collected, and none of them is garbage


def pytest_collection_finish() -> None:
    """From now on the collector works as usual, but skips the tests themselves: a search takes a tenth of the time."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of upstream's answers."""
    if not (SHARED / "conformance").is_dir():
        pytest.skip(f"no conformance data in {SHARED}: set KUBEDOCTOR_SHARED to the folder that holds it")
    return SHARED
