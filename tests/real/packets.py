"""Connections with real packets between pods: `python packets.py QUESTION` tries them all at once, from where it runs.

The question is JSON: `{name: [protocol, address, port]}`; so is the answer: `{name: whether something answered}`.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PATIENCE = 2.0
Target = tuple[str, str, int]
"""Protocol, address and port."""


def answers(pid: int, targets: dict[str, Target]) -> dict[str, bool]:
    """Which targets answer in the network of a process."""
    command = [
        "nsenter",
        f"--target={pid}",
        "--net",
        sys.executable,
        str(Path(__file__).resolve()),
        json.dumps(targets),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return dict(json.loads(done.stdout))


def answered(target: Target) -> bool:
    protocol, address, port = target
    kind = socket.SOCK_STREAM if protocol == "TCP" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as connection:
        connection.settimeout(PATIENCE)
        try:
            connection.connect((address, port))
            if protocol == "UDP":
                connection.send(b"?")
                connection.recv(16)
        except OSError:
            return False
    return True


if __name__ == "__main__":
    QUESTION = json.loads(sys.argv[1])
    with ThreadPoolExecutor(len(QUESTION)) as pool:
        print(json.dumps(dict(zip(QUESTION, pool.map(answered, QUESTION.values()), strict=True))))
