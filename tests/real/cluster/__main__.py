"""Start a real cluster by hand: `python -m tests.real.cluster --node` prints its KUBECONFIG and runs until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys

from tests.real.cluster.control_plane import RealCluster
from tests.real.cluster.requirements import why_not_run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.real.cluster", description=__doc__)
    parser.add_argument("--node", action="store_true", help="start a real node too")
    parser.add_argument("--name", default="by-hand", help="name of its folder and control groups")
    arguments = parser.parse_args()
    if reason := why_not_run():
        print(f"Cannot start the real cluster: {reason}.", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with RealCluster(arguments.name, node=arguments.node) as cluster:
            print(f"export KUBECONFIG={cluster.kubeconfig}", flush=True)
            print(f"# ready after {max(cluster.timings.values())} s; Ctrl-C ends it", file=sys.stderr, flush=True)
            signal.pause()
    except KeyboardInterrupt:
        return 0
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
