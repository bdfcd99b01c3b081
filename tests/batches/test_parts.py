"""Parts: records of one-to-many relations that are written with the record, in every form."""

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import connection

from batches import tasks
from batches.execution import runner
from batches.merging import chunks, journal, refusals
from batches.merging.writing import Merge
from batches.models import Batch, BatchError, JournalEntry
from longshore.accounts.models import Organization
from longshore.domains.commerce.models import (
    LineItem,
    LineItemOption,
    Order,
    PriceList,
    Sku,
)
from longshore.domains.logistics.models import Article, Fulfillment, Item, Level, Location
from tests.batches.running import code_of, created, files_of, post_file, run
from tests.batches.test_runner import die
from tests.conftest import KeyClient
from tests.exports.conftest import storage
from tests.records import a_record

__all__ = ["storage"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]

LINES = [
    {"sku_code": "A", "quantity": 2, "name": "Cup"},
    {"sku_code": "B", "quantity": 1, "name": "Plate, flat"},
]
DATA: list[dict[str, Any]] = [
    {"number": "1", "status": "placed", "line_items": LINES},
    {"number": "2", "status": "draft", "line_items": LINES[:1]},
    {"number": "3", "status": "draft", "line_items": []},
]
JSON_TEXT = json.dumps(DATA)
JSONL = "".join(json.dumps(each) + "\n" for each in DATA)
CELLS = "number;status;line_items\n" + "".join(
    f"{each['number']};{each['status']};"
    f'"{json.dumps(each["line_items"]).replace(chr(34), chr(34) * 2)}"\n'
    for each in DATA
)
FLAT = (
    "number,status,line_items.0.sku_code,line_items.0.quantity,line_items.0.name,"
    "line_items.1.sku_code,line_items.1.quantity,line_items.1.name\n"
    '1,placed,A,2,Cup,B,1,"Plate, flat"\n2,draft,A,2,Cup,,,\n3,draft,,,,,,\n'
)
REPEATED = (
    "number,status,line_items.sku_code,line_items.quantity,line_items.name\n"
    '1,placed,A,2,Cup\n1,placed,B,1,"Plate, flat"\n2,draft,A,2,Cup\n3,draft,,,\n'
)


def parquet() -> bytes:
    line = pa.struct([("sku_code", pa.string()), ("quantity", pa.int64()), ("name", pa.string())])
    fields = [("number", pa.string()), ("status", pa.string()), ("line_items", pa.list_(line))]
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(DATA, pa.schema(fields)), file)
    return file.getvalue()


def sent(client: KeyClient, content: bytes | str, name: str = "a.csv", **request: Any) -> Batch:
    request = {"resource": "order", "mode": "async", **request}
    return run(created(post_file(client, content, name, **request)))


def lines() -> list[tuple[str, str, int, str]]:
    fields = ("order__number", "sku_code", "quantity", "name")
    return list(LineItem.objects.order_by("order__number", "sku_code").values_list(*fields))


def errors(batch: Batch) -> list[tuple[int | None, str, str, str]]:
    fields = ("row", "column", "code", "message")
    return list(BatchError.objects.filter(batch=batch).values_list(*fields))


WRITTEN = [
    ("1", "A", 2, "Cup"),
    ("1", "B", 1, "Plate, flat"),
    ("2", "A", 2, "Cup"),
]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("orders.json", JSON_TEXT),
        ("orders.jsonl", JSONL),
        ("cells.csv", CELLS),
        ("flat.csv", FLAT),
        ("repeated.csv", REPEATED),
        ("orders.parquet", parquet()),
    ],
)
def test_parts_are_created_in_every_form(
    alice: KeyClient, acme: Organization, name: str, content: bytes | str
) -> None:
    batch = sent(alice, content, name)
    assert (batch.status, errors(batch)) == ("completed", [])
    assert batch.created_count == 3
    assert lines() == WRITTEN
    assert set(LineItem.objects.values_list("organization_id", flat=True)) == {acme.pk}
    assert tables() == []


