"""The exports of PackageX: the documented requests, responses, parameters and errors."""

import csv
import io
import json
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from dialects.packagex.exports import views
from exports.execution import runner
from exports.lifecycle.transitions import export_lifecycle
from exports.models import Export, ExportEvent, Status
from exports.spec import ExportSpec
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact
from longshore.jobs import actions
from longshore.resources.export_types import export_types
from longshore.resources.registry import registry
from tests.conftest import KeyClient
from tests.dialects.packagex.conformance import (
    AUTHENTICATION,
    CONVENTIONS,
    CREATE,
    EXPORT_ERRORS,
    EXPORT_LIST,
    RETRIEVE,
    STATUSES,
    rows,
)
from tests.exports.conftest import contacts, downloaded, export_of, key_of, storage
from tests.factories import ContactFactory

__all__ = ["contacts", "storage"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]

EXPORTS = "/packagex/v1/exports"
DOCUMENTED = Path(__file__).parents[2] / "exports" / "requests"
# The fields of the documented response, in its order.
FIELDS = [
    "id",
    "resource",
    "status",
    "created_at",
    "estimated_completion",
    "download_url",
    "expires_at",
]


def completed(organization: Organization, body: dict[str, Any]) -> Export:
    export = export_of(organization, body)
    runner.run(export.pk)
    export.refresh_from_db()
    assert export.status == Status.COMPLETED, export.error
    return export


@pytest.mark.parametrize("path", sorted(DOCUMENTED.glob("*.json")), ids=lambda path: path.stem)
@rows.same(
    CREATE,
    "the seven documented bodies",
    "`resource`",
    "`options`: filters, `limit`, `order_by`, `direction`",
    "`csv_field_options`: `timezone`, `datetime_format`, `columns`, `column_order`, `properties`",
)
@rows.same(RETRIEVE, "`include_csv` and `_csv_url`")
def test_a_documented_request_is_exported(alice: KeyClient, path: Path) -> None:
    body = json.loads(path.read_text())
    response = alice.post(EXPORTS, body)
    shown = response.json()
    assert response.status_code == 201
    assert response["Location"] == f"http://testserver{EXPORTS}/{shown['id']}"
    assert (shown["resource"], shown["status"]) == (body["resource"], "queued")

    runner.run(key_of(shown))
    query = {"include_csv": "true", "include_json": "true"}
    shown = alice.get(f"{EXPORTS}/{shown['id']}", query).json()
    assert shown["status"] == "completed"
    assert shown["_csv_url"] == shown["download_url"]
    assert shown["_csv_error_url"] is shown["_csv_sanitized_url"] is shown["_json_url"] is None
    header = next(csv.reader(io.StringIO(downloaded(shown["_csv_url"]).decode(), newline="")))
    chosen = body["csv_field_options"]["columns"]
    order = body["csv_field_options"].get("column_order", [])
    assert header == [*order, *(name for name in chosen if name not in order)]


@rows.same(
    CREATE,
    "`id`, `resource`, `status`, `created_at`, `estimated_completion`, `download_url`, "
    "`expires_at`",
)
@rows.differs(
    CREATE,
    "the response without an envelope",
    "The fields are also in `data` of the envelope, for clients that expect it.",
)
@rows.differs(
    CONVENTIONS,
    "`status` of single exports and batches",
    "It is that of the object, as their documents show it. In `data` it is the same; the HTTP "
    "status is in the response.",
)
def test_creation_responds_in_the_documented_shape(
    alice: KeyClient, contacts: list[Contact]
) -> None:
    shown = alice.post(EXPORTS, {"resource": "contact"}).json()
    export = Export.objects.get()
    assert {name: shown["data"][name] for name in FIELDS} == {
        "id": export.public_id,
        "resource": "contact",
        "status": "queued",
        "created_at": f"{export.created_at:%Y-%m-%dT%H:%M:%SZ}",
        "estimated_completion": f"{export.estimated_completion:%Y-%m-%dT%H:%M:%SZ}",
        "download_url": None,
        "expires_at": f"{export.expires_at:%Y-%m-%dT%H:%M:%SZ}",
    }
    assert shown["data"].items() <= shown.items()
    assert (shown["code"], shown["errors"], shown["pagination"]) == (None, [], None)
    assert shown["endpoint"] == "/v1/exports"


