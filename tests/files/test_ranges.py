"""Range headers, and files that show a range of another file."""

import io
import os

import pytest

from longshore.files.ranges import FileRange, RangeNotSatisfiable, parse_range


@pytest.mark.parametrize(
    ("header", "positions"),
    [
        ("bytes=0-9", range(0, 10)),
        ("bytes=10-", range(10, 100)),
        ("bytes=-7", range(93, 100)),
        ("bytes=-1000", range(0, 100)),
        ("bytes=3-1000", range(3, 100)),
        ("bytes = 99 - 99", range(99, 100)),
    ],
)
def test_a_range_is_clipped_to_the_file(header: str, positions: range) -> None:
    assert parse_range(header, 100) == positions


@pytest.mark.parametrize(
    "header", ["", "bytes=", "bytes=-", "bytes=5-2", "lines=1-2", "bytes=a-b", "bytes=1-2,5-6"]
)
def test_absent_malformed_and_multiple_ranges_mean_the_whole_file(header: str) -> None:
    assert parse_range(header, 100) is None


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=-0", "bytes=100-101", "bytes=999999999-"])
def test_a_range_outside_the_file_is_refused(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        parse_range(header, 100)


def test_a_file_range_reads_and_seeks_like_a_file_of_its_own() -> None:
    whole = io.BytesIO(b"0123456789")
    part = FileRange(whole, range(2, 7))
    assert (part.read(2), part.tell(), part.read(), part.read(1)) == (b"23", 2, b"456", b"")
    assert part.seek(1) == 1
    assert part.read(100) == b"3456"
    assert part.seek(-1, os.SEEK_END) == 4
    assert part.read() == b"6"
    assert part.seek(-3, os.SEEK_CUR) == 2
    assert part.read() == b"456"
    assert part.readable()
    assert part.seekable()
    part.close()
    assert whole.closed
