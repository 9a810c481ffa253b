"""Traces as the runtimes of several languages write them."""

from __future__ import annotations

import pytest

from kubedoctor.replay.logs.reading import read_log
from kubedoctor.replay.logs.traces import crash_message

GO = """panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x18 pc=0x12ab34c]

goroutine 1 [running]:
net/http.(*Server).Serve(0x0)
\t/usr/local/go/src/net/http/server.go:3285 +0x1c
main.(*Server).Start(0x0)
\t/src/cmd/server.go:88 +0x1c"""
RUST = "thread 'main' panicked at src/main.rs:4:5:\nindex out of bounds: the len is 3 but the index is 9"
PYTHON = """Traceback (most recent call last):
  File "/app/main.py", line 3, in <module>
    start()
  File "/app/server.py", line 12, in start
    int("x")
ValueError: invalid literal for int() with base 10: 'x'"""
JAVA = """Exception in thread "main" java.lang.IllegalStateException: no tenant
\tat com.shop.Main.main(Main.java:12)"""


@pytest.mark.parametrize(
    ("trace", "message"),
    [
        (GO, "panic: runtime error: invalid memory address or nil pointer dereference (server.go:88)"),
        (RUST, "thread 'main' panicked at src/main.rs:4:5: index out of bounds: the len is 3 but the index is 9"),
        (PYTHON, "ValueError: invalid literal for int() with base 10: 'x' (server.py:12)"),
        (JAVA, 'Exception in thread "main" java.lang.IllegalStateException: no tenant (Main.java:12)'),
        ("Segmentation fault (core dumped)", "Segmentation fault (core dumped)"),
    ],
)
def test_the_message_and_the_place_of_a_crash(trace: str, message: str) -> None:
    lines = ["starting", *trace.splitlines()]
    cause = read_log(lines, 1)
    assert cause is not None
    assert crash_message(lines, cause.index) == message
