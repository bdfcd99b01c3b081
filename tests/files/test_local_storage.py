"""Local storage: writes are flushed, compared and private; links are those of Longshore."""

import csv
import errno
import io
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.files.base import ContentFile

from longshore.files import signed_links
from longshore.files.block_file import BlockFile
from longshore.files.storage.base import LinkTarget
from longshore.files.storage.local import LocalStorage
from tests.files.faults import CHANGES, Damage, DamagingDisk


class Recording(LocalStorage):
    """Records the ranges that it flushes."""

    window_bytes = 1000

    def __init__(self, location: Path) -> None:
        super().__init__(location=str(location))
        self.flushed: list[tuple[int, int]] = []

    def flush_to_disk(self, file: int, start: int, end: int) -> None:
        self.flushed.append((start, end))
        super().flush_to_disk(file, start, end)


def test_a_file_of_many_windows_is_flushed_range_by_range(tmp_path: Path) -> None:
    text = io.StringIO()
    csv.writer(text).writerows(("Zoë " * 50, number) for number in range(500))
    content = text.getvalue().encode()
    blocks = [content[n : n + 300] for n in range(0, len(content), 300)]
    storage = Recording(tmp_path)
    storage.save("file", BlockFile(blocks, "text/csv"))
    assert (tmp_path / "file").read_bytes() == content
    assert len(storage.flushed) > len(content) // 1300
    starts, ends = zip(*storage.flushed, strict=True)
    assert starts == (0, *ends[:-1])
    assert ends[-1] == len(content)


@pytest.mark.parametrize(("window_bytes", "first_byte"), [(1, 10), (1 << 20, 0)])
@pytest.mark.parametrize("damage", CHANGES.values(), ids=CHANGES)
def test_saving_fails_if_the_disk_holds_other_bytes(
    tmp_path: Path, damage: Damage, window_bytes: int, first_byte: int
) -> None:
    storage = DamagingDisk(damage, window_bytes, first_byte, location=str(tmp_path))
    with pytest.raises(OSError, match="the stored bytes differ from the written bytes") as raised:
        storage.save("file", BlockFile([b"0123456789", b"abcdefghij", b"klm"], "text/csv"))
    assert raised.value.errno == errno.EIO


class FullDisk(LocalStorage):
    """A disk that has room for names, but not for bytes."""

    def flush_to_disk(self, file: int, start: int, end: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_failed_save_leaves_no_file(tmp_path: Path) -> None:
    storage = FullDisk(location=str(tmp_path))
    with pytest.raises(OSError, match="No space left on device"):
        storage.save("file", ContentFile(b"x"))
    with pytest.raises(OSError, match="No space left on device"):
        storage.probe()
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_source_is_raised(local: LocalStorage) -> None:
    def blocks() -> Iterator[bytes]:
        yield b"0" * 5_000_000
        raise ValueError("the source failed")

    with pytest.raises(ValueError, match="the source failed"):
        local.save("file", BlockFile(blocks(), "text/csv"))
    assert not local.exists("file")


def test_a_saved_file_never_replaces_another(local: LocalStorage) -> None:
    local.save("file", ContentFile(b"first"))
    second = local.save("file", ContentFile(b"second"))
    assert second != "file"
    assert [b"".join(local.read_range(key, 0, 9)) for key in ("file", second)] == [
        b"first",
        b"second",
    ]


def test_only_empty_folders_are_removed(local: LocalStorage) -> None:
    local.save("job/attempt/000001", ContentFile(b"x"))
    local.remove_empty_folder("job")
    assert local.exists("job/attempt/000001")
    assert local.delete_folder("job/attempt")
    local.remove_empty_folder("job")
    assert not local.exists("job")
    local.remove_empty_folder("job")


def test_the_probe_fails_if_files_cannot_be_written(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    with pytest.raises(OSError, match="file"):
        LocalStorage(location=str(in_the_way)).probe()


def test_a_link_is_the_given_url_with_a_signature_of_the_identifier(local: LocalStorage) -> None:
    url = "https://longshore.example/v1/exports/files/Gr%C3%B6%C3%9Fe.csv"
    target = LinkTarget("a/b/1", "Größe.csv", "text/csv", url, "exp_1/Größe.csv")
    link = local.link(target, 300)
    assert link.startswith(f"{url}?signature=")
    [signature] = parse_qs(urlsplit(link).query)["signature"]
    assert signed_links.verify(signature, 300) == "exp_1/Größe.csv"
