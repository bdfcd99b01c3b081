"""Exports: creation, representation, lists, triggers and deletion."""

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from dialects.commercelayer.exports.requests import native_body
from exports.errors import ExportErrorCode
from exports.lifecycle.transitions import export_lifecycle
from exports.models import STATUSES as STORED_STATUSES
from exports.models import Export, Status
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from longshore.domains.commerce.models import Price, PriceList, Sku
from longshore.domains.logistics.models import Contact
from longshore.resources.registry import registry
from tests.conftest import KeyClient
from tests.dialects.commercelayer.conformance import (
    ERRORS,
    FILES,
    LISTS,
    REQUESTS,
    RESPONSES,
    STATUSES,
    WEBHOOKS,
    rows,
)
from tests.dialects.commercelayer.conftest import (
    VendorClient,
    attributes,
    error,
    errors,
    id_of,
    run_export,
    unzipped,
)
from tests.exports.conftest import export_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("skus")]


def create(vendor: VendorClient, **given: Any) -> str:
    return id_of(vendor.create("exports", {"resource_type": "skus", **given}))


def completed(vendor: VendorClient, **given: Any) -> dict[str, Any]:
    """Return the attributes of a completed export."""
    id = create(vendor, **given)
    run_export(id)
    shown: dict[str, Any] = vendor.read(f"/api/exports/{id}")["data"]["attributes"]
    assert shown["status"] == "completed"
    return shown


@rows.same(
    RESPONSES,
    "`resource_type`, `format`, `includes`, `fields`, `filters`, `dry_data`",
    "`records_count` at once, `processed_count`, `progress`",
    "`started_at`, `completed_at`, `interrupted_at`, `estimated_completion_at`, `created_at`, "
    "`updated_at`",
    "`errors_log`, empty objects and lists in place of null",
    "`data`, `links.self`, `relationships.events`, `meta.mode`",
)
@rows.differs(
    RESPONSES,
    "`id` of 10 letters",
    "The id of the native API, such as `exp_01jd8x5m3v9q7r2t4w6y8z0abc`: one id in all APIs.",
)
@rows.differs(
    RESPONSES,
    "relationship `event_stores`",
    "There is none: Longshore does not record changes of attributes.",
)
def test_a_new_export_is_a_document_with_everything_that_clients_read(
    vendor: VendorClient,
) -> None:
    response = vendor.create("exports", {"resource_type": "skus"})
    body = response.json()["data"]
    url = f"http://testserver/api/exports/{body['id']}"
    assert response.headers["Location"] == url
    assert (body["type"], body["links"], body["meta"]) == (
        "exports",
        {"self": url},
        {"mode": "live"},
    )
    assert body["relationships"] == {
        "events": {"links": {"self": f"{url}/relationships/events", "related": f"{url}/events"}}
    }
    shown = body["attributes"]
    assert shown["created_at"].endswith("Z")
    assert len(shown["created_at"]) == 24
    del shown["created_at"], shown["updated_at"], shown["estimated_completion_at"]
    assert shown == {
        "resource_type": "skus",
        "format": "json",
        "status": "pending",
        "includes": [],
        "fields": [],
        "filters": {},
        "dry_data": False,
        "jwt_filters": False,
        "started_at": None,
        "completed_at": None,
        "interrupted_at": None,
        "records_count": 3,
        "processed_count": 0,
        "progress": 0,
        "attachment_url": None,
        "errors_log": {},
        "reference": None,
        "reference_origin": None,
        "metadata": {},
    }


