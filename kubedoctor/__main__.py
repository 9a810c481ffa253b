"""`kubedoctor` and `kubectl kubedoctor`."""

from __future__ import annotations

import gc
import os
import sys

gc.disable()  # What the program itself is made of is not garbage: looking for some takes a twentieth of a short run.


def _import_msgspec() -> None:
    """Without typing_extensions, which takes 3 ms, a sixteenth of `--version`: msgspec then takes the same names from typing."""
    unused = "typing_extensions"
    if unused in sys.modules:
        return
    sys.modules[unused] = None  # type: ignore[assignment]  # "cannot be imported"
    try:
        import msgspec  # noqa: F401  # only loaded here: the others import it as it is then
    finally:
        del sys.modules[unused]


_import_msgspec()
from kubedoctor.cli import main as run  # noqa: E402  # it imports msgspec

gc.freeze()
gc.set_threshold(20_000)  # with the default of 700, a short run looks through the rest of the program 28 times
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
