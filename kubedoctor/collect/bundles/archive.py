"""Packs a folder into a .tar.gz whose bytes depend only on the content."""

from __future__ import annotations

import gzip
import os
import tarfile
from datetime import datetime
from pathlib import Path

ARCHIVES = (".tar.gz", ".tgz")


def write_archive(folder: Path, path: Path, taken_at: datetime) -> None:
    """Pack the files below `folder`, sorted. All have the time `taken_at` and no owner."""
    moment = max(0, int(taken_at.timestamp()))
    with (
        open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=moment, compresslevel=6) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()):
            member = tarfile.TarInfo(name)
            member.size = (folder / name).stat().st_size
            member.mtime = moment
            member.mode = 0o600
            with (folder / name).open("rb") as content:
                archive.addfile(member, content)