@rows.same(REQUESTS, "`resource_type`, `format: json` by default", "`includes`")
@rows.same(
    FILES,
    "a gzip file, sent without `Content-Encoding`",
    "JSON: an array, related records as `<relation>_id`",
    "included records nested",
    "times in UTC to the millisecond",
)
def test_the_file_is_an_array_in_a_gzip_file(vendor: VendorClient, acme: Any) -> None:
    prices = PriceList.objects.create(organization=acme, name="EU", code="eu", currency_code="EUR")
    sku = Sku.objects.get(code="A-1")
    Price.objects.create(
        organization=acme, sku=sku, sku_code="A-1", price_list=prices, amount_cents=950
    )
    text = unzipped(completed(vendor, filters={"code_eq": "A-1"})["attachment_url"])
    assert text[0] == "["
    assert text[-1] == "]"
    [plain] = json.loads(text)
    assert plain["created_at"].endswith("Z")
    assert len(plain["created_at"]) == 24
    assert "shipping_category_id" in plain
    # Neither related records nor some of their fields.
    assert not [name for name, value in plain.items() if isinstance(value, list)]
    assert not {"shipping_category", "tags", "prices"} & set(plain)
    [nested] = json.loads(
        unzipped(
            completed(vendor, filters={"code_eq": "A-1"}, includes=["prices"])["attachment_url"]
        )
    )
    assert [each["price_list_id"] for each in nested["prices"]] == [prices.pk]
    assert set(nested) == {*plain, "prices"}


@rows.same(FILES, "CSV: related records as `<relation>_id`")
@pytest.mark.parametrize("empty", [{}, {"includes": [], "fields": []}, {"includes": None}])
def test_a_table_without_includes_has_the_ids_of_related_records(
    vendor: VendorClient, empty: dict[str, Any]
) -> None:
    shown = completed(vendor, format="csv", **empty)
    header = next(csv.reader(io.StringIO(unzipped(shown["attachment_url"]))))
    assert "shipping_category_id" in header
    assert not [name for name in header if name.partition(".")[0] in ("shipping_category", "tags")]
    assert shown["includes"] == shown["fields"] == []


@rows.differs(
    RESPONSES,
    "`records_count`, `processed_count` of a CSV file with included lists",
    "They count the rows of the file, which repeat a record for each of its included ones. So does "
    "the limit of 10,000 records.",
)
def test_a_table_with_included_lists_counts_its_rows(
    vendor: VendorClient, acme: Organization, settings: Settings
) -> None:
    sku = Sku.objects.get(code="A-1")
    for code in ("EUR", "USD"):
        prices = PriceList.objects.create(
            organization=acme, name=code, code=code, currency_code=code
        )
        Price.objects.create(
            organization=acme, sku=sku, price_list=prices, sku_code="A-1", amount_cents=950
        )
    given = {"format": "csv", "includes": ["prices"]}
    shown = completed(vendor, **given)
    assert unzipped(shown["attachment_url"]).count("\n") == 5
    assert shown["records_count"] == shown["processed_count"] == 4
    settings.COMMERCELAYER_MAX_RECORDS = 3
    refused = error(vendor.create("exports", {"resource_type": "skus", **given}), 422)
    assert refused["meta"] == {"error": "less_than_or_equal_to", "value": 4, "count": 3}
    assert completed(vendor, includes=["prices"])["records_count"] == 3


@rows.same(REQUESTS, "`format: csv`, `fields`")
@rows.same(FILES, "CSV: a header, a line feed after each row")
def test_a_table_has_a_header_and_a_line_feed_after_each_row(vendor: VendorClient) -> None:
    shown = completed(vendor, format="csv", fields=["code", "name"])
    text = unzipped(shown["attachment_url"])
    assert text.endswith("\n")
    assert "\r" not in text
    rows = [["code", "name"], ["A-1", "Shirt"], ["A-2", "Hat, black"], ["B-1", "Mug"]]
    assert sorted(csv.reader(io.StringIO(text))) == sorted(rows)


@rows.differs(
    FILES,
    "text that a spreadsheet runs as a formula",
    "CSV: it gets an apostrophe, which an import removes. Otherwise a file could run code in "
    "the spreadsheet of its reader.",
)
def test_text_that_looks_like_a_formula_is_escaped(vendor: VendorClient) -> None:
    Sku.objects.filter(code="A-1").update(name="=1+1")
    given = {"filters": {"code_eq": "A-1"}, "fields": ["name"]}
    assert unzipped(completed(vendor, format="csv", **given)["attachment_url"]) == "name\n'=1+1\n"
    assert json.loads(unzipped(completed(vendor, **given)["attachment_url"])) == [{"name": "=1+1"}]


