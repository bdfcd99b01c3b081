"""Previews: how real files would be read. Nothing is written."""

import gzip
import io
import json
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import openpyxl
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batches.execution.preview import MAX_ERRORS, MAX_ROWS, Preview, preview
from batches.execution.sample import MAX_BYTES
from batches.models import Batch, BatchError
from batches.request.parser import parse_preview
from longshore.accounts.models import Organization
from longshore.api.errors import ApiError
from longshore.domains.logistics.models import Contact, Location, Shipment

CONTACTS = b"""Full name;E-Mail;Tel.;Contact group;Primary?
Ann Lee;ann@example.com;+4930123456;Drivers;yes
Bob Ray;bob@example.com;+4930654321;;no
"""


def preview_of(
    organization: Organization,
    content: bytes,
    *,
    name: str = "file.csv",
    resource: str = "contact",
    **body: Any,
) -> Preview:
    spec, file_size = parse_preview({"resource": resource, **body}, organization)
    return preview(spec, organization, content, name, file_size)


def tables() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relname LIKE 'longshore_batch_%'")
        return {name for (name,) in cursor.fetchall()}


def mapping_of(found: Preview) -> dict[str, str | None]:
    return dict(found.mapping)


def test_a_file_of_another_program_gets_a_mapping(acme: Organization) -> None:
    found = preview_of(acme, CONTACTS)
    assert found.detected["format"] == "csv"
    assert found.detected["delimiter"] == ";"
    assert found.detected["encoding"] == "utf-8"
    assert mapping_of(found) == {
        "Full name": "name",
        "E-Mail": "email",
        "Tel.": "phone",
        "Contact group": "groups",
        "Primary?": "is_primary",
    }
    reasons = {each["header"]: each["reason"] for each in found.columns}
    assert reasons["E-Mail"].startswith("the names differ only in case")
    assert (found.problems, found.ambiguities) == ([], [])
    assert (found.estimated_rows, found.rows_are_estimate) == (2, False)
    # The group does not exist.
    [error] = found.errors
    assert (error["row"], error["column"], error["code"]) == (1, "Contact group", "not_found")
    assert [row["values"] for row in found.rows] == [
        None,
        {
            "name": "Bob Ray",
            "email": "bob@example.com",
            "phone": "+4930654321",
            "is_primary": False,
        },
    ]
    assert [row["action"] for row in found.rows] == [None, "create"]


def test_nothing_is_written(acme: Organization) -> None:
    before = tables()
    preview_of(acme, CONTACTS)
    assert not Batch.objects.exists()
    assert not BatchError.objects.exists()
    assert not Contact.objects.exists()
    assert tables() == before


def test_the_mapping_can_be_sent_back(acme: Organization) -> None:
    first = preview_of(acme, CONTACTS)
    second = preview_of(acme, CONTACTS, mapping=dict(first.mapping))
    assert second.mapping == first.mapping
    assert all("score" not in column for column in second.columns)
    assert second.rows == first.rows


def test_known_records_are_recognized(acme: Organization, globex: Organization) -> None:
    ours = Contact.objects.create(organization=acme, name="Ann")
    theirs = Contact.objects.create(organization=globex, name="Eve")
    content = f"id,name\n{ours.id},Anna\n{theirs.id},Eva\nctct_unknown,Eva\n".encode()
    found = preview_of(acme, content)
    [row, *refused] = found.rows
    assert (row["action"], row["id"]) == ("update", ours.id)
    assert row["values"]["name"] == "Anna"
    assert [row["values"] for row in refused] == [None, None]
    # The sentence about a record of another organization is that about an unknown one.
    one, other = found.errors
    assert one["code"] == other["code"] == "not_found"
    assert one["message"].replace(theirs.id, "") == other["message"].replace("ctct_unknown", "")


