"""ZIP archives of stored files: written block by block, and with a size that is known before.

The files are stored, not compressed again. Archives and files of more than 2 GiB use ZIP64.
"""

import zipfile
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

# Lengths of the parts of an archive (APPNOTE.TXT of PKWARE, sections 4.3 and 4.5).
_LOCAL_HEADER, _LOCAL_ZIP64 = 30, 20
_DESCRIPTOR, _DESCRIPTOR_ZIP64 = 16, 24
_CENTRAL_HEADER, _EXTRA_HEADER, _LONG = 46, 4, 8
_END, _END_ZIP64 = 22, 56 + 20
# The first year that a ZIP archive can represent.
_MIN_YEAR = 1980


@dataclass(frozen=True)
class ZipMember:
    """A file of an archive.

    read: returns the blocks of its content, which have `size` bytes together.
    """

    name: str
    size: int
    modified: datetime
    read: Callable[[], Iterator[bytes]]

    @property
    def is_large(self) -> bool:
        return self.size > zipfile.ZIP64_LIMIT


class _Sink:
    """A file that cannot seek; keeps what was written until it is taken."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def write(self, block: bytes) -> int:
        # Python writes an empty comment at the end.
        if block:
            self._blocks.append(bytes(block))
        return len(block)

    def flush(self) -> None:
        pass

    def take(self) -> list[bytes]:
        taken, self._blocks = self._blocks, []
        return taken


def zip_blocks(members: Iterable[ZipMember]) -> Generator[bytes, None, None]:
    """Yield an archive as nonempty blocks.

    One block of one file is in memory, and a header of each file.

    Raises what `read` raises, and ValueError for a file whose size differs.
    """
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for member in members:
            yield from _member_blocks(archive, member, sink)
    yield from sink.take()


def zip_size(members: Sequence[ZipMember]) -> int:
    """Return the number of bytes of an archive."""
    limit = zipfile.ZIP64_LIMIT
    position = directory = 0
    for member in members:
        name, is_large = len(member.name.encode()), member.is_large
        longs = 2 * is_large + (position > limit)
        directory += _CENTRAL_HEADER + name + (_EXTRA_HEADER + longs * _LONG if longs else 0)
        position += _LOCAL_HEADER + name + (_LOCAL_ZIP64 if is_large else 0)
        position += member.size + (_DESCRIPTOR_ZIP64 if is_large else _DESCRIPTOR)
    needs_zip64 = (
        len(members) > zipfile.ZIP_FILECOUNT_LIMIT or position > limit or directory > limit
    )
    return position + directory + _END + (_END_ZIP64 if needs_zip64 else 0)


def unique_names(names: Iterable[str]) -> list[str]:
    """Return unique names without folders."""
    taken: set[str] = set()
    found = []
    for name in names:
        plain = name.replace("/", "_").replace("\\", "_") or "file"
        candidate, number = plain, 2
        while candidate in taken:
            candidate, number = f"{number}-{plain}", number + 1
        taken.add(candidate)
        found.append(candidate)
    return found


def _member_blocks(archive: zipfile.ZipFile, member: ZipMember, sink: _Sink) -> Iterator[bytes]:
    """Write a file to an archive, and yield what the sink of the archive receives."""
    info = zipfile.ZipInfo(member.name, _date_time(member.modified))
    # Readable by the owner and others; without it, some programs extract no permissions.
    info.external_attr = 0o644 << 16
    size = 0
    with archive.open(info, "w", force_zip64=member.is_large) as target:
        for block in member.read():
            target.write(block)
            size += len(block)
            yield from sink.take()
    if size != member.size:
        raise ValueError(f"{member.name} has {size} bytes, not {member.size}")
    yield from sink.take()


def _date_time(when: datetime) -> tuple[int, int, int, int, int, int]:
    return (max(when.year, _MIN_YEAR), when.month, when.day, when.hour, when.minute, when.second)
