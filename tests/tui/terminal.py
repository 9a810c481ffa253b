"""A real terminal: tmux draws it, and its pane is read."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

HAS_TMUX = shutil.which("tmux") is not None
PATIENCE = 60.0  # seconds; a busy machine is slow to start Python


class Terminal:
    """A tmux server of its own, so that nobody's sessions are touched."""

    def __init__(self, socket: Path) -> None:
        self._tmux = ["tmux", "-S", str(socket), "-f", "/dev/null"]

    def run(self, *arguments: str) -> str:
        done = subprocess.run([*self._tmux, *arguments], capture_output=True, text=True, check=True, timeout=PATIENCE)
        return done.stdout

    def start(self, *command: str, size: tuple[int, int] = (100, 30)) -> None:
        self.run("new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), *command)

    def end(self) -> None:
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, check=False)

    def keys(self, *keys: str) -> None:
        self.run("send-keys", *keys)

    def screen(self) -> str:
        return self.run("capture-pane", "-p")

    def until(self, *words: str) -> str:
        """The screen, once all words are on it."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            text = self.screen()
            if all(word in text for word in words):
                return text
            time.sleep(0.1)
        raise AssertionError(f"{words} did not come; the screen:\n{text}")
