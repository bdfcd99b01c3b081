"""Numbers and cursors that clients see reveal nothing about other organizations."""

import base64
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection

from exports.execution import runner
from exports.models import Export
from longshore.domains.logistics.models import Contact
from tests.conftest import KeyClient

pytestmark = pytest.mark.django_db(transaction=True)

CONTACTS = {"resource": "contact"}


def test_exports_and_subscriptions_are_numbered_per_organization(
    alice: KeyClient, charlie: KeyClient, contacts: list[Contact]
) -> None:
    hooks = [{"target": f"http://127.0.0.1:1/{place}", "events": "*"} for place in range(2)]
    for client in (alice, charlie, alice, charlie):
        client.post("/v1/exports", CONTACTS)
    for hook in hooks:
        for client in (alice, charlie):
            assert client.post("/v1/webhooks", hook).status_code == 201
    for client in (alice, charlie):
        for path in ("/v1/exports", "/v1/webhooks"):
            shown = client.get(path).json()["results"]
            assert [each["number"] for each in shown] == [2, 1]
    newest = alice.get("/v1/exports").json()["results"][0]
    alice.delete(newest["url"])
    assert alice.post("/v1/exports", CONTACTS).json()["number"] == 3


def test_cursors_and_links_do_not_contain_primary_keys(
    alice: KeyClient, contacts: list[Contact]
) -> None:
    with connection.cursor() as cursor:
        for table in ("exports_export", "webhooks_event"):
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'number'), 7654320)", [table])
    for _ in range(3):
        alice.post("/v1/exports", CONTACTS)
    for path in ("/v1/exports", "/v1/events"):
        response = alice.get(f"{path}?limit=1")
        page = response.json()
        links = re.findall(r'"(https?://[^"]+)"', response.content.decode())
        assert page["next"] in links
        assert not any("76543" in link for link in links)
        [token] = parse_qs(urlsplit(page["next"]).query)["cursor"]
        decoded = base64.urlsafe_b64decode(token.split(":")[0] + "==")
        assert b"76543" not in decoded
        assert len(alice.get(page["next"]).json()["results"]) == 1
        assert alice.get(f"{path}?cursor={token[:-8]}").json()["error"] == "invalid_cursor"


def test_a_link_contains_the_public_id_of_the_export(alice: KeyClient, queued: Export) -> None:
    runner.run(queued.pk)
    link = alice.get(f"/v1/exports/{queued.public_id}").json()["download_url"]
    signature = link.partition("signature=")[2]
    assert re.match(rf"{queued.public_id}%2F", signature)
