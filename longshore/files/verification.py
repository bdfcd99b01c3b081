"""Saves files so that a missing or different byte in the storage is detected."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from django.conf import settings

from longshore.files.block_file import BlockFile
from longshore.files.checksums import CheckpointedHash
from longshore.files.storage import file_storage


class DamagedFile(Exception):
    """The storage does not hold the bytes that were written."""


def save_verified(key: str, blocks: Iterable[bytes], content_type: str) -> CheckpointedHash:
    """Save a file under a key that is not in use. Returns its size and hash. Raises DamagedFile."""
    checksum = CheckpointedHash()

    def hashed() -> Iterator[bytes]:
        for block in blocks:
            checksum.update(block)
            yield block

    file_storage.save(key, BlockFile(hashed(), content_type))
    verify(key, checksum)
    return checksum


def verify_pieces(key: str, pieces: Iterable[tuple[int, str]], check: Callable[[], object]) -> str:
    """Read a file that several processes wrote. Return its SHA-256, hexadecimal.

    pieces: size and SHA-256 of the bytes that each process sent, in the order of the file.
    check: called for each block; raises an error to stop.
    Raises DamagedFile if the storage does not hold these bytes.
    """
    pieces = list(pieces)
    expected = sum(size for size, _ in pieces)
    if (stored := file_storage.size(key)) != expected:
        raise DamagedFile(f"the storage holds {stored} bytes instead of {expected}")
    whole = hashlib.sha256()
    position = 0
    for size, digest in pieces:
        piece = hashlib.sha256()
        for block in file_storage.read_range(key, position, position + size):
            check()
            piece.update(block)
            whole.update(block)
        position += size
        if piece.hexdigest() != digest:
            raise DamagedFile("the stored bytes differ from the written bytes")
    return whole.hexdigest()


def verify(key: str, checksum: CheckpointedHash) -> None:
    """Raise DamagedFile if the storage does not hold the bytes that were hashed."""
    if (size := file_storage.size(key)) != checksum.size:
        raise DamagedFile(f"the storage holds {size} bytes instead of {checksum.size}")
    if file_storage.verifies_writes:
        return
    read_range = partial(file_storage.read_range, key)
    if not checksum.matches(read_range, settings.EXPORT_CONNECTIONS):
        raise DamagedFile("the stored bytes differ from the written bytes")