@rows.same(EXPORT_ERRORS, "`{error, message, details}`", "`invalid_resource`")
def test_errors_are_those_of_the_document_word_for_word(alice: KeyClient) -> None:
    response = alice.post(EXPORTS, {"resource": "invalid_resource"})
    assert response.status_code == 400
    assert response.json() == {
        "error": "invalid_resource",
        "message": "Unsupported resource type: invalid_resource",
        "details": {"resource": "invalid_resource"},
    }


@rows.same(EXPORT_ERRORS, "`invalid_filter`")
def test_an_error_names_all_problems(alice: KeyClient) -> None:
    body = {"resource": "contact", "options": {"created_at": "gte:soon", "limit": 0}}
    shown = alice.post(EXPORTS, body).json()
    assert shown["error"] == "invalid_filter"
    assert shown["details"] == {"options.created_at": "gte:soon", "options.limit": 0}
    assert "'gte:soon'" in shown["message"] or "soon" in shown["message"]
    assert "0 is not a valid limit." in shown["message"]


@rows.differs(
    CREATE,
    "required `options`, `csv_field_options`",
    "They have defaults. An export without `csv_field_options` is a JSON file.",
)
def test_fields_that_packagex_requires_have_defaults(alice: KeyClient) -> None:
    for body, expected in (
        ({"resource": "contact"}, "json"),
        ({"resource": "contact", "csv_field_options": {}}, "csv"),
        ({"resource": "contact", "csv_field_options": {"properties": "flatten"}}, "csv"),
        ({"resource": "contact", "format": "jsonl"}, "jsonl"),
    ):
        shown = alice.post(EXPORTS, body).json()
        assert Export.objects.get(public_id=shown["id"]).format == expected


@rows.same(CREATE, "files are deleted after 24 hours (`EXPORT_RETENTION_HOURS`)")
def test_files_are_kept_for_a_day(alice: KeyClient) -> None:
    shown = alice.post(EXPORTS, {"resource": "contact"}).json()
    created, expires = (datetime.fromisoformat(shown[n]) for n in ("created_at", "expires_at"))
    assert expires - created == timedelta(hours=24)


NAMED = export_types.by_code["order_list"]
EVERY = next(each.names for each in registry if each.name == "shipment")


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({"resource": "shipment", "format": "csv"}, EVERY),
        ({"resource": "shipment", "csv_field_options": {}}, EVERY),
        (
            {"resource": "shipment", "format": "csv", "csv_field_options": None},
            EVERY,
        ),
        (
            {"resource": "shipment", "csv_field_options": {"columns": None, "bom": True}},
            EVERY,
        ),
        ({"resource": "shipment", "format": "csv", "fields": ["id"]}, ("id",)),
        ({"resource": "shipment", "csv_field_options": {"columns": ["status"]}}, ("status",)),
        ({"type": NAMED.code, "csv_field_options": {}}, tuple(NAMED.columns)),
        ({"code": NAMED.code, "format": "csv"}, tuple(NAMED.columns)),
        ({"type": NAMED.code}, tuple(NAMED.columns)),
        ({"type": NAMED.code, "format": "xlsx"}, tuple(NAMED.columns)),
    ],
)
def test_the_default_of_an_export_is_every_column_for_programs(
    alice: KeyClient, body: dict[str, Any], paths: tuple[str, ...]
) -> None:
    response = alice.post(EXPORTS, body)
    assert response.status_code == 201, response.json()
    spec = ExportSpec.from_json(Export.objects.get().spec)
    assert tuple(column.path for column in spec.columns) == paths
    assert not spec.dialect.keeps_texts


@rows.differs(
    RETRIEVE,
    "`_csv_sanitized_url`",
    "Always null. Rows are never left out: cells that a spreadsheet would run as formulas are "
    "escaped in the file.",
)
def test_dangerous_cells_are_escaped_and_not_left_out(alice: KeyClient, acme: Organization) -> None:
    ContactFactory.create(organization=acme, name="=cmd()")
    columns = {"columns": ["name"]}
    export = completed(acme, {"resource": "contact", "csv_field_options": columns})
    shown = alice.get(f"{EXPORTS}/{export}?include_csv=true").json()
    assert downloaded(shown["_csv_url"]).decode() == "name\n'=cmd()\n"
    assert shown["_csv_sanitized_url"] is None