def test_texts_in_objects_of_parquet_have_the_separator_of_the_batch(alice: KeyClient) -> None:
    file = io.BytesIO()
    line = {"sku_code": "A", "name": "Cup", "quantity": 1, "tax_rate": "0,2"}
    pq.write_table(pa.Table.from_pylist([{"number": "1", "line_items": [line]}]), file)
    batch = sent(alice, file.getvalue(), "a.parquet", decimal_separator=",")
    assert (batch.status, errors(batch)) == ("completed", [])
    assert LineItem.objects.get().tax_rate == 0.2


def tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relname LIKE 'longshore\\_batch\\_%'")
        return [name for (name,) in cursor.fetchall()]


@pytest.fixture
def orders(alice: KeyClient, acme: Organization) -> None:
    assert sent(alice, JSON_TEXT, "a.json").status == "completed"


def with_ids(**changes: Any) -> list[dict[str, Any]]:
    """Return the orders with their lines, as an export with includes writes them."""
    return [
        {
            "id": order.pk,
            "number": order.number,
            "line_items": [
                {"id": line.pk, "order_id": order.pk, "quantity": line.quantity, **changes}
                for line in order.line_items.order_by("sku_code")
            ],
        }
        for order in Order.objects.order_by("number")
    ]


@pytest.mark.usefixtures("orders")
def test_unchanged_parts_leave_their_record_unchanged(alice: KeyClient) -> None:
    before = list(Order.objects.order_by("pk").values_list("updated_at", flat=True))
    batch = sent(alice, json.dumps(with_ids()), "a.json")
    assert (batch.status, batch.unchanged_count, batch.updated_count) == ("completed", 3, 0)
    assert batch.warnings == ["The batch ignores read-only columns: 'line_items.order_id'."]
    assert list(Order.objects.order_by("pk").values_list("updated_at", flat=True)) == before
    assert lines() == WRITTEN


@pytest.mark.usefixtures("orders")
def test_a_changed_part_updates_its_record(alice: KeyClient) -> None:
    data = with_ids()
    data[0]["line_items"][1]["quantity"] = 7
    data[1]["line_items"] = [{"sku_code": "C", "quantity": 5}]
    batch = sent(alice, json.dumps(data), "a.json")
    assert (batch.status, batch.unchanged_count, batch.updated_count) == ("completed", 1, 2)
    # A merge keeps the parts that it does not name.
    assert lines() == [
        ("1", "A", 2, "Cup"),
        ("1", "B", 7, "Plate, flat"),
        ("2", "A", 2, "Cup"),
        ("2", "C", 5, ""),
    ]


@pytest.mark.usefixtures("orders")
def test_an_overwrite_replaces_the_parts_of_rows_that_give_them(alice: KeyClient) -> None:
    first, second, third = with_ids()
    del first["line_items"][0]
    del second["line_items"]
    third["line_items"] = [{"sku_code": "D"}]
    batch = sent(alice, json.dumps([first, second, third]), "a.json", action="overwrite")
    assert (batch.status, errors(batch)) == ("completed", [])
    assert (batch.updated_count, batch.unchanged_count, batch.deleted_count) == (2, 1, 0)
    assert lines() == [("1", "B", 1, "Plate, flat"), ("2", "A", 2, "Cup"), ("3", "D", 1, "")]


@pytest.mark.usefixtures("orders")
def test_parts_of_others_are_not_found(alice: KeyClient, globex: Organization) -> None:
    first, second, third = with_ids()
    foreign = a_record(LineItem, globex)
    second["line_items"][0]["id"] = first["line_items"][0]["id"]
    third["line_items"] = [{"id": foreign.pk, "quantity": 9}, {"id": "lin_none", "quantity": 9}]
    batch = sent(alice, json.dumps([first, second, third]), "a.json")
    assert errors(batch) == [
        (2, "line_items.0.id", "not_found",
         f"There is no line item with the id '{first['line_items'][0]['id']}'."),
        (3, "line_items.0.id", "not_found",
         f"There is no line item with the id '{foreign.pk}'."),
        (3, "line_items.1.id", "not_found", "There is no line item with the id 'lin_none'."),
    ]  # fmt: skip
    foreign.refresh_from_db()
    assert foreign.quantity != 9
    foreign.delete()
    assert lines() == WRITTEN


