"""Every storage keeps the contract of FileStorage."""

from datetime import timedelta
from math import inf
from time import monotonic
from typing import Any

import pytest
from django.core.files.base import ContentFile

from longshore.files.block_file import BlockFile
from longshore.files.storage.base import FileStorage

CONTENT = bytes(range(256)) * 20_000


def save(storage: FileStorage, *keys: str) -> None:
    for key in keys:
        assert storage.save(key, ContentFile(b"x")) == key


@pytest.mark.slow
def test_blocks_are_saved_as_one_file(storage: FileStorage) -> None:
    blocks = [b"", CONTENT, b"", b"a", CONTENT]
    assert storage.save("a/b/000001", BlockFile(blocks, "text/csv")) == "a/b/000001"
    assert storage.size("a/b/000001") == 2 * len(CONTENT) + 1
    with storage.open("a/b/000001") as file:
        assert file.read() == CONTENT + b"a" + CONTENT


@pytest.mark.slow
def test_a_file_without_blocks_is_saved_empty(storage: FileStorage) -> None:
    storage.save("empty", BlockFile([], "text/csv"))
    assert storage.size("empty") == 0
    assert b"".join(storage.read_range("empty", 0, 0)) == b""


@pytest.mark.parametrize(
    ("start", "end"), [(0, 1), (0, len(CONTENT)), (7, 3_000_007), (5, 5), (len(CONTENT) - 1,) * 2]
)
@pytest.mark.slow
def test_a_range_is_read_without_the_rest(storage: FileStorage, start: int, end: int) -> None:
    storage.save("file", ContentFile(CONTENT))
    assert b"".join(storage.read_range("file", start, end)) == CONTENT[start:end]


def test_a_folder_is_deleted_with_its_folders_but_not_with_its_neighbors(
    storage: FileStorage,
) -> None:
    save(storage, "a/1", "a/b/2", "a/b/c/3", "ab/4", "b/5")
    assert storage.delete_folder("a")
    assert not any(map(storage.exists, ("a/1", "a/b/2", "a/b/c/3")))
    assert storage.exists("ab/4")
    assert storage.exists("b/5")


def test_a_copy_stays_when_its_source_is_deleted(storage: FileStorage) -> None:
    storage.save("a/b/data", ContentFile(b"content"))
    storage.copy("a/b/data", "c/d/data")
    storage.delete_folder("a")
    assert b"".join(storage.read_range("c/d/data", 0, 7)) == b"content"


def test_a_copy_of_a_missing_file_is_refused(storage: FileStorage) -> None:
    with pytest.raises(FileNotFoundError):
        storage.copy("a/b/data", "c/d/data")
    assert storage.listdir("c") == ([], [])


def test_reading_a_missing_file_is_refused(storage: FileStorage) -> None:
    with pytest.raises(FileNotFoundError):
        list(storage.read_range("a/b/data", 0, 7))


def test_deleting_a_missing_folder_or_file_succeeds(storage: FileStorage) -> None:
    assert storage.delete_folder("missing")
    assert storage.try_delete("missing/file")


@pytest.mark.slow
def test_nothing_is_deleted_after_the_deadline(storage: FileStorage) -> None:
    save(storage, "a/1", "a/2")
    assert not storage.delete_folder("a", monotonic() - 1)
    assert storage.exists("a/1")
    assert storage.delete_folder("a", inf)


def test_a_working_storage_passes_the_probe_and_leaves_no_file(storage: FileStorage) -> None:
    save(storage, "file")
    storage.probe()
    assert storage.listdir("") == ([], ["file"])


@pytest.mark.slow
def test_files_of_unknown_attempts_are_orphans(storage: FileStorage) -> None:
    known = {"org_a": {"known"}, "org_b": set[str]()}
    save(
        storage,
        *("exports/org_a/exp_1/known/000001", "exports/org_a/exp_1/lost/000001"),
        *("exports/org_a/exp_2/lost/deep/000001", "exports/org_b/exp_3/known/000001"),
        "batches/org_a/bat_1/lost/000001",
    )
    assert sorted(storage.orphans("exports", known.__getitem__, timedelta(seconds=-60))) == [
        "exports/org_a/exp_1/lost/000001",
        "exports/org_a/exp_2/lost/deep/000001",
        "exports/org_b/exp_3/known/000001",
    ]


def test_new_files_are_no_orphans(storage: FileStorage) -> None:
    save(storage, "exports/org_a/exp_1/lost/000001")
    assert list(storage.orphans("exports", lambda _: (), timedelta(hours=1))) == []


def test_a_search_for_orphans_continues_where_the_last_one_ended(
    storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [f"exports/{path}/lost/000001" for path in ("org_a/exp_1", "org_a/exp_2", "org_b/exp_1")]
    save(storage, *keys)

    def search() -> list[str]:
        return list(storage.orphans("exports", lambda _: (), timedelta(seconds=-60)))

    with monkeypatch.context() as patch:
        patch.setattr(FileStorage, "search_seconds", -1.0)
        assert [search() for _ in range(3)] == [[key] for key in keys]
    assert search() == []
    assert search() == keys


def test_a_folder_that_is_deleted_during_a_search_does_not_end_it(storage: FileStorage) -> None:
    deleted = [f"exports/org_a/exp_1/lost/{number}" for number in ("000001", "000002")]
    left = "exports/org_a/exp_2/lost/000001"
    save(storage, *deleted, left)
    found = iter(storage.orphans("exports", lambda _: (), timedelta(seconds=-60)))
    assert next(found) in deleted
    assert storage.delete_folder("exports/org_a/exp_1/lost")
    assert list(found) == [left]


@pytest.mark.slow
def test_an_empty_storage_has_no_orphans(storage: FileStorage) -> None:
    assert list(storage.orphans("exports", lambda _: (), timedelta(0))) == []


class Refusing(FileStorage):
    """A storage whose deletions fail."""

    verifies_writes = False
    receives_uploads = False

    def read_range(self, *_: Any) -> Any: ...

    def copy(self, *_: Any) -> Any: ...

    def link(self, *_: Any) -> Any: ...

    def upload_link(self, *_: Any) -> Any: ...

    def probe(self) -> None: ...

    def delete(self, name: str) -> None:
        raise TimeoutError(name)

    def _delete_contents(self, path: str, deadline: float) -> bool:
        raise TimeoutError(path)


def test_a_failed_deletion_is_logged_and_reported(caplog: pytest.LogCaptureFixture) -> None:
    assert not Refusing().delete_folder("a/b")
    assert not Refusing().try_delete("c")
    assert [record.getMessage() for record in caplog.records] == [
        "The files in a/b could not be deleted.",
        "The file c could not be deleted.",
    ]
