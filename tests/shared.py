"""Where the data of upstream's answers and the recorded states are, which are not part of the project."""

from __future__ import annotations

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("KUBEDOCTOR_SHARED") or PROJECT.parent / "shared")
"""`../shared`, or the folder that KUBEDOCTOR_SHARED names; it may be missing."""