def test_errors_name_the_row_and_the_column(alice: KeyClient) -> None:
    data = [
        {"number": "1", "line_items": [{"sku_code": "A"}, {"quantity": "many"}, 5]},
        {"number": "2", "line_items": [{"sku_code": "A"}]},
        {"number": "3", "line_items": {"sku_code": "A"}},
        {"number": "4", "line_items": [{"quantity": {"a": 1}}]},
        {"number": "5", "line_items": [{"quantity": 2, "unit_amount_cents": 5}]},
    ]
    batch = sent(alice, json.dumps(data), "a.json")
    found = errors(batch)
    assert [each[:3] for each in found if each[0] != 5] == [
        (1, "line_items.1.quantity", "invalid_type"),
        (1, "line_items.2", "invalid_value"),
        (3, "line_items", "invalid_value"),
        (4, "line_items.0.quantity", "invalid_type"),
    ]
    assert [each[:3] for each in found if each[0] == 5] == [(5, "line_items.0", "rule_violated")]
    assert (batch.created_count, batch.failed_count) == (1, 4)
    assert lines() == [("2", "A", 1, "")]


def test_errors_of_flattened_and_repeated_parts(alice: KeyClient) -> None:
    flat = "number,line_items.0.quantity,line_items.1.quantity\n1,1,x\n2,1,\n"
    batch = sent(alice, flat)
    assert [each[:3] for each in errors(batch)] == [(1, "line_items.1.quantity", "invalid_type")]
    repeated = "number,line_items.quantity\n5,1\n5,x\n5,2\n6,1\n"
    batch = sent(alice, repeated)
    assert [each[:3] for each in errors(batch)] == [(2, "line_items.quantity", "invalid_type")]
    assert [each[0] for each in lines()] == ["2", "6"]
    failed = files_of(alice, batch)["failed.csv"]
    assert [line.split(",")[:2] for line in failed.splitlines()[1:]] == [
        ["5", "1"],
        ["5", "x"],
        ["5", "2"],
    ]
    result = files_of(alice, batch)["result.jsonl"].splitlines()
    outcomes = [json.loads(line)["outcome"] for line in result]
    assert outcomes == ["failed", "failed", "failed", "created"]


def test_repeated_rows_that_contradict_each_other(alice: KeyClient) -> None:
    content = "number,status,line_items.quantity\n1,placed,1\n1,draft,2\n2,draft,1\n1,placed,3\n"
    batch = sent(alice, content)
    assert errors(batch) == [
        (1, "", "duplicate_row", "The same record is also named by row 4."),
        (2, "status", "invalid_value",
         "Rows 1 and 2 are the same record, but have different values of status: 'placed' and"
         " 'draft'."),
        (4, "", "duplicate_row", "The same record is also named by row 1."),
    ]  # fmt: skip
    assert [each[0] for each in lines()] == ["2"]


def test_repeated_rows_need_a_key(alice: KeyClient) -> None:
    batch = sent(alice, "status,articles.sku\nopen,A\n", resource="fulfillment")
    assert (batch.status, code_of(batch)) == ("failed", "missing_key")


def test_unknown_columns_of_parts_fail_the_batch(alice: KeyClient) -> None:
    for name, content in (
        ("a.json", json.dumps([{"number": "1", "line_items": [{"quantitty": 1}]}])),
        ("a.csv", "number,line_items.0.quantitty\n1,1\n"),
    ):
        batch = sent(alice, content, name)
        assert (batch.status, code_of(batch)) == ("failed", "unknown_column")
        assert "quantitty" in (batch.error or {})["message"]
    assert not Order.objects.exists()


