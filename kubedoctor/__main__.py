"""`kubedoctor` and `kubectl kubedoctor`."""

from __future__ import annotations

import sys

from kubedoctor.cli import main

if __name__ == "__main__":
    sys.exit(main())
