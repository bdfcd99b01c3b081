"""Calls the Python client as a command: prints the result or the error as one JSON object.

Arguments: the URL, the API key, the name of a call, its arguments as a JSON object. `driver.ts` has
the same calls.
"""

import base64
import json
import sys
from typing import Any

from longshore_client import (
    Batch,
    Client,
    LongshoreError,
    WebhookVerificationError,
    verify_webhook,
)


def export(client: Client, request: dict[str, Any], target: str) -> Any:
    preview = client.exports.preview(**request)
    created = client.exports.create(**request).wait(timeout=120, progress=True)
    path = created.download(target)
    return {
        "data": created.data,
        "path": str(path),
        "previews": [preview, created.preview()],
        "manifest": created.manifest(),
    }


def download(client: Client, id: str, target: str) -> Any:
    return {"path": str(client.exports.get(id).download(target))}


def cancel(client: Client, request: dict[str, Any]) -> Any:
    created = client.exports.create(**request)
    try:
        created.wait(timeout=0)
    except TimeoutError:
        created.cancel()
    try:
        created.wait(timeout=60)
    finally:
        created.delete()


def ended(batch: Batch) -> Any:
    batch.wait(timeout=120)
    return {"data": batch.data, "errors": list(batch.errors())}


def batch(client: Client, resource: str, **fields: Any) -> Any:
    return ended(client.batches.create(resource, **fields))


def undo(client: Client, id: str) -> Any:
    return ended(client.batches.get(id).undo())


def lists(client: Client) -> Any:
    return {
        "exports": [each.id for each in client.exports.list(limit=1, resource="group")],
        "batches": [each.id for each in client.batches.list(limit=2)],
        "groups": list(client.records("groups", fields="id", limit=2)),
    }


def subscribe(client: Client, target: str) -> Any:
    created = client.webhooks.create(target, ["export.created"], resources=["group"])
    return {"created": created, "listed": [each["id"] for each in client.webhooks.list()]}


def unsubscribe(client: Client, id: str) -> Any:
    client.webhooks.delete(id)
    return [each["id"] for each in client.webhooks.list()]


def repeat(client: Client, target: str, key: str) -> Any:
    """Create each object twice with one key; return pairs of ids."""
    data = [{"email": "repeated@example.org", "status": "prospect"}]
    exports, batches, undone, webhooks = [], [], [], []
    for _ in range(2):
        exports.append(client.exports.create(resource="group", idempotency_key=key))
        batch = client.batches.create("customer", data=data, idempotency_key=key)
        batches.append(batch.wait(timeout=120))
        undone.append(batch.undo(idempotency_key=key))
        webhooks.append(client.webhooks.create(target, ["batch.failed"], idempotency_key=key))
    client.webhooks.delete(webhooks[0]["id"])
    jobs = [[each.id for each in pair] for pair in (exports, batches, undone)]
    return [*jobs, [each["id"] for each in webhooks]]


def verify(
    client: Client, body: str, headers: dict[str, str], secrets: str | list[str], tolerance: float
) -> Any:
    return verify_webhook(base64.b64decode(body), headers, secrets, tolerance)


CALLS = (export, download, cancel, batch, undo, lists, subscribe, unsubscribe, repeat, verify)


def main(base_url: str, api_key: str, name: str, arguments: str) -> Any:
    values = json.loads(arguments)
    call = {each.__name__: each for each in CALLS}[name]
    try:
        with Client(base_url, api_key, max_retries=values.pop("max_retries", 5)) as client:
            return {"result": call(client, **values)}
    except LongshoreError as error:
        shown = {
            "name": type(error).__name__,
            "code": error.code,
            "message": error.message,
            "details": error.details,
            "request_id": error.request_id,
            "status": error.status,
        }
        return {"error": shown}
    except WebhookVerificationError as error:
        return {"error": {"name": type(error).__name__, "message": str(error)}}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
