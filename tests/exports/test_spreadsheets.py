"""Files for people: the preset for Excel, default columns, labels, and formats of XLSX cells.

Independent programs read the files. CI has all of them; elsewhere the tests of a program that is
not installed are skipped.
"""

import csv
import importlib
import importlib.util
import io
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pytest
from django.db.models import Model
from django.db.models.expressions import RawSQL
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
from tests.exports.samples import NASTY, exported, stored
from tests.factories import LocationFactory, ShipmentFactory
from tests.node import unavailable
from tests.records import a_record
from tests.samples import Sample

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
OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
EXCEL = {"columns": [*SAMPLE], "preset": "excel"}


def file_of(organization: Organization, **body: Any) -> bytes:
    spec = parse_export(body, organization.timezone)
    return b"".join(ExportStream(spec, organization.pk))


def required(name: str) -> Any:
    """Return a module that reads files; skip the test if it is not installed, except in CI."""
    if importlib.util.find_spec(name) is None:
        unavailable(f"{name} is not installed.", in_ci=True)
    return importlib.import_module(name)


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
    *("1,5", "1 2", "0x1F", ".5", "-.5", ",5", "10%", "%5", "1 1/2", "MAR1", "DEC-12", "1-Dec"),
    *("12:30 PM", "2024-12-25 10:00", "TRUE", "false", "$5", "5 €", "£5", "(5)", "#N/A", " 5"),
    *("March 5, 2024", "-5+3", "+cmd|' /C calc'!A0", "5;=1+1", "1" * 255, "- a dash"),
)
UNCHANGED = (
    *("", "A1", "x00123", "a, 1", "٣", "March", "trueish", "#1", "1@x.org", "7_a"),
    *('5"', "5\n", "1" * 256),
)


@pytest.mark.usefixtures("sample")
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_texts_that_look_like_numbers_stay_texts(delimiter: str) -> None:
    texts = [*KEPT, *UNCHANGED, "=1+1", 'a\n="1"&B1', '="1"&B1', '="1"', 'a\n="1"""&B1']
    organization = stored(*({"text": text, "integer": 1} for text in texts))
    output = {"columns": ["text", "integer"], "preset": "excel", "delimiter": delimiter}
    _, *rows = cells(exported(organization, "csv", **output), delimiter)
    dangerous = ["'=1+1", 'a\n\'="1"&B1', '\'="1"&B1', '\'="1"', 'a\n\'="1"""&B1']
    kept = [f'="{each}"' for each in KEPT]
    if delimiter == ",":
        kept[KEPT.index("5;=1+1")] = '="5;\'=1+1"'
    assert [text for text, _ in rows] == [*kept, *UNCHANGED, *dangerous]
    restored = [unescaped_cell(text, 0, 2, delimiter) for text, _ in rows]
    assert restored == texts


@pytest.mark.usefixtures("sample")
@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("preset", ["excel", "iso"])
def test_an_import_restores_every_text(preset: str, delimiter: str) -> None:
    # An apostrophe of the text itself cannot be told from one that an export wrote.
    texts = [text for text in (*NASTY, *KEPT, *UNCHANGED) if not text.startswith("'")]
    organization = stored(*({"text": text, "json": text} for text in texts))
    output = {"columns": ["text", "json"], "preset": preset, "delimiter": delimiter}
    _, *rows = cells(exported(organization, "csv", **output), delimiter)
    for text, row in zip(texts, rows, strict=True):
        restored = [unescaped_cell(cell, index, 2, delimiter) for index, cell in enumerate(row)]
        assert restored == [text, text]


NUMBERS = {"whole": 7, "part": 12.5, "text": "12.5", "flag": True, "long": 12345678901234567890}


@pytest.mark.usefixtures("sample")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"preset": "excel"}, ["7", "12.5", '="12.5"', "true", '="12345678901234567890"']),
        (
            {"preset": "excel", "decimal_separator": ","},
            ["7", "12,5", '="12.5"', "true", '="12345678901234567890"'],
        ),
        (
            {"decimal_separator": ",", "delimiter": ";"},
            ["7", "12,5", "12.5", "true", "12345678901234567890"],
        ),
    ],
)
def test_numbers_in_json_stay_numbers(options: dict[str, Any], expected: list[str]) -> None:
    delimiter = ";" if "decimal_separator" in options else ","
    flat = {"columns": ["json"], "properties": "flatten", **options}
    header, row = cells(exported(stored({"json": NUMBERS}), "csv", **flat), delimiter)
    found = dict(zip(header, row, strict=True))
    assert [found[f"json.{name}"] for name in NUMBERS] == expected
    scalars = stored(*({"json": value} for value in NUMBERS.values()))
    _, *rows = cells(exported(scalars, "csv", columns=["json", "text"], **options), delimiter)
    assert [cell for cell, _ in rows] == expected
    items = stored({"json": [{"a": None}, 1.5, {}]}, {"json": []}, {"json": {"b": [1, "x"]}})
    _, *rows = cells(exported(items, "csv", columns=["json", "text"], **options), delimiter)
    merged = ['[{"a": null}, 1.5, {}]', "", '{"b": [1, "x"]}']
    assert [cell for cell, _ in rows] == merged


