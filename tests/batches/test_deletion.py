"""Deletion of records with everything that `on_delete` asks for, and the cleanup of `overwrite`."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import models

from batches.merging import chunks, journal
from batches.models import JournalEntry
from batches.spec import Action, OnError
from batches.staging import Step
from longshore.accounts.models import Organization
from longshore.api.errors import ApiError
from longshore.domains.commerce.models import Customer, LineItem, Order, Sku, Tag
from longshore.domains.logistics.models import Contact, ContactGroup, Group, Item, Level
from longshore.resources.registry import Resource, registry
from tests.batches.attempts import Attempt, again, deletion, undo
from tests.batches.nodes import NODE, Custom, Node, Odd, Reference, node_tables
from tests.factories import (
    ArticleFactory,
    ContactFactory,
    GroupFactory,
    ItemFactory,
    LevelFactory,
    LocationFactory,
    ShipmentFactory,
)
from tests.records import a_record

pytestmark = pytest.mark.django_db(transaction=True)

LINKS = ("cascade", "null", "default", "value", "protect", "restrict", "nothing")


def resource(name: str) -> Resource:
    found = registry.get(name)
    assert found is not None
    return found


@pytest.fixture
def nodes(acme: Organization) -> Iterator[list[Node]]:
    """Ten nodes, whose keys are 1 to 10."""
    with node_tables():
        yield [Node.objects.create(organization=acme, name=f"{number}") for number in range(10)]


def refer(organization: Organization, **links: Node | None) -> Reference:
    """Create a record that refers to the given nodes only."""
    return Reference.objects.create(
        organization=organization, **{name: links.get(name) for name in LINKS}
    )


def test_every_kind_of_reference(acme: Organization, nodes: list[Node]) -> None:
    fallback, other, *rest = nodes
    by = {name: refer(acme, **{name: node}) for name, node in zip(LINKS, rest, strict=False)}
    attempt = deletion(acme, NODE, *(node.pk for node in rest))
    counts = attempt.write()
    referring = "References still refer to this record, so it cannot be deleted."
    other_records = "Other records still refer to this record, so it cannot be deleted."
    assert attempt.errors() == [
        (5, "still_referenced", referring),
        (6, "still_referenced", referring),
        (7, "still_referenced", other_records),
    ]
    assert (counts.deleted, counts.failed) == (5, 3)
    assert set(Node.objects.all()) == {fallback, other, rest[4], rest[5], rest[6]}
    assert not Reference.objects.filter(pk=by["cascade"].pk).exists()
    for name, expected in (("null", None), ("default", 1), ("value", 2), ("protect", rest[4].pk)):
        by[name].refresh_from_db()
        assert getattr(by[name], f"{name}_id") == expected


def test_a_record_is_kept_if_others_refer_to_it_that_a_batch_cannot_change(
    acme: Organization, nodes: list[Node]
) -> None:
    Odd.objects.create(name="odd", number=1, null=nodes[1])
    Custom.objects.create(node=nodes[2])
    attempt = deletion(acme, NODE, *(node.pk for node in nodes[:3]))
    assert attempt.write().deleted == 1
    assert [(row, message.partition(" still")[0]) for row, _, message in attempt.errors()] == [
        (2, "Odds"),
        (3, "Customs"),
    ]
    assert undo(attempt)[0].reversed == 1


def test_links_are_restored_after_a_later_deletion_was_undone(
    acme: Organization, nodes: list[Node]
) -> None:
    referring = refer(acme, null=nodes[2], value=nodes[3])
    first, later = (deletion(acme, NODE, nodes[each].pk) for each in (2, 3))
    for each in (first, later):
        each.write()
    for each in (later, first):
        outcome, undoing = undo(each)
        assert (outcome.reversed, undoing.errors()) == (1, [])
    referring.refresh_from_db()
    assert (referring.null, referring.value) == (nodes[2], nodes[3])


def test_cascades_go_through_trees_and_cycles(acme: Organization, nodes: list[Node]) -> None:
    for child, parent in ((1, 0), (2, 1), (3, 2), (0, 3), (5, 4)):
        Node.objects.filter(pk=nodes[child].pk).update(parent=nodes[parent])
    refer(acme, cascade=nodes[3])
    attempt = deletion(acme, NODE, nodes[1].pk, nodes[4].pk)
    assert attempt.write().deleted == 2
    assert set(Node.objects.all()) == set(nodes[6:])
    assert not Reference.objects.exists()
    named = JournalEntry.objects.filter(table=Node._meta.db_table).exclude(rows=[])
    assert sorted(key for entry in named for key in entry.keys) == sorted(
        str(nodes[each].pk) for each in (1, 4)
    )


@pytest.mark.parametrize("on_error", list(OnError))
def test_named_records_of_other_chunks_are_deleted_along(
    acme: Organization, nodes: list[Node], monkeypatch: pytest.MonkeyPatch, on_error: OnError
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 1)
    for child, parent in ((1, 0), (2, 1), (4, 3)):
        Node.objects.filter(pk=nodes[child].pk).update(parent=nodes[parent])
    before = list(Node.objects.order_by("pk").values())
    attempt = Attempt(acme, NODE, action=Action.DELETE, on_error=on_error)
    for node in (nodes[0], nodes[2], nodes[1], nodes[3], nodes[5]):
        attempt.plan(Step.DELETE, node.pk)
    counts = attempt.write()
    assert (counts.total, counts.deleted, counts.failed, attempt.errors()) == (5, 5, 0, [])
    assert set(Node.objects.all()) == set(nodes[6:])
    entries = JournalEntry.objects.exclude(rows=[])
    named = {row: key for each in entries for row, key in zip(each.rows, each.keys, strict=True)}
    assert named == {
        row: str(node.pk)
        for row, node in enumerate((nodes[0], nodes[2], nodes[1], nodes[3], nodes[5]), 1)
    }
    outcome, _ = undo(attempt)
    assert (outcome.total, outcome.reversed) == (5, 5)
    assert list(Node.objects.order_by("pk").values()) == before


def test_restrict_allows_what_is_deleted_as_well_and_protect_does_not(
    acme: Organization, nodes: list[Node]
) -> None:
    refer(acme, cascade=nodes[0], restrict=nodes[1])
    refer(acme, cascade=nodes[2], protect=nodes[3])
    attempt = deletion(acme, NODE, *(node.pk for node in nodes[:4]))
    assert attempt.write().deleted == 3
    assert [(row, code) for row, code, _ in attempt.errors()] == [(4, "still_referenced")]
    # Without the record that refers, it is not restricted.
    assert set(Node.objects.all()) == set(nodes[3:])


def test_a_record_that_is_kept_keeps_what_refers_to_it(
    acme: Organization, nodes: list[Node]
) -> None:
    Node.objects.filter(pk=nodes[1].pk).update(parent=nodes[0])
    refer(acme, protect=nodes[1])
    unlinked = refer(acme, null=nodes[0])
    restricted = refer(acme, cascade=nodes[0], restrict=nodes[2])
    attempt = deletion(acme, NODE, nodes[0].pk, nodes[2].pk)
    assert attempt.write().deleted == 0
    assert [(row, code) for row, code, _ in attempt.errors()] == [
        (1, "still_referenced"),
        (2, "still_referenced"),
    ]
    unlinked.refresh_from_db()
    restricted.refresh_from_db()
    assert unlinked.null == nodes[0]
    assert not JournalEntry.objects.exists()


def test_references_of_another_organization_keep_a_record_without_naming_it(
    acme: Organization, globex: Organization, nodes: list[Node]
) -> None:
    theirs = [refer(globex, cascade=nodes[0]), refer(globex, null=nodes[1])]
    attempt = deletion(acme, NODE, nodes[0].pk, nodes[1].pk, nodes[2].pk)
    assert attempt.write().deleted == 1
    message = "Other records still refer to this record, so it cannot be deleted."
    assert attempt.errors() == [(1, "still_referenced", message), (2, "still_referenced", message)]
    assert list(Reference.objects.order_by("pk")) == theirs


def test_records_of_another_organization_are_not_found(
    acme: Organization, globex: Organization
) -> None:
    theirs = ContactFactory.create(organization=globex)
    attempt = deletion(acme, resource("contact"), theirs.pk, "ctct_gone")
    assert attempt.write().failed == 2
    assert attempt.errors() == [
        (1, "not_found", f"There is no contact with the id {theirs.pk!r}."),
        (2, "not_found", "There is no contact with the id 'ctct_gone'."),
    ]
    assert Contact.objects.filter(pk=theirs.pk).exists()


def test_logistics_records_are_deleted_as_django_deletes_them(acme: Organization) -> None:
    group = GroupFactory.create(organization=acme)
    contact = ContactFactory.create(organization=acme, groups=[group])
    shipment = ShipmentFactory.create(organization=acme, sender_contact=contact)
    item = ItemFactory.create(organization=acme)
    level = LevelFactory.create(item=item, location=LocationFactory.create(organization=acme))
    article = ArticleFactory.create(item=item, fulfillment__organization=acme)
    assert deletion(acme, resource("contact"), contact.pk).write().deleted == 1
    assert deletion(acme, resource("item"), item.pk).write().deleted == 1
    shipment.refresh_from_db()
    article.refresh_from_db()
    assert shipment.sender_contact is None
    assert article.item is None
    for model in (Contact, ContactGroup, Item, Level):
        assert not model._default_manager.exists()
    assert Group.objects.get() == group
    tables = {entry.table: entry for entry in JournalEntry.objects.order_by("number")}
    links = tables[ContactGroup._meta.db_table]
    assert links.before is not None
    assert (links.rows, links.before[0]["group_id"]) == ([], group.pk)
    levels = tables[Level._meta.db_table]
    assert levels.keys == [level.pk]


def test_commerce_records_are_deleted_as_django_deletes_them(acme: Organization) -> None:
    customer: Customer = a_record(Customer, acme)
    order: Order = a_record(Order, acme, customer=customer)
    line: LineItem = a_record(LineItem, acme, order=order)
    tag: Tag = a_record(Tag, acme)
    order.tags.add(tag)
    sku: Any = a_record(Sku, acme)
    assert deletion(acme, resource("order"), order.pk).write().deleted == 1
    assert not Order.objects.exists()
    assert not LineItem.objects.filter(pk=line.pk).exists()
    assert not Order.tags.through._default_manager.exists()
    assert set(Tag.objects.all()) == {tag}
    assert set(Customer.objects.all()) >= {customer}
    assert Sku.objects.filter(pk=sku.pk).exists()


# --- Overwrite -------------------------------------------------------------------------------


def overwrite(acme: Organization, contacts: list[Contact], **spec: Any) -> Attempt:
    """Return an attempt that names some contacts."""
    attempt = Attempt(acme, resource("contact"), action=Action.OVERWRITE, **spec)
    for contact in contacts:
        attempt.plan(Step.UNCHANGED, contact.pk)
    return attempt


@pytest.fixture
def contacts(acme: Organization, globex: Organization) -> list[Contact]:
    ContactFactory.create(organization=globex)
    return ContactFactory.create_batch(10, organization=acme)


def names(organization: Organization) -> set[str]:
    return set(Contact.objects.filter(organization=organization).values_list("name", flat=True))


def test_overwrite_deletes_exactly_what_is_absent(
    acme: Organization,
    globex: Organization,
    contacts: list[Contact],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 2)
    attempt = overwrite(acme, contacts[:3])
    attempt.update(contacts[3].pk, name="Updated", metadata={})
    attempt.plan(Step.REFUSED, contacts[4].pk)
    attempt.create(name="Created")
    merge = attempt.merge(["name"])
    assert (attempt.planned.created, attempt.planned.deleted) == (1, 5)
    merge.write()
    later = ContactFactory.create(organization=acme, name="Later")
    merge.clean_up()
    assert merge.cleanup is not None
    assert (merge.cleanup.total, merge.cleanup.deleted, merge.cleanup.failed) == (5, 5, 0)
    kept = {each.name for each in (*contacts[:3], contacts[4], later)}
    assert names(acme) == {"Created", "Updated", *kept}
    assert len(names(globex)) == 1


def test_overwrite_shows_only_what_the_resource_shows(
    acme: Organization, contacts: list[Contact]
) -> None:
    Contact.objects.filter(pk=contacts[0].pk).update(name="Hidden")
    shown = replace(resource("contact"), where=~models.Q(name="Hidden"))
    attempt = Attempt(acme, shown, action=Action.OVERWRITE, confirm_deletes=9)
    attempt.write()
    assert names(acme) == {"Hidden"}


@pytest.mark.parametrize("confirmed", [None, 5, 7])
def test_more_than_half_needs_the_number(
    acme: Organization, contacts: list[Contact], confirmed: int | None
) -> None:
    attempt = overwrite(acme, contacts[:4], confirm_deletes=confirmed)
    for number in range(20):
        attempt.create(name=f"Created {number}")
    merge = attempt.merge()
    assert attempt.planned.deleted == 6
    with pytest.raises(ApiError, match=r"would delete 6 of 10 records.*confirm_deletes to 6"):
        merge.write()
    assert len(names(acme)) == 10


def test_the_number_confirms(acme: Organization, contacts: list[Contact]) -> None:
    attempt = overwrite(acme, contacts[:4], confirm_deletes=6)
    attempt.write()
    assert names(acme) == {each.name for each in contacts[:4]}


def test_rows_that_could_name_any_record_keep_all_records(
    acme: Organization, contacts: list[Contact]
) -> None:
    attempt = overwrite(acme, contacts[:8])
    attempt.refuse(99)
    merge = attempt.merge()
    merge.write()
    merge.clean_up()
    assert merge.cleanup is not None
    assert (merge.cleanup.unknown, merge.cleanup.total) == (1, 0)
    assert len(names(acme)) == 10


def test_the_next_attempt_of_an_overwrite_deletes_the_rest(
    acme: Organization, contacts: list[Contact], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 2)
    attempt = overwrite(acme, contacts[:3], confirm_deletes=7)
    attempt.create(name="Created")
    merge = attempt.merge()
    merge.write()
    assert merge.cleanup is not None
    calls = []

    def dying(deleted: int | None, failed: int) -> None:
        calls.append(deleted)
        if len(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(merge.cleanup, "report", dying)
    with pytest.raises(KeyboardInterrupt):
        merge.clean_up()
    second = again(attempt, confirm_deletes=7)
    for contact in contacts[:3]:
        second.plan(Step.UNCHANGED, contact.pk)
    second.create(name="Created")
    counts = second.write()
    assert counts.created == 1
    assert second.planned.deleted == 7
    assert names(acme) == {"Created", *(each.name for each in contacts[:3])}


def test_an_overwrite_keeps_a_record_whose_deletion_would_delete_a_named_one(
    acme: Organization, nodes: list[Node]
) -> None:
    attempt = Attempt(acme, NODE, action=Action.OVERWRITE)
    for node in nodes[:5]:
        attempt.plan(Step.UNCHANGED, node.pk)
    # 0 is named. 8 is deleted, 9 is kept with its named descendant.
    Node.objects.filter(pk=nodes[8].pk).update(parent=nodes[7])
    Node.objects.filter(pk=nodes[0].pk).update(parent=nodes[9])
    attempt.update(nodes[5].pk, name="new", parent_id=nodes[9].pk)
    merge = attempt.merge(["name", "parent_id"])
    merge.write()
    merge.clean_up()
    assert merge.cleanup is not None
    assert (merge.cleanup.total, merge.cleanup.deleted, merge.cleanup.failed) == (4, 3, 1)
    left = Node.objects.order_by("pk").values_list("pk", flat=True)
    assert list(left) == [each.pk for each in (*nodes[:6], nodes[9])]
    assert attempt.errors() == [
        (
            None,
            "still_referenced",
            "Nodes still refer to this record, so it cannot be deleted.",
        )
    ]


def test_an_overwrite_counts_its_own_records_only(
    acme: Organization, globex: Organization, nodes: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 1)
    shown = replace(NODE, where=~models.Q(name="hidden"))
    attempt = Attempt(acme, shown, action=Action.OVERWRITE)
    for node in nodes[:6]:
        attempt.plan(Step.UNCHANGED, node.pk)
    # 6 deletes 9, which another chunk names, and a record that the resource does not show.
    Node.objects.filter(pk=nodes[9].pk).update(parent=nodes[6])
    Node.objects.create(organization=acme, name="hidden", parent=nodes[6])
    merge = attempt.merge()
    merge.write()
    merge.clean_up()
    assert merge.cleanup is not None
    assert (merge.cleanup.total, merge.cleanup.deleted) == (4, 4)
    assert Node.objects.count() == 6
    assert journal.Journal(attempt.batch).count() == {"d": 4}
    again_ = again(attempt)
    for node in nodes[:6]:
        again_.plan(Step.UNCHANGED, node.pk)
    assert again_.merge().cleanup is not None
    assert again_.planned.deleted == 4
    outcome, undoing = undo(attempt)
    assert (outcome.total, outcome.reversed) == (4, 4)
    assert Node.objects.count() == 11
    assert journal.Journal(undoing.batch).count() == {"c": 4}


def test_abort_rolls_back_if_an_absent_record_cannot_be_deleted(
    acme: Organization, nodes: list[Node]
) -> None:
    refer(acme, protect=nodes[9])
    attempt = Attempt(acme, NODE, action=Action.OVERWRITE, on_error=OnError.ABORT)
    for node in nodes[:6]:
        attempt.update(node.pk, name="new")
    with pytest.raises(ApiError, match="nothing was written"):
        attempt.write(["name"])
    assert not Node.objects.filter(name="new").exists()
    assert Node.objects.count() == 10
    assert [code for _, code, _ in attempt.errors()] == ["still_referenced"]


def test_abort_overwrites_in_one_transaction(acme: Organization, nodes: list[Node]) -> None:
    attempt = Attempt(acme, NODE, action=Action.OVERWRITE, on_error=OnError.ABORT)
    for node in nodes[:6]:
        attempt.update(node.pk, name="new")
    attempt.write(["name"])
    assert set(Node.objects.values_list("name", flat=True)) == {"new"}
    assert len(set(JournalEntry.objects.values_list("transaction", flat=True))) == 1