@rows.same(REQUESTS, "`dry_data`")
def test_dry_data_leaves_out_ids_times_and_blanks(vendor: VendorClient) -> None:
    shown = completed(vendor, filters={"code_eq": "A-1"}, dry_data=True)
    [record] = json.loads(unzipped(shown["attachment_url"]))
    assert record["code"] == "A-1"
    assert not {"id", "created_at", "updated_at", "hs_tariff_number"} & set(record)


@rows.same(REQUESTS, "`filters`: predicates, lists as arrays or as text with commas")
@pytest.mark.parametrize("codes", [["A-1", "B-1"], "A-1,B-1"])
def test_a_list_in_a_filter_is_an_array_or_a_text_with_commas(
    vendor: VendorClient, codes: Any
) -> None:
    response = vendor.create("exports", {"resource_type": "skus", "filters": {"code_in": codes}})
    assert attributes(response)["records_count"] == 2


def test_empty_lists_and_objects_of_a_client_count_as_absent(vendor: VendorClient) -> None:
    given: dict[str, Any] = {
        "includes": [],
        "fields": [],
        "filters": {},
        "metadata": None,
        "reference": None,
    }
    assert attributes(vendor.create("exports", {"resource_type": "skus", **given}))


@rows.same(
    RESPONSES, "`attachment_url`: a new link at each read, for 5 minutes (`EXPORT_LINK_SECONDS`)"
)
def test_each_read_gives_a_link_that_works(vendor: VendorClient) -> None:
    id = create(vendor)
    run_export(id)
    path = f"/api/exports/{id}"
    for _ in range(2):
        assert unzipped(vendor.read(path)["data"]["attributes"]["attachment_url"])


@rows.same(ERRORS, "zero records: 422 with `meta.error: greater_than`")
def test_zero_records_are_an_error_that_clients_recognize(vendor: VendorClient) -> None:
    response = vendor.create("exports", {"resource_type": "skus", "filters": {"code_eq": "none"}})
    refused = error(response, 422)
    assert refused["code"] == "VALIDATION_ERROR"
    assert refused["meta"] == {"error": "greater_than", "value": 0, "count": 0}
    assert not Export.objects.exists()


@rows.same(
    ERRORS,
    "more than 10,000 records: 422 with `meta.error: less_than_or_equal_to`, `value` and `count`",
)
def test_too_many_records_are_an_error_with_both_numbers(
    vendor: VendorClient, settings: Settings
) -> None:
    settings.COMMERCELAYER_MAX_RECORDS = 2
    refused = error(vendor.create("exports", {"resource_type": "skus"}), 422)
    assert refused["meta"] == {"error": "less_than_or_equal_to", "value": 3, "count": 2}
    assert not Export.objects.exists()
    settings.COMMERCELAYER_MAX_RECORDS = 0
    assert create(vendor)


@rows.differs(
    ERRORS,
    "the limit of 10,000 records if counting them takes more than 5 s",
    "The export is created, without `records_count`. It is interrupted if it has more records.",
)
def test_too_many_records_that_were_not_counted_interrupt_the_export(
    vendor: VendorClient, settings: Settings
) -> None:
    settings.COMMERCELAYER_MAX_RECORDS = 3
    id = create(vendor)
    Export.objects.update(records_count=None)
    Sku.objects.create(organization=vendor.api_key.organization, code="B-2", name="Cup")
    run_export(id)
    shown = vendor.read(f"/api/exports/{id}")["data"]["attributes"]
    assert shown["status"] == "interrupted"
    assert list(shown["errors_log"]) == ["too_many_records"]
    assert shown["attachment_url"] is None


@rows.same(ERRORS, "10 concurrent exports of an organization")
def test_too_many_unfinished_exports_are_refused_until_one_ends(
    vendor: VendorClient, settings: Settings
) -> None:
    settings.EXPORT_MAX_UNFINISHED = 1
    create(vendor)
    response = vendor.create("exports", {"resource_type": "skus"})
    assert error(response, 429)["code"] == "TOO_MANY_REQUESTS"
    assert int(response.headers["Retry-After"]) > 0


