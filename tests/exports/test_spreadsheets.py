"""Files for people: the preset for Excel, default columns, labels, and formats of XLSX cells.

Independent programs read the files. Those that are not installed are skipped by name.
"""

import csv
import io
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.db.models import Model
from django.utils.translation import gettext_lazy
from pytest_django import Settings
from python_calamine import CalamineWorkbook

from batches.parsing.unescaping import unescaped_cell
from exports.reading.stream import ExportStream
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from longshore.api.errors import InvalidInput
from longshore.domains.commerce.models import Order
from longshore.domains.logistics.models import Shipment
from longshore.resources.columns import field_column
from longshore.resources.labels import column_label, path_label
from longshore.resources.registry import registry
from tests.exports.samples import exported, stored
from tests.factories import LocationFactory, ShipmentFactory
from tests.records import a_record

pytestmark = pytest.mark.django_db(transaction=True)

MOMENT = datetime(2024, 12, 25, 14, 30, 1, 987_654, tzinfo=UTC)
SAMPLE = {
    "text": "00123",
    "integer": 7,
    "decimal": Decimal("1234.5"),
    "float": 0.25,
    "date": date(2024, 2, 29),
    "datetime": MOMENT,
}
EXCEL = {"columns": [*SAMPLE], "preset": "excel"}


def file_of(organization: Organization, **body: Any) -> bytes:
    spec = parse_export(body, organization.timezone)
    return b"".join(ExportStream(spec, organization.pk))


def cells(content: bytes, delimiter: str = ",") -> list[list[str]]:
    text = io.StringIO(content.decode("utf-8-sig"), newline="")
    return list(csv.reader(text, delimiter=delimiter))


# --- The preset for Excel -------------------------------------------------------------------


@pytest.mark.usefixtures("sample")
def test_the_preset_writes_what_excel_reads() -> None:
    content = exported(stored(SAMPLE), "csv", **EXCEL)
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == content.count(b"\n") == 2
    assert cells(content)[1] == [
        *('="00123"', "7", "1234.5000000000", "0.25", "2024-02-29", "2024-12-25 14:30:01")
    ]


@pytest.mark.usefixtures("sample")
def test_a_decimal_comma_makes_the_delimiter_a_semicolon() -> None:
    organization = stored(SAMPLE)
    content = exported(organization, "csv", **EXCEL, decimal_separator=",")
    assert cells(content, ";")[1][1:4] == ["7", "1234,5000000000", "0,25"]
    given = {"decimal_separator": ",", "delimiter": "\t", "bom": False}
    tabbed = exported(organization, "csv", **EXCEL, **given)
    assert not tabbed.startswith(b"\xef\xbb\xbf")
    assert cells(tabbed, "\t")[1][2] == "1234,5000000000"
    quoted = exported(organization, "csv", columns=["decimal", "text"], decimal_separator=",")
    assert quoted == b'decimal,text\n"1234,5000000000",00123\n'


KEPT = (
    *("00123", "12345678901234567890", "1-2", "3/4", "12:30", "1E5", "+4930123", "-5", "94107"),
    "1,5",
)
UNCHANGED = ("", "A1", "x00123", "1 2", "a, 1", "0x1F", "٣")


@pytest.mark.usefixtures("sample")
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_texts_that_look_like_numbers_stay_texts(delimiter: str) -> None:
    texts = [*KEPT, *UNCHANGED, "=1+1", 'a\n="1"&B1', '="1"&B1', '="1"']
    organization = stored(*({"text": text, "integer": 1} for text in texts))
    output = {"columns": ["text", "integer"], "preset": "excel", "delimiter": delimiter}
    _, *rows = cells(exported(organization, "csv", **output), delimiter)
    dangerous = ["'=1+1", 'a\n\'="1"&B1', '\'="1"&B1', '\'="1"']
    assert [text for text, _ in rows] == [*(f'="{each}"' for each in KEPT), *UNCHANGED, *dangerous]
    restored = [unescaped_cell(text, 0, 2, delimiter) for text, _ in rows]
    assert restored == texts


def test_named_exports_are_for_excel_unless_the_request_says_iso(acme: Organization) -> None:
    a_record(Order, acme, placed_at=MOMENT, number="00042")
    named = file_of(acme, type="order_list")
    assert named.startswith(b"\xef\xbb\xbf")
    assert cells(named)[1][0] == '="00042"'
    plain = file_of(acme, type="order_list", csv_field_options={"preset": "iso"})
    assert plain.startswith(b"Order")
    assert cells(plain)[1][0] == "00042"
    assert file_of(acme, type="order_list", format="jsonl").startswith(b"{")


def test_the_preset_is_an_option_of_csv_only() -> None:
    with pytest.raises(InvalidInput, match="xlsx files have no option preset; it exists for csv"):
        parse_export(
            {"resource": "contact", "format": "xlsx", "csv_field_options": {"preset": "excel"}}
        )


