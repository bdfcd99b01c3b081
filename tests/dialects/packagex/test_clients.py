"""The client of PackageX from the package index, unmodified, against a running server."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Shipment
from tests.conftest import KeyClient
from tests.dialects.packagex.conformance import RECORDS, rows
from tests.factories import ShipmentFactory

pytestmark = pytest.mark.django_db(transaction=True)
HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def ship(request: pytest.FixtureRequest) -> Path:
    """The script that calls the client, in a folder that has the client."""
    folder = request.config.cache.mkdir("packagex-clients")
    for name in ("package.json", "package-lock.json", "ship.cjs"):
        shutil.copy(HERE / name, folder)
    npm = shutil.which("npm")
    installed = npm and subprocess.run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, capture_output=True
    )
    if not installed or installed.returncode:
        reason = "The client ship-node cannot be installed: it needs Node and the package index."
        assert not os.environ.get("CI"), reason
        pytest.skip(reason)
    return folder / "ship.cjs"


@rows.same(RECORDS, "`ship-node` 0.0.8: lists, pages, filters and retrieves shipments")
def test_ship_node_lists_and_retrieves_shipments(
    alice: KeyClient, acme: Organization, globex: Organization, ship: Path, live_server: LiveServer
) -> None:
    own = ShipmentFactory.create_batch(3, organization=acme, status="delivered")
    own.append(ShipmentFactory.create(organization=acme, status="in_transit"))
    ShipmentFactory.create(organization=globex, status="delivered")
    arguments = [f"{live_server.url}/packagex/v1", alice.key, own[0].pk]
    node = str(shutil.which("node"))
    ended = subprocess.run(
        [node, ship, *arguments], cwd=ship.parent, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 0, ended.stderr
    responses: dict[str, Any] = json.loads(ended.stdout)

    newest = [*Shipment.objects.filter(organization=acme).order_by("-created_at", "-pk")]
    ids = [shipment.pk for shipment in newest]
    assert [each["id"] for each in responses["all"]["data"]] == ids
    assert (responses["all"]["status"], responses["all"]["errors"]) == (200, [])
    assert [each["id"] for each in responses["page"]["data"]] == ids[2:4]
    assert responses["page"]["pagination"]["has_more"] is False
    delivered = {each["id"] for each in responses["delivered"]["data"]}
    assert delivered == {shipment.pk for shipment in own[:3]}
    assert responses["one"]["data"]["tracking_number"] == own[0].tracking_number
    assert responses["missing"]["status"] == 404
    assert (responses["refused"]["status"], responses["refused"]["code"]) == (401, "unauthorized")
