"""Clients of the soak test: organizations that create jobs and read, and a person in the admin."""

import json
import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from threading import Event
from typing import Any

import httpx

COLUMNS = ("id", "tracking_number")
# The kind of the requests that show the machine's load.
PROBE = "GET /healthz"
FORMATS = ({"format": "jsonl"}, {"format": "csv"}, {"format": "parquet", "compression": "none"})
SOME = 500
# Paths of the two subscriptions of each organization, and the events that each receives.
SUBSCRIPTIONS = {"all": ["*"], "ended": ["export.created", "batch.completed"]}
# Seconds between two actions of a client, on average and at most.
_PAUSE, _MAX_PAUSE = 5.0, 15.0
# A request is repeated until it has a response, for this time.
_MAX_SECONDS = 120
_REPEAT_SECONDS = 0.5
# One creation in this many is sent once before, by a client that does not wait for the response.
_LOST_RESPONSES = 8
_BATCH_ROWS = (50, 300)
_ADMIN_PAGES = (
    "/admin/",
    "/admin/exports/export/",
    "/admin/batches/batch/",
    "/admin/webhooks/delivery/?status__exact=pending",
    "/admin/longshore_logistics/contact/",
)


@dataclass(frozen=True)
class Response:
    """A response.

    began, ended: when the request was sent and the response received, or the connection lost
        (epoch).
    status: 0 without a response.
    """

    kind: str
    began: float
    ended: float
    status: int


@dataclass
class Batch:
    """A batch that creates contacts, and the batches that change or undo what it has written.

    marker: the value of `notes` in all of its contacts.
    update: sets the nickname of the first half of the contacts.
    """

    organization: str
    marker: str
    rows: int
    id: str = ""
    update: str = ""
    undo: str = ""
    undo_of_update: str = ""

    @property
    def ids(self) -> list[str]:
        return [each for each in (self.id, self.update, self.undo, self.undo_of_update) if each]

    def names(self) -> list[str]:
        return [f"{self.marker} {number:04}" for number in range(self.rows)]


@dataclass
class Log:
    """What the clients have sent and received.

    exports: the request of each created export, with the organization's id, by id.
    unanswered: creations whose response never came.
    refused: responses that no fault explains.
    """

    exports: dict[str, dict[str, Any]] = field(default_factory=dict)
    batches: list[Batch] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)
    repeated: int = 0
    replayed: int = 0
    unanswered: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


class Client:
    """Sends requests and logs the responses. headers: of each request."""

    def __init__(self, base: str, headers: dict[str, str], log: Log, seed: int) -> None:
        self._http = httpx.Client(base_url=base, headers=headers, timeout=60, trust_env=False)
        self.log = log
        self.random = random.Random(seed)  # noqa: S311

    def send(self, kind: str, method: str, url: str, **options: Any) -> httpx.Response | None:
        """Send a request. Returns None if there is no response."""
        began = time.time()
        try:
            response = self._http.request(method, url, **options)
        except httpx.TransportError:
            self.log.responses.append(Response(kind, began, time.time(), 0))
            return None
        self.log.responses.append(Response(kind, began, time.time(), response.status_code))
        if not response.is_success and not response.is_server_error:
            self.log.refused.append(f"{kind}: {response.status_code} {response.text[:200]}")
        return response

    def get(self, kind: str, url: str) -> Any:
        """Return the JSON of a response; None without a success."""
        response = self.send(kind, "GET", url)
        return response.json() if response is not None and response.is_success else None

    def create(self, kind: str, url: str, body: Any = None) -> Any:
        """Send a creation until it succeeds. Returns its JSON; None if it never succeeds."""
        options = {"json": body, "headers": {"Idempotency-Key": uuid.uuid4().hex}}
        if self.random.randrange(_LOST_RESPONSES) == 0:
            self._abandon(url, options)
        end = time.monotonic() + _MAX_SECONDS
        while time.monotonic() < end:
            response = self.send(kind, "POST", url, **options)
            if response is not None and response.is_success:
                self.log.replayed += "Idempotent-Replayed" in response.headers
                return response.json()
            if response is not None and not response.is_server_error:
                return None
            self.log.repeated += 1
            time.sleep(_REPEAT_SECONDS)
        self.log.unanswered.append(f"{kind}: no response within {_MAX_SECONDS} s")
        return None

    def _abandon(self, url: str, options: dict[str, Any]) -> None:
        """Send a creation, and disconnect before the response."""
        try:
            self._http.post(url, **options, timeout=httpx.Timeout(60, read=0.001))
        except httpx.TransportError:
            self.log.repeated += 1

    def repeat(self, actions: dict[Callable[[], None], int], stopped: Event) -> None:
        """Do random actions until the end of the run. actions: with their weights."""
        while not stopped.wait(min(_MAX_PAUSE, self.random.expovariate(1 / _PAUSE))):
            self.random.choices([*actions], [*actions.values()])[0]()
        self._http.close()


