"""`kubedoctor scan`: every diagnostic over everything."""

from __future__ import annotations

import argparse
import time

from kubedoctor.cli.commands.reading import finish, opened
from kubedoctor.cli.formats import check_format
from kubedoctor.cli.subject import check_namespace
from kubedoctor.cluster.grammar.selectors import SelectorError, parse_label_selector
from kubedoctor.cluster.kinds.meta import KubernetesObject
from kubedoctor.engine import load_catalogue, scan
from kubedoctor.problems import UsageProblem


def scan_command(options: argparse.Namespace) -> int:
    """List what the catalogue reads, run it once, print the incidents."""
    started = time.perf_counter()
    check_format(options.output)
    if len(options.words) > 1:
        raise UsageProblem(
            f"scan takes no name: {options.words[1]}", f"For one object: kubedoctor {options.words[1]} NAME"
        )
    try:
        selector = parse_label_selector(options.selector) if options.selector else None
    except SelectorError as error:
        raise UsageProblem(f"-l {options.selector}: {error}", "For example: -l app=checkout,tier!=cache") from None

    def picked(obj: KubernetesObject) -> bool:
        return selector is None or selector.matches(obj.metadata.labels)

    catalogue = load_catalogue()
    with opened(options) as source:
        # A bundle is small and somebody chose it: all of it is meant unless -n says otherwise.
        whole = options.all_namespaces or (source.snapshot.closed and not options.namespace)
        namespace = "" if whole else options.namespace or source.namespace
        source.list_all(catalogue.reads(), namespace)
        if namespace:
            check_namespace(namespace, source)
        report = scan(catalogue, source.snapshot, source.gather, namespace, picked=picked)
    return finish(report, options, started)
