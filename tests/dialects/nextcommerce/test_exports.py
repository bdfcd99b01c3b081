"""Exports in the API of 29next: the documented requests, and what holds in every API."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db.models import Model
from django.test.client import encode_multipart
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from dialects.nextcommerce.views import Throttle
from exports.models import Export, Status
from exports.reading.stream import ExportStream
from longshore.accounts.models import Organization
from longshore.domains.commerce.models import Order, OrderSubscription, Transaction
from tests.conftest import KeyClient
from tests.dialects.nextcommerce.conformance import (
    CONVENTIONS,
    FILE,
    LIST,
    OBJECT,
    OPERATIONS,
    REQUEST,
    STATUSES,
    rows,
)
from tests.dialects.nextcommerce.conftest import ShopClient
from tests.exports.conftest import downloaded, export_of, wait_for
from tests.records import a_record

pytestmark = pytest.mark.django_db

# As documented, without its comments.
QUARTER = {
    "type": "order_list",
    "date_from": "2025-01-01T00:00:00Z",
    "date_to": "2025-03-31T23:59:59Z",
}
MULTIPART = encode_multipart("--end", QUARTER).decode()
EXPORTS = "/api/admin/exports/"


def created(shop: ShopClient, **changes: Any) -> dict[str, Any]:
    response = shop.post(EXPORTS, QUARTER | changes)
    assert response.status_code == 201, response.content
    shown: dict[str, Any] = response.json()
    return shown


@rows.same(
    OPERATIONS,
    "`POST /exports/`",
    "`GET /exports/{id}/`",
    "`GET /exports/{id}/download/`",
    "`GET /exports/`",
)
@rows.same(
    OBJECT,
    "`id`",
    "`created_at`",
    "`type`",
    "`status`",
    "`date_from`, `date_to`",
    "`url`",
)
@rows.same(
    STATUSES,
    "`pending`",
    "`available`",
)
@rows.same(
    FILE,
    "CSV behind a temporary signed URL",
    "the range includes both ends",
    "amounts are decimal texts",
    "test orders are left out",
)
def test_the_documented_flow_ends_with_a_file_of_the_range(
    shop: ShopClient, orders: list[Order], worker: None
) -> None:
    response = shop.post(EXPORTS, QUARTER)
    assert response.status_code == 201
    pending = response.json()
    created_at = datetime.fromisoformat(pending["created_at"])
    assert abs(datetime.now(UTC) - created_at) < timedelta(minutes=1)
    assert pending == QUARTER | {
        "id": 1,
        "created_at": pending["created_at"],
        "status": "pending",
        "url": "http://testserver/api/admin/exports/1/",
    }
    assert response["Location"] == pending["url"]

    wait_for(lambda: shop.get(pending["url"]).json()["status"] != "pending")
    available = pending | {"status": "available"}
    assert shop.get(pending["url"]).json() == available
    assert shop.get(EXPORTS).json() == {"next": None, "previous": None, "results": [available]}

    link = shop.get(f"{pending['url']}download/")
    assert link.status_code == 200
    assert list(link.json()) == ["url"]
    table = list(csv.DictReader(io.StringIO(downloaded(link.json()["url"]).decode())))
    # Both ends are included, to the precision in which they are written.
    assert [row["Order Number"] for row in table] == ["A1", "A2", "A3"]
    assert {row["Total Cost"] for row in table} == {"12.34"}


@rows.same(
    FILE,
    "payment and fulfillment statuses of orders",
    "types and statuses of transactions",
    "statuses of subscriptions",
)
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("code", "model", "values", "cells"),
    [
        (
            "order_list",
            Order,
            {
                "placed_at": datetime(2025, 2, 1, tzinfo=UTC),
                "payment_status": "unpaid",
                "fulfillment_status": "in_progress",
            },
            {"Payment Status": "pending", "Fulfillment Status": "processing"},
        ),
        (
            "transaction_list",
            Transaction,
            {"kind": "capture", "succeeded": True},
            {"Type": "debit", "Status": "succeeded"},
        ),
        ("subscription_list", OrderSubscription, {"status": "running"}, {"Status": "active"}),
    ],
)
def test_files_have_the_words_of_29next(
    shop: ShopClient,
    acme: Organization,
    code: str,
    model: type[Model],
    values: dict[str, Any],
    cells: dict[str, str],
) -> None:
    a_record(model, acme, **values)
    created(shop, type=code, date_to="2035-01-01T00:00:00Z")
    content = b"".join(ExportStream(Export.objects.get().parsed_spec(), acme.pk))
    [row] = csv.DictReader(io.StringIO(content.decode()))
    assert row | cells == row


@rows.same(
    OPERATIONS,
    "`GET /exports/types/`",
)
def test_the_documented_types_are_listed_in_the_documented_order(shop: ShopClient) -> None:
    response = shop.get(f"{EXPORTS}types/")
    assert response.status_code == 200
    assert [tuple(each.values()) for each in response.json()["types"]] == [
        ("order_list", "Orders"),
        ("order_line_items", "Order Line Items"),
        ("customer_list", "Customers"),
        ("transaction_list", "Transactions"),
        ("dispute_list", "Disputes"),
        ("subscription_list", "Subscriptions"),
        ("subscription_line_items", "Subscription Line Items"),
        ("open_cart_list", "Open Carts"),
        ("open_cart_line_items", "Open Cart Line Items"),
        ("return_list", "Returns"),
        ("return_line_items", "Return Line Items"),
        ("fulfillment_list", "Fulfillments"),
        ("fulfillment_line_items", "Fulfillment Line Items"),
    ]


@pytest.mark.slow
@rows.same(
    REQUEST,
    "`type`: the 13 codes",
)
def test_every_documented_type_can_be_created(shop: ShopClient, settings: Settings) -> None:
    settings.EXPORT_MAX_UNFINISHED = 20
    codes = [each["code"] for each in shop.get(f"{EXPORTS}types/").json()["types"]]
    assert [created(shop, type=code)["type"] for code in codes] == codes


@rows.same(
    REQUEST,
    "JSON, form-urlencoded or multipart",
)
@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (urlencode(QUARTER), "application/x-www-form-urlencoded"),
        # Python decodes no text with this charset.
        (urlencode(QUARTER), "application/x-www-form-urlencoded; charset=hex"),
        (encode_multipart("--end", QUARTER).decode(), "multipart/form-data; boundary=--end"),
        (
            encode_multipart("--end", QUARTER).decode(),
            "multipart/form-data; boundary=--end; charset=hex",
        ),
    ],
)
def test_forms_are_accepted_as_json_is(
    shop: ShopClient, alice: KeyClient, body: str, media_type: str
) -> None:
    response = shop.generic("POST", EXPORTS, body, content_type=media_type)
    assert response.status_code == 201, response.content
    [native] = alice.get("/v1/exports").json()["results"]
    assert native["request"] == QUARTER


def test_a_file_in_place_of_a_text_is_refused(shop: ShopClient) -> None:
    file = io.BytesIO(b"order_list")
    response = shop.post(EXPORTS, QUARTER | {"type": file}, format="multipart")
    assert response.status_code == 400
    assert response.json() == {"type": ["Send text, not a file."]}


@pytest.mark.parametrize("media_type", ["application/json", "application/x-www-form-urlencoded"])
def test_a_large_body_is_refused(shop: ShopClient, settings: Settings, media_type: str) -> None:
    settings.API_MAX_BODY_BYTES = 100
    response = shop.generic("POST", EXPORTS, "x" * 101, content_type=media_type)
    assert response.status_code == 413
    assert response.json() == {"detail": "The body is larger than 100 bytes."}


@rows.same(
    REQUEST,
    "`date_from`, `date_to`: date and time",
)
def test_a_time_without_an_offset_is_in_the_zone_of_the_organization(
    shop: ShopClient, acme: Organization
) -> None:
    acme.timezone = "Asia/Bangkok"
    acme.save()
    created(shop, date_from="2025-01-01T00:00:00", date_to="2025-03-31T23:59:59+07:00")
    conditions = Export.objects.get().spec["selection"]["conditions"]
    ranges = [each["values"][0].partition("/")[0] for each in conditions[-2:]]
    assert ranges == ["2024-12-31T17:00:00+00:00", "2025-03-31T16:59:59+00:00"]


@rows.same(
    CONVENTIONS,
    'errors of fields: `{"field": ["…"]}`',
)
@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"type": "orders"}, {"type": ['"orders" is not a valid choice.']}),
        ({"type": None}, {"type": ["This field may not be null."]}),
        ({"date_to": "2025-03-31"}, {"date_to": ["Expected a datetime but got a date."]}),
        (
            {"date_from": "2025-02-01T00:00:00Z", "date_to": "2025-01-01T00:00:00Z"},
            {
                "date_from": [
                    "date_from '2025-02-01T00:00:00Z' is after date_to '2025-01-01T00:00:00Z'."
                ]
            },
        ),
        # REST framework accepts these forms, but the engine does not.
        (
            {"date_from": "20250101T000000Z"},
            {"date_from": ["'20250101T000000Z' is not a valid date_from."]},
        ),
    ],
)
def test_bad_input_is_reported_by_field(
    shop: ShopClient, changes: dict[str, Any], errors: dict[str, Any]
) -> None:
    response = shop.post(EXPORTS, QUARTER | changes)
    assert response.status_code == 400
    assert response.json() == errors
    assert not Export.objects.exists()


@rows.same(
    REQUEST,
    "every field is required",
)
def test_every_missing_field_is_reported(shop: ShopClient) -> None:
    required = ["This field is required."]
    assert shop.post(EXPORTS, {}).json() == dict.fromkeys(QUARTER, required)


def test_a_bound_that_the_row_cannot_hold_is_refused(shop: ShopClient) -> None:
    response = shop.post(EXPORTS, QUARTER | {"date_from": f"2025-01-01T00:00:00.{'0' * 60}Z"})
    assert response.status_code == 400
    assert list(response.json()) == ["date_from"]


@rows.differs(
    STATUSES,
    "`failed`, `canceled`, `expired`",
    "29next has no such statuses. An export that will not become available must not stay "
    "`pending`.",
)
@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (Status.QUEUED, "pending"),
        (Status.PROCESSING, "pending"),
        (Status.COMPLETED, "available"),
        (Status.FAILED, "failed"),
        (Status.TIMED_OUT, "failed"),
        (Status.CANCELED, "canceled"),
        (Status.EXPIRED, "expired"),
    ],
)
def test_only_unfinished_exports_are_pending(
    shop: ShopClient, acme: Organization, status: Status, shown: str
) -> None:
    now = datetime.now(UTC)
    export_of(
        acme, QUARTER, organization_number=1, status=status, completed_at=now, records_count=0
    )
    assert shop.get(f"{EXPORTS}1/").json()["status"] == shown


@rows.differs(
    OPERATIONS,
    "`GET /exports/{id}/download/` of an export without a file",
    "Not documented. 409 if it is not available, 410 after its retention.",
)
@pytest.mark.parametrize(
    ("status", "code", "detail"),
    [
        (Status.PROCESSING, 409, "The export is processing; its progress is 0%."),
        (Status.FAILED, 409, "The export is failed; its progress is 0%."),
        (Status.EXPIRED, 410, "The export's files were deleted at 2025-04-02T00:00:00Z."),
    ],
)
def test_an_export_without_a_file_has_no_download(
    shop: ShopClient, acme: Organization, status: Status, code: int, detail: str
) -> None:
    expires_at = datetime(2025, 4, 2, tzinfo=UTC)
    export_of(acme, QUARTER, organization_number=1, status=status, expires_at=expires_at)
    response = shop.get(f"{EXPORTS}1/download/")
    assert (response.status_code, response.json()) == (code, {"detail": detail})


@rows.differs(
    OBJECT,
    "`type` of an export of another API",
    "The name of its resource, if it was created without a type. Its bounds are shown as they were "
    "sent.",
)
@rows.differs(
    FILE,
    "several files",
    "The URL of an export of another API with several files is that of a ZIP archive.",
)
def test_exports_of_the_native_api_are_shown_with_the_nearest_words(
    shop: ShopClient, alice: KeyClient, orders: list[Order], worker: None
) -> None:
    body = {"resource": "order", "date_from": "2025-01-01", "max_rows_per_file": 1}
    number = alice.post("/v1/exports", body).json()["number"]
    wait_for(lambda: shop.get(f"{EXPORTS}{number}/").json()["status"] != "pending")
    shown = shop.get(f"{EXPORTS}{number}/").json()
    assert (shown["type"], shown["status"]) == ("order", "available")
    assert (shown["date_from"], shown["date_to"]) == ("2025-01-01", None)
    # Several files: the link is to all of them.
    assert downloaded(shop.get(f"{EXPORTS}{number}/download/").json()["url"]).startswith(b"PK")


@rows.same(
    LIST,
    "`type`",
    "`date_created_from`, `date_created_to`",
    "`cursor`",
    "`next` and `previous` are URLs or null",
    "newest first",
)
def test_the_list_is_filtered_by_type_and_days_and_paged_by_cursor(
    shop: ShopClient, acme: Organization
) -> None:
    acme.timezone = "America/New_York"
    acme.save()
    first = datetime(2025, 4, 1, 3, 59, tzinfo=UTC)
    for number in range(60):
        body = QUARTER | {"type": "order_list" if number % 2 else "customer_list"}
        moment = first + timedelta(minutes=number)
        export_of(acme, body, organization_number=number + 1, created_at=moment)

    def ids(**filters: str) -> list[int]:
        return [each["id"] for each in shop.get(EXPORTS, filters).json()["results"]]

    assert ids() == list(range(60, 35, -1))
    assert ids(type="order_list") == list(range(60, 10, -2))
    # Days are those of the organization.
    assert ids(date_created_to="2025-03-31") == [1]
    assert ids(date_created_from="2025-03-31", date_created_to="2025-03-31") == [1]
    assert ids(date_created_from="2025-04-02") == []
    assert ids(date_created_to="9999-12-31", type="") == ids()

    page, seen = shop.get(EXPORTS, {"date_created_from": "2025-04-01"}).json(), []
    assert page["previous"] is None
    while True:
        seen += [each["id"] for each in page["results"]]
        if page["next"] is None:
            break
        assert page["next"].startswith(f"http://testserver{EXPORTS}?")
        previous, page = page, shop.get(page["next"]).json()
        assert shop.get(page["previous"]).json()["results"] == previous["results"]
    assert seen == list(range(60, 1, -1))


@rows.same(
    LIST,
    "a wrong value is an error of its parameter",
)
@pytest.mark.parametrize(
    ("query", "status", "body"),
    [
        ("type=orders", 400, {"type": ['"orders" is not a valid choice.']}),
        (
            "date_created_from=01.04.2025",
            400,
            {
                "date_created_from": [
                    "Date has wrong format. Use one of these formats instead: YYYY-MM-DD."
                ]
            },
        ),
        ("cursor=abc", 404, {"detail": "Invalid cursor"}),
    ],
)
def test_bad_parameters_of_the_list_are_refused(
    shop: ShopClient, query: str, status: int, body: dict[str, Any]
) -> None:
    response = shop.get(f"{EXPORTS}?{query}")
    assert (response.status_code, response.json()) == (status, body)


def test_a_list_takes_a_constant_number_of_queries(
    shop: ShopClient, acme: Organization, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    shop.get(EXPORTS)
    for number in range(20):
        export_of(acme, QUARTER, organization_number=number + 1)
    # The key and the page.
    with django_assert_num_queries(2):
        assert len(shop.get(EXPORTS).json()["results"]) == 20


def test_charlie_sees_nothing_of_acme(shop: ShopClient, other_shop: ShopClient) -> None:
    number = created(shop)["id"]
    assert other_shop.get(EXPORTS).json()["results"] == []
    for address in (f"{EXPORTS}{number}/", f"{EXPORTS}{number}/download/"):
        response = other_shop.get(address)
        assert (response.status_code, response.json()) == (404, {"detail": "Not found."})
    # Numbers are those of an organization.
    assert created(other_shop)["id"] == number


@rows.differs(
    CONVENTIONS,
    "scopes `exports:read`, `exports:write`, `webhooks:read`, `webhooks:write`",
    "Keys have the scopes `read` and `write` of Longshore, for exports and webhooks together.",
)
def test_a_key_without_the_scope_is_refused(read_only: KeyClient) -> None:
    client = ShopClient(read_only.key)
    assert client.get(EXPORTS).status_code == 200
    response = client.post(EXPORTS, QUARTER)
    assert response.status_code == 403
    assert response.json() == {"detail": "This API key lacks the scope write."}


@rows.same(
    CONVENTIONS,
    "`Authorization: Bearer`",
)
@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, "Authentication credentials were not provided."),
        ({"Authorization": "Bearer abc"}, "The API key is not valid."),
    ],
)
def test_requests_need_a_bearer_key(db: None, headers: dict[str, str], detail: str) -> None:
    response = APIClient(headers=headers).get(EXPORTS)
    assert (response.status_code, response.json()) == (401, {"detail": detail})
    assert response["WWW-Authenticate"].startswith("Bearer ")


@rows.same(
    CONVENTIONS,
    "`X-29next-API-Version`",
)
@pytest.mark.parametrize("version", ["2023-02-10", "2024-04-01", "unstable"])
def test_each_documented_version_is_accepted(alice: KeyClient, version: str) -> None:
    assert ShopClient(alice.key, version).get(EXPORTS).status_code == 200


def test_the_version_is_optional_but_must_exist(alice: KeyClient) -> None:
    bearer = {"Authorization": f"Bearer {alice.key}"}
    assert APIClient(headers=bearer).get(EXPORTS).status_code == 200
    response = ShopClient(alice.key, "2020-01-01").get(EXPORTS)
    assert response.status_code == 400
    assert response.json() == {
        "detail": "'2020-01-01' is not a version of the API. "
        "Versions: 2023-02-10, 2024-04-01, unstable."
    }


@rows.same(
    CONVENTIONS,
    "4 requests a second, then 429 with `Retry-After: 1`",
)
def test_a_key_may_send_four_requests_a_second(
    shop: ShopClient, alice: KeyClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The default.
    settings.NEXTCOMMERCE_RATE_LIMIT = "4/s"
    monkeypatch.setattr(Throttle, "timer", lambda _: 1_200_000_000.25)
    assert [shop.get(EXPORTS).status_code for _ in range(5)] == [200] * 4 + [429]
    response = shop.get(EXPORTS)
    assert response["Retry-After"] == "1"
    assert response.json() == {"detail": "Too many requests with this API key. Try again in 1 s."}
    # The limit is that of this API.
    assert alice.get("/v1/exports").status_code == 200


@rows.differs(
    CONVENTIONS,
    "`Idempotency-Key`",
    "29next has no such header. A repeated request gets the first response.",
)
def test_an_idempotency_key_creates_one_export_until_it_is_deleted(
    shop: ShopClient, alice: KeyClient
) -> None:
    first, second = (
        shop.post(EXPORTS, QUARTER, headers={"Idempotency-Key": "a"}) for _ in range(2)
    )
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert second["Idempotent-Replayed"] == "true"
    assert Export.objects.count() == 1

    [native] = alice.get("/v1/exports").json()["results"]
    assert alice.delete(native["url"]).status_code == 204
    replayed = shop.post(EXPORTS, QUARTER, headers={"Idempotency-Key": "a"})
    assert replayed.status_code == 409
    assert "was deleted" in replayed.json()["detail"]


@rows.differs(
    OPERATIONS,
    "the other resources of the Admin API",
    "404: Longshore has the exports and the webhooks of this API.",
)
@rows.same(
    CONVENTIONS,
    'other errors: `{"detail": "…"}`',
)
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/admin/orders/", 404),
        ("GET", f"{EXPORTS}1/", 404),
        ("GET", f"{EXPORTS}{'9' * 40}/", 404),
        ("DELETE", EXPORTS, 405),
        ("POST", EXPORTS, 415),
    ],
)
def test_every_error_has_the_shape_of_rest_framework(
    shop: ShopClient, method: str, path: str, status: int
) -> None:
    response = shop.generic(method, path, "a,b", content_type="text/csv")
    assert response.status_code == status
    assert list(response.json()) == ["detail"]


@rows.differs(
    FILE,
    "at most 100,000 objects",
    "No file is cut. An export beyond a limit of the organization is refused or fails.",
)
def test_a_limit_of_the_organization_is_an_error(
    shop: ShopClient, orders: list[Order], settings: Settings
) -> None:
    settings.EXPORT_MAX_RECORDS = 2
    response = shop.post(EXPORTS, QUARTER)
    assert response.status_code == 422
    assert response.json() == {
        "detail": "The export has 3 records; the limit is 2. Add filters, or set `options.limit`."
    }
    settings.EXPORT_MAX_RECORDS, settings.EXPORT_MAX_UNFINISHED = None, 1
    created(shop)
    response = shop.post(EXPORTS, QUARTER)
    assert response.status_code == 429
    assert list(response.json()) == ["detail"]
