"""GET /v1/exports: the list, one export and its download; isolation of organizations."""

from datetime import datetime, timedelta

import pytest
from django.core.signing import TimestampSigner
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from exports.execution import runner
from exports.models import Export
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from tests.conftest import KeyClient
from tests.exports.conftest import downloaded

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def completed(queued: Export) -> Export:
    runner.run(queued.pk)
    queued.refresh_from_db()
    return queued


@pytest.fixture
def many(acme: Organization) -> list[Export]:
    spec = parse_export({"resource": "contact"})
    return Export.objects.bulk_create(
        Export(organization=acme, resource="contact", format="csv", compression="none",
               request={}, spec=spec.to_json(), organization_number=number,
               expires_at=timezone.now() + timedelta(hours=24))
        for number in range(1, 61)
    )  # fmt: skip


def test_an_export_is_visible_to_its_organization_only(
    bob: KeyClient, charlie: KeyClient, completed: Export
) -> None:
    address = f"/v1/exports/{completed.public_id}"
    assert bob.get(address).json()["id"] == completed.public_id
    assert bob.get("/v1/exports").json()["results"][0]["id"] == completed.public_id
    assert charlie.get("/v1/exports").json()["results"] == []
    for path in (address, f"{address}/", f"{address}/download"):
        foreign = charlie.get(path)
        assert foreign.status_code == 404
        unknown = charlie.get(path.replace(completed.public_id, "exp_unknown"))
        assert foreign.json() == unknown.json()


@pytest.mark.parametrize("path", ["", "/", "/{id}", "/{id}/", "/{id}/download", "/{id}/download/"])
def test_every_address_requires_a_key_and_allows_a_slash(
    alice: KeyClient, completed: Export, path: str
) -> None:
    address = "/v1/exports" + path.format(id=completed.public_id)
    assert alice.get(address).status_code == 200
    assert APIClient().get(address).status_code == 401


def test_pages_list_exports_newest_first(alice: KeyClient, many: list[Export]) -> None:
    seen, url = [], "/v1/exports?limit=25"
    while url:
        page = alice.get(url).json()
        assert set(page) == {"next", "previous", "results"}
        seen += [result["number"] for result in page["results"]]
        url = page["next"]
    assert seen == list(range(60, 0, -1))


def test_the_previous_link_leads_to_the_previous_page(alice: KeyClient, many: list[Export]) -> None:
    first = alice.get("/v1/exports?limit=10").json()
    second = alice.get(first["next"]).json()
    assert first["previous"] is None
    assert alice.get(second["previous"]).json()["results"] == first["results"]


def test_a_list_takes_a_constant_number_of_queries(
    alice: KeyClient, many: list[Export], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    alice.get("/v1/exports")  # The first request of a minute stores the time of use of the key.
    for limit in (1, 60):
        with django_assert_num_queries(3):
            alice.get(f"/v1/exports?limit={limit}")


def test_lists_are_filtered(alice: KeyClient, completed: Export, many: list[Export]) -> None:
    page = alice.get("/v1/exports?status=completed,failed&resource=contact&format=csv").json()
    assert [result["id"] for result in page["results"]] == [completed.public_id]
    assert alice.get("/v1/exports?resource=item").json()["results"] == []


def test_the_status_filter_uses_the_shown_status(alice: KeyClient, completed: Export) -> None:
    def found(status: str) -> list[str]:
        page = alice.get(f"/v1/exports?status={status}").json()
        return [result["status"] for result in page["results"]]

    assert (found("completed"), found("expired")) == (["completed"], [])
    Export.objects.update(expires_at=timezone.now())
    assert (found("completed"), found("expired")) == ([], ["expired"])
    assert found("expired,completed") == ["expired"]


def test_a_link_expires_with_its_export(alice: KeyClient, completed: Export) -> None:
    url = alice.get(f"/v1/exports/{completed.public_id}/download").json()["url"]
    Export.objects.update(expires_at=timezone.now())
    response = APIClient().get(url)
    assert (response.status_code, response.json()["error"]) == (410, "export_expired")


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("status=failed&status=completed", "invalid_filter", "status"),
        ("limit=0", "invalid_limit", "limit"),
        ("limit=101", "invalid_limit", "limit"),
        ("limit=all", "invalid_limit", "limit"),
        ("cursor=nonsense", "invalid_cursor", "cursor"),
        ("cursor=cD1hYmM%3D", "invalid_cursor", "cursor"),  # "p=abc", an unsealed position.
        ("status=done", "invalid_filter", "status"),
        ("color=red", "invalid_filter", "color"),
    ],
)
def test_an_invalid_parameter_is_reported(
    alice: KeyClient, query: str, code: str, field: str
) -> None:
    response = alice.get(f"/v1/exports?{query}")
    assert response.status_code == 400
    [problem] = response.json()["details"]["problems"]
    assert (problem["error"], problem["field"]) == (code, field)
    assert problem["accepted"]


def test_the_download_of_an_unfinished_export_returns_its_progress(
    alice: KeyClient, queued: Export
) -> None:
    response = alice.get(f"/v1/exports/{queued.public_id}/download")
    assert response.status_code == 409
    error = response.json()
    assert error["error"] == "export_not_ready"
    assert error["details"] == {"status": "queued", "progress": 0, "error": None}


def test_the_download_of_an_expired_export_is_gone(alice: KeyClient, completed: Export) -> None:
    Export.objects.update(expires_at=timezone.now())
    body = alice.get(f"/v1/exports/{completed.public_id}").json()
    assert (body["status"], body["download_url"]) == ("expired", None)
    response = alice.get(f"/v1/exports/{completed.public_id}/download")
    assert (response.status_code, response.json()["error"]) == (410, "export_expired")


def test_a_link_serves_the_file_as_an_attachment(alice: KeyClient, completed: Export) -> None:
    file = completed.files.get()
    url = alice.get(f"/v1/exports/{completed.public_id}").json()["download_url"]
    response = APIClient().get(url)
    content = downloaded(url)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv"
    assert int(response["Content-Length"]) == len(content) == file.bytes
    assert f'filename="{file.name}"' in response["Content-Disposition"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "Content-Encoding" not in response


def test_a_link_ignores_the_accept_header(alice: KeyClient, completed: Export) -> None:
    url = alice.get(f"/v1/exports/{completed.public_id}/download").json()["url"]
    for accept in ("text/csv", "text/html", "*/*"):
        assert APIClient().get(url, headers={"Accept": accept}).status_code == 200


def test_a_link_is_valid_for_five_minutes(
    alice: KeyClient, completed: Export, settings: Settings
) -> None:
    link = alice.get(f"/v1/exports/{completed.public_id}/download").json()
    lifetime = datetime.fromisoformat(link["expires_at"]) - timezone.now()
    assert timedelta(minutes=4, seconds=55) < lifetime <= timedelta(minutes=5)
    settings.EXPORT_LINK_SECONDS = 0
    response = APIClient().get(link["url"])
    assert (response.status_code, response.json()["error"]) == (410, "export_expired")


def test_a_forged_link_is_not_found(alice: KeyClient, completed: Export) -> None:
    file = completed.files.get()
    forged = TimestampSigner(key="guess", salt="longshore.files.link").sign(str(file.pk))
    for query in ("", "?signature=", f"?signature={forged}"):
        response = APIClient().get(f"/v1/exports/files/{file.name}{query}")
        assert (response.status_code, response.json()["error"]) == (404, "not_found")
