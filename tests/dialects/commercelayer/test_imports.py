"""Imports: batches in the words of the vendor."""

import json
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from batches.lifecycle import creation
from batches.models import Batch, Via
from dialects.commercelayer.imports.requests import PARENTS, read_import
from longshore.accounts.models import Organization
from longshore.domains.commerce.models import Price, PriceList, Sku
from longshore.resources.registry import registry
from tests.conftest import KeyClient
from tests.dialects.commercelayer.conformance import IMPORTS, LISTS, rows
from tests.dialects.commercelayer.conftest import (
    VendorClient,
    attributes,
    error,
    errors,
    id_of,
    run_import,
    unzipped,
)

pytestmark = pytest.mark.django_db(transaction=True)

_INPUTS = [{"code": "A-1", "name": "Shirt"}, {"code": "A-2", "name": "Hat"}]


def create(vendor: VendorClient, **given: Any) -> str:
    return id_of(vendor.create("imports", {"resource_type": "skus", "inputs": _INPUTS, **given}))


def ended(vendor: VendorClient, **given: Any) -> dict[str, Any]:
    """Return the attributes of an import that has run."""
    id = create(vendor, **given)
    run_import(id)
    shown: dict[str, Any] = vendor.read(f"/api/imports/{id}")["data"]["attributes"]
    return shown


@rows.same(
    IMPORTS,
    "`resource_type`, `format`, `inputs_size`, `status`, `started_at`, `completed_at`, "
    "`interrupted_at`",
    "`errors_count`, `warnings_count`, `processed_count`",
)
@rows.differs(
    IMPORTS, "`inputs` in responses", "Always an empty list. The input is behind `attachment_url`."
)
def test_a_new_import_is_a_document_with_everything_that_clients_read(
    vendor: VendorClient,
) -> None:
    response = vendor.create("imports", {"resource_type": "skus", "inputs": _INPUTS})
    body = response.json()["data"]
    assert response.status_code == 201
    assert response.headers["Location"] == body["links"]["self"]
    assert set(body["relationships"]) == {"events"}
    shown = body["attributes"]
    for name in ("created_at", "updated_at", "attachment_url"):
        assert shown.pop(name)
    assert shown == {
        "resource_type": "skus",
        "format": "json",
        "parent_resource_id": None,
        "status": "pending",
        "started_at": None,
        "completed_at": None,
        "interrupted_at": None,
        "inputs": [],
        "inputs_size": 2,
        "errors_count": 0,
        "warnings_count": 0,
        "processed_count": 0,
        "errors_log": {},
        "warnings_log": {},
        "skip_errors": False,
        "reference": None,
        "reference_origin": None,
        "metadata": {},
    }


@rows.same(IMPORTS, "upsert by the key of the resource, such as the code of SKUs")
def test_records_are_created_and_updated_by_their_key(
    vendor: VendorClient, acme: Organization
) -> None:
    Sku.objects.create(organization=acme, code="A-1", name="Old")
    shown = ended(vendor)
    assert (shown["status"], shown["processed_count"], shown["errors_count"]) == ("completed", 2, 0)
    assert shown["completed_at"]
    assert shown["interrupted_at"] is None
    names = Sku.objects.filter(organization=acme).order_by("code").values_list("name", flat=True)
    assert list(names) == ["Shirt", "Hat"]


@rows.same(IMPORTS, "`format: csv` with one text")
def test_a_table_is_one_text(vendor: VendorClient, acme: Organization) -> None:
    inputs = 'code,name\nA-1,"Shirt,\nred"\nA-2,Hat\n'
    shown = ended(vendor, format="csv", inputs=inputs)
    assert (shown["format"], shown["status"], shown["inputs_size"]) == ("csv", "completed", 2)
    assert Sku.objects.get(organization=acme, code="A-1").name == "Shirt,\nred"
    assert unzipped(shown["attachment_url"]) == inputs


@rows.same(IMPORTS, "`attachment_url`: the input as a gzip file")
def test_the_attachment_is_the_input_in_a_gzip_file(vendor: VendorClient) -> None:
    assert json.loads(unzipped(ended(vendor)["attachment_url"])) == _INPUTS