@rows.same(ERRORS, "`VALIDATION_ERROR` with `source.pointer` and `meta.error`")
@pytest.mark.parametrize(
    ("given", "pointer", "meta"),
    [
        ({"resource_type": None}, "resource_type", "blank"),
        ({"resource_type": "skuz"}, "resource_type", "inclusion"),
        ({"format": "xlsx"}, "format", "inclusion"),
        ({"filters": {"cod_eq": 1}}, "filters/cod_eq", "inclusion"),
        ({"filters": ["code_eq"]}, "filters", "invalid"),
        ({"includes": ["pricez"]}, "includes/0", "inclusion"),
        ({"fields": ["nam"]}, "fields/0", "inclusion"),
        ({"dry_data": "yes"}, "dry_data", "inclusion"),
        ({"jwt_filters": 1}, "jwt_filters", "inclusion"),
        ({"metadata": {"commercelayer": 1}}, "metadata", "invalid"),
        ({"metadata": {"text": "x" * 10_001}}, "metadata", "invalid"),
        ({"reference": "x" * 256}, "reference", "invalid"),
        ({"_start": True}, "_start", "inclusion"),
    ],
)
def test_a_wrong_attribute_is_named(
    vendor: VendorClient, given: dict[str, Any], pointer: str, meta: str
) -> None:
    refused = error(vendor.create("exports", {"resource_type": "skus", **given}), 422)
    assert refused["source"] == {"pointer": f"/data/attributes/{pointer}"}
    assert refused["meta"]["error"] == meta


def test_all_mistakes_are_reported_at_once(vendor: VendorClient) -> None:
    given = {"resource_type": "skus", "includes": ["x"], "filters": {"y_eq": 1}}
    assert len(errors(vendor.create("exports", given), 422)) == 2


@rows.same(REQUESTS, "`jwt_filters` for the scope `market:all`")
def test_jwt_filters_select_all_records_because_a_token_has_all_markets(
    vendor: VendorClient,
) -> None:
    shown = attributes(vendor.create("exports", {"resource_type": "skus", "jwt_filters": True}))
    assert (shown["jwt_filters"], shown["records_count"], shown["metadata"]) == (True, 3, {})


@rows.same(REQUESTS, "`reference`, `reference_origin`, `metadata`")
@rows.same(RESPONSES, "`reference`, `reference_origin`, `metadata`")
@rows.differs(
    RESPONSES,
    "`updated_at` after a change of `metadata`",
    "It is the time of the last change of the status.",
)
def test_references_and_metadata_are_stored_and_changed(vendor: VendorClient) -> None:
    given = {"reference": "r-1", "reference_origin": "erp", "metadata": {"group": 7}}
    id = create(vendor, **given)
    shown = vendor.read(f"/api/exports/{id}")["data"]["attributes"]
    assert {name: shown[name] for name in given} == given
    changed = attributes(vendor.change("exports", id, {"reference": "r-2"}))
    assert (changed["reference"], changed["reference_origin"]) == ("r-2", "erp")
    assert changed["metadata"] == {"group": 7}
    cleared = attributes(vendor.change("exports", id, {"metadata": {}, "reference_origin": None}))
    assert (cleared["metadata"], cleared["reference_origin"]) == ({}, None)
    assert cleared["reference"] == "r-2"


@rows.same(
    STATUSES, "`pending`, `in_progress`, `completed`, `interrupted`", "`_interrupt`, `_start`"
)
def test_an_interrupted_export_starts_again(vendor: VendorClient) -> None:
    id = create(vendor)
    interrupted = attributes(vendor.change("exports", id, {"_interrupt": True}))
    assert interrupted["status"] == "interrupted"
    assert interrupted["interrupted_at"]
    assert interrupted["completed_at"] is None
    restarted = attributes(vendor.change("exports", id, {"_start": True}))
    assert (restarted["status"], restarted["interrupted_at"]) == ("pending", None)
    run_export(id)
    assert vendor.read(f"/api/exports/{id}")["data"]["attributes"]["status"] == "completed"


