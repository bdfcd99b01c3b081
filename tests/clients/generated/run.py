"""Uses the generated client, which is beside this file: an export, a batch and a webhook."""

import base64
import hmac
import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue
from threading import Thread

from client import AuthenticatedClient  # type: ignore[import-not-found]
from client.api.batches import create_batch  # type: ignore[import-not-found]
from client.api.exports import (  # type: ignore[import-not-found]
    create_export,
    download_export,
    list_exports,
)
from client.api.webhooks import create_webhook  # type: ignore[import-not-found]
from client.models import (  # type: ignore[import-not-found]
    BatchRequest,
    BatchRequestDataItem,
    ExportRequest,
    ModeEnum,
    OutputOptions,
    ResourceEnum,
    SubscriptionRequest,
    SubscriptionRequestEventsType0Item,
)

MESSAGES: Queue[tuple[dict[str, str], bytes]] = Queue()


class Target(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()
        MESSAGES.put(({name.lower(): value for name, value in self.headers.items()}, body))

    def log_message(self, format: str, *args: object) -> None:
        pass


def is_signed(secret: str, headers: dict[str, str], body: bytes) -> bool:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    return f"v1,{expected}" in headers["webhook-signature"].split()


server = HTTPServer(("127.0.0.1", 0), Target)
Thread(target=server.serve_forever, daemon=True).start()
client = AuthenticatedClient(os.environ["BASE"], os.environ["KEY"])
subscription = create_webhook.sync(
    client=client,
    body=SubscriptionRequest(
        target=f"http://127.0.0.1:{server.server_address[1]}/",
        events=[SubscriptionRequestEventsType0Item.EXPORT_CREATED],
    ),
)

record = BatchRequestDataItem.from_dict({"name": "Ada"})
batch = create_batch.sync(
    client=client,
    body=BatchRequest(resource=ResourceEnum.CONTACT, mode=ModeEnum.SYNC, data=[record]),
)

output = OutputOptions(columns=["name"])
request = ExportRequest(resource=ResourceEnum.CONTACT, csv_field_options=output)
created = create_export.sync(client=client, body=request, wait=10)
listed = list_exports.sync(client=client)
link = download_export.sync(created.id, client=client)
content = client.get_httpx_client().get(link.url).text

headers, body = MESSAGES.get(timeout=30)
message = json.loads(body)
print(
    json.dumps(
        {
            "batch": [batch.status, batch.records_count],
            "export": [created.status, created.files[0].rows, listed.results[0].records_count],
            "lines": content.splitlines(),
            "message": [message["type"], message["data"]["id"] == created.id],
            "is_signed": [
                is_signed(subscription.secret, headers, body),
                is_signed(subscription.secret, headers, body + b" "),
            ],
        }
    )
)
