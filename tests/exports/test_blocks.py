"""Blocks: wherever one ends, objects are whole, and a storage reads them as a file."""

from collections.abc import Iterator

import orjson
import pytest

from exports.formats import formats
from exports.formats.base import BLOCK_BYTES, FileColumn
from exports.parsing import parse_export
from exports.stream import BlockReader
from resources.columns import Kind


def messages(sizes: list[int]) -> Iterator[bytes]:
    for number, size in enumerate(sizes):
        yield orjson.dumps({"n": number, "x": "x" * size}) + b"\n"


@pytest.mark.parametrize(
    "sizes",
    [
        [],
        [0],
        [BLOCK_BYTES],
        # Objects that end exactly where a block does, one byte before and one after.
        *(
            [BLOCK_BYTES - len(orjson.dumps({"n": 0, "x": ""})) - 1 + more, 0, 0]
            for more in (-1, 0, 1)
        ),
        [BLOCK_BYTES, BLOCK_BYTES, 0],
        [1000] * 3000,
    ],
    ids=["none", "one", "large", "before", "exact", "after", "two large", "many"],
)
@pytest.mark.parametrize("name", ["json", "jsonl"])
def test_objects_are_whole_wherever_a_block_ends(name: str, sizes: list[int]) -> None:
    spec = parse_export({"resource": "contact", "format": name})
    columns = [FileColumn("n", Kind.INTEGER), FileColumn("x", Kind.TEXT)]
    blocks = list(formats[name].blocks(columns, messages(sizes), spec))
    content = b"".join(blocks)
    lines = content.splitlines() if name == "jsonl" else None
    records = orjson.loads(content) if lines is None else [orjson.loads(line) for line in lines]
    assert [(each["n"], len(each["x"])) for each in records] == list(enumerate(sizes))
    assert all(len(block) >= BLOCK_BYTES for block in blocks[:-2])


@pytest.mark.parametrize("size", [1, 7, 1000, 10**6])
def test_blocks_are_read_as_a_file_in_any_size(size: int) -> None:
    blocks = [b"", b"ab", b"", b"c" * 5000, b"\n"]
    file = BlockReader(iter(blocks))
    read = []
    while chunk := file.read(size):
        read.append(chunk)
    assert b"".join(read) == b"".join(blocks)
    assert file.read(1) == b""
