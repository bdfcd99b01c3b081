"""Writing the planned rows of a batch: values, links, counts, the journal and the hook."""

from dataclasses import replace
from datetime import UTC, datetime
from threading import Barrier, current_thread
from typing import Any

import pytest
from django.db import connection, models

from batches.merging import chunks, journal, writing
from batches.merging.writing import Aborted
from batches.models import Batch, BatchError, JournalEntry
from batches.spec import OnError
from batches.staging import Step
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact, ContactGroup, Group
from longshore.jobs.lifecycle import Superseded
from longshore.jobs.statuses import Status
from longshore.resources.registry import Resource, registry
from longshore.resources.writing import Written
from tests.batches.attempts import Attempt, again, undo
from tests.batches.nodes import NODE, Node, node_tables
from tests.factories import ContactFactory, GroupFactory, LocationFactory

pytestmark = pytest.mark.django_db(transaction=True)


def resource(name: str) -> Resource:
    found = registry.get(name)
    assert found is not None
    return found


CONTACT = replace(resource("contact"), writable_relations=("groups",))
GROUP = resource("group")
GIVEN = ("name", "email", "metadata")
OLD = datetime(2020, 1, 1, tzinfo=UTC)


def stored(record: models.Model) -> dict[str, Any]:
    """Return the stored columns of a record."""
    row = type(record)._default_manager.filter(pk=record.pk).values().first()
    assert row is not None
    return row


def aged(record: Contact) -> Contact:
    """Return the record, last updated long ago."""
    Contact.objects.filter(pk=record.pk).update(updated_at=OLD)
    record.refresh_from_db()
    return record


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 2)
    monkeypatch.setattr(chunks, "WRITERS", 1)


def test_a_created_record_has_all_values_and_the_time_of_the_transaction(
    acme: Organization,
) -> None:
    location = LocationFactory.create(organization=acme)
    attempt = Attempt(acme, CONTACT)
    key = attempt.create(
        name="Ada",
        email=None,
        alternate_names=["A", 'B "C"'],
        address={"city": "Köln"},
        metadata={"a": [1, None]},
        location_id=location.pk,
        is_primary=True,
    )
    before = datetime.now(UTC)
    counts = attempt.write()
    contact = Contact.objects.get(pk=key)
    assert (counts.created, counts.total, counts.processed) == (1, 1, 1)
    assert (contact.name, contact.email, contact.alternate_names) == ("Ada", None, ["A", 'B "C"'])
    assert (contact.address, contact.metadata) == ({"city": "Köln"}, {"a": [1, None]})
    assert (contact.location, contact.is_primary) == (location, True)
    assert contact.organization == acme
    assert before <= contact.updated_at <= datetime.now(UTC)
    assert contact.search_text == "Ada"


def test_a_chunk_reads_its_own_records_only(acme: Organization) -> None:
    """Also before PostgreSQL has statistics of the records of a new organization."""
    contacts = Contact.objects.bulk_create(ContactFactory.build_batch(3000, organization=acme))
    attempt = Attempt(acme, CONTACT)
    for contact in contacts[:10]:
        attempt.update(contact.pk, name="Ada", email=None, metadata={})
    read = records_read()
    assert attempt.write(GIVEN).updated == 10
    # Locked, updated, and read for the journal; each with the record of its `old` image.
    assert records_read() - read < 100


