"""Blocks are read as a file."""

import pytest

from longshore.files.block_file import BlockFile, BlockReader

BLOCKS = [b"", b"ab", b"", b"c" * 5000, b"\n"]


@pytest.mark.parametrize("size", [1, 7, 1000, 10**6])
def test_blocks_are_read_in_chunks_of_any_size(size: int) -> None:
    file = BlockReader(BLOCKS)
    chunks = []
    while chunk := file.read(size):
        chunks.append(chunk)
    assert b"".join(chunks) == b"".join(BLOCKS)
    assert file.read(1) == b""


def test_a_read_is_short_only_at_the_end() -> None:
    file = BlockFile(BLOCKS, "text/csv")
    assert [len(file.read(2000)) for _ in range(4)] == [2000, 2000, 1003, 0]


def test_chunks_are_the_blocks_themselves() -> None:
    assert list(BlockFile(BLOCKS, "text/csv").chunks(2)) == BLOCKS
