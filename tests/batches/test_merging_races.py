"""Several writers of the same records: nothing is doubled, lost or left waiting."""

from collections.abc import Callable
from dataclasses import replace
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection, connections, models

from batches.execution import writing as execution
from batches.merging import chunks
from batches.merging.writing import Merge
from batches.models import BatchError, JournalEntry
from batches.spec import Action, OnError, Only
from batches.staging import Step
from longshore.accounts.models import Organization
from longshore.domains.commerce.models import Sku, Tag
from longshore.domains.logistics.models import Contact
from longshore.resources.registry import Resource, registry
from longshore.resources.writing import Written
from tests.batches.attempts import Attempt, undo
from tests.batches.nodes import NODE, Node, node_tables
from tests.batches.staged import stage
from tests.records import a_record

pytestmark = pytest.mark.django_db(transaction=True)


def resource(name: str) -> Resource:
    found = registry.get(name)
    assert found is not None
    return found


SKU = replace(resource("sku"), writable_relations=("tags",))
GIVEN = ("code", "name")


def at_once(*works: Callable[[], Any]) -> list[BaseException]:
    """Run functions in threads that start at the same time. Returns their errors."""
    barrier, errors = Barrier(len(works)), []

    def run(work: Callable[[], Any]) -> None:
        try:
            barrier.wait()
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def staged(organization: Organization, codes: list[str], name: str, **spec: Any) -> Merge:
    """Return a batch that creates SKUs with these codes."""
    attempt = Attempt(organization, SKU, **spec)
    for code in codes:
        attempt.create(code=code, name=name)
    return attempt.merge(GIVEN)


def test_a_record_that_was_created_since_the_plan_is_updated(acme: Organization) -> None:
    tag: Tag = a_record(Tag, acme)
    attempt = Attempt(acme, SKU, relations=["tags"])
    attempt.create(code="a", name="Mine")
    attempt.create({"tags": [tag]}, code="b", name="Mine")
    attempt.create(code="c", name="Same")
    merge = attempt.merge(GIVEN)
    theirs = {code: a_record(Sku, acme, code=code, name="Theirs") for code in "ab"}
    same = a_record(Sku, acme, code="c", name="Same")
    updated_at = same.updated_at
    counts = merge.write()
    assert (counts.created, counts.updated, counts.unchanged, counts.failed) == (0, 2, 1, 0)
    assert (counts.total, counts.processed) == (2, 2)
    for record in (*theirs.values(), same):
        record.refresh_from_db()
    assert [each.name for each in theirs.values()] == ["Mine", "Mine"]
    assert set(theirs["b"].tags.all()) == {tag}
    assert same.updated_at == updated_at
    undo(attempt)
    assert set(Sku.objects.values_list("name", flat=True)) == {"Theirs", "Same"}
    assert not Sku.tags.through._default_manager.exists()


def test_a_creation_that_others_were_faster_with_is_an_error(acme: Organization) -> None:
    only_create = staged(acme, ["a", "b"], "Mine", only=Only.CREATE)
    a_record(Sku, acme, code="a", name="Theirs")
    counts = only_create.write()
    assert (counts.created, counts.failed) == (1, 1)
    error = BatchError.objects.get()
    assert (error.row, error.code) == (1, "already_exists")
    assert error.message == "The SKU exists already, and the batch only creates."


def test_every_row_that_others_were_faster_with_is_reported(acme: Organization) -> None:
    by_name = replace(resource("sku"), key=("name",))
    attempt = Attempt(acme, by_name, only=Only.CREATE)
    attempt.create(code="a", name="Taken")
    attempt.create(code="b", name="Mine")
    merge = attempt.merge(GIVEN)
    a_record(Sku, acme, code="x", name="Taken")
    a_record(Sku, acme, code="b", name="Theirs")
    counts = merge.write()
    assert (counts.created, counts.unchanged, counts.failed) == (0, 0, 2)
    assert [(row, code) for row, code, _ in attempt.errors()] == [
        (1, "already_exists"),
        (2, "conflict"),
    ]


def test_batches_that_abort_and_update_the_same_records_in_other_orders(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 1)
    records = [a_record(Sku, acme, code=f"{number}") for number in range(2)]
    together = Barrier(2, timeout=60)
    waited: list[str] = []

    def update(records: list[Any], name: str) -> Merge:
        def hook(written: Written) -> None:
            # Each batch has written its first record before either writes its second one.
            if name not in waited:
                waited.append(name)
                together.wait()

        hooked = replace(SKU, after_write=hook)
        attempt = Attempt(acme, hooked, on_error=OnError.ABORT)
        for record in records:
            attempt.update(record.pk, name=name)
        return attempt.merge(["name"])

    first, second = update(records, "First"), update(records[::-1], "Second")
    assert at_once(first.write, second.write) == []
    assert first.counts.updated == second.counts.updated == 2
    assert Sku.objects.values("name").distinct().count() == 1


def test_a_unique_value_that_another_record_took_is_a_conflict(acme: Organization) -> None:
    records = [a_record(Sku, acme, code=code) for code in "abc"]
    attempt = Attempt(acme, SKU)
    for record in records:
        attempt.update(record.pk, code=f"{record.code} new")
    merge = attempt.merge(["code"])
    a_record(Sku, acme, code="b new")
    counts = merge.write()
    assert (counts.updated, counts.failed) == (2, 1)
    assert [(row, code) for row, code, _ in attempt.errors()] == [(2, "conflict")]


def test_two_batches_that_create_the_same_keys(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 7)
    codes = [f"{number:03}" for number in range(60)]
    first = staged(acme, codes, "First")
    second = staged(acme, codes[::-1], "Second")
    assert at_once(first.write, second.write) == []
    assert sorted(Sku.objects.values_list("code", flat=True)) == codes
    assert not BatchError.objects.exists()
    for merge in (first, second):
        assert merge.counts.created + merge.counts.updated == 60
    assert first.counts.created + second.counts.created == 60
    rows = [row for entry in JournalEntry.objects.all() for row in entry.rows]
    assert len(rows) == 120


