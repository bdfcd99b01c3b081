"""A queued export becomes a verified file or a failed export."""

import csv
import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.core.signing import TimestampSigner
from django.db import OperationalError
from psycopg import sql
from pytest_django import DjangoAssertNumQueries, Settings

from exports.execution import runner
from exports.formats import formats
from exports.formats.base import Block
from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export, ExportFile, Status
from exports.reading import stream
from exports.reading.copy_reader import IncompleteExport, copy_blocks
from exports.spec import ExportSpec
from exports.sql import compiler
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact
from longshore.files.storage import file_storage
from longshore.files.storage.local import LocalStorage
from longshore.resources.columns import Column, ColumnType
from longshore.resources.registry import Registry
from tests.exports.conftest import stored_files
from tests.records import copies

pytestmark = pytest.mark.django_db(transaction=True)


def run_without_delay(export: Export) -> None:
    """Run the next attempt without its delay."""
    Export.objects.filter(pk=export.pk).update(not_before=None)
    runner.run(export.pk)


def test_the_file_holds_the_rows_of_the_export(queued: Export, contacts: list[Contact]) -> None:
    runner.run(queued.pk)
    queued.refresh_from_db()
    file = queued.files.get()
    content = file_storage.open(file.storage_key).read()
    rows = list(csv.reader(content.decode().splitlines()))
    assert rows[0] == ["id", "name"]
    assert sorted(rows[1:]) == sorted([contact.pk, contact.name] for contact in contacts)
    assert (file.rows, file.bytes) == (5, len(content))
    assert file.sha256 == hashlib.sha256(content).hexdigest()
    assert (queued.status, queued.records_count, queued.processed_count) == ("completed", 5, 5)
    assert file.name.startswith("contacts-")
    assert file.name.endswith(".csv")


def test_a_gzip_file_has_its_own_name_and_content_type(queued: Export) -> None:
    Export.objects.update(spec=queued.spec | {"compression": "gzip"})
    runner.run(queued.pk)
    file = queued.files.get()
    assert (file.name[-7:], file.content_type) == (".csv.gz", "application/gzip")
    with file_storage.open(file.storage_key) as content, gzip.open(content) as plain:
        assert len(plain.read().splitlines()) == 6


def test_running_twice_writes_one_file(queued: Export) -> None:
    runner.run(queued.pk)
    runner.run(queued.pk)
    assert (ExportFile.objects.count(), len(stored_files())) == (1, 2)