class Organization:
    """An organization that creates exports and batches, and reads.

    id: of the organization.
    """

    def __init__(self, client: Client, id: str) -> None:
        self._client = client
        self._id = id
        self._written: list[Batch] = []
        self._exports: list[str] = []

    def run(self, stopped: Event) -> None:
        actions = {
            self._export_all: 15,
            self._export_some: 20,
            self._write: 15,
            self._change: 15,
            self._list: 20,
            self._retrieve: 15,
        }
        self._client.repeat(actions, stopped)

    def _export_all(self) -> None:
        self._export({})

    def _export_some(self) -> None:
        self._export({"options": {"order_by": "id", "limit": SOME}})

    def _export(self, body: dict[str, Any]) -> None:
        body |= {"resource": "shipment", "csv_field_options": {"columns": [*COLUMNS]}}
        body |= {"compression": "gzip"} | self._client.random.choice(FORMATS)
        if (created := self._client.create("POST /v1/exports", "/v1/exports", body)) is not None:
            self._client.log.exports[created["id"]] = body | {"organization": self._id}
            self._exports.append(created["url"])

    def _write(self) -> None:
        rows = self._client.random.randint(*_BATCH_ROWS)
        batch = Batch(self._id, f"soak {uuid.uuid4().hex}", rows)
        data = [{"name": name, "notes": batch.marker, "nickname": "old"} for name in batch.names()]
        batch.id = self._batch(data)
        if batch.id:
            self._client.log.batches.append(batch)
            self._written.append(batch)

    def _batch(self, data: list[dict[str, str]]) -> str:
        """Create a batch. Returns its id, or "" without a success."""
        mode = self._client.random.choice(("sync", "mixed", "async"))
        body = {"resource": "contact", "mode": mode, "data": data}
        created = self._client.create(f"POST /v1/batches, {mode}", "/v1/batches", body)
        return str(created["id"]) if created is not None else ""

    def _change(self) -> None:
        """Undo or update what the oldest unchanged batch has written, if it is completed."""
        if not self._written:
            return
        batch = self._written[0]
        url = f"/v1/batches/{batch.update or batch.id}?include_result_json=true"
        shown = self._client.get("GET /v1/batches/…", url)
        if shown is None or shown["status"] in ("requested", "queued", "processing"):
            return
        done = True
        if shown["status"] != "completed":
            pass
        elif batch.update:
            batch.undo_of_update = self._undo(batch.update)
        elif self._client.random.randrange(2):
            batch.undo = self._undo(batch.id)
        elif keys := self._keys(shown["result_json"]):
            half = [{"id": key, "nickname": "new"} for key in keys[: batch.rows // 2]]
            batch.update = self._batch(half)
            # Half of the updates are undone later.
            done = not batch.update or self._client.random.randrange(2) == 0
        if done:
            self._written.pop(0)

    def _undo(self, batch: str) -> str:
        created = self._client.create("POST /v1/batches/…/undo", f"/v1/batches/{batch}/undo")
        return str(created["id"]) if created is not None else ""

    def _keys(self, link: str) -> list[str]:
        """Return the ids of the written records, in the order of the rows; [] without a success.

        link: to the results of the batch.
        """
        path = "/" + link.split("/", 3)[3]
        response = self._client.send("GET, file of a batch", "GET", path)
        if response is None or not response.is_success:
            return []
        return [json.loads(line)["id"] for line in response.text.splitlines()]

    def _list(self) -> None:
        url = self._client.random.choice(
            ("/v1/exports", "/v1/batches", "/v1/events", "/v1/shipments", "/v1/contacts")
        )
        self._client.send(f"GET {url}", "GET", url)

    def _retrieve(self) -> None:
        if self._exports:
            url = self._client.random.choice(self._exports)
            self._client.send("GET /v1/exports/…", "GET", url)


def administrate(client: Client, stopped: Event) -> None:
    """Open pages of the admin, and a page that needs no work, which shows the machine's load.

    client: with the session of a superuser.
    """

    def open_page(url: str) -> None:
        client.send("GET, page of the admin", "GET", url)

    def probe() -> None:
        client.send(PROBE, "GET", "/healthz")

    pages = {partial(open_page, url): 1 for url in _ADMIN_PAGES}
    client.repeat(pages | {probe: len(pages)}, stopped)