def test_parts_of_parts(alice: KeyClient) -> None:
    line = {
        "sku_code": "A",
        "line_item_options": [{"name": "Wrap"}, {"name": "Card", "quantity": 2}],
    }
    data = [{"number": "1", "line_items": [line]}, {"number": "2", "line_items": [line, line]}]
    batch = sent(alice, json.dumps(data), "a.json")
    assert (batch.status, errors(batch)) == ("completed", [])
    names = LineItemOption.objects.order_by("line_item__order__number", "name")
    assert list(names.values_list("line_item__order__number", "name", "quantity")) == [
        ("1", "Card", 2),
        ("1", "Wrap", 1),
        ("2", "Card", 2),
        ("2", "Card", 2),
        ("2", "Wrap", 1),
        ("2", "Wrap", 1),
    ]
    assert len(set(names.values_list("line_item"))) == 3
    option = LineItemOption.objects.filter(name="Wrap").first()
    assert option is not None
    owner = option.line_item
    changed: dict[str, Any] = {
        "number": owner.order.number,
        "line_items": [{"id": owner.pk, "line_item_options": [{"id": option.pk, "quantity": "?"}]}],
    }
    batch = sent(alice, json.dumps([changed]), "a.json")
    assert [each[:3] for each in errors(batch)] == [
        (1, "line_items.0.line_item_options.0.quantity", "invalid_type")
    ]
    changed["line_items"][0]["line_item_options"][0]["quantity"] = 4
    batch = sent(alice, json.dumps([changed]), "a.json")
    assert (batch.updated_count, errors(batch)) == (1, [])
    option.refresh_from_db()
    assert option.quantity == 4


def test_parts_without_a_resource_have_the_key_of_their_table(
    alice: KeyClient, acme: Organization
) -> None:
    place = a_record(Location, acme, name="Dock")
    item = a_record(Item, acme)
    levels = [
        {"location_id": place.pk, "layout_id": "", "verified_qty": 1},
        {"location_id": place.pk, "layout_id": "S1", "verified_qty": 2},
    ]
    data = [{"id": item.pk, "levels": levels}]
    batch = sent(alice, json.dumps(data), "a.json", resource="item")
    assert (batch.updated_count, errors(batch)) == (1, [])
    levels[1]["verified_qty"] = 5
    batch = sent(alice, json.dumps(data), "a.json", resource="item")
    assert (batch.updated_count, errors(batch)) == (1, [])
    found = Level.objects.filter(item=item).order_by("layout_id")
    assert list(found.values_list("layout_id", "verified_qty")) == [("", 1), ("S1", 5)]
    batch = sent(alice, json.dumps(data), "a.json", resource="item")
    assert (batch.unchanged_count, errors(batch)) == (1, [])
    unnamed = [{"id": item.pk, "levels": [{"location_id": place.pk, "verified_qty": 9}]}]
    batch = sent(alice, json.dumps(unnamed), "a.json", resource="item")
    assert errors(batch) == [
        (1, "levels.0.layout_id", "missing_key",
         "The row does not name a record: location_id and layout_id must have a value."),
    ]  # fmt: skip
    twice = [{"id": item.pk, "levels": [levels[0], levels[0]]}]
    batch = sent(alice, json.dumps(twice), "a.json", resource="item")
    assert [each[1:] for each in errors(batch)] == [
        ("levels.0", "duplicate_row",
         "The same record is also named by levels.1 of row 1."),
        ("levels.1", "duplicate_row",
         "The same record is also named by levels.0 of row 1."),
    ]  # fmt: skip


def test_articles_belong_to_the_record_that_has_them(alice: KeyClient, acme: Organization) -> None:
    data = [{"order_number": "F1", "articles": [{"sku": "A", "requested_qty": 3}]}]
    batch = sent(alice, json.dumps(data), "a.json", resource="fulfillment")
    assert (batch.created_count, errors(batch)) == (1, [])
    article = Article.objects.get()
    assert (article.fulfillment, article.manifest) == (Fulfillment.objects.get(), None)


def test_labels_in_one_cell_leave_the_parts_as_they_are(
    alice: KeyClient, acme: Organization
) -> None:
    fulfillment = a_record(Fulfillment, acme)
    Article.objects.create(fulfillment=fulfillment, name="Cup")
    batch = sent(alice, f"id,articles\n{fulfillment.pk},Cup\n", resource="fulfillment")
    assert (batch.unchanged_count, errors(batch)) == (1, [])
    assert batch.warnings == [
        "Rows that only name the records of articles leave them as they are: to change them,"
        " give objects."
    ]