@pytest.mark.parametrize("trigger", ["_interrupt", "_start"])
def test_a_trigger_that_does_not_fit_the_status_is_refused(
    vendor: VendorClient, trigger: str
) -> None:
    id = create(vendor)
    run_export(id)
    refused = error(vendor.change("exports", id, {trigger: True, "reference": "x"}), 422)
    assert refused["code"] == "VALIDATION_ERROR"
    assert vendor.read(f"/api/exports/{id}")["data"]["attributes"]["reference"] is None


def test_triggers_are_booleans_and_exclude_each_other(vendor: VendorClient) -> None:
    id = create(vendor)
    assert attributes(vendor.change("exports", id, {"_interrupt": False}))["status"] == "pending"
    error(vendor.change("exports", id, {"_interrupt": "now"}), 422)
    error(vendor.change("exports", id, {"_interrupt": True, "_start": True}), 422)


@rows.differs(
    STATUSES,
    "`failed`",
    "It is `interrupted` with its reason in `errors_log`: the vendor\u2019s own clients wait "
    "for `completed` or `interrupted` only.",
)
@pytest.mark.parametrize("status", [Status.FAILED, Status.TIMED_OUT])
def test_a_failure_is_interrupted_with_its_reason(vendor: VendorClient, status: Status) -> None:
    export = Export.objects.get(public_id=create(vendor))
    claimed = export_lifecycle.claim_created(export)
    if status is Status.FAILED:
        export_lifecycle.fail(claimed, ExportErrorCode.FORMAT_LIMIT, "Too wide.")
    else:
        export_lifecycle.time_out(claimed, 5)
    shown = vendor.read(f"/api/exports/{export.public_id}")["data"]["attributes"]
    assert shown["status"] == "interrupted"
    assert shown["interrupted_at"]
    assert shown["completed_at"] is None
    reason = "Too wide." if status is Status.FAILED else "The export took longer"
    assert reason in next(iter(shown["errors_log"].values()))


@rows.differs(
    STATUSES,
    "files are kept",
    "They are deleted after `EXPORT_RETENTION_HOURS`: the export stays `completed`, and "
    "`attachment_url` is null.",
)
def test_an_expired_export_stays_completed_without_a_link(vendor: VendorClient) -> None:
    id = create(vendor)
    run_export(id)
    Export.objects.filter(public_id=id).update(expires_at=timezone.now() - timedelta(seconds=1))
    shown = vendor.read(f"/api/exports/{id}")["data"]["attributes"]
    assert (shown["status"], shown["attachment_url"]) == ("completed", None)


@rows.same(LISTS, "GET, PATCH, DELETE of one object: 200, 200, 204")
def test_a_deleted_export_is_gone(vendor: VendorClient) -> None:
    id = create(vendor)
    assert vendor.delete(f"/api/exports/{id}").status_code == 204
    assert error(vendor.get(f"/api/exports/{id}"), 404)["code"] == "RECORD_NOT_FOUND"


@rows.same(WEBHOOKS, "events of an export, by link and by `include=events`")
@rows.differs(
    WEBHOOKS,
    "`relationships/<relation>`",
    "It returns the related objects, which have their identifiers.",
)
def test_the_events_of_an_export_have_the_names_of_topics(vendor: VendorClient) -> None:
    id = create(vendor)
    run_export(id)
    found = vendor.read(f"/api/exports/{id}/events", sort="created_at")
    names = [each["attributes"]["name"] for each in found["data"]]
    assert names == ["exports.create", "exports.start", "exports.complete"]
    ids = [each["id"] for each in found["data"]]
    document = vendor.read(f"/api/exports/{id}", include="events")
    related = document["data"]["relationships"]["events"]["data"]
    assert related == [{"type": "events", "id": id} for id in ids]
    assert [each["id"] for each in document["included"]] == ids
    assert vendor.read(f"/api/exports/{id}/relationships/events", sort="created_at") == {
        **found,
        "links": {
            name: link.replace("/events?", "/relationships/events?")
            for name, link in found["links"].items()
        },
    }
    one = vendor.read(f"/api/events/{ids[0]}")["data"]
    assert one["attributes"]["name"] == "exports.create"