@pytest.mark.usefixtures("sample")
def test_numbers_that_excel_would_round_are_texts() -> None:
    large = 9_223_372_036_854_775_807
    organization = stored(
        {"integer": large, "decimal": Decimal("-12345678901234567.5")},
        {"integer": 10**15 - 1, "decimal": Decimal("12345678901234.5")},
        {"integer": -1},
    )
    Sample.objects.filter(integer=-1).update(decimal=RawSQL("'NaN'::numeric", []))
    output = {"columns": ["integer", "decimal"], "preset": "excel", "decimal_separator": ","}
    _, *rows = cells(exported(organization, "csv", **output), ";")
    assert rows == [
        [f'="{large}"', '="-12345678901234567,5000000000"'],
        ["999999999999999", "12345678901234,5000000000"],
        ["-1", "NaN"],
    ]


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
    pandas = required("pandas")
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
    polars = required("polars")
    [row] = polars.read_csv(path, try_parse_dates=True).to_dicts()
    assert (row["decimal"], row["date"]) == (1234.5, SAMPLE["date"])
    duckdb = required("duckdb")
    assert duckdb.read_csv(str(path)).filter("decimal = 1234.5").fetchall()


def read_by_libreoffice(content: bytes, folder: Path) -> list[list[tuple[str, str]]]:
    """Return the type and the value of each cell of a CSV file that LibreOffice opens."""
    program = shutil.which("soffice")
    if program is None:
        unavailable("LibreOffice is not installed.", in_ci=True)
    path = folder / "sample.csv"
    path.write_bytes(content)
    # Separator, quote, UTF-8, from line 1, English; recognize dates; evaluate formulas, as Excel
    # does.
    options = "--infilter=CSV:44,34,76,1,,1033,false,true,false,false,false,-1,true"
    profile = f"-env:UserInstallation=file://{folder}/profile"
    convert = ("--convert-to", "fods", "--outdir", folder, path)
    subprocess.run(
        [str(program), "--headless", profile, options, *convert],
        check=True,
        capture_output=True,
        timeout=180,
    )
    sheets = ElementTree.parse(folder / "sample.fods")  # noqa: S314
    rows = sheets.iter(f"{{{TABLE}}}table-row")
    return [[found for cell in row for found in read_cells(cell)] for row in rows]


def read_cells(cell: ElementTree.Element) -> list[tuple[str, str]]:
    """Return an element of a sheet in Flat ODF, which may stand for several equal cells."""
    kind = cell.get(f"{{{OFFICE}}}value-type", "")
    names = ("string-value", "value", "date-value", "time-value", "boolean-value")
    values = [value for name in names if (value := cell.get(f"{{{OFFICE}}}{name}"))]
    text = "\n".join("".join(part.itertext()) for part in cell)
    found = (kind, text if kind == "string" or not values else values[0])
    return [found] * min(int(cell.get(f"{{{TABLE}}}number-columns-repeated", 1)), 10)


@pytest.mark.slow
@pytest.mark.usefixtures("sample")
def test_a_spreadsheet_changes_no_value_of_the_preset(tmp_path: Path) -> None:
    # LibreOffice collapses blanks in the text of a cell; a formula holds 255 characters.
    texts = [text for text in (*KEPT, *UNCHANGED) if text == text.strip() and 0 < len(text) < 256]
    records: list[dict[str, Any]] = [{"text": text, "integer": 10**18 + 1} for text in texts]
    organization = stored(SAMPLE, *records)
    _, sample, *rows = read_by_libreoffice(exported(organization, "csv", **EXCEL), tmp_path)
    assert sample[:6] == [
        ("string", "00123"),
        ("float", "7"),
        ("float", "1234.5"),
        ("float", "0.25"),
        ("date", "2024-02-29"),
        ("date", "2024-12-25T14:30:01"),
    ]
    assert [row[:2] for row in rows[: len(texts)]] == [
        [("string", text.replace(";=", ";'=")), ("string", str(10**18 + 1))] for text in texts
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("sample")
def test_a_spreadsheet_converts_the_texts_without_the_preset(tmp_path: Path) -> None:
    texts = ("00123", ".5", "10%", "12:30 PM", "TRUE")
    content = exported(stored(*({"text": text} for text in texts)), "csv", columns=["text", "date"])
    _, *rows = read_by_libreoffice(content, tmp_path)
    assert "string" not in [row[0][0] for row in rows[: len(texts)]]


# --- Default columns ------------------------------------------------------------------------


def test_a_table_has_the_default_columns_of_its_resource(acme: Organization) -> None:
    shipment = registry.get("shipment")
    assert shipment
    assert 10 < len(shipment.default_columns) < len(shipment.names) / 2
    for file_format in ("csv", "xlsx"):
        spec = parse_export({"resource": "shipment", "format": file_format})
        assert tuple(column.path for column in spec.columns) == shipment.default_columns
    for body in (
        {"format": "jsonl"},
        {"format": "parquet"},
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
    options = {"columns": "all", "labels": True, "preset": "excel", "decimal_separator": ","}
    content = file_of(acme, resource=resource.name, csv_field_options=options)
    header, row = cells(content, ";")
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
    assert sheet["A2"].value == MOMENT.replace(tzinfo=None, microsecond=987_000)
    assert sheet["A2"].number_format == "yyyy-mm-dd hh:mm:ss"
    assert sheet.auto_filter.ref == "A1:B2"
    bare = exported(stored(SAMPLE), "xlsx", columns=["text"], include_header=False)
    [sheet] = openpyxl.load_workbook(io.BytesIO(bare)).worksheets
    assert sheet.auto_filter.ref is None
