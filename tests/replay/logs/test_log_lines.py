"""One line in the forms of many loggers: level, time and message."""

from __future__ import annotations

import pytest

from kubedoctor.replay.logs.levels import Level, level_of
from kubedoctor.replay.logs.log_lines import parse_line


@pytest.mark.parametrize(
    ("line", "level", "message"),
    [
        ("plain words", Level.UNSTATED, "plain words"),
        ("2026-01-15T10:00:00.1Z\terror\tcannot start", Level.ERROR, "cannot start"),
        ('time="2026-01-15T10:00:00Z" level=fatal msg="cannot start" err="no route"', Level.FATAL, "cannot start: no route"),
        ('ts=2026-01-15T10:00:00Z lvl=eror msg="it said \\"no\\""', Level.ERROR, 'it said "no"'),
        ("E0115 10:00:00.000000       1 main.go:57] boom", Level.ERROR, "boom"),
        ("F0115 10:00:00.000000 1 main.go:57] boom", Level.FATAL, "boom"),
        ('{"level":"error","ts":1.5,"msg":"failed","error":"no such host"}', Level.ERROR, "failed: no such host"),
        ('{"severity":"CRITICAL","message":"down"}', Level.FATAL, "down"),
        ('{"log.level":"ERROR","message":"a","error.message":"b"}', Level.ERROR, "a: b"),
        ('{"level":50,"msg":"pino","err":{"type":"Error","message":"connect"}}', Level.ERROR, "pino: Error: connect"),
        ('{"@l":"Error","@mt":"serilog","@x":"System.Exception: gone\\n   at A.B()"}', Level.ERROR, "serilog: System.Exception: gone"),
        ('{"t":{"$date":"2026-01-15"},"s":"F","c":"STORAGE","msg":"Terminating.","attr":{"reason":"5"}}', Level.FATAL, "Terminating.: 5"),
        ('{"log":"{\\"level\\":\\"warn\\",\\"msg\\":\\"inner\\"}\\n","stream":"stderr"}', Level.WARNING, "inner"),
        ('{"level":"INFO","fields":{"message":"nested"}}', Level.INFO, "nested"),
        ('{"level":"error","msg":"cut in the mid', Level.ERROR, "cut in the mid"),
        ("2026-01-15T10:00:00.123Z ERROR 1 --- [main] o.s.b.SpringApplication : Application run failed", Level.ERROR, "Application run failed"),
        ("2026-01-15 10:00:00,123 WARN  [io.quarkus] (main) careful", Level.WARNING, "careful"),
        ("10:00:00.123 [main] ERROR com.shop.Main - broken", Level.ERROR, "broken"),
        ("[2026-01-15 10:00:00,123] INFO started (kafka.server.KafkaServer)", Level.INFO, "started (kafka.server.KafkaServer)"),
        ("[2026-01-15T10:00:00,123][ERROR][o.e.b.Bootstrap ] [node-0] bad", Level.ERROR, "bad"),
        ("ERROR:root:bad", Level.ERROR, "root:bad"),
        ("2026-01-15 10:00:00,123 - app - CRITICAL - bad", Level.FATAL, "bad"),
        ("[2026-01-15 10:00:00 +0000] [18] [ERROR] bad", Level.ERROR, "bad"),
        ("2026-01-15 10:00:00.1 | ERROR    | app.main:run:5 - bad", Level.ERROR, "run:5 - bad"),
        ("[E 2026-01-15 10:00:00.123 ServerApp] bad", Level.ERROR, "bad"),
        ("fail: Shop.Worker[0]", Level.ERROR, "Shop.Worker[0]"),
        ("[10:00:00 FTL] bad", Level.FATAL, "bad"),
        ("2026/01/15 10:00:00 [emerg] 1#1: bind() failed", Level.FATAL, "bind() failed"),
        ("nginx: [warn] careful", Level.WARNING, "careful"),
        ("[Thu Jan 15 10:00:00.000000 2026] [core:error] [pid 1] AH1: bad", Level.ERROR, "AH1: bad"),
        ("2026-01-15 10:00:00.123 UTC [1] FATAL:  bad", Level.FATAL, "bad"),
        ("2026-01-15T10:00:00.123456Z 0 [ERROR] [MY-010020] [Server] bad", Level.ERROR, "bad"),
        ("2026-01-15 10:00:00 0 [Note] InnoDB: fine", Level.INFO, "InnoDB: fine"),
        ("1:M 15 Jan 2026 10:00:00.123 # bad", Level.UNSTATED, "bad"),
        ("1:M 15 Jan 2026 10:00:00.123 * fine", Level.INFO, "fine"),
        ("2026-01-15 10:00:00.123456+00:00 [error] <0.132.0> bad", Level.ERROR, "bad"),
        ("2026-01-15 10:00:00.123456 C | etcdmain: bad", Level.FATAL, "bad"),
        ("[2026-01-15 10:00:00.123][1][critical][main] [source/server.cc:1] bad", Level.FATAL, "bad"),
        ("E, [2026-01-15T10:00:00.1 #1] ERROR -- : bad", Level.ERROR, "bad"),
        ("2026-01-15T10:00:00.123Z pid=1 tid=4ed WARN: careful", Level.WARNING, "careful"),
        ("PHP Fatal error:  Uncaught Error: bad", Level.ERROR, "Uncaught Error: bad"),
        ("ERRO[0001] bad", Level.ERROR, "bad"),
        ("[2026-01-15T10:00:00Z ERROR shop::main] bad", Level.ERROR, "bad"),
        ("2026-01-15T10:00:00.1Z  INFO shop::main: fine", Level.INFO, "shop::main: fine"),
        ("npm ERR! missing script: start", Level.ERROR, "missing script: start"),
        ("[Nest] 1  - 01/15/2026, 10:00:00 AM   ERROR [Main] bad", Level.ERROR, "bad"),
        ("2026-01-15T10:00:00.1Z\tERROR\tsetup\tbad", Level.ERROR, "setup\tbad"),
        ("2026-01-15 10:00:00.123:WARN:oejs.Server:main: careful", Level.WARNING, "main: careful"),
        ("error: bad", Level.ERROR, "bad"),
        ("\x1b[31mERROR\x1b[0m bad\r", Level.ERROR, "bad"),
        ("2026-01-15T10:00:00.123456789Z stderr F ERROR bad", Level.ERROR, "bad"),
        ("web-1  | ERROR bad", Level.ERROR, "bad"),
    ],
)  # fmt: skip
def test_the_level_and_the_message(line: str, level: Level, message: str) -> None:
    parsed = parse_line(line)
    assert (parsed.level, parsed.message) == (level, message)


@pytest.mark.parametrize(
    ("line", "time"),
    [
        ("2026-01-15T10:00:00.123456789Z ERROR bad", "2026-01-15T10:00:00.123456789Z"),
        ('{"ts":"2026-01-15T10:00:00Z","level":"info","msg":"a"}', "2026-01-15T10:00:00Z"),
        ("2026/01/15 10:00:00 [emerg] 1#1: bad", "2026/01/15 10:00:00"),
        ("E0115 10:00:00.000000 1 main.go:57] bad", "0115 10:00:00.000000"),
        ("no time at all", ""),
    ],
)
def test_the_time(line: str, time: str) -> None:
    assert parse_line(line).time == time


@pytest.mark.parametrize("line", ["", " ", "{", "{}", "[", "{" * 5000, "level=", '{"level":', "\x00\x1b["])
def test_no_line_raises(line: str) -> None:
    assert parse_line(line).level in Level


def test_levels_as_words_and_numbers() -> None:
    assert level_of("Warning") is Level.WARNING
    assert level_of(3) is Level.ERROR
    assert level_of("50") is Level.ERROR
    assert level_of("loud") is Level.UNSTATED
    assert level_of(True) is Level.UNSTATED