@rows.same(
    LISTS,
    "`page[number]`, `page[size]` of 10 by default and 25 at most",
    "`meta.record_count`, `meta.page_count`, `links`",
    "`sort`",
    "`filter[q][…]` with all matchers",
)
def test_a_list_is_paged_sorted_and_filtered(vendor: VendorClient) -> None:
    ids = [create(vendor, reference=f"group-{n}") for n in range(3)]
    other = id_of(vendor.create("exports", {"resource_type": "skus", "format": "csv"}))
    run_export(ids[0])
    page = vendor.read("/api/exports", **{"page[number]": 2, "page[size]": 3, "sort": "created_at"})
    assert [each["id"] for each in page["data"]] == [other]
    assert page["meta"] == {"record_count": 4, "page_count": 2}
    assert set(page["links"]) == {"first", "prev", "last"}
    assert vendor.get(page["links"]["prev"]).json()["data"][0]["id"] == ids[0]

    def found(**filters: Any) -> list[str]:
        parameters = {f"filter[q][{name}]": value for name, value in filters.items()}
        body = vendor.read("/api/exports", sort="created_at", **parameters)
        return [each["id"] for each in body["data"]]

    assert found(resource_type_eq="skus", status_eq="completed") == [ids[0]]
    assert found(status_in="pending,in_progress") == [*ids[1:], other]
    assert found(reference_start="group-") == ids
    assert found(format_eq="csv") == [other]
    assert found(id_in=f"{ids[1]},{ids[2]}") == ids[1:]
    assert found(completed_at_null="false") == [ids[0]]
    assert found(interrupted_at_null="true", records_count_gteq=3, format_eq="json") == ids
    assert found(created_at_gt="2999-01-01") == []
    newest = vendor.read("/api/exports", sort="-started_at")["data"]
    assert newest[0]["id"] == ids[0]


@rows.same(LISTS, "`fields[type]`")
def test_sparse_fields_leave_out_the_others(vendor: VendorClient) -> None:
    create(vendor)
    [shown] = vendor.read("/api/exports", **{"fields[exports]": "status,records_count"})["data"]
    assert shown["attributes"] == {"status": "pending", "records_count": 3}
    assert shown["relationships"] == {}


@rows.same(ERRORS, "400 with `source.parameter`")
@pytest.mark.parametrize(
    ("parameter", "value", "code"),
    [
        ("page[size]", "26", "INVALID_PAGE_VALUE"),
        ("page[number]", "0", "INVALID_PAGE_VALUE"),
        ("sort", "-shade", "INVALID_SORT_CRITERIA"),
        ("sort", "id,status,format,created_at,updated_at,started_at", "INVALID_SORT_CRITERIA"),
        ("filter[q][shade_eq]", "red", "FILTER_NOT_ALLOWED"),
        ("filter[q][records_count_gt]", "many", "FILTER_NOT_ALLOWED"),
        ("include", "shipments", "INVALID_INCLUDE"),
        ("fields[exports]", "shade", "INVALID_FIELD"),
        ("shade", "red", "PARAM_NOT_ALLOWED"),
    ],
)
def test_a_wrong_parameter_is_named(
    vendor: VendorClient, parameter: str, value: str, code: str
) -> None:
    refused = error(vendor.get("/api/exports", {parameter: value}), 400)
    assert (refused["code"], refused["source"]) == (code, {"parameter": parameter})


