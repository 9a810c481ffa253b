"""The files of a bundle, one after the other, from files, folders, archives and standard input.

Nothing is unpacked to disk, and archives are limited: a member's path is only a name, links and devices are never
followed, and a member that grows too large ends the reading.
"""

from __future__ import annotations

import codecs
import gzip
import io
import sys
import tarfile
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import IO

from kubedoctor.collect.bundles.folders import MOST_MEMBERS, files_in
from kubedoctor.collect.bundles.parsing import MOST_UNPRINTABLE
from kubedoctor.collect.bundles.parts import DecoderOf, ListPart, parts_of, undecoded
from kubedoctor.collect.unpacking import Bomb, check_is_no_bomb
from kubedoctor.collect.waiting import WAITING
from kubedoctor.problems import BundleProblem

MOST_BYTES_OF_ONE = 2 << 30
MOST_BYTES = 4 << 30
MOST_OF_LOG = 32 << 20
"""Only the last lines of a log are kept: no more of it needs to be in memory."""
_CHUNK = 1 << 20
_HEAD = 512
_LOG = ".log"
_NEVER_LISTS = (_LOG, ".txt")
_KEEP_STDIN_NAME = "standard input"
UNDERSTOOD = (
    "--from reads: a folder or .tar.gz of kubedoctor capture; files of kubectl get -o json or -o yaml (- for standard "
    "input); a folder of kubectl cluster-info dump; a support bundle of troubleshoot.sh"
)


@dataclass(frozen=True)
class Document:
    """One file. `path` is relative to the bundle, with slashes. `named`: the user gave this file itself, not a folder
    or archive around it. `part`: some items of a large list, instead of the body. `replaces`: what parts of the same file
    held before does not count. `is_cut`: of the file more is left out: of a log the lines before the body, of a file that is
    no text what follows it."""

    path: str
    body: bytes
    named: bool = False
    part: ListPart | None = None
    replaces: bool = False
    is_cut: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        return PurePosixPath(self.path).parts