@rows.same(IMPORTS, "`parent_resource_id`, such as the price list of prices")
def test_the_parent_belongs_to_every_record(vendor: VendorClient, acme: Organization) -> None:
    prices = PriceList.objects.create(organization=acme, name="EU", code="eu", currency_code="EUR")
    sku = Sku.objects.create(organization=acme, code="A-1", name="Shirt")
    shown = ended(
        vendor,
        resource_type="prices",
        parent_resource_id=prices.pk,
        inputs=[{"sku_id": sku.pk, "sku_code": "A-1", "amount_cents": 950}],
    )
    assert shown["errors_log"] == {}
    assert (shown["status"], shown["parent_resource_id"]) == ("completed", prices.pk)
    assert Price.objects.get(organization=acme).price_list == prices


@rows.differs(
    IMPORTS,
    "prices by `sku_code`",
    "Prices also need `sku_id`: codes of SKUs are not looked up. Without it the import is "
    "interrupted.",
)
def test_prices_need_the_id_of_their_sku(vendor: VendorClient, acme: Organization) -> None:
    prices = PriceList.objects.create(organization=acme, name="EU", code="eu", currency_code="EUR")
    Sku.objects.create(organization=acme, code="A-1", name="Shirt")
    shown = ended(
        vendor,
        resource_type="prices",
        parent_resource_id=prices.pk,
        inputs=[{"sku_code": "A-1", "amount_cents": 950}],
    )
    assert shown["status"] == "interrupted"
    assert list(shown["errors_log"]["1"]) == ["sku_id"]
    assert not Price.objects.exists()


@rows.differs(
    IMPORTS,
    "interrupted above 10% of errors",
    "Longshore validates all records first, so an interrupted import has written nothing.",
)
def test_more_than_a_tenth_of_errors_interrupts_an_import_that_does_not_skip_them(
    vendor: VendorClient, acme: Organization
) -> None:
    inputs = [*_INPUTS, {"code": "A-3", "name": None}]
    shown = ended(vendor, inputs=inputs)
    assert shown["status"] == "interrupted"
    assert shown["interrupted_at"]
    assert shown["errors_count"] == 1
    assert "too_many_errors" in shown["errors_log"]
    assert list(shown["errors_log"]["3"]) == ["name"]
    assert not Sku.objects.filter(organization=acme).exists()


@rows.differs(
    IMPORTS,
    "`errors_log`",
    "By the number of the record, then by attribute. A list shows the error of the import only.",
)
def test_a_tenth_of_errors_is_skipped(vendor: VendorClient, acme: Organization) -> None:
    inputs = [{"code": f"A-{n}", "name": f"Shirt {n}"} for n in range(9)]
    shown = ended(vendor, inputs=[*inputs, {"code": "A-9", "name": None}])
    assert (shown["status"], shown["errors_count"]) == ("completed", 1)
    assert list(shown["errors_log"]) == ["10"]
    assert Sku.objects.filter(organization=acme).count() == 9


@rows.same(IMPORTS, "`skip_errors`")
def test_errors_are_skipped_on_request(vendor: VendorClient, acme: Organization) -> None:
    shown = ended(vendor, inputs=[*_INPUTS, {"code": "A-3", "name": None}], skip_errors=True)
    assert (shown["status"], shown["skip_errors"]) == ("completed", True)
    assert Sku.objects.filter(organization=acme).count() == 2


@pytest.mark.parametrize(
    ("given", "field", "test"),
    [
        ({"resource_type": "skuz"}, "resource_type", "inclusion"),
        ({"resource_type": "transactions"}, "resource_type", "inclusion"),
        ({"inputs": None}, "inputs", "blank"),
        ({"inputs": []}, "inputs", "invalid"),
        ({"inputs": ["A-1"]}, "inputs", "invalid"),
        ({"inputs": "code\nA-1"}, "inputs", "invalid"),
        ({"inputs": _INPUTS, "format": "csv"}, "inputs", "invalid"),
        ({"format": "xlsx"}, "format", "inclusion"),
        ({"skip_errors": "yes"}, "skip_errors", "inclusion"),
        ({"parent_resource_id": "x"}, "parent_resource_id", "invalid"),
        ({"resource_type": "prices", "parent_resource_id": 5}, "parent_resource_id", "invalid"),
        ({"cleanup_records": True}, "cleanup_records", "inclusion"),
    ],
)
def test_a_wrong_attribute_is_named(
    vendor: VendorClient, given: dict[str, Any], field: str, test: str
) -> None:
    attributes = {"resource_type": "skus", "inputs": _INPUTS, **given}
    refused = error(vendor.create("imports", attributes), 422)
    assert refused["source"] == {"pointer": f"/data/attributes/{field}"}
    assert refused["meta"]["error"] == test
    assert not Batch.objects.exists()