def test_values_are_typed(acme: Organization) -> None:
    Location.objects.create(organization=acme, name="Berlin")
    content = (
        b"tracking_number,amount,paid,tags,pickup_at,options,location\n"
        b'1Z,1250,true,"a, b",2024-01-31T10:00:00+02:00,"{""signature"": true}",Berlin\n'
    )
    found = preview_of(acme, content, resource="shipment", timezone="Europe/Berlin")
    assert found.errors == []
    values = found.rows[0]["values"]
    assert values["amount"] == 1250
    assert values["paid"] is True
    assert values["tags"] == ["a", "b"]
    assert values["options"] == {"signature": True}
    assert values["pickup_at"] == "2024-01-31T09:00:00+01:00"
    assert values["location_id"].startswith("loc_")


def test_the_whole_column_decides_the_order_of_dates(acme: Organization) -> None:
    dates = ["01/02/2024 10:00"] * 30 + ["31/01/2024 11:30"]
    content = "tracking_number,pickup_at\n" + "".join(
        f"{number},{text}\n" for number, text in enumerate(dates)
    )
    found = preview_of(acme, content.encode(), resource="shipment", timezone="Asia/Tokyo")
    assert found.datetime_format == "dd/MM/yyyy HH:mm"
    assert found.timezone == "Asia/Tokyo"
    assert found.dates == [
        {
            "header": "pickup_at",
            "pattern": "dd/MM/yyyy HH:mm",
            "with_offset": 0,
            "without_offset": 31,
        }
    ]
    assert found.errors == []
    assert found.rows[0]["values"]["pickup_at"] == "2024-02-01T10:00:00+09:00"
    assert len(found.rows) == MAX_ROWS


def test_an_ambiguous_order_of_dates_is_an_error_that_asks(acme: Organization) -> None:
    content = b"tracking_number,pickup_at\n1,01/02/2024\n2,03/04/2024\n"
    found = preview_of(acme, content, resource="shipment")
    assert found.datetime_format is None
    [ambiguity] = found.ambiguities
    assert ambiguity["header"] == "pickup_at"
    assert ambiguity["accepted"] == ["dd/MM/yyyy", "MM/dd/yyyy"]
    assert ambiguity["examples"] == [
        {"row": 1, "value": "01/02/2024"},
        {"row": 2, "value": "03/04/2024"},
    ]
    assert [error["code"] for error in found.errors] == ["ambiguous_date"] * 2
    # The answer of the client is used.
    decided = preview_of(acme, content, resource="shipment", datetime_format="MM/dd/yyyy")
    assert (decided.errors, decided.ambiguities) == ([], [])
    assert decided.rows[0]["values"]["pickup_at"] == "2024-01-02T00:00:00+00:00"


def test_contradicting_dates_name_both_rows(acme: Organization) -> None:
    content = b"tracking_number,pickup_at\n1,31/01/2024\n2,01/31/2024\n"
    [ambiguity] = preview_of(acme, content, resource="shipment").ambiguities
    assert [each["row"] for each in ambiguity["examples"]] == [1, 2]
    assert "different orders" in ambiguity["message"]


def test_columns_that_need_different_patterns_are_ambiguous(acme: Organization) -> None:
    content = b"tracking_number,pickup_at,estimated_delivery_at\n1,31/01/2024,2024-02-01\n"
    found = preview_of(acme, content, resource="shipment")
    assert found.datetime_format is None
    [ambiguity] = found.ambiguities
    assert ambiguity["message"] == (
        "The columns need different patterns, but a batch has only one: pickup_at has dd/MM/yyyy "
        "and estimated_delivery_at has ISO 8601."
    )


def test_two_headers_for_one_column_are_a_problem(acme: Organization) -> None:
    found = preview_of(acme, b"name,Name 2\nAnn,Bob\n", mapping={"Name 2": "name"})
    assert [problem["error"] for problem in found.problems] == ["invalid_mapping"]
    assert found.rows == []


def test_deletions_are_previewed(acme: Organization) -> None:
    contact = Contact.objects.create(organization=acme, name="Ann")
    content = f"id,name,whatever\n{contact.id},Ann,x\n".encode()
    found = preview_of(acme, content, action="delete")
    assert [(row["action"], row["id"]) for row in found.rows] == [("delete", contact.id)]
    assert (
        "ignores 'name', 'whatever'" in found.warnings[0]
        or "'whatever', 'name'" in found.warnings[0]
    )
    assert Contact.objects.filter(id=contact.id).exists()