def test_a_row_whose_part_the_database_refuses_is_not_written(alice: KeyClient) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse_part() RETURNS trigger LANGUAGE plpgsql AS $$"
            " BEGIN IF NEW.sku_code = 'B' THEN RAISE 'No B'; END IF; RETURN NEW; END $$;"
            "CREATE TRIGGER refuse_part BEFORE INSERT ON longshore_commerce_lineitem"
            " FOR EACH ROW EXECUTE FUNCTION refuse_part()"
        )
    try:
        batch = sent(alice, JSON_TEXT, "a.json")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION refuse_part CASCADE")
    assert [each[0::2] for each in errors(batch)] == [(1, "rule_violated")]
    assert (batch.created_count, batch.failed_count) == (2, 1)
    assert lines() == WRITTEN[2:]
    assert Order.objects.count() == 2


@pytest.mark.usefixtures("orders")
@pytest.mark.parametrize("on_error", ["skip", "abort"])
def test_a_row_whose_former_part_cannot_be_deleted_is_not_written(
    alice: KeyClient, on_error: str
) -> None:
    first, second, third = with_ids(quantity=7)
    del first["line_items"][1]
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION keep_part() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN RETURN NULL; END';"
            "CREATE TRIGGER keep_part BEFORE DELETE ON longshore_commerce_lineitem"
            " FOR EACH ROW EXECUTE FUNCTION keep_part()"
        )
    try:
        options = {"action": "overwrite", "on_error": on_error}
        batch = sent(alice, json.dumps([first, second, third]), "a.json", **options)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION keep_part CASCADE")
    assert [each[:3] for each in errors(batch)] == [(1, "line_items", "rule_violated")]
    if on_error == "abort":
        assert (batch.status, code_of(batch)) == ("failed", "too_many_errors")
        assert lines() == WRITTEN
    else:
        assert (batch.updated_count, batch.failed_count) == (1, 1)
        assert lines() == [*WRITTEN[:2], ("2", "A", 7, "Cup")]


def test_rows_with_an_empty_id_are_records_by_their_key(alice: KeyClient) -> None:
    rows = '"",1,1\n"",1,2\n"",2,3\n,3,4\n'
    batch = sent(alice, f"id,number,line_items.quantity\n{rows}")
    assert (batch.created_count, errors(batch)) == (3, [])
    data = [{"id": "", "number": "1", "line_items": [{"id": "", "quantity": 5}]}]
    batch = sent(alice, json.dumps(data), "a.json")
    assert (batch.updated_count, errors(batch)) == (1, [])
    assert sorted((number, quantity) for number, _, quantity, _ in lines()) == [
        *(("1", each) for each in (1, 2, 5)),
        ("2", 3),
        ("3", 4),
    ]


