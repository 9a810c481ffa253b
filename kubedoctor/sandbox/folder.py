"""A folder of this process alone, which goes when the process ends, however it ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

_START = "kubedoctor-demo-"
_REMOVES = 'read -r _; exec rm -rf -- "$1"'
_PATIENCE = 5.0  # seconds


class OwnFolder:
    """A new folder. A small process waits on a pipe that ends with this one, and then removes it: a kill leaves no other
    time to. Where there is no shell, the next start removes it."""

    def __init__(self) -> None:
        remove_left_behind()
        self._folder = tempfile.TemporaryDirectory(prefix=f"{_START}{os.getpid()}-")
        self.path = Path(self._folder.name)
        self._remover: subprocess.Popen[bytes] | None = None
        if os.name == "posix":
            with contextlib.suppress(OSError):
                self._remover = subprocess.Popen(
                    ["/bin/sh", "-c", _REMOVES, "kubedoctor-remove", self._folder.name],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    start_new_session=True,  # what ends the terminal or its processes leaves it alone
                )

    def remove(self) -> None:
        """Remove it with all that it holds; may be called again."""
        self._folder.cleanup()
        remover, self._remover = self._remover, None
        if remover is not None and remover.stdin is not None:
            remover.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                remover.wait(_PATIENCE)


def remove_left_behind() -> None:
    """Removes the folders of killed processes: the process in their name no longer exists."""
    if os.name != "posix":
        return
    for folder in Path(tempfile.gettempdir()).glob(f"{_START}*"):
        process = folder.name.removeprefix(_START).partition("-")[0]
        if not process.isdecimal() or folder.is_symlink():
            continue
        try:
            os.kill(int(process), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except (PermissionError, OverflowError):
            continue
