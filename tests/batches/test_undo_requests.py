"""Undo batches as jobs: what happens to them if their original, its journal or a quota ends."""

from datetime import timedelta

import pytest
from django.utils import timezone

from batches.execution import runner
from batches.lifecycle import journal as journals
from batches.lifecycle.transitions import batch_lifecycle
from batches.merging import chunks
from batches.merging import undo as merging_undo
from batches.models import Batch, BatchLimits
from longshore.domains.logistics.models import Contact
from longshore.jobs import maintenance
from tests.batches.running import CSV, code_of, created, post_file, run
from tests.conftest import KeyClient
from tests.exports.conftest import storage

__all__ = ["storage"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]


@pytest.fixture
def batch(alice: KeyClient, monkeypatch: pytest.MonkeyPatch) -> Batch:
    """A batch that created two contacts, each in a transaction."""
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 1)
    return run(created(post_file(alice, CSV, mode="async")))


def undone(client: KeyClient, batch: Batch) -> Batch:
    return created(client.post(f"/v1/batches/{batch.public_id}/undo"))


def test_a_batch_that_is_being_undone_is_not_deleted(alice: KeyClient, batch: Batch) -> None:
    undo = undone(alice, batch)
    refused = alice.delete(f"/v1/batches/{batch.public_id}")
    assert (refused.status_code, refused.json()["error"]) == (409, "invalid_status")
    advice = "Delete the batch when the undo has ended, or cancel it."
    assert refused.json()["message"] == f"{undo.public_id} undoes the batch. {advice}"
    run(undo)
    assert alice.delete(f"/v1/batches/{batch.public_id}").status_code == 204
    assert alice.post(f"/v1/batches/{batch.public_id}/undo").status_code == 404


def test_an_undo_fails_if_its_batch_is_deleted_meanwhile(
    alice: KeyClient, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    undo = undone(alice, batch)
    reverse = merging_undo.Undo.reverse

    def delete_after(undoing: merging_undo.Undo, each: object) -> None:
        reverse(undoing, each)  # type: ignore[arg-type]
        # As the deletion of old batches does, and that of an organization.
        Batch.objects.filter(pk=batch.pk).delete()

    monkeypatch.setattr(merging_undo.Undo, "reverse", delete_after)
    runner.run(undo.pk)
    undo.refresh_from_db()
    assert (undo.status, code_of(undo)) == ("failed", "not_found")
    assert undo.reason == "The batch to undo has been deleted."
    assert Contact.objects.count() == 1


def test_a_soft_deleted_batch_is_not_undone(alice: KeyClient, batch: Batch) -> None:
    undo = undone(alice, batch)
    Batch.objects.filter(pk=batch.pk).update(deleted_at=timezone.now())
    run(undo)
    assert (undo.status, code_of(undo)) == ("failed", "not_found")
    maintenance.discard(batch_lifecycle)
    assert Contact.objects.count() == 2


def test_an_undo_is_not_retried_after_its_deadline(alice: KeyClient, batch: Batch) -> None:
    undo = undone(alice, batch)
    Batch.objects.filter(pk=undo.pk).update(status="failed", completed_at=timezone.now())
    Batch.objects.filter(pk=batch.pk).update(completed_at=timezone.now() - timedelta(days=8))
    journals.purge()
    refused = alice.post(f"/v1/batches/{undo.public_id}/retry")
    assert (refused.status_code, refused.json()["error"]) == (410, "undo_expired")
    undo.refresh_from_db()
    assert undo.status == "failed"


def test_an_undo_needs_no_place_in_the_storage(alice: KeyClient, batch: Batch) -> None:
    BatchLimits.objects.create(organization=batch.organization, stored_bytes=1)
    refused = post_file(alice, CSV, mode="async")
    assert (refused.status_code, refused.json()["error"]) == (422, "storage_quota_exceeded")
    undo = undone(alice, batch)
    Batch.objects.filter(pk=undo.pk).update(status="canceled")
    assert undone(alice, batch) == undo
    assert run(undo).status == "completed"
    assert not Contact.objects.exists()
