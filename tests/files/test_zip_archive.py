"""ZIP archives that are written block by block."""

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from longshore.files.zip_archive import ZipMember, unique_names, zip_blocks, zip_size

WHEN = datetime(2024, 12, 25, 14, 30, 2, tzinfo=UTC)
CONTENTS = {
    "contacts-001.csv": [b"id,name\n", b"1,Zo\xc3\xab\n"],
    "leer.csv": [],
    "名前.csv": [b"x" * 5000],
}


def member(name: str, blocks: list[bytes]) -> ZipMember:
    return ZipMember(name, sum(map(len, blocks)), WHEN, lambda: iter(blocks))


MEMBERS = [member(name, blocks) for name, blocks in CONTENTS.items()]


def check(archive: bytes) -> None:
    """Check the archive with Python's own reader, checksums included."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.testzip() is None
        assert opened.namelist() == list(CONTENTS)
        for info in opened.infolist():
            assert info.compress_type == zipfile.ZIP_STORED
            assert info.date_time == (2024, 12, 25, 14, 30, 2)
            assert opened.read(info) == b"".join(CONTENTS[info.filename])


def test_an_archive_has_the_files_and_the_size_that_was_known_before() -> None:
    blocks = list(zip_blocks(MEMBERS))
    assert all(blocks)
    archive = b"".join(blocks)
    check(archive)
    assert zip_size(MEMBERS) == len(archive)


@pytest.mark.parametrize("limit", [10, 4000, 5100])
def test_large_files_and_large_archives_use_zip64(
    monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", limit)
    archive = b"".join(zip_blocks(MEMBERS))
    assert zip_size(MEMBERS) == len(archive)
    # The signature of the ZIP64 end of the central directory.
    assert b"PK\x06\x06" in archive
    check(archive)


def test_many_files_use_zip64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
    archive = b"".join(zip_blocks(MEMBERS))
    assert zip_size(MEMBERS) == len(archive)
    check(archive)


def test_a_file_is_read_when_the_files_before_it_are_sent() -> None:
    read: list[int] = []

    def blocks(number: int) -> Iterator[bytes]:
        for _ in range(3):
            read.append(number)
            yield b"x" * 100

    members = [ZipMember(f"{n}", 300, WHEN, lambda n=n: blocks(n)) for n in range(3)]  # type: ignore[misc]
    for block in zip_blocks(members):
        # A block of a file is sent before the next one is read.
        if block == b"x" * 100:
            break
    assert read == [0]


def test_a_file_whose_size_differs_ends_the_archive() -> None:
    members = [ZipMember("a.csv", 5, WHEN, lambda: iter([b"four"]))]
    with pytest.raises(ValueError, match=r"a\.csv has 4 bytes, not 5"):
        list(zip_blocks(members))


def test_names_have_no_folders_and_are_unique() -> None:
    names = ["a.csv", "../a.csv", "a.csv", "a.csv", "b\\c", ""]
    assert unique_names(names) == ["a.csv", ".._a.csv", "2-a.csv", "3-a.csv", "b_c", "file"]
