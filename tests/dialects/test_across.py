"""A job of one API is visible in the others, and a webhook has the form of its own API."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from pytest_django import Settings

from exports.execution import runner as export_runner
from exports.models import Export
from longshore.domains.commerce.models import Tag
from tests.conftest import KeyClient
from tests.exports.conftest import storage
from tests.webhooks.conftest import receiver
from tests.webhooks.receiver import Message, Receiver
from webhooks import runner as webhook_runner
from webhooks.models import Subscription

__all__ = ["receiver", "storage"]
pytestmark = pytest.mark.django_db(transaction=True)

Json = Any


@dataclass(frozen=True)
class Api:
    """One of the APIs, as far as these tests use it.

    export, webhook: attributes of new ones.
    target: the attribute of a webhook with its URL.
    signature: the header of messages with their signature.
    objects: returns the ids and statuses of the exports of a list.
    message: returns the id and the status of the export that a message is about.
    queued, completed: the statuses in the words of the API.
    id_of: returns the id of an export in this API.
    wrapped: returns the body of a request with the attributes of an object of a kind.
    """

    prefix: str
    export: dict[str, Any]
    webhook: dict[str, Any]
    target: str
    signature: str
    objects: Callable[[Json], list[tuple[Any, str]]]
    message: Callable[[Json], tuple[Any, str]]
    queued: str = "queued"
    completed: str = "completed"
    id_of: Callable[[Export], Any] = lambda export: export.public_id
    media_type: str = "application/json"
    wrapped: Callable[[str, dict[str, Any]], Json] = lambda _, attributes: attributes

    def post(self, client: KeyClient, kind: str, attributes: dict[str, Any]) -> None:
        response = client.generic(
            "POST",
            f"{self.prefix}/{kind}",
            json.dumps(self.wrapped(kind, attributes)),
            content_type=self.media_type,
        )
        assert response.status_code == 201, response.content

    def exports(self, client: KeyClient) -> list[tuple[Any, str]]:
        return self.objects(client.get(f"{self.prefix}/exports").json())


def _document(kind: str, attributes: dict[str, Any]) -> Json:
    return {"data": {"type": kind, "attributes": attributes}}


APIS = {
    "native": Api(
        prefix="/v1",
        export={"resource": "contact"},
        webhook={"events": ["export.created"]},
        target="target",
        signature="webhook-signature",
        objects=lambda page: [(each["id"], each["status"]) for each in page["results"]],
        message=lambda sent: (sent["data"]["id"], sent["data"]["status"]),
    ),
    "packagex": Api(
        prefix="/packagex/v1",
        export={"resource": "contact"},
        webhook={"events": ["export.created"]},
        target="target",
        signature="webhook-signature",
        objects=lambda page: [(each["id"], each["status"]) for each in page["data"]],
        message=lambda sent: (sent["data"]["id"], sent["data"]["status"]),
    ),
    "nextcommerce": Api(
        prefix="/api/admin",
        export={
            "type": "order_list",
            "date_from": "2025-01-01T00:00:00Z",
            "date_to": "2025-03-31T23:59:59Z",
        },
        webhook={"events": ["export.created"]},
        target="target",
        signature="x-29next-signature",
        objects=lambda page: [(each["id"], each["status"]) for each in page["results"]],
        message=lambda sent: (sent["data"]["id"], sent["data"]["status"]),
        queued="pending",
        completed="available",
        id_of=lambda export: export.organization_number,
    ),
    "commercelayer": Api(
        prefix="/api",
        export={"resource_type": "tags"},
        webhook={"topic": "exports.complete"},
        target="callback_url",
        signature="x-commercelayer-signature",
        objects=lambda page: [(each["id"], each["attributes"]["status"]) for each in page["data"]],
        message=lambda sent: (sent["data"]["id"], sent["data"]["attributes"]["status"]),
        queued="pending",
        media_type="application/vnd.api+json",
        wrapped=_document,
    ),
}
makers = pytest.mark.parametrize("maker", APIS.values(), ids=APIS)


@pytest.fixture(autouse=True)
def no_rate_limit(settings: Settings) -> None:
    settings.NEXTCOMMERCE_RATE_LIMIT = ""


@pytest.fixture
def tag(alice: KeyClient) -> None:
    """A record for Commerce Layer, which refuses exports without records."""
    Tag.objects.create(organization=alice.api_key.organization, name="sale")


@makers
@pytest.mark.usefixtures("tag")
def test_an_export_of_one_api_is_shown_by_every_api(
    alice: KeyClient, charlie: KeyClient, maker: Api
) -> None:
    maker.post(alice, "exports", maker.export)
    export = Export.objects.get()
    for api in APIS.values():
        assert api.exports(alice) == [(api.id_of(export), api.queued)]
        assert api.exports(charlie) == []

    export_runner.run(export.pk)
    for api in APIS.values():
        assert api.exports(alice) == [(api.id_of(export), api.completed)]

    assert alice.delete(f"/v1/exports/{export.public_id}").status_code == 204
    for api in APIS.values():
        assert api.exports(alice) == []


@makers
@pytest.mark.usefixtures("tag")
def test_a_webhook_has_the_form_of_its_api_whichever_api_made_the_export(
    alice: KeyClient, receiver: Receiver, maker: Api
) -> None:
    for name, api in APIS.items():
        api.post(alice, "webhooks", api.webhook | {api.target: receiver.url(f"/{name}")})
    maker.post(alice, "exports", maker.export)
    export = Export.objects.get()
    export_runner.run(export.pk)
    for subscription in Subscription.objects.all():
        webhook_runner.run(subscription.pk)
    sent: dict[str, Message] = {message.path[1:]: message for message in receiver.messages}
    assert len(receiver.messages) == len(sent) == len(APIS)
    for name, api in APIS.items():
        message = sent[name]
        assert message.headers["content-type"] == api.media_type
        assert api.signature in message.headers
        expected = (api.id_of(export), api.completed)
        assert api.message(json.loads(message.body)) == expected
