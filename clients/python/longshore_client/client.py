"""The client and its collections. docs/api.md and docs/batches.md describe the fields."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from os import PathLike
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from longshore_client.jobs import Batch, Export, Job
from longshore_client.transport import Transport
from longshore_client.webhooks import Webhooks

# The API accepts more values in a file than in a JSON body.
MAX_BODY_RECORDS, MAX_BODY_BYTES = 500, 500_000
# Larger files are sent to an upload link.
MAX_MULTIPART_BYTES = 64 * 1024 * 1024
J = TypeVar("J", bound=Job)


class Jobs(Generic[J]):
    """The exports or batches of the organization."""

    def __init__(self, transport: Transport, model: type[J]) -> None:
        self._transport, self._model, self._path = transport, model, model.collection

    def get(self, id: str) -> J:
        return self._model(self._transport, self._transport.request("GET", f"{self._path}/{id}"))

    def list(self, **filters: Any) -> Iterator[J]:
        """Yield all, newest first. Filters: such as resource, status, created_at."""
        for data in self._transport.pages(self._path, filters):
            yield self._model(self._transport, data)

    def _create(self, key: str | None, **content: Any) -> J:
        return self._model(self._transport, self._transport.create(self._path, key, **content))


class Exports(Jobs[Export]):
    def create(self, *, idempotency_key: str | None = None, **fields: Any) -> Export:
        """Create an export. fields: `resource` or `type`, and others such as `format`."""
        return self._create(idempotency_key, json=fields)

    def preview(self, **fields: Any) -> Any:
        """Return the preview of the export that `create` would create."""
        return self._transport.request("POST", f"{self._path}/preview", json=fields)


class Batches(Jobs[Batch]):
    def create(
        self,
        resource: str,
        *,
        data: Iterable[Mapping[str, Any]] | None = None,
        file: str | PathLike[str] | None = None,
        upload: bool | None = None,
        idempotency_key: str | None = None,
        **fields: Any,
    ) -> Batch:
        """Create a batch.

        data: the records. Many records are sent as a file of JSON Lines.
        file: a path, in place of data.
        upload: send the file to an upload link; by default if it has more than 64 MiB.
        """
        fields["resource"] = resource
        if data is not None:
            records = list(data)
            lines = "".join(json.dumps(record) + "\n" for record in records).encode()
            if len(records) <= MAX_BODY_RECORDS and len(lines) <= MAX_BODY_BYTES:
                return self._create(idempotency_key, json=fields | {"data": records})
            fields["format"] = "jsonl"
            return self._create_with_file(fields, "data.jsonl", lines, idempotency_key)
        if file is None:
            raise ValueError("Set data or file.")
        path = Path(file)
        if upload or (upload is None and path.stat().st_size > MAX_MULTIPART_BYTES):
            batch = self._create(idempotency_key, json=fields | {"upload": True})
            return self._upload(batch, path)
        with path.open("rb") as content:
            return self._create_with_file(fields, path.name, content, idempotency_key)

    def _create_with_file(
        self, fields: dict[str, Any], name: str, content: Any, key: str | None
    ) -> Batch:
        # The request first: the server stores the file while it arrives.
        request = (None, json.dumps(fields), "application/json")
        return self._create(key, files=[("request", request), ("file", (name, content))])

    def _upload(self, batch: Batch, path: Path) -> Batch:
        """Send a file to the link of a batch. If a response is lost, the batch has its file."""
        for attempt in count():
            link = batch.data["upload"]
            # A requested batch without a link has its input, which is being validated.
            if batch.status != "requested" or link is None:
                break
            with path.open("rb") as content:
                failure = self._transport.put(link["url"], link["headers"], content)
            batch.refresh()
            if failure is None:
                break
            if batch.status == "requested":
                self._transport.pause(attempt, failure)
        return batch


class Client:
    """A client of one organization. Threads may share it. `with Client(…)` closes it at the end.

    timeout: in seconds, to connect, and between two parts of a response.
    max_retries: attempts after the first one, for 429, 502, 503, 504 and lost connections.
    max_wait: a longer Retry-After, in seconds, raises the error at once.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        timeout: float = 60,
        max_retries: int = 5,
        max_wait: float = 120,
    ) -> None:
        self._transport = Transport(base_url, api_key, timeout, max_retries, max_wait)
        self.exports = Exports(self._transport, Export)
        self.batches = Batches(self._transport, Batch)
        self.webhooks = Webhooks(self._transport)

    def close(self) -> None:
        """Close the connections. The client cannot be used afterwards."""
        self._transport.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def records(self, plural: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Yield the records of a list, such as `shipments`. parameters: docs/api.md, "Lists"."""
        return self._transport.pages(f"/v1/{plural}", parameters)