def test_missing_columns_are_problems(acme: Organization) -> None:
    found = preview_of(acme, b"status\ndelivered\n", resource="shipment")
    [problem] = found.problems
    assert (problem["error"], problem["field"]) == ("missing_column", "tracking_number")
    assert found.rows == []
    found = preview_of(acme, b"status\nplaced\n", resource="order")
    assert [problem["error"] for problem in found.problems] == ["missing_key"]


def test_columns_of_parts_that_do_not_exist_are_problems(acme: Organization) -> None:
    good = {"number": "1", "line_items": [{"sku_code": "A"}]}
    bad = {"number": "2", "line_items": [{"sku_cod": "B", "quantity_x": 1}]}
    content = f"{json.dumps(good)}\n{json.dumps(bad)}\nnonsense\n".encode()
    found = preview_of(acme, content, resource="order", name="orders.jsonl")
    assert {(each["error"], each["field"]) for each in found.problems} == {
        ("unknown_column", "line_items.sku_cod"),
        ("unknown_column", "line_items.quantity_x"),
    }
    assert found.rows == []
    assert [(each["row"], each["code"]) for each in found.errors] == [(3, "malformed_row")]


def test_rows_that_repeat_records_without_naming_them_are_a_problem(acme: Organization) -> None:
    found = preview_of(acme, b"cart_line_items.quantity\n1\n2\n", resource="cart")
    assert [(each["error"], each["field"]) for each in found.problems] == [("missing_key", "")]
    assert found.rows == []


def test_a_header_without_a_proposal_is_a_problem(acme: Organization) -> None:
    found = preview_of(acme, b"name,qwertz\nAnn,foo\n")
    [problem] = found.problems
    assert problem["error"] == "unknown_column"
    assert problem["message"] == "contact has no column 'qwertz' (column 2 of the input)."
    assert mapping_of(found) == {"name": "name", "qwertz": None}
    assert found.rows[0]["values"] == {"name": "Ann"}


@pytest.mark.slow
def test_the_first_megabyte_shows_the_whole_file(acme: Organization) -> None:
    rows = [f'"Name, {number}",{number}@example.com\n' for number in range(100_000)]
    content = ("name,email\n" + "".join(rows)).encode()
    found = preview_of(acme, content[:MAX_BYTES], file_size=len(content))
    assert found.rows_are_estimate
    assert found.estimated_rows == pytest.approx(100_000, rel=0.05)
    assert (found.errors, len(found.rows)) == ([], MAX_ROWS)
    compressed = gzip.compress(content)
    found = preview_of(acme, compressed[:MAX_BYTES], name="file.csv.gz", file_size=len(compressed))
    assert found.detected["compression"] == "gzip"
    assert found.estimated_rows == pytest.approx(100_000, rel=0.3)
    assert found.errors == []


def test_only_the_first_errors_are_shown(acme: Organization) -> None:
    content = "name,is_primary\n" + "Ann,perhaps\n" * 500
    found = preview_of(acme, content.encode())
    assert (len(found.errors), found.errors_count) == (MAX_ERRORS, 500)
    assert [error["row"] for error in found.errors] == list(range(1, MAX_ERRORS + 1))


def test_ragged_rows_are_errors_among_the_others(acme: Organization) -> None:
    content = b"name,is_primary\nAnn,true\nBob,true,extra\nCid,perhaps\n"
    found = preview_of(acme, content)
    assert [(error["row"], error["code"]) for error in found.errors] == [
        (2, "malformed_row"),
        (3, "invalid_type"),
    ]


def test_json_is_read_with_its_types(acme: Organization) -> None:
    records = [
        {"name": "Ann", "Mail": "ann@example.com", "address": {"city": "Berlin"}},
        {"name": "Bob", "is_primary": True, "alternate_names": ["Rob", "B."]},
    ]
    for content, name in (
        (json.dumps(records).encode(), "file.json"),
        ("\n".join(map(json.dumps, records)).encode(), "file.jsonl"),
    ):
        found = preview_of(acme, content, name=name)
        assert mapping_of(found)["Mail"] == "email"
        assert found.errors == []
        assert [row["values"] for row in found.rows] == [
            {"name": "Ann", "email": "ann@example.com", "address": {"city": "Berlin"}},
            {"name": "Bob", "is_primary": True, "alternate_names": ["Rob", "B."]},
        ]