def records_read() -> int:
    """Return how many contacts PostgreSQL has read so far."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT coalesce(idx_tup_fetch, 0) + seq_tup_read FROM pg_stat_user_tables"
            " WHERE relname = %s",
            [Contact._meta.db_table],
        )
        ((read,),) = cursor.fetchall()
    return int(read)


def test_an_update_sets_the_given_columns_and_updated_at_only(acme: Organization) -> None:
    contact = aged(ContactFactory.create(organization=acme, name="Old", email="a@b", phone="1"))
    other = aged(ContactFactory.create(organization=acme, name="Other"))
    before = stored(contact), stored(other)
    attempt = Attempt(acme, CONTACT)
    attempt.update(contact.pk, name="New", email=None, metadata={"x": 1})
    attempt.plan(Step.UNCHANGED, other.pk)
    counts = attempt.write(GIVEN)
    changed = stored(contact)
    assert (counts.updated, counts.unchanged, counts.total) == (1, 1, 1)
    assert changed.pop("updated_at") > OLD
    expected = {**before[0], "name": "New", "email": None, "metadata": {"x": 1}}
    expected["search_text"] = "New 1"
    expected.pop("updated_at")
    assert changed == expected
    assert stored(other) == before[1]


def test_absent_columns_keep_their_values_row_by_row(acme: Organization) -> None:
    first, second = ContactFactory.create_batch(2, organization=acme, name="Old", email="old")
    attempt = Attempt(acme, CONTACT)
    attempt.update(first.pk, absent=["email"], name="New", metadata={})
    attempt.update(second.pk, absent=["name"], email="new", metadata={})
    attempt.write(GIVEN)
    values = Contact.objects.order_by("pk").values_list("pk", "name", "email")
    assert set(values) == {(first.pk, "New", "old"), (second.pk, "Old", "new")}


def test_the_journal_has_before_images_rows_and_the_transaction_of_each_chunk(
    acme: Organization, small_chunks: None
) -> None:
    existing = [ContactFactory.create(organization=acme, name=f"Old {n}") for n in range(3)]
    images = {contact.pk: stored(contact) for contact in existing}
    attempt = Attempt(acme, CONTACT)
    created = attempt.create(name="Created")
    for contact in existing:
        attempt.update(contact.pk, name="New", metadata={})
    attempt.write(GIVEN)
    entries = list(JournalEntry.objects.filter(batch=attempt.batch))
    assert [each.step for each in entries] == ["c", "u", "u"]
    assert [each.rows for each in entries] == [[1], [2], [3, 4]]
    assert entries[0].keys == [created]
    assert entries[0].before is None
    for entry in entries[1:]:
        for key, image in zip(entry.keys, entry.before or (), strict=True):
            assert image["id"] == key
            assert image["name"] == images[key]["name"]
            assert datetime.fromisoformat(image["updated_at"]) == images[key]["updated_at"]
            assert "search_text" not in image
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, xmin::text::bigint FROM longshore_logistics_contact")
        xmin = dict(cursor.fetchall())
    for entry in entries:
        for key in entry.keys:
            assert entry.transaction & (2**32 - 1) == xmin[key]


def test_links_are_replaced_and_absent_relations_keep_theirs(acme: Organization) -> None:
    kept, removed, added = (GroupFactory.create(organization=acme) for _ in range(3))
    first = ContactFactory.create(organization=acme, groups=[kept, removed])
    second = ContactFactory.create(organization=acme, groups=[kept, removed])
    third = ContactFactory.create(organization=acme, groups=[kept])
    link = ContactGroup.objects.get(contact=first, group=kept)
    attempt = Attempt(acme, CONTACT, relations=["groups"])
    attempt.update(first.pk, {"groups": [kept, added]}, name="1", metadata={})
    attempt.update(second.pk, absent=["groups"], name="2", metadata={})
    attempt.update(third.pk, name="3", metadata={})
    created = attempt.create({"groups": [added]}, name="4")
    attempt.write(GIVEN)
    assert set(first.groups.all()) == {kept, added}
    assert ContactGroup.objects.get(contact=first, group=kept) == link
    assert set(second.groups.all()) == {kept, removed}
    assert not third.groups.exists()
    assert set(Contact.objects.get(pk=created).groups.all()) == {added}
    entries = JournalEntry.objects.filter(table=ContactGroup._meta.db_table)
    deleted, inserted = entries.get(step="d"), entries.get(step="c")
    assert {image["group_id"] for image in deleted.before or ()} == {removed.pk, kept.pk}
    assert (deleted.rows, inserted.rows, len(inserted.keys)) == ([], [], 2)


def test_links_to_records_that_the_organization_cannot_see_stay(
    acme: Organization, globex: Organization
) -> None:
    mine, theirs = GroupFactory.create(organization=acme), GroupFactory.create(organization=globex)
    contact = ContactFactory.create(organization=acme, groups=[mine, theirs])
    attempt = Attempt(acme, CONTACT, relations=["groups"])
    attempt.update(contact.pk, name="New", metadata={})
    attempt.write(GIVEN)
    assert set(contact.groups.all()) == {theirs}


def test_a_relation_is_set_from_its_other_side(acme: Organization) -> None:
    group = GroupFactory.create(organization=acme)
    contact = ContactFactory.create(organization=acme)
    changed = replace(GROUP, writable_relations=("contacts",))
    attempt = Attempt(acme, changed, relations=["contacts"])
    attempt.update(group.pk, {"contacts": [contact]}, name="G")
    attempt.write(["name"])
    assert set(group.contacts.all()) == {contact}


def test_a_record_that_vanished_or_moved_is_not_found(
    acme: Organization, globex: Organization
) -> None:
    moved = ContactFactory.create(organization=globex, name="Theirs")
    mine = ContactFactory.create(organization=acme)
    attempt = Attempt(acme, CONTACT)
    attempt.update(moved.pk, name="x", metadata={})
    attempt.update("ctct_gone", name="x", metadata={})
    attempt.update(mine.pk, name="x", metadata={})
    counts = attempt.write(GIVEN)
    assert (counts.updated, counts.failed) == (1, 2)
    moved.refresh_from_db()
    assert moved.name == "Theirs"
    assert attempt.errors() == [
        (1, "not_found", f"There is no contact with the id {moved.pk!r}."),
        (2, "not_found", "There is no contact with the id 'ctct_gone'."),
    ]


def test_a_row_that_a_constraint_refuses_is_found_and_the_rest_is_written(
    acme: Organization,
) -> None:
    groups = [GroupFactory.create(organization=acme, name="Old") for _ in range(50)]
    attempt = Attempt(acme, GROUP)
    for number, group in enumerate(groups):
        parent = group.pk if number in (7, 31) else groups[0].pk if number else None
        attempt.update(group.pk, name="New", parent_id=parent)
    attempt.update(groups[3].pk, name="New", parent_id="grp_gone")
    counts = attempt.write(["name", "parent_id"])
    assert (counts.updated, counts.failed) == (48, 3)
    assert attempt.errors() == [
        (8, "rule_violated", "A group cannot be its own parent."),
        (32, "rule_violated", "A group cannot be its own parent."),
        (51, "not_found", "A record that this one refers to no longer exists."),
    ]
    assert Group.objects.filter(name="New").count() == 48
    for entry in JournalEntry.objects.all():
        assert not {8, 32, 51} & set(entry.rows)


def test_a_trigger_that_raises_or_suppresses_is_an_error_of_its_row(acme: Organization) -> None:
    with connection.cursor() as cursor:
        cursor.execute("""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
              IF NEW.name = 'raise' THEN RAISE 'names must be kind'; END IF;
              IF NEW.name = 'skip' THEN RETURN NULL; END IF;
              NEW.notes = 'seen'; RETURN NEW; END $$;
            CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON longshore_logistics_contact
              FOR EACH ROW EXECUTE FUNCTION refuse()""")
    try:
        contact = Contact(organization=acme, name="Old")
        contact.save()
        attempt = Attempt(acme, CONTACT)
        attempt.create(name="raise")
        attempt.create(name="fine")
        attempt.create(name="skip")
        attempt.update(contact.pk, name="skip", metadata={})
        counts = attempt.write(GIVEN)
        assert (counts.created, counts.updated, counts.failed) == (1, 0, 3)
        assert [(row, code) for row, code, _ in attempt.errors()] == [
            (1, "rule_violated"),
            (3, "conflict"),
            (4, "rule_violated"),
        ]
        assert attempt.errors()[0][2] == "Names must be kind."
        assert Contact.objects.get(name="fine").notes == "seen"
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION refuse CASCADE")


def test_a_search_for_refused_rows_may_write_more_entries_than_a_block_has(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "BLOCK", 8)
    groups = GroupFactory.create_batch(40, organization=acme, name="Old", parent=None)
    attempt = Attempt(acme, GROUP)
    for number, group in enumerate(groups):
        attempt.update(group.pk, name="New", parent_id=group.pk if number % 2 else None)
    counts = attempt.write(["name", "parent_id"])
    assert (counts.updated, counts.failed) == (20, 20)
    assert {code for _, code, _ in attempt.errors()} == {"rule_violated"}


def test_a_chunk_is_written_again_if_the_database_accepts_its_rows_by_now(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = Attempt(acme, GROUP)
    attempt.create(name="New", parent_id="grp_late")
    merge = attempt.merge(["name", "parent_id"])
    search = chunks.Chunks.find_refused

    def late(self: Any, rows: Any = None) -> Any:
        GroupFactory.create(organization=acme, id="grp_late", parent=None)
        return search(self, rows)

    monkeypatch.setattr(chunks.Chunks, "find_refused", late)
    counts = merge.write()
    assert (counts.created, counts.failed) == (1, 0)
    assert Group.objects.filter(parent_id="grp_late").count() == 1


def test_abort_writes_nothing_if_a_row_is_refused(acme: Organization, small_chunks: None) -> None:
    contact = ContactFactory.create(organization=acme, name="Old")
    attempt = Attempt(acme, CONTACT, on_error=OnError.ABORT)
    for number in range(5):
        attempt.create(name=f"New {number}")
    attempt.update(contact.pk, name="New", metadata={})
    attempt.update("ctct_gone", name="New", metadata={})
    merge = attempt.merge(GIVEN)
    counts = merge.counts
    with pytest.raises(Aborted, match="1 row could not be written, so nothing was written"):
        merge.write()
    assert (counts.created, counts.updated, counts.failed, counts.processed) == (0, 0, 1, 1)
    assert list(Contact.objects.values_list("name", flat=True)) == ["Old"]
    assert not JournalEntry.objects.exists()
    assert [(row, code) for row, code, _ in attempt.errors()] == [(7, "not_found")]


def test_abort_finds_the_row_that_the_database_refuses(
    acme: Organization, small_chunks: None
) -> None:
    attempt = Attempt(acme, GROUP, on_error=OnError.ABORT)
    for number in range(5):
        attempt.create(name=f"New {number}", parent_id="grp_gone" if number == 3 else None)
    with pytest.raises(Aborted):
        attempt.write(["name", "parent_id"])
    assert not Group.objects.exists()
    assert [(row, code) for row, code, _ in attempt.errors()] == [(4, "not_found")]


def test_abort_stops_its_search_after_some_rows(
    acme: Organization, small_chunks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "MAX_REPORTED", 3)
    monkeypatch.setattr(writing, "MAX_REPORTED", 3)
    attempt = Attempt(acme, GROUP, on_error=OnError.ABORT)
    for number in range(12):
        attempt.create(name=f"New {number}", parent_id="grp_gone")
    with pytest.raises(Aborted, match="At least 3 rows could not be written"):
        attempt.write(["name", "parent_id"])
    assert [row for row, _, _ in attempt.errors()] == [1, 2, 3]


def test_abort_without_errors_is_one_transaction(acme: Organization, small_chunks: None) -> None:
    attempt = Attempt(acme, CONTACT, on_error=OnError.ABORT)
    for number in range(5):
        attempt.create(name=f"New {number}")
    assert attempt.write(GIVEN).created == 5
    assert len(set(JournalEntry.objects.values_list("transaction", flat=True))) == 1


class Dies(BaseException):
    """Stands for the end of the process: nothing catches it."""


def test_the_next_attempt_leaves_out_what_is_written(
    acme: Organization, small_chunks: None
) -> None:
    existing = [ContactFactory.create(organization=acme) for _ in range(4)]
    calls: list[Written] = []

    def hook(written: Written) -> None:
        calls.append(written)
        if len(calls) == 3:
            raise Dies

    dying = replace(CONTACT, after_write=hook)
    attempt = Attempt(acme, dying)

    def stage(attempt: Attempt) -> None:
        for number in range(4):
            attempt.create(name=f"Created {number}")
        for contact in existing:
            attempt.update(contact.pk, name="Updated", metadata={})

    stage(attempt)
    with pytest.raises(Dies):
        attempt.write(GIVEN)
    assert Contact.objects.filter(name__startswith="Created").count() == 4
    assert not Contact.objects.filter(name="Updated").exists()
    second = again(attempt)
    stage(second)
    counts = second.write(GIVEN)
    assert (counts.created, counts.updated, counts.total, counts.processed) == (4, 4, 8, 8)
    assert Contact.objects.filter(name__startswith="Created").count() == 4
    assert Contact.objects.filter(name="Updated").count() == 4
    rows = [row for entry in JournalEntry.objects.all() for row in entry.rows]
    assert sorted(rows) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_an_attempt_that_lost_the_batch_writes_nothing(acme: Organization) -> None:
    attempt = Attempt(acme, CONTACT)
    attempt.create(name="New")
    merge = attempt.merge()
    Batch.objects.filter(pk=attempt.batch.pk).update(status=Status.CANCELED)
    with pytest.raises(Superseded):
        merge.write()
    assert not Contact.objects.exists()
    assert not JournalEntry.objects.exists()


def test_the_hook_gets_the_keys_of_each_chunk_in_its_transaction(
    acme: Organization, small_chunks: None
) -> None:
    contact = ContactFactory.create(organization=acme)
    calls: list[Written] = []

    def hook(written: Written) -> None:
        assert Contact.objects.filter(pk__in=written.created).count() == len(written.created)
        calls.append(written)

    attempt = Attempt(acme, replace(CONTACT, after_write=hook))
    keys = [attempt.create(name=f"New {number}") for number in range(2)]
    attempt.update(contact.pk, name="New", metadata={})
    attempt.update("ctct_gone", name="New", metadata={})
    attempt.write(GIVEN)
    assert calls == [Written(acme.pk, keys, [], []), Written(acme.pk, [], [contact.pk], [])]


def test_an_error_of_the_hook_rolls_its_chunk_back(acme: Organization) -> None:
    def hook(written: Written) -> None:
        raise ValueError("no")

    attempt = Attempt(acme, replace(CONTACT, after_write=hook))
    attempt.create(name="New")
    with pytest.raises(ValueError, match="no"):
        attempt.write()
    assert not Contact.objects.exists()
    assert not BatchError.objects.exists()


def test_several_connections_write_at_the_same_time(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 3)
    threads: set[str] = set()
    together = Barrier(2, timeout=60)

    def hook(written: Written) -> None:
        if len(threads) < 2:
            threads.add(current_thread().name)
            together.wait()

    existing = [ContactFactory.create(organization=acme) for _ in range(10)]
    attempt = Attempt(acme, replace(CONTACT, after_write=hook))
    for contact in existing:
        attempt.update(contact.pk, name="Updated", metadata={})
        attempt.create(name="Created")
    counts = attempt.write(GIVEN)
    assert len(threads) == 2
    assert (counts.created, counts.updated, counts.processed) == (10, 10, 20)
    assert Contact.objects.filter(name="Created").count() == 10
    assert Contact.objects.filter(name="Updated").count() == 10
    entries = list(JournalEntry.objects.all())
    assert sorted(row for each in entries for row in each.rows) == list(range(1, 21))


def test_an_error_of_one_connection_ends_the_others(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 2)

    def hook(written: Written) -> None:
        if Contact.objects.filter(pk__in=written.created, name="6").exists():
            raise ValueError("no")

    attempt = Attempt(acme, replace(CONTACT, after_write=hook))
    for number in range(40):
        attempt.create(name=f"{number}")
    with pytest.raises(ValueError, match="no"):
        attempt.write()
    assert 6 <= Contact.objects.count() < 38
    rows = [row for entry in JournalEntry.objects.all() for row in entry.rows]
    assert len(rows) == Contact.objects.count()


def test_a_canceled_batch_ends_before_the_next_chunk(
    acme: Organization, small_chunks: None
) -> None:
    attempt = Attempt(acme, replace(CONTACT, after_write=lambda written: merge.cancel()))
    for number in range(6):
        attempt.create(name=f"{number}")
    merge = attempt.merge()
    with pytest.raises(chunks.Canceled):
        merge.write()
    assert Contact.objects.count() == 2


def test_the_database_assigns_keys(acme: Organization) -> None:
    with node_tables():
        existing = Node.objects.create(organization=acme, name="Old")
        attempt = Attempt(acme, NODE)
        for name in ("a", "b"):
            attempt.create(name=name)
        attempt.update(existing.pk, name="New")
        counts = attempt.write(["name"])
        assert (counts.created, counts.updated) == (2, 1)
        values = Node.objects.order_by("pk").values_list("pk", "name")
        assert list(values) == [(1, "New"), (2, "a"), (3, "b")]
        entry = JournalEntry.objects.get(step="c")
        assert (entry.rows, entry.keys) == ([1, 2], ["2", "3"])
        undo(attempt)
        assert list(Node.objects.values_list("pk", "name")) == [(1, "Old")]


def test_large_images_are_spread_over_entries(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("batches.merging.journal.MAX_IMAGE_BYTES", 2000)
    contacts = [ContactFactory.create(organization=acme, notes=str(n) * 9000) for n in range(4)]
    attempt = Attempt(acme, CONTACT)
    for contact in contacts:
        attempt.update(contact.pk, name="New", metadata={})
    attempt.write(GIVEN)
    entries = list(JournalEntry.objects.all())
    assert len(entries) > 1
    assert [key for each in entries for key in each.keys] == [each.pk for each in contacts]
    notes = [image["notes"] for each in entries for image in each.before or ()]
    assert notes == [each.notes for each in contacts]
