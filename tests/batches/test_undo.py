"""Undo: the former state comes back, except for what was changed since."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from batches.merging import chunks, journal
from batches.merging import undo as merging_undo
from batches.merging.undo import Undo
from batches.models import Batch, JournalEntry
from batches.spec import Action, OnError
from batches.staging import Step
from longshore.accounts.models import Organization
from longshore.domains.commerce.models import Sku
from longshore.domains.logistics.models import (
    Contact,
    ContactGroup,
    Group,
    Item,
    Level,
    Location,
    Shipment,
)
from longshore.jobs.lifecycle import Superseded
from longshore.jobs.statuses import Status
from longshore.resources.registry import Resource, registry
from longshore.resources.writing import Written
from tests.batches.attempts import Attempt, again, deletion, undo
from tests.factories import (
    ContactFactory,
    GroupFactory,
    ItemFactory,
    LevelFactory,
    LocationFactory,
    ShipmentFactory,
)
from tests.records import a_record

pytestmark = pytest.mark.django_db(transaction=True)

OLD = datetime(2020, 1, 1, tzinfo=UTC)
MODELS = (Contact, ContactGroup, Group, Item, Level, Location, Shipment, Sku)


def resource(name: str) -> Resource:
    found = registry.get(name)
    assert found is not None
    return found


CONTACT = replace(resource("contact"), writable_relations=("groups",))


def everything() -> dict[str, Any]:
    """Return all stored values of all tables that the tests change."""
    return {
        model.__name__: sorted(map(repr, model._default_manager.values().order_by("pk")))
        for model in MODELS
    }


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 2)


def contact(organization: Organization, **values: Any) -> Contact:
    """Create a contact that was last updated long ago."""
    created = ContactFactory.create(organization=organization, **values)
    Contact.objects.filter(pk=created.pk).update(updated_at=OLD)
    created.refresh_from_db()
    return created


def test_created_updated_and_linked_records_are_reversed(acme: Organization) -> None:
    groups = GroupFactory.create_batch(3, organization=acme)
    first = contact(
        acme,
        name="First",
        groups=groups[:2],
        address={"a": [1.5, None]},
        alternate_names=["x"],
        notes="ä\\'\"\n",
    )
    second = contact(acme, name="Second", location=LocationFactory.create(organization=acme))
    before = everything()
    attempt = Attempt(acme, CONTACT, relations=["groups"])
    attempt.update(first.pk, {"groups": groups[1:]}, name="1", address=None, notes=None)
    attempt.update(second.pk, {"groups": groups}, name="2")
    attempt.create({"groups": groups}, name="3")
    attempt.write(["name", "address", "notes"])
    assert everything() != before
    outcome, undoing = undo(attempt)
    assert (outcome.total, outcome.reversed, outcome.kept, outcome.failed) == (3, 3, 0, 0)
    assert everything() == before
    assert undoing.errors() == []
    named = JournalEntry.objects.filter(batch=undoing.batch).exclude(rows=[])
    assert {(row, each.step) for each in named for row in each.rows} == {
        (1, "u"),
        (2, "u"),
        (3, "d"),
    }


def test_records_changed_since_are_kept_with_their_links(acme: Organization) -> None:
    groups = GroupFactory.create_batch(2, organization=acme)
    edited, deleted, other = (contact(acme, name=f"{n}", groups=groups[:1]) for n in range(3))
    attempt = Attempt(acme, CONTACT, relations=["groups"])
    for each in (edited, deleted, other):
        attempt.update(each.pk, {"groups": groups[1:]}, name="New")
    created = attempt.create({"groups": groups}, name="Created")
    attempt.write(["name"])
    Contact.objects.filter(pk=edited.pk).update(notes="edited")
    Contact.objects.filter(pk=created).update(notes="edited")
    deleted.delete()
    outcome, undoing = undo(attempt)
    assert (outcome.total, outcome.reversed, outcome.kept, outcome.failed) == (4, 1, 3, 0)
    message = "The record was changed or deleted after the batch, so it is kept as it is."
    assert undoing.errors() == [(row, "changed_since", message) for row in (1, 2, 4)]
    edited.refresh_from_db()
    other.refresh_from_db()
    assert (edited.name, other.name, other.updated_at) == ("New", "2", OLD)
    assert set(edited.groups.all()) == {groups[1]}
    assert set(other.groups.all()) == {groups[0]}
    assert set(Contact.objects.get(pk=created).groups.all()) == set(groups)


def test_a_created_record_that_is_in_use_is_kept(acme: Organization) -> None:
    group = GroupFactory.create(organization=acme)
    attempt = Attempt(acme, CONTACT, relations=["groups"])
    used = attempt.create({"groups": [group]}, name="Used")
    grouped = attempt.create(name="Grouped")
    attempt.create({"groups": [group]}, name="Unused")
    attempt.write()
    ShipmentFactory.create(organization=acme, sender_contact_id=used)
    ContactGroup.objects.create(contact_id=grouped, group=group)
    outcome, undoing = undo(attempt)
    assert (outcome.total, outcome.reversed, outcome.kept, outcome.failed) == (3, 1, 2, 0)
    assert [(row, code) for row, code, _ in undoing.errors()] == [
        (1, "still_referenced"),
        (2, "still_referenced"),
    ]
    assert set(Contact.objects.values_list("name", flat=True)) == {"Used", "Grouped"}
    assert ContactGroup.objects.count() == 2


def test_deleted_records_come_back_with_all_that_went_with_them(acme: Organization) -> None:
    place = LocationFactory.create(organization=acme)
    feeder = LocationFactory.create(organization=acme, terminal_location=place)
    item = ItemFactory.create(organization=acme)
    LevelFactory.create(item=item, location=place)
    someone = contact(acme, name="Ada", location=place, locations=[place])
    ShipmentFactory.create(organization=acme, location=place)
    before = everything()
    attempt = deletion(acme, resource("location"), place.pk, feeder.pk)
    attempt.write()
    assert not Location.objects.exists()
    assert not Level.objects.exists()
    someone.refresh_from_db()
    assert someone.location is None
    outcome, undoing = undo(attempt)
    assert (outcome.total, outcome.reversed, outcome.kept, outcome.failed) == (2, 2, 0, 0)
    assert undoing.errors() == []
    assert everything() == before


def test_what_cannot_come_back_fails_alone(acme: Organization) -> None:
    places = LocationFactory.create_batch(2, organization=acme)
    items = ItemFactory.create_batch(2, organization=acme)
    contacts = [contact(acme, name=f"{n}", location=places[n]) for n in range(2)]
    for item in items:
        LevelFactory.create(item=item, location=places[0])
    first = deletion(acme, resource("contact"), *(each.pk for each in contacts))
    first.write()
    second = deletion(acme, resource("item"), *(each.pk for each in items))
    second.write()
    places[0].delete()
    outcome, undoing = undo(first)
    assert (outcome.total, outcome.reversed, outcome.kept, outcome.failed) == (2, 1, 0, 1)
    assert undoing.errors() == [
        (1, "not_found", "location_id refers to a record that no longer exists.")
    ]
    assert list(Contact.objects.values_list("name", flat=True)) == ["1"]
    outcome, undoing = undo(second)
    assert (outcome.reversed, outcome.failed) == (2, 0)
    assert [(row, code) for row, code, _ in undoing.errors()] == [(None, "not_found")] * 2


def test_a_value_that_another_record_has_now_fails_alone(acme: Organization) -> None:
    skus: list[Sku] = [a_record(Sku, acme, code=code) for code in ("a", "b", "c")]
    attempt = Attempt(acme, resource("sku"))
    for sku in skus:
        attempt.update(sku.pk, code=f"{sku.code} new")
    attempt.write(["code"])
    gone = deletion(acme, resource("sku"), skus[2].pk)
    gone.write()
    a_record(Sku, acme, code="b")
    a_record(Sku, acme, code="c new")
    outcome, undoing = undo(gone)
    assert (outcome.reversed, outcome.failed) == (0, 1)
    assert [(row, code) for row, code, _ in undoing.errors()] == [(1, "conflict")]
    outcome, undoing = undo(attempt)
    assert (outcome.reversed, outcome.kept, outcome.failed) == (1, 1, 1)
    assert [(row, code) for row, code, _ in undoing.errors()] == [
        (2, "conflict"),
        (3, "changed_since"),
    ]
    assert set(Sku.objects.values_list("code", flat=True)) == {"a", "b new", "b", "c new"}


@pytest.mark.parametrize("on_error", list(OnError))
def test_an_overwrite_is_undone(acme: Organization, on_error: OnError) -> None:
    groups = [GroupFactory.create(organization=acme, name=f"{n}") for n in range(8)]
    for child, parent in ((0, 7), (1, 6), (6, 7), (7, 5)):
        Group.objects.filter(pk=groups[child].pk).update(parent=groups[parent])
    ContactFactory.create(organization=acme, groups=groups)
    before = everything()
    attempt = Attempt(acme, resource("group"), action=Action.OVERWRITE, on_error=on_error)
    for group in groups[:4]:
        attempt.update(group.pk, name="New")
    attempt.plan(Step.UNCHANGED, groups[4].pk)
    attempt.create(name="Created")
    attempt.write(["name"])
    assert Group.objects.count() == 6
    outcome, undoing = undo(attempt)
    assert undoing.errors() == []
    assert (outcome.total, outcome.reversed) == (8, 8)
    assert everything() == before


def test_json_null_and_null_are_restored_as_they_were(acme: Organization) -> None:
    records = [contact(acme, name=f"{n}") for n in range(2)]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE longshore_logistics_contact SET address = 'null', metadata = 'null',"
            " secondary_address = NULL"
        )
    before = everything()
    attempt = Attempt(acme, CONTACT)
    attempt.update(records[0].pk, address={"x": 1}, metadata={}, secondary_address={})
    attempt.write(["address", "metadata", "secondary_address"])
    deletion_ = deletion(acme, CONTACT, records[1].pk)
    deletion_.write()
    undo(deletion_)
    undo(attempt)
    assert everything() == before
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT address::text, metadata::text, secondary_address FROM"
            " longshore_logistics_contact"
        )
        assert cursor.fetchall() == [("null", "null", None)] * 2


def test_records_that_a_later_undo_restored_are_reversed(acme: Organization) -> None:
    groups = GroupFactory.create_batch(2, organization=acme)
    records = [contact(acme, name=f"{n}", groups=groups[:1]) for n in range(3)]
    before = everything()
    first = Attempt(acme, CONTACT, relations=["groups"])
    for each in records:
        first.update(each.pk, {"groups": groups}, name="First")
    added = first.create({"groups": groups}, name="Added")
    first.write(["name"])
    # Several batches that were undone, the newest first or one after the other.
    for _ in range(2):
        later = Attempt(acme, CONTACT, relations=["groups"])
        for each in records[:2]:
            later.update(each.pk, {"groups": groups[1:]}, name="Later")
        later.update(added, {"groups": groups[1:]}, name="Later")
        later.write(["name"])
        newest = deletion(acme, CONTACT, records[0].pk)
        newest.write()
        for undone in (newest, later):
            assert undo(undone)[0].kept == 0
    outcome, undoing = undo(first)
    assert (outcome.total, outcome.reversed, outcome.kept) == (4, 4, 0), undoing.errors()
    assert everything() == before


def test_what_other_undos_restored_is_read_once_and_only_if_there_are_any(
    acme: Organization,
) -> None:
    unrelated = Attempt(acme, CONTACT)
    unrelated.create(name="Unrelated")
    unrelated.write()
    undo(unrelated)
    records = [contact(acme, name=f"{n}") for n in range(5)]
    first = Attempt(acme, CONTACT)
    for each in records:
        first.update(each.pk, name="First")
    first.write(["name"])
    later = Attempt(acme, CONTACT)
    later.update(records[0].pk, name="Later")
    later.write(["name"])
    with CaptureQueriesContext(connection) as of_later:
        undo(later)
    assert JournalEntry.objects.filter(batch=first.batch).count() == 3
    with CaptureQueriesContext(connection) as of_first:
        assert undo(first)[0].reversed == 5
    found = [
        sum("named.before ->>" in each["sql"] for each in captured.captured_queries)
        for captured in (of_later, of_first)
    ]
    assert found == [0, 1]


def test_records_that_were_changed_before_a_later_batch_are_kept(acme: Organization) -> None:
    record = contact(acme, name="Old")
    first = Attempt(acme, CONTACT)
    first.update(record.pk, name="First")
    first.write(["name"])
    Contact.objects.filter(pk=record.pk).update(notes="edited")
    later = Attempt(acme, CONTACT)
    later.update(record.pk, name="Later")
    later.write(["name"])
    assert undo(later)[0].reversed == 1
    outcome, _ = undo(first)
    assert (outcome.reversed, outcome.kept) == (0, 1)
    record.refresh_from_db()
    assert (record.name, record.notes) == ("First", "edited")


def test_the_next_attempt_reverses_the_rest(acme: Organization) -> None:
    before = everything()
    attempt = Attempt(acme, CONTACT)
    keys = [attempt.create(name=f"{number}") for number in range(6)]
    attempt.write()
    Contact.objects.filter(pk__in=(keys[5], keys[0])).update(notes="edited")
    calls: list[Written] = []

    def hook(written: Written) -> None:
        calls.append(written)
        if len(calls) == 2:
            raise KeyboardInterrupt

    undoing = Attempt(acme, replace(CONTACT, after_write=hook), reverses=attempt.batch)
    with pytest.raises(KeyboardInterrupt):
        Undo(undoing.context, attempt.batch).run()
    assert Contact.objects.count() == 5
    second = again(undoing)
    outcome = Undo(second.context, attempt.batch).run()
    assert (outcome.total, outcome.reversed, outcome.kept) == (6, 4, 2)
    assert set(Contact.objects.values_list("pk", flat=True)) == {keys[0], keys[5]}
    assert [row for row, _, _ in second.errors()] == [1, 6]
    assert everything() != before
    third = Undo(again(undoing).context, attempt.batch).run()
    assert (third.reversed, third.kept) == (4, 2)


def test_an_undo_that_lost_its_batch_reverses_nothing(acme: Organization) -> None:
    attempt = Attempt(acme, CONTACT)
    attempt.create(name="New")
    attempt.write()
    undoing = Attempt(acme, CONTACT, reverses=attempt.batch)
    Batch.objects.filter(pk=undoing.batch.pk).update(status=Status.CANCELED)
    with pytest.raises(Superseded):
        Undo(undoing.context, attempt.batch).run()
    assert Contact.objects.count() == 1


def test_records_that_moved_to_another_organization_are_kept(
    acme: Organization, globex: Organization
) -> None:
    moved = contact(acme, name="Old")
    attempt = Attempt(acme, CONTACT)
    attempt.update(moved.pk, name="New")
    attempt.write(["name"])
    Contact.objects.filter(pk=moved.pk).update(organization=globex)
    outcome, _ = undo(attempt)
    assert (outcome.reversed, outcome.kept) == (0, 1)
    moved.refresh_from_db()
    assert moved.name == "New"


def test_a_link_is_restored_only_in_a_record_of_the_organization_that_nobody_changed(
    acme: Organization, globex: Organization
) -> None:
    place = LocationFactory.create(organization=acme)
    moved, changed, linked = (contact(acme, name=f"{n}", location=place) for n in range(3))
    attempt = deletion(acme, resource("location"), place.pk)
    attempt.write()
    Contact.objects.filter(pk=moved.pk).update(organization=globex)
    Contact.objects.filter(pk=changed.pk).update(location=None)
    outcome, undoing = undo(attempt)
    assert (outcome.reversed, outcome.failed) == (1, 0)
    for each in (moved, changed, linked):
        each.refresh_from_db()
    assert (moved.location, changed.location, linked.location) == (None, None, place)
    assert [(row, code) for row, code, _ in undoing.errors()] == [(None, "changed_since")] * 2


def test_a_transaction_with_more_entries_than_a_block_has_numbers_is_undone(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "BLOCK", 8)
    monkeypatch.setattr(merging_undo, "ENTRIES_PER_BLOCK", 3)
    attempt = Attempt(acme, CONTACT, on_error=OnError.ABORT)
    for number in range(40):
        attempt.create(name=f"{number}")
    attempt.write()
    assert JournalEntry.objects.values("transaction").distinct().count() == 1
    outcome, _ = undo(attempt)
    assert (outcome.total, outcome.reversed) == (40, 40)
    assert not Contact.objects.exists()