def test_all_mistakes_are_reported_at_once(vendor: VendorClient) -> None:
    given = {"resource_type": "x", "inputs": 1, "skip_errors": 1}
    assert len(errors(vendor.create("imports", given), 422)) == 3


def test_a_number_with_too_many_digits_is_refused(vendor: VendorClient) -> None:
    body = (
        '{"data": {"type": "imports", "attributes": {"resource_type": "skus",'
        ' "inputs": [{"code": "A-1", "weight": 0.12345678901234567890123}]}}}'
    )
    response = vendor.post("/api/imports", body, content_type="application/vnd.api+json")
    assert error(response, 400)["code"] == "BAD_REQUEST"


@rows.differs(
    IMPORTS,
    "unknown attributes of records",
    "The import is interrupted: a misspelled name must not lose data.",
)
def test_an_unknown_attribute_of_a_record_interrupts_the_import(vendor: VendorClient) -> None:
    shown = ended(vendor, inputs=[{"code": "A-1", "name": "Shirt", "shade": "red"}])
    assert shown["status"] == "interrupted"
    assert list(shown["errors_log"]) == ["unknown_column"]


@rows.same(IMPORTS, "`_interrupt`, `reference`, `reference_origin`, `metadata`, DELETE")
def test_an_import_is_interrupted_changed_and_deleted(vendor: VendorClient) -> None:
    id = create(vendor, reference="r-1", metadata={"group": 7})
    changed = attributes(vendor.change("imports", id, {"reference": "r-2", "_interrupt": True}))
    assert (changed["status"], changed["reference"]) == ("interrupted", "r-2")
    assert changed["metadata"] == {"group": 7}
    assert changed["inputs_size"] == 2
    error(vendor.change("imports", id, {"_start": True}), 422)
    assert vendor.delete(f"/api/imports/{id}").status_code == 204
    error(vendor.get(f"/api/imports/{id}"), 404)