def test_an_attempt_with_missing_rows_is_retried(
    queued: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    def all_but_one(*source: Any) -> Iterator[Block]:
        for block in copy_blocks(*source):
            raise IncompleteExport(f"Received {block.rows} of 6 rows.")
            yield block

    monkeypatch.setattr(stream, "copy_blocks", all_but_one)
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Status.QUEUED
    assert stored_files() == []


@pytest.mark.parametrize(
    "expression",
    [
        "{row}.missing",
        "{row}.name::missing",
        "lower({row}.name) OVER ()",
        "(SELECT 'a'::text FROM json_to_record('{{}}') AS x (a text, a text))",
    ],
)
def test_a_declaration_that_does_not_fit_the_database_is_not_retried(
    expression: str, queued: Export, own_registry: Registry
) -> None:
    contact = own_registry.get("contact")
    assert contact is not None
    own_registry.unregister("contact")
    wrong = Column("name", ColumnType.TEXT, expression)
    own_registry.register(replace(contact, columns=(wrong,)))
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Status.FAILED
    assert queued.error is not None
    assert queued.error["error"] == "invalid_declaration"


def test_an_attempt_that_the_storage_refused_is_retried(
    queued: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **kwargs: Any) -> str:
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(LocalStorage, "save", full)
        runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Status.QUEUED
    run_without_delay(queued)
    queued.refresh_from_db()
    assert queued.status == Status.COMPLETED


def test_a_completed_export_keeps_its_file_after_a_later_error(
    queued: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = export_lifecycle.complete_with_files

    def lose_the_response(export: Export, files: list[ExportFile]) -> None:
        complete(export, files)
        raise OperationalError("the connection was lost after the commit")

    monkeypatch.setattr(export_lifecycle, "complete_with_files", lose_the_response)
    with pytest.raises(OperationalError):
        runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Status.COMPLETED
    assert file_storage.size(queued.files.get().storage_key) == queued.files.get().bytes


@pytest.mark.parametrize("error", [TimeoutError(), KeyError("Location"), LookupError("no bucket")])
def test_any_error_of_the_storage_requeues_the_export(
    queued: Export, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def save(*args: Any, **kwargs: Any) -> str:
        raise error

    monkeypatch.setattr(LocalStorage, "save", save)
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Status.QUEUED


def test_an_export_of_a_removed_resource_fails_at_once(queued: Export) -> None:
    Export.objects.update(spec=queued.spec | {"resource": "dinosaur"})
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Status.FAILED
    assert queued.error == {
        "error": "obsolete_spec",
        "message": "The stored request cannot be used: the resource 'dinosaur' does not exist any "
        "more. Create a new export.",
    }


@pytest.mark.parametrize("version", [None, 0, ExportSpec.version + 1])
def test_an_export_with_an_unsupported_spec_version_fails_at_once(
    queued: Export, version: int | None
) -> None:
    Export.objects.update(spec=queued.spec | {"version": version})
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Status.FAILED
    assert queued.error == {
        "error": "obsolete_spec",
        "message": "The stored request cannot be used: "
        f"version {version} of the stored spec is not supported; the supported version is 1. "
        "Create a new export.",
    }


def test_an_error_of_the_compiler_is_retried_and_logged(
    queued: Export, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("cell 0")

    monkeypatch.setattr(stream, "compile_export", fail)
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Status.QUEUED
    assert "KeyError: 'cell 0'" in caplog.text


def test_completion_signs_no_link(queued: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the storage's links must not roll the completion back."""

    def sign(*_: object) -> str:
        raise OSError("The signing key is not available.")

    monkeypatch.setattr(TimestampSigner, "sign", sign)
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Status.COMPLETED


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the database send one row per second, each too long to be buffered."""

    def compile_slowly(*args: Any) -> compiler.Statement:
        statement = compiler.compile_export(*args)
        text = statement.copy.as_string(None)
        text = text.replace('"row"."name" AS', "pg_sleep(1)::text || repeat('x', 10000) AS")
        return replace(statement, copy=sql.SQL(text))

    monkeypatch.setattr(stream, "compile_export", compile_slowly)
    monkeypatch.setattr("longshore.jobs.runner.REPORT_SECONDS", 0.2)


@pytest.mark.parametrize("file_format", formats)
def test_an_export_that_exceeds_its_time_limit_is_stopped(
    queued: Export, slow: None, settings: Settings, file_format: str
) -> None:
    Export.objects.update(spec=queued.spec | {"format": file_format})
    settings.EXPORT_TIME_LIMIT_SECONDS = 1
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Status.TIMED_OUT
    # Stopped before the last of its five rows.
    assert queued.processed_count < 5
    assert queued.error is not None
    assert queued.error["error"] == "timeout"
    assert stored_files() == []


def test_a_superseded_worker_stops_and_leaves_no_files(
    queued: Export, slow: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = export_lifecycle.report

    def superseded(export: Export, rows: int) -> None:
        Export.objects.update(claims=["claim_of_another"])
        report(export, rows)

    monkeypatch.setattr(export_lifecycle, "report", superseded)
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Status.PROCESSING
    assert stored_files() == []


def test_progress_is_visible_while_an_export_runs(queued: Export, slow: None) -> None:
    seen = []
    report = export_lifecycle.report
    with pytest.MonkeyPatch.context() as patch:

        def watched(export: Export, rows: int) -> None:
            report(export, rows)
            export.refresh_from_db()
            seen.append(export.progress)

        patch.setattr(export_lifecycle, "report", watched)
        runner.run(queued.pk)
    assert seen == sorted(seen)
    assert {20, 40, 60} <= set(seen)
    assert max(seen) < 100


def test_the_number_of_queries_does_not_depend_on_the_number_of_rows(
    queued: Export, acme: Organization, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    copies(Contact.objects.create(organization=acme), 4999)
    # Four at its start and four at its end are for webhook events.
    with django_assert_num_queries(25):
        runner.run(queued.pk)
    assert queued.files.get().rows == 5005


def test_files_are_readable_by_their_owner_only(queued: Export) -> None:
    runner.run(queued.pk)
    for path in stored_files():
        assert path.stat().st_mode & 0o077 == 0
        assert path.parent.stat().st_mode & 0o077 == 0
