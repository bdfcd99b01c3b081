"""Longshore works with each of the domains alone, and without any."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg import sql

from longshore.resources.registry import registry
from tests.services import LOCAL_DIR

ROOT = Path(settings.BASE_DIR)
LOGISTICS, COMMERCE = "longshore.domains.logistics", "longshore.domains.commerce"


@pytest.fixture
def database(db: None) -> Iterator[str]:
    """Create an empty database and return its name."""
    name = f"{connection.settings_dict['NAME']}_domains"
    parameters = connection.get_connection_params() | {"dbname": "postgres"}
    for option in ("cursor_factory", "context", "prepare_threshold"):
        parameters.pop(option, None)
    with psycopg.connect(**parameters, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield name
        server.execute(sql.SQL("DROP DATABASE {} (FORCE)").format(sql.Identifier(name)))


def installed(
    database: str, *domains: str, program: str = "tests.domains.installation"
) -> dict[str, Any]:
    """Install Longshore with these domains, and return the JSON that the program prints."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "TEST_DATABASE": database,
        "LOCAL_DIR": LOCAL_DIR.name,
        "DOMAINS": ",".join(domains),
        # The admin's static files are not collected.
        "DEBUG": "true",
    }
    process = subprocess.run(
        [sys.executable, "-m", program],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr
    found: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    assert found.pop("violations") == []
    return found


def names(domain: str) -> list[str]:
    return [each.name for each in registry if each.model.__module__.startswith(f"{domain}.")]


@pytest.mark.stack
def test_installation_with_logistics_alone(database: str) -> None:
    found = installed(database, LOGISTICS)
    assert found["resources"] == names(LOGISTICS)
    assert {"/v1/shipments", "/v1/exports"} <= set(found["paths"])
    assert "/v1/orders" not in found["paths"]
    assert "acme holds demo data of 10000 rows." in found["demo"]
    assert "orders" not in found["demo"]
    assert found["records"]["contact"] > 0
    assert found["types"] == 0
    assert found["preview"] == 200
    assert "Logistics" in found["admin"]
    assert not [title for title in found["admin"] if title.startswith("Commerce")]


@pytest.mark.stack
def test_installation_with_commerce_alone(database: str) -> None:
    found = installed(database, COMMERCE)
    assert found["resources"] == names(COMMERCE)
    assert {"/v1/orders", "/v1/exports"} <= set(found["paths"])
    assert "/v1/shipments" not in found["paths"]
    assert "acme holds demo data of 500 orders." in found["demo"]
    assert "rows" not in found["demo"]
    assert found["records"]["order"] > 0
    assert found["types"] > 0
    assert found["preview"] == 400
    assert "Commerce: orders" in found["admin"]
    assert "Logistics" not in found["admin"]


@pytest.mark.stack
def test_installation_without_domains_says_how_to_declare_a_resource(database: str) -> None:
    found = installed(database)
    assert found["resources"] == []
    assert "/v1/exports" in found["paths"]
    assert found["records"] == {"contact": 0, "order": 0}
    assert "No resources are registered" in found["demo"]
    assert "register(Resource(" in found["demo"]
    assert found["types"] == 0
    assert found["preview"] == 400
    assert {"Exports", "Webhooks", "Access"} <= set(found["admin"])


def test_the_engine_names_no_domain() -> None:
    packages = ("exports", "webhooks", "longshore")
    paths = [path for package in packages for path in (ROOT / package).rglob("*.py")]
    outside = [path for path in paths if ROOT / "longshore" / "domains" not in path.parents]
    found = [
        str(path.relative_to(ROOT))
        for path in outside
        if any(word in path.read_text() for word in ("logistics", "commerce", "longshore.domains"))
    ]
    assert found == []
