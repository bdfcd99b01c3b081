"""All files of an export, or of a batch, in one ZIP archive."""

import io
import zipfile
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from exports.execution import runner
from exports.lifecycle.storage import EXPORT_FILES
from exports.models import Export
from longshore.files import read_ahead
from longshore.files.storage import file_storage
from tests.batches.running import created, post_file, run
from tests.conftest import KeyClient
from tests.exports.conftest import downloaded
from tests.records import copies

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]


@pytest.fixture
def completed(queued: Export) -> Export:
    """An export with three files."""
    Export.objects.update(spec=queued.spec | {"max_rows_per_file": 2})
    runner.run(queued.pk)
    queued.refresh_from_db()
    return queued


def address_of(export: Export) -> str:
    return f"/v1/exports/{export.public_id}/zip"


def link_of(client: KeyClient, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, response.json()
    url: str = response.json()["url"]
    return url


def unpacked(url: str) -> dict[str, bytes]:
    """Download an archive without an API key, check it, and return its files."""
    with zipfile.ZipFile(io.BytesIO(downloaded(url))) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_archive_has_the_files_of_the_export(bob: KeyClient, completed: Export) -> None:
    link = bob.get(address_of(completed)).json()
    assert link["name"] == f"{completed.public_id}.zip"
    files = {}
    for file in completed.files.all():
        with file_storage.open(file.storage_key) as stored:
            files[file.name] = stored.read()
    assert len(files) == 3
    assert unpacked(link["url"]) == files


def test_links_read_the_job_once_without_its_request(
    completed: Export, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first = completed.files.all()[0]
    archive, single = (
        parse_qs(urlsplit(url).query)["signature"][0]
        for url in (EXPORT_FILES.zip_url(completed)[0], EXPORT_FILES.url(first)[0])
    )
    copies(first, 20, id="id + 9 + n", name="name || n", storage_key="storage_key || n")
    with django_assert_num_queries(4) as queries:
        job, files = EXPORT_FILES.files_of_zip(archive)
        file, content = EXPORT_FILES.open(single)
        owners = {each.export.organization_id for each in (*files, file)} | {job.organization_id}
    content.close()
    assert (len(files), owners) == (23, {completed.organization_id})
    assert not any('"request"' in query["sql"] for query in queries)


def test_the_archive_has_the_files_of_the_batch(alice: KeyClient) -> None:
    content = "name,is_primary\nZoë,true\nŁukasz,perhaps\n"
    batch = run(created(post_file(alice, content, mode="async")))
    found = unpacked(link_of(alice, f"/v1/batches/{batch.public_id}/zip"))
    assert sorted(found) == sorted(batch.files.values_list("name", flat=True))
    assert found["people.csv"] == content.encode()


def test_an_archive_is_visible_to_its_organization_only(
    charlie: KeyClient, completed: Export
) -> None:
    foreign = charlie.get(address_of(completed))
    unknown = charlie.get("/v1/exports/exp_unknown/zip")
    assert (foreign.status_code, foreign.json()) == (404, unknown.json())
    assert APIClient().get(address_of(completed)).status_code == 401


def test_other_signatures_open_no_archive(bob: KeyClient, completed: Export) -> None:
    link = link_of(bob, address_of(completed))
    file = bob.get(f"/v1/exports/{completed.public_id}/download").json()["url"]
    signature = parse_qs(urlsplit(file).query)["signature"][0]
    path = urlsplit(link).path
    for wrong in (signature, "zip:x", ""):
        assert APIClient().get(path, {"signature": wrong}).status_code == 404
    # And the signature of an archive opens no file.
    signature = parse_qs(urlsplit(link).query)["signature"][0]
    assert APIClient().get(urlsplit(file).path, {"signature": signature}).status_code == 404


def test_the_archive_of_an_expired_export_is_gone(bob: KeyClient, completed: Export) -> None:
    link = link_of(bob, address_of(completed))
    Export.objects.update(expires_at=timezone.now())
    for response in (bob.get(address_of(completed)), APIClient().get(link)):
        assert (response.status_code, response.json()["error"]) == (410, "export_expired")
    Export.objects.update(deleted_at=timezone.now())
    assert APIClient().get(link).status_code == 404


def test_an_unfinished_export_has_no_archive(bob: KeyClient, queued: Export) -> None:
    response = bob.get(address_of(queued))
    assert (response.status_code, response.json()["error"]) == (409, "export_not_ready")


def test_too_many_archives_at_a_time_are_refused(
    bob: KeyClient, completed: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_ahead, "MAX_OPEN_OF_OWNER", 0)
    response = APIClient().get(link_of(bob, address_of(completed)))
    assert (response.status_code, response.json()["error"]) == (429, "too_many_requests")
