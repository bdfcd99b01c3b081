"""Helpers of the tests of batches: requests with files, and batches that are run at once."""

import json
from collections.abc import Iterator
from typing import Any, cast

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import StreamingHttpResponse
from rest_framework.test import APIClient

from batches.execution import runner
from batches.models import Batch
from tests.conftest import KeyClient

CONTACTS = [
    {"name": "Zoë Ünal", "email": "zoe@example.org"},
    {"name": "Łukasz Żak", "email": None},
]
CSV = "name;email\nZoë Ünal;zoe@example.org\nŁukasz Żak;\n"
# The second row is no contact: `perhaps` is not a boolean.
CSV_WITH_ERROR = "name;is_primary\nZoë Ünal;true\nŁukasz Żak;perhaps\n"


def post_file(
    client: KeyClient, content: bytes | str, name: str = "people.csv", **request: Any
) -> Any:
    """Send a file with a request for contacts."""
    body = content.encode() if isinstance(content, str) else content
    parts = {
        "request": json.dumps({"resource": "contact", **request}),
        "file": SimpleUploadedFile(name, body),
    }
    return client.post("/v1/batches", parts, format="multipart")


def created(response: Any) -> Batch:
    """Return the batch of a response."""
    assert response.status_code in (200, 201), response.content
    return Batch.objects.get(public_id=response.json()["id"])


def run(batch: Batch) -> Batch:
    """Run a queued batch in this process. Returns it as it is afterwards."""
    Batch.objects.filter(pk=batch.pk).update(not_before=None)
    runner.run(batch.pk)
    batch.refresh_from_db()
    return batch


def code_of(batch: Batch) -> str | None:
    """Return the code of the error of a failed batch."""
    return batch.error["error"] if batch.error else None


def downloaded(url: str) -> bytes:
    """Return the content behind a signed link, requested without an API key."""
    response = APIClient().get(url)
    assert isinstance(response, StreamingHttpResponse), response
    return b"".join(cast("Iterator[bytes]", response.streaming_content))


def files_of(client: KeyClient, batch: Batch) -> dict[str, str]:
    """Return the content of each file of a batch, by kind and format."""
    listed = client.get(f"/v1/batches/{batch.public_id}/files").json()["results"]
    return {f"{each['kind']}.{each['format']}": downloaded(each["url"]).decode() for each in listed}