LINES = [{"sku_code": "A", "quantity": 2}, {"sku_code": "B", "quantity": 1}]
ORDERS: dict[str, bytes] = {
    "orders.json": json.dumps(
        [
            {
                "number": "1",
                "line_items": [{**LINES[0], "line_item_options": [{"name": "Red"}]}, LINES[1]],
            },
            {"number": "2", "line_items": []},
            {"number": "3", "line_items": [{"sku_code": "C", "quantity": "many"}]},
            {"number": "4"},
        ]
    ).encode(),
    "repeated.csv": b"number,line_items.sku_code,line_items.quantity\n1,A,2\n1,B,1\n2,,\n"
    b"3,C,many\n",
    "flat.csv": b"number,line_items.0.sku_code,line_items.0.quantity,line_items.1.sku_code,"
    b"line_items.1.quantity\n1,A,2,B,1\n2,,,,\n3,C,many,,\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ORDERS)
def test_parts_are_shown_with_their_records(acme: Organization, name: str) -> None:
    found = preview_of(acme, ORDERS[name], name=name, resource="order")
    is_json = name.endswith("json")
    first, second, third, *others = found.rows
    shown = [
        {**LINES[0], "line_item_options": [{"name": "Red"}]} if is_json else LINES[0],
        LINES[1],
    ]
    assert first["values"] == {"number": "1", "line_items": shown}
    assert second["values"] == {"number": "2", "line_items": []}
    assert (third["row"], third["values"]) == (4 if name == "repeated.csv" else 3, None)
    assert [each["values"] for each in others] == [{"number": "4"}] * is_json
    [error] = found.errors
    assert error["value"] == "many"
    json.dumps(asdict(found))


def test_a_workbook_is_read(acme: Organization) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Full name", "E-Mail"])
    sheet.append(["Ann", "ann@example.com"])
    file = io.BytesIO()
    book.save(file)
    found = preview_of(acme, file.getvalue(), name="file.xlsx")
    assert found.detected["format"] == "xlsx"
    assert mapping_of(found) == {"Full name": "name", "E-Mail": "email"}
    assert found.rows[0]["values"] == {"name": "Ann", "email": "ann@example.com"}
    with pytest.raises(ApiError, match="as a whole"):
        preview_of(acme, file.getvalue(), name="file.xlsx", file_size=9_000_000)


def test_what_an_export_wrote_needs_no_proposals(acme: Organization) -> None:
    Shipment.objects.create(organization=acme, tracking_number="1Z", amount=5)
    content = b"id,tracking_number,amount,created_at,checksum\n,1Z,5,2024-01-01,x\n"
    found = preview_of(acme, content, resource="shipment")
    assert mapping_of(found)["tracking_number"] == "tracking_number"
    assert all("score" not in column for column in found.columns if column["target"])


@given(
    st.binary(max_size=300)
    | st.text(alphabet='name,"\n;x\t1', max_size=100).map(str.encode)
    | st.lists(st.dictionaries(st.text(max_size=5), st.none() | st.text() | st.integers())).map(
        lambda records: json.dumps(records).encode()
    ),
    st.none() | st.integers(1, 10_000),
)
@settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_any_bytes_have_a_preview_or_a_clear_error(
    acme: Organization, content: bytes, file_size: int | None
) -> None:
    spec, _ = parse_preview({"resource": "contact"}, acme)
    with suppress(ApiError):
        json.dumps(asdict(preview(spec, acme, content, "file", file_size)))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_input"),
        (b"\n\n", "empty_input"),
        (b"%PDF-1.7", "invalid_input_file"),
        (b"x" * (MAX_BYTES + 1), "request_too_large"),
        (gzip.compress(b"name\nAnn\n", mtime=0)[:-4], "invalid_input_file"),
        (b'name,email\n"Ann,x\n', "ambiguous_input"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(
    acme: Organization, content: bytes, code: str
) -> None:
    with pytest.raises(ApiError) as raised:
        preview_of(acme, content)
    assert raised.value.code == code
    assert not Batch.objects.exists()