@rows.same(IMPORTS, "lists by `errors_count_gt`, `warnings_count_gt`, `reference_eq`")
def test_a_list_is_filtered_and_takes_the_same_number_of_queries(
    vendor: VendorClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    ended(vendor, inputs=[{"code": "A-3", "name": None}], reference="bad")
    good = create(vendor, reference="good")
    path = "/api/imports"
    with django_assert_num_queries(5):
        vendor.get(path, {"include": "events"})
    create(vendor)
    with django_assert_num_queries(5):
        vendor.get(path, {"include": "events"})
    [found] = vendor.read(path, **{"filter[q][errors_count_gt]": 0})["data"]
    assert found["attributes"]["reference"] == "bad"
    [found] = vendor.read(path, **{"filter[q][reference_eq]": "good"})["data"]
    assert found["id"] == good
    assert len(vendor.read(path, **{"filter[q][format_eq]": "json"})["data"]) == 3
    assert vendor.read(path, **{"filter[q][warnings_count_gt]": 0})["data"] == []


def test_events_have_the_names_of_topics(vendor: VendorClient) -> None:
    id = create(vendor)
    run_import(id)
    found = vendor.read(f"/api/imports/{id}/events", sort="created_at")["data"]
    names = [each["attributes"]["name"] for each in found]
    assert names == ["imports.create", "imports.start", "imports.complete"]


def test_other_organizations_see_nothing(vendor: VendorClient, outsider: VendorClient) -> None:
    id = create(vendor)
    assert outsider.read("/api/imports")["data"] == []
    error(outsider.get(f"/api/imports/{id}"), 404)
    error(outsider.get(f"/api/imports/{id}/events"), 404)
    error(outsider.change("imports", id, {"_interrupt": True}), 404)
    error(outsider.delete(f"/api/imports/{id}"), 404)


def test_a_repeated_request_with_the_same_key_creates_one_import(
    vendor: VendorClient, settings: Settings, tmp_path: Any
) -> None:
    given = {"resource_type": "skus", "inputs": _INPUTS}
    first = vendor.create("imports", given, **{"Idempotency-Key": "once"})
    again = vendor.create("imports", given, **{"Idempotency-Key": "once"})
    assert id_of(first) == id_of(again)
    assert Batch.objects.count() == 1
    # The second input is not kept.
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


@rows.differs(
    IMPORTS,
    "imports only create and update",
    "Batches of other APIs that overwrite, delete or undo are imports, too.",
)
def test_a_batch_of_the_native_api_is_shown(vendor: VendorClient, alice: KeyClient) -> None:
    body = {"resource": "sku", "data": _INPUTS, "metadata": {"a": 1}, "mode": "sync"}
    deletion = body | {"action": "delete", "data": [{"code": "A-1"}]}
    native = alice.post("/v1/batches", body).json()["id"]
    shown = vendor.read(f"/api/imports/{native}")["data"]["attributes"]
    assert (shown["resource_type"], shown["format"], shown["status"]) == (
        "skus",
        "json",
        "completed",
    )
    assert (shown["inputs_size"], shown["metadata"]) == (2, {"a": 1})
    deleted = alice.post("/v1/batches", deletion).json()["id"]
    assert [each["id"] for each in vendor.read("/api/imports")["data"]] == [deleted, native]


@pytest.mark.parametrize("resource", PARENTS)
def test_a_parent_is_a_column_that_imports_may_set(resource: str) -> None:
    declared = registry.get(resource)
    assert declared is not None
    assert PARENTS[resource] in declared.writable_columns


@rows.differs(LISTS, "`/api/application`", "It shows the API key of the request.")
def test_the_application_is_the_api_key(vendor: VendorClient) -> None:
    shown = vendor.read("/api/application")["data"]
    assert (shown["type"], shown["id"]) == ("applications", vendor.api_key.pk)
    assert shown["attributes"]["kind"] == "integration"
    assert vendor.key not in json.dumps(shown)


def test_an_unknown_parameter_is_refused_before_the_import_is_stored(
    vendor: VendorClient, tmp_path: Any
) -> None:
    document = {"type": "imports", "attributes": {"resource_type": "skus", "inputs": _INPUTS}}
    response = vendor.post(
        "/api/imports?include=bogus",
        json.dumps({"data": document}),
        content_type="application/vnd.api+json",
    )
    assert error(response, 400)["code"] == "INVALID_INCLUDE"
    assert not Batch.objects.exists()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_input_of_a_stored_batch_is_not_discarded(acme: Organization, tmp_path: Any) -> None:
    parsed = read_import({"resource_type": "skus", "inputs": _INPUTS}, acme)
    for is_stored in (False, True):
        source = creation.store(acme, parsed.name, Via.API, [parsed.content])
        if is_stored:
            creation.create(acme, None, parsed.body, parsed.spec, source)
        source.discard()
        assert any(path.is_file() for path in tmp_path.rglob("*")) is is_stored


def test_lines_of_csv_may_end_with_carriage_returns(vendor: VendorClient) -> None:
    for text in ("code,name\rA-1,Shirt\rA-2,Hat", "code,name\r\nA-1,Shirt\r\nA-2,Hat\r\n"):
        given = {"resource_type": "skus", "format": "csv", "inputs": text}
        assert attributes(vendor.create("imports", given))["inputs_size"] == 2


@rows.differs(
    IMPORTS,
    "the size of `inputs`",
    "A body has at most `API_MAX_BODY_BYTES` (1 MiB) and 50,000 values: often fewer than 10,000 "
    "records.",
)
def test_a_body_above_the_limit_is_refused(vendor: VendorClient, settings: Settings) -> None:
    inputs = [{"code": "A-1", "name": "x" * settings.API_MAX_BODY_BYTES}]
    assert vendor.create("imports", {"resource_type": "skus", "inputs": inputs}).status_code == 413
    assert not Batch.objects.exists()