def test_a_list_takes_the_same_number_of_queries_whatever_its_length(
    vendor: VendorClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    create(vendor)
    vendor.get("/api/exports")
    # The key, the number of exports, the page, its files and its events.
    with django_assert_num_queries(5):
        vendor.get("/api/exports", {"include": "events"})
    for _ in range(4):
        create(vendor)
    with django_assert_num_queries(5):
        vendor.get("/api/exports", {"include": "events"})


def test_other_organizations_see_nothing(vendor: VendorClient, outsider: VendorClient) -> None:
    id = create(vendor)
    assert outsider.read("/api/exports")["data"] == []
    for path in (f"/api/exports/{id}", f"/api/exports/{id}/events"):
        error(outsider.get(path), 404)
    error(outsider.change("exports", id, {"_interrupt": True}), 404)
    error(outsider.delete(f"/api/exports/{id}"), 404)
    assert outsider.read("/api/events")["data"] == []


def test_a_repeated_request_with_the_same_key_creates_one_export(vendor: VendorClient) -> None:
    given = {"resource_type": "skus"}
    first = vendor.create("exports", given, **{"Idempotency-Key": "once"})
    again = vendor.create("exports", given, **{"Idempotency-Key": "once"})
    assert id_of(first) == id_of(again)
    assert again.headers["Content-Type"] == "application/vnd.api+json"
    assert again.headers["Idempotent-Replayed"] == "true"


@rows.differs(
    RESPONSES,
    "`format: csv` or `json`",
    "An export of another API shows its format, such as `parquet`.",
)
def test_an_export_of_the_native_api_is_shown(
    vendor: VendorClient, alice: KeyClient, acme: Any
) -> None:
    Contact.objects.create(organization=acme, name="Zoë")
    body = {"resource": "contact", "format": "parquet", "metadata": {"a": 1}}
    native = alice.post("/v1/exports", body).json()["id"]
    run_export(native)
    shown = vendor.read(f"/api/exports/{native}")["data"]["attributes"]
    assert (shown["resource_type"], shown["format"]) == ("contacts", "parquet")
    assert (shown["metadata"], shown["includes"], shown["filters"]) == ({"a": 1}, [], {})
    assert shown["attachment_url"]


@rows.differs(
    FILES,
    "one file",
    "An export of another API may have several files: the link is to a ZIP archive of all.",
)
def test_an_export_with_several_files_links_to_all_of_them(
    vendor: VendorClient, alice: KeyClient
) -> None:
    native = alice.post("/v1/exports", {"resource": "sku", "max_rows_per_file": 1}).json()["id"]
    run_export(native)
    url = vendor.read(f"/api/exports/{native}")["data"]["attributes"]["attachment_url"]
    assert ".zip?" in url


def test_an_export_of_this_dialect_is_an_export_of_the_native_api(
    vendor: VendorClient, alice: KeyClient
) -> None:
    id = create(vendor, reference="r-1", metadata={"group": 7}, filters={"code_eq": "A-1"})
    native = alice.get(f"/v1/exports/{id}").json()
    assert (native["resource"], native["format"], native["compression"]) == ("sku", "json", "gzip")
    assert native["metadata"] == {"group": 7, "commercelayer": {"reference": "r-1"}}
    assert native["request"]["filters"] == {"code_eq": "A-1"}


@rows.differs(
    REQUESTS,
    "types of the vendor that Longshore does not have",
    "Refused with the list of types: those of the installed data models, by their plurals.",
)
def test_a_name_of_the_vendor_stands_for_its_own_resource(vendor: VendorClient) -> None:
    # Both domains have shipments. The vendor's are those of orders.
    refused = error(vendor.create("exports", {"resource_type": "shipments"}), 422)
    assert refused["meta"]["error"] == "greater_than"
    refused = error(vendor.create("exports", {"resource_type": "shipment"}), 422)
    assert refused["meta"]["error"] == "greater_than"
    accepted = error(vendor.create("exports", {"resource_type": "x"}), 422)["meta"]["accepted"]
    assert {"shipment", "shipments", "skus"} <= set(accepted)
    assert "order_shipments" not in accepted


@rows.same(ERRORS, "400 for a malformed body")
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{", 400, "BAD_REQUEST"),
        ("[]", 400, "BAD_REQUEST"),
        ("{}", 422, "VALIDATION_ERROR"),
        ('{"data": {"type": "imports"}}', 422, "VALIDATION_ERROR"),
        ('{"data": {"type": "exports", "attributes": []}}', 422, "VALIDATION_ERROR"),
        ('{"data": {"type": "exports", "relationships": {"a": 1}}}', 422, "VALIDATION_ERROR"),
    ],
)
def test_a_malformed_document_is_refused(
    vendor: VendorClient, body: str, status: int, code: str
) -> None:
    response = vendor.post("/api/exports", body, content_type="application/vnd.api+json")
    assert {each["code"] for each in errors(response, status)} == {code}


