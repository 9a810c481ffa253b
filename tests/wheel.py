"""Build the wheel and check what a user would install: `python -m tests.wheel`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOP_LEVEL = {"kubedoctor", "diagnostics"}


def main() -> int:
    """Exit with a sentence if the wheel holds what it should not, or lacks what it needs."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, str(ROOT)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (wheel,) = Path(folder).glob("*.whl")
        names = zipfile.ZipFile(wheel).namelist()
    top = {name.partition("/")[0] for name in names if not name.partition("/")[0].endswith(".dist-info")}
    if top != TOP_LEVEL:
        print(f"the wheel's top level is {sorted(top)}, expected {sorted(TOP_LEVEL)}", file=sys.stderr)
        return 1
    here = (path for folder in TOP_LEVEL for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts)
    if missing := sorted({path.relative_to(ROOT).as_posix() for path in here if path.is_file()}.difference(names)):
        print(f"the wheel lacks {', '.join(missing)}", file=sys.stderr)
        return 1
    print(f"{wheel.name}: {len(names)} files, top level {', '.join(sorted(top))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