@pytest.mark.parametrize("status", ["queued", "processing", "completed", "failed", "timed_out"])
@rows.same(STATUSES, "`queued`", "`processing`", "`completed`", "`failed`", "`timed_out`")
@rows.differs(
    EXPORT_ERRORS,
    "`timeout`",
    "It is the code of a request that takes too long. An export that does has the status "
    "`timed_out`, and `error` with the reason.",
)
def test_an_export_has_the_documented_status(
    alice: KeyClient, acme: Organization, status: str
) -> None:
    export = export_of(acme, {"resource": "contact"})
    export_of(acme, {"resource": "contact"}, status=Status.EXPIRED)
    error = {"error": "time_limit", "message": "Too slow."} if status == "timed_out" else None
    Export.objects.filter(pk=export.pk).update(
        status=status, error=error, records_count=0, completed_at=timezone.now()
    )
    shown = alice.get(f"{EXPORTS}/{export}").json()
    assert (shown["status"], shown["error"]) == (status, error)
    listed = alice.get(EXPORTS, {"statuses": status}).json()["data"]
    assert export.public_id in [each["id"] for each in listed]


@pytest.mark.parametrize("header", ["PX-API-KEY", "X-API-KEY"])
@rows.same(AUTHENTICATION, "`PX-API-KEY`", "`X-API-KEY`")
def test_both_documented_headers_authenticate(alice: KeyClient, header: str) -> None:
    assert APIClient().get(EXPORTS, headers={header: alice.key}).status_code == 200


@rows.same(AUTHENTICATION, "401 without a valid key")
def test_a_missing_key_is_a_documented_error(alice: KeyClient) -> None:
    shown = APIClient().get(EXPORTS).json()
    assert shown["error"] == "unauthorized"
    assert set(shown) == {"error", "message", "details"}


@rows.same(AUTHENTICATION, "keys that read, and keys that write")
def test_a_key_that_only_reads_creates_nothing(read_only: KeyClient) -> None:
    assert read_only.post(EXPORTS, {"resource": "contact"}).status_code == 403
    assert read_only.get(EXPORTS).status_code == 200


@rows.differs(
    RETRIEVE,
    "`include_json` and `_json_url`",
    "An export has one file: CSV, or JSON if the request has no `csv_field_options` (or "
    "`format: json`). The link of the other format is null. Writing both would double the "
    "work of each export.",
)
def test_json_files_have_the_json_link(alice: KeyClient, acme: Organization) -> None:
    created = alice.post(EXPORTS, {"resource": "contact"}).json()
    runner.run(key_of(created))
    query = "include_csv=true&include_json=true"
    shown = alice.get(f"{EXPORTS}/{created['id']}?{query}").json()
    assert shown["_csv_url"] is None
    assert json.loads(downloaded(shown["_json_url"])) == []


@rows.same(RETRIEVE, "`include_csv`, `include_json`: `false` by default")
def test_links_are_left_out_unless_they_are_included(alice: KeyClient, acme: Organization) -> None:
    export = completed(acme, {"resource": "contact"})
    shown = alice.get(f"{EXPORTS}/{export}?include_csv=false").json()
    assert not [name for name in shown if name.startswith("_")]
    refused = alice.get(f"{EXPORTS}/{export}?include_csv=yes")
    assert refused.status_code == 400
    assert refused.json()["details"] == {"include_csv": "yes"}


@rows.differs(
    RETRIEVE,
    "one file per export",
    "An export of the native API may have several files. The link is then that of a ZIP "
    "archive of all of them.",
)
def test_the_link_to_several_files_is_one_archive(
    alice: KeyClient, acme: Organization, contacts: list[Contact]
) -> None:
    export = completed(acme, {"resource": "contact", "max_rows_per_file": 2})
    shown = alice.get(f"{EXPORTS}/{export}?include_csv=true").json()
    assert shown["count_batches"] == 3
    archive = zipfile.ZipFile(io.BytesIO(downloaded(shown["_csv_url"])))
    assert len(archive.namelist()) == 3


