"""The system check refuses storages without ranges and links."""

import pytest
from django.core.checks import run_checks
from django.core.files.storage import FileSystemStorage
from pytest_django import Settings

from exports_project.object_storage import s3
from longshore.files.storage import file_storage


def errors(settings: Settings, entry: dict[str, object]) -> list[str]:
    settings.STORAGES = settings.STORAGES | {"longshore": entry}
    return [error.msg for error in run_checks() if error.id == "longshore_files.E001"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "backend",
    ["django.core.files.storage.FileSystemStorage", "storages.backends.s3.S3Storage"],
)
def test_other_storages_are_refused(settings: Settings, backend: str) -> None:
    options = {"bucket_name": "x"} if "s3" in backend else {}
    [message] = errors(settings, {"BACKEND": backend, "OPTIONS": options})
    assert message.endswith("which cannot read ranges or create download links.")
    assert backend.rpartition(".")[2] in message


@pytest.mark.slow
def test_the_storages_of_the_settings_are_accepted(settings: Settings) -> None:
    assert errors(settings, settings.STORAGES["longshore"]) == []
    assert errors(settings, s3("files", None, "us-east-1")) == []


def test_the_storage_of_the_process_follows_the_settings(settings: Settings) -> None:
    assert file_storage.verifies_writes
    settings.STORAGES = settings.STORAGES | {"longshore": s3("files", None, "us-east-1")}
    assert not file_storage.verifies_writes
    assert not isinstance(file_storage, FileSystemStorage)


def test_a_project_must_keep_the_storage_of_longshore(settings: Settings) -> None:
    settings.STORAGES = {
        name: entry for name, entry in settings.STORAGES.items() if name != "longshore"
    }
    [error] = [error for error in run_checks() if error.id == "longshore_files.E002"]
    assert error.msg == (
        "STORAGES has no entry 'longshore', which holds the files of exports and batches."
    )
