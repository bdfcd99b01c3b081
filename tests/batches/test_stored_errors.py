"""The errors of rows: how many a batch keeps, where the others are, and until when."""

import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone
from pytest_django import Settings

from batches import row_errors
from batches.errors import RowErrorCode
from batches.lifecycle.transitions import batch_lifecycle
from batches.merging import journal
from batches.merging.refusals import Places, Refusal, store, storing
from batches.models import Batch, BatchError
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact
from longshore.jobs import maintenance
from longshore.jobs.lifecycle import Superseded
from longshore.jobs.statuses import Status
from tests.batches.attempts import Attempt, undo
from tests.batches.running import created, files_of, post_file, run
from tests.batches.test_runner import with_connection
from tests.batches.test_undo import CONTACT
from tests.conftest import KeyClient
from tests.exports.conftest import storage

__all__ = ["storage"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]

# Rows 1, 3, 4 and 5 have errors; row 1 cannot be read.
CONTENT = "name,is_primary,email\nA,true,a@x.y,more\nB,true,b@x.y\nC,c,\nD,d,\nE,e,\n"
FAILED = [1, 3, 4, 5]


def kept(batch: Batch) -> list[int | None]:
    return list(batch.row_errors.values_list("row", flat=True))


@pytest.mark.parametrize("mode", ["async", "mixed", "sync"])
def test_a_batch_keeps_the_first_errors_and_its_files_have_all(
    alice: KeyClient, settings: Settings, mode: str
) -> None:
    settings.BATCH_MAX_STORED_ERRORS = 2
    response = post_file(alice, CONTENT, mode=mode)
    batch = created(response)
    warning = "The batch keeps 2 of 4 errors; its files have all of them."
    if mode != "async":
        assert response.json()["stats"]["failed"] == 4
        assert response.json()["warnings"] == [warning]
        assert kept(batch) == [1, 3]
    if mode != "sync":
        batch = run(batch)
    assert (batch.status, batch.created_count, batch.failed_count) == ("completed", 1, 4)
    assert batch.warnings == [warning]
    assert kept(batch) == [1, 3]
    files = files_of(alice, batch)
    for content in (files["errors.csv"], files["failed.csv"], files["errors.jsonl"]):
        assert "'e' is not a valid value of is_primary." in content
    rows = [int(each["row"]) for each in csv.DictReader(io.StringIO(files["errors.csv"]))]
    assert rows == FAILED
    lines = [json.loads(line) for line in files["result.jsonl"].splitlines()]
    assert [each["row"] for each in lines if each["outcome"] == "failed"] == FAILED
    assert len(files["failed.csv"].splitlines()) == 1 + len(FAILED)


def test_errors_of_the_writing_are_kept_up_to_the_maximum(
    acme: Organization, settings: Settings
) -> None:
    settings.BATCH_MAX_STORED_ERRORS = 2
    attempt = Attempt(acme, CONTACT)
    for part in (range(1, 2), range(2, 5), range(5, 6)):
        store(attempt.context, [Refusal(row, RowErrorCode.CONFLICT, "Taken.") for row in part])
    assert kept(attempt.batch) == [1, 2]


def test_writers_keep_errors_up_to_the_maximum_together(
    acme: Organization, settings: Settings
) -> None:
    settings.BATCH_MAX_STORED_ERRORS = 4
    attempt = Attempt(acme, CONTACT)
    attempt.refuse(1)
    places = Places(attempt.batch)

    def write(*rows: int) -> None:
        with storing(attempt.context, places) as add:
            add([Refusal(row, RowErrorCode.CONFLICT, "Taken.") for row in rows])

    # Nothing is kept of a transaction that is rolled back.
    Batch.objects.filter(pk=attempt.batch.pk).update(status=Status.CANCELED)
    with pytest.raises(Superseded):
        write(9)
    Batch.objects.filter(pk=attempt.batch.pk).update(status=Status.PROCESSING)
    with ThreadPoolExecutor(1) as pool, storing(attempt.context, places) as add:
        add([Refusal(row, RowErrorCode.CONFLICT, "Taken.") for row in (2, 3)])
        pool.submit(with_connection, partial(write, 4, 5)).result(10)
    write(6)
    assert kept(attempt.batch) == [1, 2, 3, 4]
    staged = journal.execute(row_errors.staged(attempt.context.staging))
    assert sorted(row for _, row, *_ in staged) == [1, 2, 3, 4, 5, 6]


def test_long_texts_of_an_error_are_cut(acme: Organization) -> None:
    attempt = Attempt(acme, CONTACT)
    long = "ä" * 5000
    store(attempt.context, [Refusal(1, RowErrorCode.RULE_VIOLATED, long, long, long)])
    error = BatchError.objects.get()
    assert error.column == error.value == error.message == long[: row_errors.MAX_CHARACTERS]


def test_an_undo_keeps_the_first_errors(acme: Organization, settings: Settings) -> None:
    attempt = Attempt(acme, CONTACT)
    for number in range(3):
        attempt.create(name=f"{number}")
    attempt.write()
    Contact.objects.update(notes="changed since")
    settings.BATCH_MAX_STORED_ERRORS = 2
    outcome, undoing = undo(attempt)
    assert (outcome.kept, kept(undoing.batch)) == (3, [1, 2])


def test_errors_are_deleted_with_the_files(alice: KeyClient) -> None:
    batch = run(created(post_file(alice, CONTENT, mode="async")))
    assert kept(batch) == FAILED
    url = f"/v1/batches/{batch.public_id}/errors"
    Batch.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    refused = alice.get(url)
    assert (refused.status_code, refused.json()["error"]) == (410, "batch_expired")
    maintenance.expire(batch_lifecycle)
    assert not BatchError.objects.exists()
    assert alice.get(url).status_code == 410
    assert alice.get(f"/v1/batches/{batch.public_id}").json()["stats"]["failed"] == 4


def test_errors_that_are_not_deleted_in_time_are_deleted_later(alice: KeyClient) -> None:
    batch = run(created(post_file(alice, CONTENT, mode="async")))
    assert not batch_lifecycle.delete_files(batch, deadline=0)
    assert BatchError.objects.exists()
    assert batch_lifecycle.delete_files(batch)
    assert not BatchError.objects.exists()