@rows.differs(
    RETRIEVE,
    "`_csv_error_url`",
    "Rows do not fail one by one: a failed export has the CSV, with its reason. A completed "
    "export has all of its rows, and null.",
)
def test_a_failed_export_has_a_csv_of_its_errors(
    alice: KeyClient, charlie: KeyClient, acme: Organization, contacts: list[Contact]
) -> None:
    export = completed(acme, {"resource": "contact"})
    failed = export_of(acme, {"resource": "contact"})
    Export.objects.filter(pk=failed.pk).update(
        status=Status.FAILED, error={"error": "format_limit", "message": "=Too long."}
    )
    assert alice.get(f"{EXPORTS}/{export}?include_csv=true").json()["_csv_error_url"] is None
    shown = alice.get(f"{EXPORTS}/{failed}?include_csv=true").json()
    assert shown["error"] == {"error": "format_limit", "message": "=Too long."}
    rows = APIClient().get(shown["_csv_error_url"]).content.decode()
    assert rows == "error,message\nformat_limit,'=Too long.\n"
    forged = shown["_csv_error_url"].replace(failed.public_id, export.public_id)
    assert alice.get(forged).status_code == 404
    # A link of a file does not open the CSV of errors.
    other = alice.get(f"{EXPORTS}/{export}?include_csv=true").json()["_csv_url"]
    signature = other.partition("?")[2]
    assert alice.get(f"{EXPORTS}/errors/{export}.errors.csv?{signature}").status_code == 404
    # A link has the name of its file only.
    own = shown["_csv_error_url"].replace(f"{failed}.errors.csv", "x.csv")
    assert alice.get(own).status_code == 404


@rows.same(EXPORT_LIST, "`statuses`")
@rows.differs(
    STATUSES,
    "canceled exports",
    "PackageX cancels no exports. They are shown as `failed`, and `error` says so.",
)
@rows.differs(
    STATUSES, "expired exports", "They stay `completed`, and `download_url` becomes null."
)
def test_statuses_that_packagex_does_not_have_are_shown_as_its_own(
    alice: KeyClient, acme: Organization
) -> None:
    expired = completed(acme, {"resource": "contact"})
    Export.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(hours=1))
    canceled = export_of(acme, {"resource": "contact"})
    actions.cancel(export_lifecycle, canceled)
    queued = export_of(acme, {"resource": "contact"})
    shown = {each["id"]: each for each in alice.get(EXPORTS).json()["data"]}
    assert [each["status"] for each in shown.values()] == ["completed", "failed", "queued"]
    assert shown[expired.public_id]["download_url"] is None
    assert shown[canceled.public_id]["error"]["error"] == "canceled"

    def listed(statuses: str) -> list[str]:
        return [each["id"] for each in alice.get(EXPORTS, {"statuses": statuses}).json()["data"]]

    assert listed("completed") == [expired.public_id]
    assert listed("failed,queued") == [canceled.public_id, queued.public_id]
    assert listed("timed_out") == []
    shown = alice.get(EXPORTS, {"statuses": "canceled"}).json()
    assert (shown["error"], shown["details"]) == ("invalid_filter", {"statuses": "canceled"})


@rows.same(EXPORT_LIST, "order by creation", "`page` (1), `limit` (10)")
def test_the_list_is_chronological_and_paged(alice: KeyClient, acme: Organization) -> None:
    exports = [export_of(acme, {"resource": "contact"}).public_id for _ in range(12)]
    shown = alice.get(EXPORTS).json()
    assert [each["id"] for each in shown["data"]] == exports[:10]
    assert shown["pagination"] == {"limit": 10, "page": 1, "has_more": True, "total_count": 12}
    assert (shown["status"], shown["endpoint"]) == (200, "/v1/exports")
    shown = alice.get(f"{EXPORTS}/?page=2").json()
    assert [each["id"] for each in shown["data"]] == exports[10:]
    assert shown["pagination"] == {"limit": 10, "page": 2, "has_more": False, "total_count": 12}
    beyond = alice.get(f"{EXPORTS}?page=3").json()
    assert (beyond["data"], beyond["pagination"]["has_more"]) == ([], False)


@pytest.mark.parametrize("order", ["created_at", "count_batches", "count_total", "updated_at"])
@rows.same(
    EXPORT_LIST,
    "`order_by`: `created_at`, `count_total`, `updated_at`",
    "`direction`: `asc`, `desc`",
)
@rows.differs(
    EXPORT_LIST,
    "`order_by`: `count_batches`",
    "Sorts by the number of files: Longshore does not divide the rows of a file into batches.",
)
def test_the_list_is_sorted_in_both_directions(
    alice: KeyClient, acme: Organization, contacts: list[Contact], order: str
) -> None:
    small = completed(acme, {"resource": "contact", "options": {"limit": 1}}).public_id
    large = completed(acme, {"resource": "contact", "max_rows_per_file": 1}).public_id
    for direction, expected in (("asc", [small, large]), ("desc", [large, small])):
        shown = alice.get(EXPORTS, {"order_by": order, "direction": direction}).json()
        assert [each["id"] for each in shown["data"]] == expected


