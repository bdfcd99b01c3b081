"""Corrections: texts of a request that replace cells of the input, in every format."""

import io
import json
from collections.abc import Callable
from typing import Any

import pyarrow
import pytest
from openpyxl import Workbook
from pyarrow import parquet

from batches.models import Batch
from longshore.accounts.models import Organization
from longshore.domains.commerce.models import Sku
from longshore.domains.logistics.models import Contact, Group
from tests.batches.running import code_of, created, files_of, post_file, run
from tests.conftest import KeyClient
from tests.exports.conftest import storage

__all__ = ["storage"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]
ROWS = [{"name": "Zoë", "is_primary": "true"}, {"name": "Łukasz", "is_primary": "perhaps"}]
CSV = "name,is_primary\nZoë,true\nŁukasz,perhaps\n"


def in_csv() -> bytes:
    return CSV.encode()


def in_json() -> bytes:
    return json.dumps(ROWS).encode()


def in_jsonl() -> bytes:
    return "\n".join(map(json.dumps, ROWS)).encode()


def in_xlsx() -> bytes:
    file = io.BytesIO()
    workbook = Workbook()
    for row in (list(ROWS[0]), *(list(each.values()) for each in ROWS)):
        workbook.active.append(row)
    workbook.save(file)
    return file.getvalue()


def in_parquet() -> bytes:
    file = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(ROWS), file)
    return file.getvalue()


def batch_of(client: KeyClient, content: bytes | str, **request: Any) -> Batch:
    return run(created(post_file(client, content, mode="async", **request)))


def messages(batch: Batch) -> list[tuple[int | None, str, str]]:
    return list(batch.row_errors.values_list("row", "column", "code"))


@pytest.mark.parametrize("content", [in_csv, in_json, in_jsonl, in_xlsx, in_parquet])
def test_a_corrected_cell_is_written_in_every_format(
    alice: KeyClient, content: Callable[[], bytes]
) -> None:
    corrections = {"2": {"is_primary": "false"}}
    batch = batch_of(alice, content(), corrections=corrections)
    assert (batch.created_count, batch.failed_count) == (2, 0), batch.error
    assert batch.phases[0]["error"] == 0
    found = dict(Contact.objects.values_list("name", "is_primary"))
    assert found == {"Zoë": True, "Łukasz": False}


@pytest.mark.parametrize("content", [in_csv, in_json, in_jsonl])
def test_a_correction_that_is_wrong_too_is_an_error_with_its_own_text(
    alice: KeyClient, content: Callable[[], bytes]
) -> None:
    batch = batch_of(alice, content(), corrections={"2": {"is_primary": "never"}})
    [error] = batch.row_errors.all()
    assert (error.row, error.column, error.value) == (2, "is_primary", "never")
    failed = next(text for name, text in files_of(alice, batch).items() if "failed" in name)
    assert "never" in failed
    assert "perhaps" not in failed


def test_null_empties_a_cell_and_other_cells_stay(alice: KeyClient) -> None:
    content = "name,email,phone\nZoë,zoe@example,123\n"
    batch = batch_of(alice, content, corrections={"1": {"email": None}})
    assert batch.created_count == 1
    [contact] = Contact.objects.values("email", "phone")
    assert contact["phone"] == "123"
    assert not contact["email"]


def test_an_absent_key_of_json_can_be_given(alice: KeyClient) -> None:
    content = '{"name": "Zoë"}\n{"email": "a@example.org"}\n'
    batch = batch_of(alice, content, corrections={"2": {"name": "Ada"}})
    assert batch.created_count == 2, batch.error
    assert Contact.objects.get(email="a@example.org").name == "Ada"


def test_a_json_cell_takes_json_and_other_text_is_an_error(
    alice: KeyClient, acme: Organization
) -> None:
    content = '{"name": "Zoë", "groups": []}\n{"name": "Ada", "groups": ["nobody"]}\n'
    group = Group.objects.create(organization=acme, name="b")
    mended = batch_of(alice, content, corrections={"2": {"groups": json.dumps([group.pk])}})
    assert mended.created_count == 2, messages(mended)
    assert list(Contact.objects.get(name="Ada").groups.all()) == [group]
    wrong = batch_of(alice, content, corrections={"2": {"groups": "[b"}})
    assert [row for row, *_ in messages(wrong)] == [2]


@pytest.mark.parametrize(
    ("content", "cells"),
    [
        ("name,email\nZoë,zoe@example.org\nAda,a,b,c\n", {"name": "Ada", "email": "a@x.org"}),
        ('{"name": "Zoë"}\n{"name": "Ada", "email": \n', {"name": "Ada"}),
    ],
)
def test_a_row_that_cannot_be_read_is_replaced_by_its_corrections(
    alice: KeyClient, content: str, cells: dict[str, str]
) -> None:
    assert messages(batch_of(alice, content, dry_run=True)) == [(2, "", "malformed_row")]
    batch = batch_of(alice, content, corrections={"2": cells})
    assert (batch.created_count, batch.failed_count) == (2, 0), messages(batch)
    assert Contact.objects.get(name="Ada").email == cells.get("email")


def test_a_corrected_number_of_parquet_is_read_as_text(
    alice: KeyClient, acme: Organization
) -> None:
    file = io.BytesIO()
    rows = [
        {"code": "A", "name": "Cup", "weight": 1.5},
        {"code": "B", "name": "Jar", "weight": -1.0},
    ]
    parquet.write_table(pyarrow.Table.from_pylist(rows), file)
    request = {"resource": "sku", "mapping": {}}
    wrong = batch_of(alice, file.getvalue(), corrections={"2": {"weight": "abc"}}, **request)
    assert messages(wrong) == [(2, "weight", "invalid_type")]
    mended = batch_of(alice, file.getvalue(), corrections={"2": {"weight": "2.5"}}, **request)
    assert mended.failed_count == 0, messages(mended)
    assert float(Sku.objects.get(code="B").weight or 0) == 2.5


@pytest.mark.parametrize(
    ("corrections", "message"),
    [
        ({"3": {"name": "Ada"}}, "The corrections name row 3, which the input does not have."),
        (
            {"1": {"nmae": "Ada"}},
            "The correction of row 1 names 'nmae', which the input does not have. "
            "Did you mean 'name'?",
        ),
    ],
)
def test_a_correction_of_a_cell_that_does_not_exist_fails_the_batch(
    alice: KeyClient, corrections: dict[str, dict[str, str]], message: str
) -> None:
    batch = batch_of(alice, CSV, corrections=corrections)
    assert code_of(batch) == "invalid_request"
    assert batch.error
    assert batch.error["message"] == message
    assert not Contact.objects.exists()


@pytest.mark.parametrize(
    ("corrections", "field"),
    [
        ([], "corrections"),
        ({str(row): {} for row in range(1, 1_002)}, "corrections"),
        ({"0": {}}, "corrections.0"),
        ({"one": {}}, "corrections.one"),
        ({"1": "Ada"}, "corrections.1"),
        ({"1": {"name": 1}}, "corrections.1.name"),
    ],
)
def test_invalid_corrections_are_refused_by_name(
    alice: KeyClient, corrections: Any, field: str
) -> None:
    response = post_file(alice, CSV, corrections=corrections)
    assert response.status_code == 400, response.content
    assert list(response.json()["details"])[:1] == [field]