@pytest.mark.usefixtures("sample")
def test_pandas_reads_the_preset() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    content = exported(stored(SAMPLE), "csv", **EXCEL, decimal_separator=",")
    frame = pandas.read_csv(
        io.BytesIO(content), sep=";", decimal=",", parse_dates=["date", "datetime"]
    )
    [row] = frame.to_dict("records")
    assert (row["text"], row["decimal"], row["float"]) == ('="00123"', 1234.5, 0.25)
    assert row["datetime"] == MOMENT.replace(tzinfo=None, microsecond=0)


@pytest.mark.usefixtures("sample")
def test_polars_and_duckdb_read_the_default(tmp_path: Path) -> None:
    path = tmp_path / "sample.csv"
    path.write_bytes(exported(stored(SAMPLE), "csv", columns=[*SAMPLE]))
    polars = pytest.importorskip("polars", reason="polars is not installed")
    [row] = polars.read_csv(path, try_parse_dates=True).to_dicts()
    assert (row["decimal"], row["date"]) == (1234.5, SAMPLE["date"])
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    assert duckdb.read_csv(str(path)).filter("decimal = 1234.5").fetchall()


@pytest.mark.slow
@pytest.mark.usefixtures("sample")
def test_a_spreadsheet_reads_the_preset(tmp_path: Path) -> None:
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        pytest.skip("LibreOffice is not installed")
    path = tmp_path / "sample.csv"
    path.write_bytes(exported(stored(SAMPLE), "csv", **EXCEL))
    # Separator, quote, UTF-8, from line 1; evaluate formulas, as Excel does.
    options = "--infilter=CSV:44,34,76,1,,0,false,true,false,false,false,-1,true"
    command: list[str | Path] = [
        program,
        "--headless",
        options,
        "--convert-to",
        "xlsx",
        "--outdir",
        tmp_path,
        path,
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    sheet = openpyxl.load_workbook(tmp_path / "sample.xlsx", data_only=True).worksheets[0]
    values = [cell.value for cell in sheet[2]]
    assert values[:3] == ["00123", 7, 1234.5]
    assert values[4:] == [datetime(2024, 2, 29), MOMENT.replace(tzinfo=None, microsecond=0)]


# --- Default columns ------------------------------------------------------------------------


def test_a_table_has_the_default_columns_of_its_resource(acme: Organization) -> None:
    shipment = registry.get("shipment")
    assert shipment
    assert 10 < len(shipment.default_columns) < len(shipment.names) / 2
    for file_format in ("csv", "xlsx", "parquet"):
        spec = parse_export({"resource": "shipment", "format": file_format})
        assert tuple(column.path for column in spec.columns) == shipment.default_columns
    for body in (
        {"format": "jsonl"},
        {"csv_field_options": {"columns": "all"}},
        {"format": "json", "csv_field_options": {"columns": "all"}},
    ):
        spec = parse_export({"resource": "shipment", **body})
        assert tuple(column.path for column in spec.columns) == shipment.names
    [header] = cells(file_of(acme, resource="shipment"))
    assert header == [*shipment.default_columns]


def test_the_order_of_columns_adds_columns_to_the_default() -> None:
    body = {"resource": "shipment", "csv_field_options": {"column_order": ["fee", "status"]}}
    paths = [column.path for column in parse_export(body).columns]
    assert paths[:3] == ["fee", "status", "id"]


def test_a_resource_without_default_columns_has_all() -> None:
    tag = registry.get("tag")
    assert tag
    assert [each.path for each in parse_export({"resource": "tag"}).columns] == [*tag.names]


# --- Labels ---------------------------------------------------------------------------------


@pytest.fixture
def shipment(acme: Organization) -> Shipment:
    dock = LocationFactory.create(organization=acme, name="Dock 4")
    return ShipmentFactory.create(organization=acme, status="pickup_available", location=dock)


LABELED = {
    "columns": {
        **{"id": "Key", "status": True, "location.name": True, "_search": True, "paid": True},
        **{"location_id": True, "tracking_url": True, "label_url": True},
    },
    "labels": True,
}


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_labels_show_choices_and_columns_as_people_read_them(
    acme: Organization, shipment: Shipment, file_format: str
) -> None:
    content = file_of(acme, resource="shipment", format=file_format, csv_field_options=LABELED)
    if file_format == "csv":
        header, row = cells(content)
    else:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        header, row = ([*map(str, row)] for row in book.get_sheet_by_index(0).to_python())
    assert header == [
        *("Key", "Status", "Location: Name", "Search text", "Paid"),
        *("Location ID", "Tracking URL", "Label URL"),
    ]
    assert row[:3] == [shipment.pk, "Pickup Available", "Dock 4"]


def test_labels_of_included_records(acme: Organization, shipment: Shipment) -> None:
    body = {"resource": "shipment", "includes": ["location"], "fields": ["status", "location.name"]}
    content = file_of(acme, **body, csv_field_options={"labels": True})
    assert cells(content) == [["Status", "Location: Name"], ["Pickup Available", "Dock 4"]]


def test_labels_are_in_the_language_of_the_project(
    acme: Organization, shipment: Shipment, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LANGUAGE_CODE = "de"
    field: Any = Shipment._meta.get_field("status")
    choices = [(value, gettext_lazy("January")) for value, _ in field.choices]
    monkeypatch.setattr(field, "verbose_name", gettext_lazy("February"))
    monkeypatch.setattr(field, "choices", choices)
    content = file_of(
        acme, resource="shipment", csv_field_options={"columns": ["status"], "labels": True}
    )
    assert cells(content) == [["Februar"], ["Januar"]]


@pytest.mark.parametrize(
    ("name", "path", "label"),
    [
        ("contact", "id", "ID"),
        ("shipment", "location", "Location"),
        ("shipment", "location.id", "Location: ID"),
        ("contact", "_outbound_trackers", "Outbound trackers"),
        ("order", "total_amount_cents", "Total amount in cents"),
        ("order", "total_amount_float", "Total amount"),
        ("order", "formatted_total_amount", "Total amount with currency"),
        ("line_item", "sku_code", "SKU code"),
    ],
)
def test_labels_of_columns(name: str, path: str, label: str) -> None:
    resource = registry.get(name)
    assert resource
    assert path_label(resource, path) == label


def test_a_column_may_have_a_translated_label(settings: Settings) -> None:
    settings.LANGUAGE_CODE = "de"
    column = field_column(Shipment, "location")
    assert column_label(Shipment, replace(column, label=gettext_lazy("January"))) == "Januar"
    assert column_label(Shipment, replace(column, label="Dock")) == "Dock"


def test_json_has_no_labels() -> None:
    with pytest.raises(InvalidInput, match="jsonl files have no option labels"):
        parse_export({**SHIPMENT_JSON, "csv_field_options": {"labels": True}})


SHIPMENT_JSON = {"resource": "shipment", "format": "jsonl"}


@pytest.mark.parametrize("resource", list(registry), ids=lambda resource: resource.name)
@pytest.mark.slow
def test_every_resource_can_be_exported_with_labels(acme: Organization, resource: Any) -> None:
    model: type[Model] = resource.model
    a_record(model, acme)
    options = {"columns": "all", "labels": True}
    content = file_of(acme, resource=resource.name, csv_field_options=options)
    header, row = cells(content)
    assert len(header) == len({*header}) == len(row) == len(resource.names)


# --- XLSX -----------------------------------------------------------------------------------


def test_amounts_have_the_format_of_their_currency(acme: Organization) -> None:
    for currency in ("EUR", "JPY", "KWD", "XXX"):
        a_record(Order, acme, currency_code=currency, total_amount_cents=123_456, placed_at=MOMENT)
    columns = ["currency_code", "total_amount_float", "placed_at", "skus_count"]
    body = {"resource": "order", "format": "xlsx", "options": {"order_by": "currency_code"}}
    content = file_of(acme, **body, csv_field_options={"columns": columns})
    [sheet] = openpyxl.load_workbook(io.BytesIO(content)).worksheets
    assert sheet.title == "Orders"
    assert sheet.auto_filter.ref == "A1:D5"
    found = {row[0].value: (row[1].value, row[1].number_format) for row in sheet.iter_rows(2)}
    assert found == {
        "EUR": (1234.56, r"[$EUR]\ #,##0.00"),
        "JPY": (123_456, r"[$JPY]\ #,##0"),
        "KWD": (123.456, r"[$KWD]\ #,##0.000"),
        "XXX": (1234.56, "#,##0.00"),
    }
    assert {row[2].number_format for row in sheet.iter_rows(2)} == {"yyyy-mm-dd hh:mm:ss"}
    read = CalamineWorkbook.from_filelike(io.BytesIO(content))
    rows = read.get_sheet_by_name("Orders").to_python()
    assert [row[1] for row in rows[1:]] == [1234.56, 123_456.0, 123.456, 1234.56]
    alone = file_of(acme, **body, csv_field_options={"columns": ["total_amount_float"]})
    [sheet] = openpyxl.load_workbook(io.BytesIO(alone)).worksheets
    assert {cell.number_format for [cell] in sheet.iter_rows(2)} == {"#,##0.00"}


@pytest.mark.usefixtures("sample")
def test_datetimes_have_seconds_and_columns_a_filter() -> None:
    content = exported(stored(SAMPLE), "xlsx", columns=["datetime", "text"])
    [sheet] = openpyxl.load_workbook(io.BytesIO(content)).worksheets
    assert sheet["A2"].value == MOMENT.replace(tzinfo=None, microsecond=0)
    assert sheet["A2"].number_format == "yyyy-mm-dd hh:mm:ss"
    assert sheet.auto_filter.ref == "A1:B2"
    bare = exported(stored(SAMPLE), "xlsx", columns=["text"], include_header=False)
    [sheet] = openpyxl.load_workbook(io.BytesIO(bare)).worksheets
    assert sheet.auto_filter.ref is None