@rows.same(EXPORT_LIST, "`resource`", "`search`")
def test_the_list_is_filtered_by_resource_and_words(
    alice: KeyClient, acme: Organization, globex: Organization
) -> None:
    contact = export_of(acme, {"resource": "contact", "metadata": {"ticket": "A-17"}}).public_id
    item = export_of(acme, {"resource": "item", "metadata": {"ticket": "B-17"}}).public_id
    export_of(globex, {"resource": "contact", "metadata": {"ticket": "A-17"}})

    def listed(**query: str) -> list[str]:
        return [each["id"] for each in alice.get(EXPORTS, query).json()["data"]]

    assert listed(resource="item") == [item]
    assert listed(search="a-17") == [contact]
    assert listed(search="TICKET -17") == [contact, item]
    assert listed(search=item[-8:].upper()) == [item]
    assert alice.get(EXPORTS, {"search": "x"}).status_code == 400
    assert alice.get(EXPORTS, {"search": "aa " * 10}).status_code == 200
    assert alice.get(EXPORTS, {"search": "aa " * 11}).status_code == 400


def test_a_search_without_an_index_reads_a_bounded_number_of_exports(
    alice: KeyClient, acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "MAX_UNINDEXED", 1)
    export_of(acme, {"resource": "contact", "metadata": {"order": "a-17"}})
    assert alice.get(EXPORTS, {"search": "17"}).json()["pagination"]["total_count"] == 1
    export_of(acme, {"resource": "item", "metadata": {"order": "a-17"}})
    refused = alice.get(EXPORTS, {"search": "17"})
    assert refused.status_code == 400
    assert "at least 3 characters" in refused.json()["message"]
    for query in ({"search": "17 a-17"}, {"search": "17", "resource": "item"}):
        assert alice.get(EXPORTS, query).status_code == 200
    assert alice.get(EXPORTS, {"resource": "spaceship"}).json()["error"] == "invalid_resource"


@pytest.mark.parametrize(
    "query",
    ["page=0", "limit=101", "limit=all", "page=2000&limit=100", "sort=id", "page=1&page=2"],
)
@rows.differs(
    CONVENTIONS,
    "unknown parameters, and pages beyond 100,000 rows",
    "Refused with an error, so that no list is silently another one.",
)
def test_invalid_parameters_are_refused(alice: KeyClient, query: str) -> None:
    assert alice.get(f"{EXPORTS}?{query}").status_code == 400


def test_the_list_takes_a_constant_number_of_queries(
    alice: KeyClient, acme: Organization, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    export_of(acme, {"resource": "contact"})
    alice.get(EXPORTS)
    # The key, the number of exports, the exports, their files.
    with django_assert_num_queries(4):
        alice.get(EXPORTS)
    for _ in range(5):
        export_of(acme, {"resource": "contact"})
    with django_assert_num_queries(4):
        alice.get(EXPORTS)


@rows.same(EXPORT_ERRORS, "404 for unknown ids and those of other organizations")
def test_exports_of_other_organizations_do_not_exist(
    alice: KeyClient, bob: KeyClient, charlie: KeyClient, acme: Organization
) -> None:
    export = export_of(acme, {"resource": "contact"})
    assert bob.get(f"{EXPORTS}/{export}").json()["id"] == export.public_id
    refused = charlie.get(f"{EXPORTS}/{export}")
    unknown = charlie.get(f"{EXPORTS}/exp_unknown")
    assert refused.status_code == unknown.status_code == 404
    assert refused.json() == unknown.json()
    assert charlie.get(EXPORTS).json()["pagination"]["total_count"] == 0


@rows.differs(CREATE, "no idempotency", "`Idempotency-Key` is accepted, as in the native API.")
def test_an_idempotency_key_creates_one_export(alice: KeyClient) -> None:
    headers = {"Idempotency-Key": "once"}
    first = alice.post(EXPORTS, {"resource": "contact"}, headers=headers)
    again = alice.post(EXPORTS, {"resource": "contact"}, headers=headers)
    assert first.json() == again.json()
    assert again["Idempotent-Replayed"] == "true"
    assert Export.objects.count() == ExportEvent.objects.count() == 1
