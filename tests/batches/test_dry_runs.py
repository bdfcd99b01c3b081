"""The records that a dry run keeps: rows with errors, and what would change."""

import json
from typing import Any

import pytest

from batches.execution import failed_rows
from batches.lifecycle.transitions import batch_lifecycle
from batches.models import Batch, DryRunRecord
from longshore.accounts.models import Organization
from longshore.domains.commerce.models import Order, Sku
from longshore.domains.logistics.models import Contact, Group
from longshore.jobs import actions
from tests.batches.running import CSV_WITH_ERROR, created, post_file, run
from tests.conftest import KeyClient
from tests.exports.conftest import storage

__all__ = ["storage"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]


def dry_run(client: KeyClient, content: str, **request: Any) -> Batch:
    return run(created(post_file(client, content, mode="async", dry_run=True, **request)))


def kept(batch: Batch) -> list[tuple[str, int | None, Any, Any]]:
    records = batch.dry_run_records.all()
    return [(each.step, each.row, each.values, each.before) for each in records]


def test_rows_with_errors_are_kept_with_their_texts(alice: KeyClient) -> None:
    batch = dry_run(alice, CSV_WITH_ERROR)
    assert kept(batch) == [
        ("x", 2, {"name": "Łukasz Żak", "is_primary": "perhaps"}, None),
        ("c", 1, {"name": "Zoë Ünal", "is_primary": True}, None),
    ]
    assert not Contact.objects.exists()


def test_a_row_that_cannot_be_read_is_kept_as_its_text(alice: KeyClient) -> None:
    batch = dry_run(alice, "name,email\nAda,a,b\nZoë,zoe@example.org\n")
    record = batch.dry_run_records.get(step="x")
    assert (record.row, record.values, record.source) == (1, {}, "Ada,a,b")


def test_long_cells_are_left_out_of_rows_with_errors(alice: KeyClient) -> None:
    batch = dry_run(alice, f"name,email,is_primary\n{'x' * 1001},a@example.org,perhaps\n")
    values = batch.dry_run_records.get(step="x").values
    assert values == {"email": "a@example.org", "is_primary": "perhaps"}


def test_updates_have_the_old_and_new_values_of_changed_columns_only(
    alice: KeyClient, acme: Organization
) -> None:
    zoe = Contact.objects.create(organization=acme, name="Zoë", email="old@example.org", phone="1")
    same = Contact.objects.create(organization=acme, name="Ada", email="ada@example.org")
    batch = dry_run(
        alice,
        f"id,name,email,phone\n{zoe.pk},Zoë,new@example.org,\n{same.pk},Ada,ada@example.org,\n",
    )
    assert (batch.updated_count, batch.unchanged_count) == (1, 1)
    after, before = (
        {"email": "new@example.org", "phone": None},
        {"email": "old@example.org", "phone": "1"},
    )
    assert kept(batch) == [("u", 1, after, before)]
    assert batch.dry_run_records.get().key == zoe.pk
    zoe.refresh_from_db()
    assert zoe.email == "old@example.org"


def test_updates_have_the_links_that_would_change(alice: KeyClient, acme: Organization) -> None:
    old, new = (Group.objects.create(organization=acme, name=name) for name in ("old", "new"))
    contact = Contact.objects.create(organization=acme, name="Zoë")
    contact.groups.add(old)
    content = json.dumps([{"id": contact.pk, "groups": [new.pk]}])
    batch = dry_run(alice, content)
    assert kept(batch) == [("u", 1, {"groups": [new.pk]}, {"groups": [old.pk]})]


def test_deletions_have_the_values_of_the_records(alice: KeyClient, acme: Organization) -> None:
    Sku.objects.create(organization=acme, code="A", name="Cup")
    Sku.objects.create(organization=acme, code="B", name="Jar")
    deleted = dry_run(alice, "code\nA\n", resource="sku", action="delete")
    record = deleted.dry_run_records.get()
    assert (record.step, record.row, record.values["name"]) == ("d", 1, "Cup")
    overwritten = dry_run(alice, "code,name\nA,Cup\nC,Can\n", resource="sku", action="overwrite")
    assert [(step, row) for step, row, *_ in kept(overwritten)] == [("c", 2), ("d", None)]
    assert overwritten.dry_run_records.get(step="d").values["code"] == "B"
    assert Sku.objects.count() == 2


def test_parts_are_named_by_their_position(alice: KeyClient, acme: Organization) -> None:
    sent: list[Any] = [{"number": "1001", "line_items": [{"sku_code": "A", "quantity": 2}]}]
    batch = run(created(post_file(alice, json.dumps(sent), mode="async", resource="order")))
    assert batch.created_count == 1, (batch.error, batch.row_errors.first())
    item = Order.objects.get().line_items.get()
    sent[0]["line_items"] = [{"id": item.pk, "quantity": 5}, {"sku_code": "B", "quantity": 1}]
    [(step, row, values, before)] = kept(dry_run(alice, json.dumps(sent), resource="order"))
    assert (step, row) == ("u", 1)
    assert (before["line_items.0.quantity"], values["line_items.0.quantity"]) == (2, 5)
    assert (before["line_items.1.sku_code"], values["line_items.1.sku_code"]) == (None, "B")
    assert "number" not in values


