"""Stored bytes are compared with the written ones, range by range."""

import hashlib
from collections.abc import Iterator

import pytest

from longshore.files.checksums import CheckpointedHash
from tests.files.faults import CHANGES, Damage

BLOCKS = [b"abc", b"", b"d" * 1000, b"\n", b"e" * 7]
CONTENT = b"".join(BLOCKS)


def hashed(interval: int) -> CheckpointedHash:
    checksum = CheckpointedHash(interval)
    for block in BLOCKS:
        checksum.update(block)
    return checksum


def matches(checksum: CheckpointedHash, stored: bytes, ranges: list[tuple[int, int]]) -> bool:
    def read_range(start: int, end: int) -> Iterator[bytes]:
        ranges.append((start, end))
        # Like a storage, whatever the length of the file: the size is compared apart.
        yield from (stored[n : n + 1] for n in range(start, end))

    return checksum.matches(read_range, 3)


@pytest.mark.parametrize("interval", [1, 3, 500, 10**6])
def test_equal_bytes_match_and_every_byte_is_read_once(interval: int) -> None:
    ranges: list[tuple[int, int]] = []
    checksum = hashed(interval)
    assert matches(checksum, CONTENT, ranges)
    assert checksum.size == len(CONTENT)
    assert checksum.hexdigest() == hashlib.sha256(CONTENT).hexdigest()
    positions = sorted(position for start, end in ranges for position in range(start, end))
    assert positions == list(range(len(CONTENT)))
    assert len(ranges) == {1: 4, 3: 3, 500: 2, 10**6: 1}[interval]


@pytest.mark.parametrize("interval", [1, 500, 10**6])
@pytest.mark.parametrize("damage", CHANGES.values(), ids=CHANGES)
def test_damaged_bytes_do_not_match(damage: Damage, interval: int) -> None:
    assert not matches(hashed(interval), damage(CONTENT), [])


def test_swapped_ranges_do_not_match() -> None:
    checksum = CheckpointedHash(2)
    for block in (b"ab", b"cd"):
        checksum.update(block)
    assert not matches(checksum, b"cdab", [])


def test_an_empty_file_matches_without_a_read() -> None:
    ranges: list[tuple[int, int]] = []
    assert matches(CheckpointedHash(), b"", ranges)
    assert ranges == []
