"""`kubedoctor` and `kubectl kubedoctor`."""

from __future__ import annotations

import os
import sys

from kubedoctor.cli import main as run


def main() -> int:
    """Run the command line and end the process at once: freeing a large cluster object by object takes a second."""
    code = run()
    if sys.getprofile() is None:  # a profiler writes its results when Python ends
        sys.stderr.flush()
        os._exit(code)
    return code


if __name__ == "__main__":
    sys.exit(main())
