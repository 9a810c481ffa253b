"""`kubedoctor KIND NAME`: one object and what it depends on."""

from __future__ import annotations

import argparse
import time

from kubedoctor.cli.commands.reading import finish, opened
from kubedoctor.cli.formats import check_format
from kubedoctor.cli.subject import find_subject, split_words
from kubedoctor.engine import focus, load_catalogue


def diagnose(options: argparse.Namespace) -> int:
    """Examine the object in rounds and print what is wrong with it."""
    started = time.perf_counter()
    check_format(options.output)
    split_words(options.words)  # A misspelled kind is told before the cluster is asked.
    with opened(options) as source:
        subject = find_subject(options.words, source, options.namespace or None)
        report = focus(load_catalogue(), subject, source.snapshot, source.gather)
    return finish(report, options, started)