@dataclass
class Documents:
    """Reads the paths again at each iteration. `problems`: what could not be read, a sentence each."""

    paths: tuple[str, ...]
    problems: list[str] = field(default_factory=list)
    _stdin: bytes | None = None
    _pipes: dict[Path, bytes] = field(default_factory=dict)
    _bytes: int = 0
    _members: int = 0
    _uncut: set[str] = field(default_factory=set)
    _decoder_of: DecoderOf = undecoded

    def __iter__(self) -> Iterator[Document]:
        return self.read()

    def read(self, decoder_of: DecoderOf = undecoded) -> Iterator[Document]:
        """`decoder_of`: how the items of large lists are decoded."""
        self.problems, self._bytes, self._members, self._decoder_of = [], 0, 0, decoder_of
        for path in self.paths:
            if path == "-":
                yield from self._content(_KEEP_STDIN_NAME, io.BytesIO(self._read_stdin()), named=True)
            else:
                yield from self._of_path(Path(path))

    def _read_stdin(self) -> bytes:
        if self._stdin is None:
            if sys.stdin is None or sys.stdin.isatty():
                raise BundleProblem(
                    f"--from - reads standard input, which is {'a terminal' if sys.stdin else 'closed'}",
                    "Pipe input: kubectl get pods -o json | kubedoctor scan --from -",
                )
            with WAITING.for_long(f"waiting for {_KEEP_STDIN_NAME}"):
                self._stdin = sys.stdin.buffer.read(MOST_BYTES_OF_ONE + 1)
        return self._stdin

    def _of_path(self, path: Path) -> Iterator[Document]:
        try:
            if path.is_dir():
                yield from self._of_folder(path)
                return
            if not path.exists():
                raise BundleProblem(
                    f"{path} does not exist", "Check --from: it takes a file, a folder, or - for standard input"
                )
            if path.is_fifo():  # as `--from <(kubectl get pods -o json)`: it can be read once only
                if path not in self._pipes:
                    wait = f"waiting for a program that writes to the pipe {path}"
                    with WAITING.for_long(wait), path.open("rb") as pipe:
                        self._pipes[path] = pipe.read(MOST_BYTES_OF_ONE + 1)
                yield from self._content(path.name, io.BytesIO(self._pipes[path]), named=True)
                return
            if not path.is_file():
                raise BundleProblem(f"{path} is neither a file nor a folder", UNDERSTOOD)
            with path.open("rb") as file:
                yield from self._content(path.name, file, named=True)
        except OSError as error:
            raise BundleProblem(f"{path} cannot be read: {error.strerror or error}", f"Check: ls -l {path}") from None

    def _of_folder(self, folder: Path) -> Iterator[Document]:
        for name, path, is_empty in files_in(folder, self.problems):
            try:
                if is_empty:
                    yield self._document(name, b"")
                    continue
                with path.open("rb") as file:
                    yield from self._content(name, file)
            except OSError as error:
                self.problems.append(f"{name}: cannot be read: {error.strerror or error}")

    def _content(self, name: str, file: IO[bytes], *, named: bool = False) -> Iterator[Document]:
        """A plain file, a gzip file or an archive, by its first bytes."""
        head = file.read(_HEAD)
        file.seek(0)
        if head[:2] == b"\x1f\x8b":
            inner = _Watched(file, gzip.GzipFile(fileobj=file), name)
            yield from self._maybe_archive(name, inner, named=named)
        elif _is_tar(head):
            yield from self._archive(name, file)
        else:
            if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
                sentence = f"{name} is a zip archive, which is not supported"
                if named:
                    raise BundleProblem(sentence, f"Unpack it first. {UNDERSTOOD}")
                self.problems.append(sentence)
                return
            yield from self._documents(name, file, named=named, seekable=True)

    def _maybe_archive(self, name: str, stream: _Watched, *, named: bool) -> Iterator[Document]:
        head = stream.peek(_HEAD)
        if _is_tar(head):
            yield from self._archive(name, stream)
            return
        yield from self._documents(name.removesuffix(".gz"), stream, named=named)
        if stream.broken:
            self.problems.append(f"{name}: {stream.broken}; everything before that was read")

    def _archive(self, name: str, stream: IO[bytes] | _Watched) -> Iterator[Document]:
        try:
            # r| reads forward only: an archive of any size is read without being held in memory or unpacked.
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                for member in archive:
                    self._members += 1
                    if self._members > MOST_MEMBERS:
                        raise BundleProblem(f"{name} has more than {MOST_MEMBERS:,} members", UNDERSTOOD)
                    yield from self._member(name, archive, member)
        except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
            self.problems.append(
                f"{name}: the archive is cut off or damaged ({error}); everything before that was read"
            )
            return
        if isinstance(stream, _Watched) and stream.broken:
            self.problems.append(f"{name}: {stream.broken}; everything before that was read")

    def _member(self, name: str, archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[Document]:
        path = PurePosixPath(member.name)
        if member.issym() or member.islnk():
            target = PurePosixPath(member.linkname)
            if _escapes(path) or _escapes(target if member.islnk() else path.parent / target):
                raise BundleProblem(
                    f"{name} is unsafe: member {member.name} links to {member.linkname}, outside the archive",
                    "Do not unpack it. Get a new archive from a source that you trust",
                )
            self.problems.append(f"{member.name}: a link in the archive; not followed")
            return
        if _escapes(path):
            raise BundleProblem(
                f"{name} is unsafe: the path of member {member.name} is outside the archive",
                "Do not unpack it. Get a new archive from a source that you trust",
            )
        if member.isdir():
            return
        if not member.isfile():
            self.problems.append(f"{member.name}: a device or pipe in the archive; ignored")
            return
        if member.size > MOST_BYTES_OF_ONE:
            raise BundleProblem(
                f"{name}: member {member.name} is larger than {MOST_BYTES_OF_ONE >> 30} GiB", UNDERSTOOD
            )
        file = archive.extractfile(member)
        if file is None:
            return
        for document in self._documents(str(path), file):
            if document.part is None and not document.is_cut and file.tell() < member.size:
                self.problems.append(f"{member.name}: the archive ends in the middle of this member; ignored")
                yield replace(document, body=b"")
            else:
                yield document

    def _documents(
        self, name: str, file: IO[bytes] | _Watched, *, named: bool = False, seekable: bool = False
    ) -> Iterator[Document]:
        """The document of a file, or the parts of a large list. `seekable`: the file can be read from its start again."""
        if name.endswith(_LOG):
            body, is_cut = _last_of(file, name)
            yield replace(self._document(name, body, named=named), is_cut=is_cut)
            return
        if name in self._uncut or name.endswith(_NEVER_LISTS):
            yield self._document(name, _read_at_most(file, MOST_BYTES_OF_ONE, name), named=named)
            return
        head = file.read(_HEAD)
        if _is_binary(head):
            yield replace(self._document(name, head, named=named), is_cut=True)
            return
        size = 0

        def read(most: int) -> bytes:
            nonlocal size, head
            piece, head = (head[:most], head[most:]) if head else (file.read(most), b"")
            size += len(piece)
            if size > MOST_BYTES_OF_ONE:
                raise _too_large(name, MOST_BYTES_OF_ONE)
            return piece

        def reread() -> bytes:
            file.seek(0)
            return _read_at_most(file, MOST_BYTES_OF_ONE, name)

        for part in parts_of(read, reread if seekable else None, self._decoder_of):
            if isinstance(part, ListPart):
                self._count(part.size)
                yield Document(name, b"", named, part)
                continue
            if part.replaces:
                self._uncut.add(name)
            yield replace(self._document(name, part.body, named=named), replaces=part.replaces)

    def _document(self, path: str, body: bytes, *, named: bool = False) -> Document:
        self._count(len(body))
        return Document(path, body, named)

    def _count(self, size: int) -> None:
        self._bytes += size
        if self._bytes > MOST_BYTES:
            raise BundleProblem(
                f"the bundle holds more than {MOST_BYTES >> 30} GiB",
                "Record a smaller bundle: kubedoctor capture -n NAMESPACE",
            )


class _Watched(io.RawIOBase):
    """A gzip stream that ends where it is damaged, and that stops at a thousand times its compressed size."""

    def __init__(self, packed: IO[bytes], unpacked: gzip.GzipFile, name: str) -> None:
        self._packed, self._unpacked, self._name = packed, unpacked, name
        self._ahead = b""
        self._out = 0
        self.broken = ""

    def readable(self) -> bool:
        return True

    def peek(self, size: int) -> bytes:
        while len(self._ahead) < size and (more := self._more(size)):
            self._ahead += more
        return self._ahead[:size]

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            parts = [self._ahead]
            self._ahead = b""
            while more := self._more(_CHUNK):
                parts.append(more)
            return b"".join(parts)
        if self._ahead:
            chunk, self._ahead = self._ahead[:size], self._ahead[size:]
            return chunk
        return self._more(size)

    def _more(self, size: int) -> bytes:
        if self.broken:
            return b""
        try:
            data = self._unpacked.read1(min(size, _CHUNK))
        except (EOFError, OSError, zlib.error) as error:
            why = "it is truncated" if isinstance(error, EOFError) else f"it is damaged ({error})"
            self.broken = f"the gzip stream is incomplete: {why}"
            return b""
        self._out += len(data)
        try:
            check_is_no_bomb(self._out, self._packed.tell())
        except Bomb as bomb:
            raise BundleProblem(
                f"{self._name} cannot be a recording of a cluster: {bomb}",
                "Do not unpack it. Get a new archive from a source that you trust",
            ) from None
        return data


def _read_at_most(file: IO[bytes] | _Watched, most: int, name: str) -> bytes:
    parts = []
    remaining = most + 1
    while remaining > 0 and (part := file.read(min(_CHUNK, remaining))):
        parts.append(part)
        remaining -= len(part)
    if remaining <= 0:
        raise _too_large(name, most)
    return b"".join(parts)


def _last_of(file: IO[bytes] | _Watched, name: str) -> tuple[bytes, bool]:
    """The last lines of a log, and whether there are more before them."""
    kept = deque[bytes]()
    size = read = 0
    while part := file.read(_CHUNK):
        kept.append(part)
        size, read = size + len(part), read + len(part)
        if read > MOST_BYTES_OF_ONE:
            raise _too_large(name, MOST_BYTES_OF_ONE)
        if size - len(kept[0]) >= MOST_OF_LOG:
            size -= len(kept.popleft())
    body = b"".join(kept)
    return (body[body.find(b"\n") + 1 :], True) if size < read else (body, False)


def _is_binary(head: bytes) -> bool:
    """Whether a file begins with bytes that no text has. The rest of it need not be read to tell."""
    has_mark = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return not has_mark and head.count(b"\0") * MOST_UNPRINTABLE > len(head)


def _too_large(name: str, most: int) -> BundleProblem:
    return BundleProblem(
        f"{name} is larger than {most >> 30} GiB", "Record a smaller bundle: kubedoctor capture -n NAMESPACE"
    )


def _escapes(path: PurePosixPath) -> bool:
    """Whether a member's path leaves the archive."""
    depth = 0
    for part in path.parts:
        depth += -1 if part == ".." else 1
        if depth < 0:
            return True
    return path.is_absolute() or ("\\" in str(path) and ".." in str(path))


def _is_tar(head: bytes) -> bool:
    return head[257:262] == b"ustar"