@pytest.mark.parametrize("only", [None, Only.CREATE])
def test_a_key_that_is_not_unique_in_the_database(
    acme: Organization, globex: Organization, monkeypatch: pytest.MonkeyPatch, only: Only | None
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 7)
    by_email = replace(resource("contact"), key=("email",))
    emails = [f"{number:02}@example.com" for number in range(30)]

    def create(organization: Organization) -> Merge:
        attempt = Attempt(organization, by_email, only=only)
        for email in emails:
            attempt.create(email=email, name=organization.name)
        return attempt.merge(["email", "name"])

    first, second, other = create(acme), create(acme), create(globex)
    assert at_once(first.write, second.write, other.write) == []
    found = Contact.objects.filter(organization=acme).order_by("email")
    assert list(found.values_list("email", flat=True)) == emails
    assert first.counts.created + second.counts.created == 30
    assert other.counts.created == 30
    codes = set(BatchError.objects.values_list("code", flat=True))
    if only is None:
        assert first.counts.unchanged + second.counts.unchanged == 30
        assert codes == set()
    else:
        assert first.counts.failed + second.counts.failed == 30
        assert codes == {"already_exists"}


def test_two_batches_that_update_the_same_records(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 13)
    records = [a_record(Sku, acme, code=f"{number:03}") for number in range(60)]
    tags = [a_record(Tag, acme) for _ in range(2)]

    def update(records: list[Any], name: str, tag: models.Model, **spec: Any) -> Merge:
        attempt = Attempt(acme, SKU, relations=["tags"], **spec)
        for record in records:
            attempt.update(record.pk, {"tags": [tag]}, name=name)
        return attempt.merge(["name"])

    first = update(records, "First", tags[0])
    second = update(records[::-1], "Second", tags[1])
    assert at_once(first.write, second.write) == []
    assert first.counts.updated == second.counts.updated == 60
    for record in records:
        record.refresh_from_db()
        assert set(record.tags.all()) == {tags[record.name == "Second"]}


def test_a_batch_waits_for_one_that_creates_the_same_key_in_one_transaction(
    acme: Organization,
) -> None:
    second = staged(acme, ["b", "a"], "Second")
    threads: list[Thread] = []

    def write_second() -> None:
        second.write()
        connections.close_all()

    def hook(written: Written) -> None:
        threads.append(Thread(target=write_second))
        threads[0].start()
        threads[0].join(0.5)
        assert threads[0].is_alive()

    attempt = Attempt(acme, replace(SKU, after_write=hook), on_error=OnError.ABORT)
    attempt.create(code="a", name="First")
    attempt.merge(GIVEN).write()
    threads[0].join()
    assert (second.counts.created, second.counts.updated) == (1, 1)
    assert set(Sku.objects.values_list("code", "name")) == {("a", "Second"), ("b", "Second")}


@pytest.mark.parametrize("on_error", list(OnError))
def test_an_overwrite_keeps_a_named_record_that_was_created_since_the_plan(
    acme: Organization, on_error: OnError
) -> None:
    absent: list[Sku] = [a_record(Sku, acme, code=code) for code in "xyz"]
    attempt = Attempt(acme, SKU, action=Action.OVERWRITE, on_error=on_error, confirm_deletes=3)
    for code in "abc":
        attempt.create(code=code, name="Mine")
    a_record(Sku, acme, code="a", name="Theirs")
    a_record(Sku, acme, code="b", name="Mine")
    merge = attempt.merge(GIVEN)
    assert attempt.planned.deleted == 3
    # The new name of an absent record is that of a row.
    Sku.objects.filter(pk=absent[2].pk).update(code="c")
    merge.write()
    merge.clean_up()
    assert merge.cleanup is not None
    assert (merge.cleanup.total, merge.cleanup.deleted) == (2, 2)
    names = set(Sku.objects.values_list("code", "name"))
    assert names == {("a", "Mine"), ("b", "Mine"), ("c", "Mine")}


def test_an_overwrite_keeps_the_record_of_a_row_with_an_error(acme: Organization) -> None:
    header, rows = ["code", "name", "weight"], [["a", "A", "heavy"], ["b", "B", "1"]]
    spec: Any = {"action": Action.OVERWRITE, "confirm_deletes": 1}
    batch = Attempt(acme, SKU, **spec).batch
    attempt = stage(acme, "sku", header, rows, batch=batch, **spec)
    assert [row for row, *_ in attempt.errors] == [1]
    a_record(Sku, acme, code="x")
    a_record(Sku, acme, code="a", name="Theirs")
    merge = Merge(execution.staged(attempt.validated))
    assert merge.prepare().deleted == 1
    merge.write()
    merge.clean_up()
    assert set(Sku.objects.values_list("code", "name")) == {("a", "Theirs"), ("b", "B")}


def test_an_overwrite_keeps_a_named_record_that_could_not_be_updated(acme: Organization) -> None:
    with node_tables():
        parent, child, other = (Node.objects.create(organization=acme, name=name) for name in "pco")
        Node.objects.filter(pk=child.pk).update(parent=parent)
        attempt = Attempt(acme, NODE, action=Action.OVERWRITE)
        attempt.update(child.pk, name="x" * 50)
        attempt.plan(Step.UNCHANGED, other.pk)
        merge = attempt.merge(["name"])
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {Node._meta.db_table} ADD CHECK (length(name) < 9)")
        merge.write()
        merge.clean_up()
        assert (merge.counts.failed, Node.objects.count()) == (1, 3)
