"""`kubedoctor` and `kubectl kubedoctor`."""

from __future__ import annotations

import gc
import os
import sys

gc.disable()  # What the program itself is made of is not garbage: looking for some takes a twentieth of a short run.
_UNUSED = "typing_extensions"
if (
    _UNUSED not in sys.modules
):  # msgspec takes the same from typing, which is there already; a fifteenth of a short run.
    sys.modules[_UNUSED] = None  # type: ignore[assignment]  # "cannot be imported"
    import msgspec  # noqa: F401

    del sys.modules[_UNUSED]
from kubedoctor.cli import main as run  # noqa: E402

gc.freeze()
gc.enable()


def main() -> int:
    """Run the command line and end the process at once: freeing a large cluster object by object takes a second."""
    code = run()
    if sys.getprofile() is None:  # a profiler writes its results when Python ends
        sys.stderr.flush()
        os._exit(code)
    return code


if __name__ == "__main__":
    sys.exit(main())