@rows.same(ERRORS, "400 if the ids of the body and of the address differ")
def test_the_id_in_the_body_must_be_that_of_the_address(vendor: VendorClient) -> None:
    id = create(vendor)
    body = {"data": {"type": "exports", "id": "exp_0", "attributes": {}}}
    response = vendor.patch(
        f"/api/exports/{id}", json.dumps(body), content_type="application/vnd.api+json"
    )
    assert error(response, 400)["code"] == "BAD_REQUEST"


@rows.same(LISTS, "`application/vnd.api+json`: otherwise 406 and 415")
@rows.same(ERRORS, "`RECORD_NOT_FOUND`, 405")
def test_only_the_media_type_of_the_vendor_is_spoken(vendor: VendorClient) -> None:
    body = '{"data": {"type": "exports"}}'
    response = vendor.post("/api/exports", body, content_type="application/json")
    assert error(response, 415)["code"] == "UNSUPPORTED_MEDIA_TYPE"
    refused = error(vendor.get("/api/exports", headers={"Accept": "text/html"}), 406)
    assert refused["code"] == "NOT_ACCEPTABLE"
    assert error(vendor.put("/api/exports"), 405)["code"] == "METHOD_NOT_ALLOWED"
    assert error(vendor.get("/api/nothing"), 404)["code"] == "RECORD_NOT_FOUND"


@rows.same(ERRORS, "`X-Ratelimit-Limit`, `-Interval`, `-Remaining`, 429")
def test_responses_state_the_rate_limit(vendor: VendorClient, settings: Settings) -> None:
    settings.API_RATE_LIMIT = "2/min"
    first, second, third = (vendor.get("/api/exports") for _ in range(3))
    assert [each.headers["X-Ratelimit-Remaining"] for each in (first, second)] == ["1", "0"]
    assert (first.headers["X-Ratelimit-Limit"], first.headers["X-Ratelimit-Interval"]) == (
        "2",
        "60",
    )
    assert error(third, 429)["code"] == "TOO_MANY_REQUESTS"
    assert third.headers["Retry-After"]


def test_a_filter_by_stored_values_finds_what_the_shown_value_says(
    vendor: VendorClient, acme: Organization
) -> None:
    now = timezone.now()
    for started_at in (None, now):
        for status in STORED_STATUSES:
            ended = {"completed_at": now, "records_count": 1, "started_at": started_at}
            export_of(acme, {"resource": "sku"}, status=status, **ended)
    Export.objects.filter(status=Status.FAILED).update(resource="removed_resource")

    def found(name: str, value: str) -> list[str]:
        parameters = {f"filter[q][{name}]": value, "page[size]": 25}
        return [each["id"] for each in vendor.read("/api/exports", **parameters)["data"]]

    for column, values in (
        ("status", ("pending", "in_progress", "completed", "interrupted")),
        ("resource_type", ("skus", "removed_resource")),
    ):
        for value in values:
            # The matcher `start` compares what is shown.
            assert found(f"{column}_eq", value) == found(f"{column}_start", value) != []
        everything = found(f"{column}_in", ",".join(values))
        assert len(everything) == Export.objects.count()
    assert found("resource_type_eq", "sku") == found("status_eq", "bogus") == []


def test_a_csv_file_has_every_column_of_the_record() -> None:
    body = native_body({"resource_type": "orders", "format": "csv"})
    resource = registry.get("order")
    assert resource
    paths = [column.path for column in parse_export(body).columns]
    assert paths == [*resource.columns_by_name, *resource.embedded]