def test_a_part_that_is_deleted_meanwhile_refuses_its_record(
    alice: KeyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(alice, JSON_TEXT, "a.json")
    data = with_ids(quantity=6)
    gone = data[0]["line_items"][1]["id"]
    original = Merge.write

    def write(merge: Merge) -> Any:
        LineItem.objects.filter(pk=gone).delete()
        return original(merge)

    monkeypatch.setattr(Merge, "write", write)
    batch = sent(alice, json.dumps(data), "a.json")
    assert errors(batch) == [
        (1, "line_items.1.id", "not_found", f"There is no line item with the id '{gone}'.")
    ]
    assert lines() == [("1", "A", 2, "Cup"), ("2", "A", 6, "Cup")]
    assert (batch.updated_count, batch.failed_count, batch.unchanged_count) == (1, 1, 1)


class Death(BaseException):
    """Ends an attempt as if its process had been killed."""


@pytest.mark.parametrize("chunk", [1, 2])
def test_a_retry_does_not_double_parts(
    alice: KeyClient, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", 1)
    monkeypatch.setattr(chunks, "WRITERS", 1)
    batch = created(post_file(alice, JSON_TEXT, "a.json", resource="order", mode="async"))
    calls = []

    def dying(held: Batch) -> None:
        calls.append(1)
        if len(calls) == chunk:
            raise Death
        journal.hold(held)

    with monkeypatch.context() as patched:
        patched.setattr(refusals, "hold", dying)
        with pytest.raises(Death):
            runner.run(batch.pk)
    Batch.objects.filter(pk=batch.pk).update(status="queued", not_before=None)
    batch = run(batch)
    assert (batch.status, batch.created_count, errors(batch)) == ("completed", 3, [])
    assert lines() == WRITTEN


def test_the_files_of_an_interrupted_batch_have_all_rows_of_a_record(alice: KeyClient) -> None:
    batch = created(post_file(alice, REPEATED, resource="order", mode="async"))
    die(batch)
    alice.post(f"/v1/batches/{batch.public_id}/cancel")
    tasks.write_files(batch.pk)
    files = files_of(alice, batch)
    header, *_, third = REPEATED.splitlines()
    assert files["unprocessed.csv"].splitlines() == [header, third]
    outcomes = map(json.loads, files["result.jsonl"].splitlines())
    assert [(each["row"], each["outcome"]) for each in outcomes] == [
        (1, "created"),
        (2, "created"),
        (3, "created"),
    ]


def undone(client: KeyClient, batch: Batch) -> Batch:
    response = client.post(f"/v1/batches/{batch.public_id}/undo")
    assert response.status_code in (200, 201), response.content
    return run(Batch.objects.get(public_id=response.json()["id"]))


def test_an_undo_deletes_created_parts(alice: KeyClient) -> None:
    batch = sent(alice, JSON_TEXT, "a.json")
    undo = undone(alice, batch)
    assert (undo.status, undo.deleted_count, errors(undo)) == ("completed", 3, [])
    assert not Order.objects.exists()
    assert not LineItem.objects.exists()


@pytest.mark.usefixtures("orders")
def test_an_undo_restores_changed_and_deleted_parts(alice: KeyClient) -> None:
    first, second, third = with_ids()
    first["line_items"][0] |= {"quantity": 8}
    del first["line_items"][1]
    second["line_items"] = []
    third["line_items"] = [{"sku_code": "D"}]
    batch = sent(alice, json.dumps([first, second, third]), "a.json", action="overwrite")
    assert lines() == [("1", "A", 8, "Cup"), ("3", "D", 1, "")]
    undo = undone(alice, batch)
    assert (undo.status, undo.updated_count, errors(undo)) == ("completed", 3, [])
    assert lines() == WRITTEN


@pytest.mark.usefixtures("orders")
def test_an_undo_keeps_parts_that_were_changed_since(alice: KeyClient) -> None:
    data = with_ids()
    for line in data[0]["line_items"]:
        line["quantity"] = 8
    batch = sent(alice, json.dumps(data), "a.json")
    LineItem.objects.filter(order__number="1", sku_code="B").update(quantity=99)
    undo = undone(alice, batch)
    assert [each[2] for each in errors(undo)] == ["changed_since"]
    assert lines()[:2] == [("1", "A", 2, "Cup"), ("1", "B", 99, "Plate, flat")]


def test_all_or_nothing(alice: KeyClient) -> None:
    data = [*DATA, {"number": "4", "line_items": [{"quantity": "x"}]}]
    batch = sent(alice, json.dumps(data), "a.json", on_error="abort")
    assert (batch.status, code_of(batch)) == ("failed", "too_many_errors")
    assert not Order.objects.exists()
    batch = sent(alice, JSON_TEXT, "a.json", on_error="abort")
    assert (batch.status, lines()) == ("completed", WRITTEN)
    assert JournalEntry.objects.filter(batch=batch, table="longshore_commerce_lineitem").exists()


def test_a_dry_run_writes_no_parts(alice: KeyClient) -> None:
    batch = sent(alice, JSON_TEXT, "a.json", dry_run=True)
    assert (batch.status, batch.created_count, lines()) == ("completed", 3, [])


def test_prices_of_a_sku_are_found_by_their_key(alice: KeyClient, acme: Organization) -> None:
    retail = a_record(PriceList, acme, code="retail")
    price = {"sku_code": "X", "price_list_id": retail.pk, "amount_cents": 5}
    data = [{"code": "X", "name": "X", "prices": [price]}]
    batch = sent(alice, json.dumps(data), "a.json", resource="sku")
    assert (batch.created_count, errors(batch)) == (1, [])
    price["amount_cents"] = 6
    batch = sent(alice, json.dumps(data), "a.json", resource="sku")
    assert (batch.updated_count, errors(batch)) == (1, [])
    sku = Sku.objects.get()
    assert list(sku.prices.values_list("amount_cents", flat=True)) == [6]