def test_a_dry_run_with_more_errors_than_allowed_keeps_the_rows_with_errors(
    alice: KeyClient,
) -> None:
    batch = dry_run(alice, CSV_WITH_ERROR, on_error="abort")
    assert batch.status == "failed"
    assert [(step, row) for step, row, *_ in kept(batch)] == [("x", 2)]


def test_a_batch_that_writes_keeps_nothing(alice: KeyClient) -> None:
    batch = run(created(post_file(alice, CSV_WITH_ERROR, mode="async")))
    assert kept(batch) == []


def test_a_second_attempt_replaces_the_records(alice: KeyClient) -> None:
    batch = dry_run(alice, CSV_WITH_ERROR, on_error="abort")
    actions.retry(batch_lifecycle, batch)
    batch.refresh_from_db()
    run(batch)
    assert [(step, row) for step, row, *_ in kept(batch)] == [("x", 2)]


def test_the_records_are_deleted_with_the_files(alice: KeyClient) -> None:
    batch = dry_run(alice, CSV_WITH_ERROR)
    actions.expire(batch_lifecycle, batch)
    assert not DryRunRecord.objects.exists()


def test_ignored_keys_that_begin_late_have_no_cells(alice: KeyClient) -> None:
    rows = [{"name": f"Person {number}"} for number in range(1_000)]
    last = {"name": "Zoë", "is_primary": "perhaps", "shoe": 43}
    content = "\n".join(map(json.dumps, [*rows, last, last | {"size": "M"}]))
    request = {"mapping": {"shoe": None, "size": None}}
    batch = dry_run(alice, content, **request)
    refused = [(row, values) for step, row, values, _ in kept(batch) if step == "x"]
    values = {"name": "Zoë", "is_primary": "perhaps"}
    assert refused == [(1_001, values), (1_002, values)], batch.error
    corrections = {"1002": {"size": "L", "is_primary": "true"}}
    mended = dry_run(alice, content, corrections=corrections, **request)
    assert mended.failed_count == 1, mended.error
    content = "\n".join(map(json.dumps, [*rows, {"name": "Zoë", "size": "M"}]))
    corrections = {"1001": {"size": "L"}}
    ignored = dry_run(alice, content, corrections=corrections, mapping={"size": None})
    assert ignored.failed_count == 0, ignored.error


def test_only_cells_with_a_target_are_kept_up_to_a_size_of_the_row(alice: KeyClient) -> None:
    numbers = range(25)
    names = ["is_primary", *(f"c{number}" for number in numbers), "name", "email"]
    cells = ["perhaps", *("x" * 1_000 for _ in numbers), "Zoë", "z@example.org"]
    content = f"{','.join(names)}\n{','.join(cells)}\n"
    ignored = {f"c{number}": None for number in numbers}
    values = dry_run(alice, content, mapping=ignored).dry_run_records.get(step="x").values
    assert values == {"is_primary": "perhaps", "name": "Zoë", "email": "z@example.org"}


def test_a_row_of_many_characters_is_kept_in_part(
    alice: KeyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failed_rows, "MAX_ROW_CHARACTERS", 2_010)
    texts = dict.fromkeys(("name", "nickname", "notes", "phone"), "x" * 1_000)
    batch = dry_run(alice, json.dumps([{"is_primary": "perhaps", **texts}]))
    values = batch.dry_run_records.get(step="x").values
    assert list(values) == ["is_primary", "name", "nickname"]


def test_parts_beyond_the_maximum_are_named_without_their_values(
    alice: KeyClient, acme: Organization
) -> None:
    items = [{"sku_code": f"S{number}", "quantity": 1} for number in range(600)]
    sent: list[Any] = [{"number": number, "line_items": items} for number in ("1001", "1002")]
    batch = run(created(post_file(alice, json.dumps(sent), mode="async", resource="order")))
    assert batch.created_count == 2, (batch.error, batch.row_errors.first())
    for order in sent:
        order["line_items"] = [each | {"quantity": 2} for each in items]
    records = kept(dry_run(alice, json.dumps(sent), resource="order"))
    first, second = (before for _, _, _, before in records)
    assert "line_items" not in first
    assert second["line_items"] == "… (more of them would change)"


def test_long_values_are_shown_by_their_beginning(alice: KeyClient, acme: Organization) -> None:
    sku = Sku.objects.create(organization=acme, code="A", name="Cup", description="old")
    batch = dry_run(alice, f"code,description\nA,{'x' * 1_001}\n", resource="sku")
    [(_, _, values, before)] = kept(batch)
    assert before == {"description": "old"}
    assert values == {"description": f"{'x' * 1_000}… (1,001 characters)"}
    sku.refresh_from_db()
    assert sku.description == "old"
