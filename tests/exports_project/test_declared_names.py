"""The API starts and is described with any names, and any mistakes, that a project declares."""

import subprocess
import sys

import pytest
import yaml
from django.conf import settings

# Error examples use these names where they are unknown.
SCHEMA = """
import django
django.setup()
from dataclasses import replace
from longshore.resources.columns import Column, ColumnType
from longshore.resources.export_types import ExportType, export_types
from longshore.resources.registry import registry

shipment = registry.get("shipment")
for name in registry.names():
    registry.unregister(name)
texts = [Column(name, ColumnType.TEXT, "''") for name in ("color", "colorx", "created_a")]
for name in ("ship", "invalid_resource"):
    registry.register(replace(shipment, name=name, plural=f"{name}s", columns=tuple(texts)))
export_types.register(
    ExportType("orders", "Orders", "ship", {"color": "Color"}, "created_at", "created_at")
)

import exports_project.urls
from django.test import Client
print(Client().get("/v1/schema", HTTP_HOST="localhost").content.decode())
"""

CHECK = """
import django
django.setup()
from dataclasses import replace
from django.core.management import call_command
from longshore.resources.registry import registry

first, *others = list(registry)
for name in registry.names():
    registry.unregister(name)
for resource in (replace(first, includes=("friends",)), *others):
    registry.register(resource)
call_command("check")
"""


@pytest.mark.slow
def test_check_reports_a_wrong_include_of_the_first_resource() -> None:
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CHECK],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == 1
    assert "longshore_resources.E013) Resource '" in process.stderr
    assert "include 'friends': 'friends' is not a relation of " in process.stderr


@pytest.mark.slow
def test_error_examples_use_names_that_are_unknown() -> None:
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCHEMA],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr
    paths = yaml.load(process.stdout, yaml.CSafeLoader)["paths"]
    messages = "\n".join(
        example["value"]["message"]
        for address, method in (
            ("/v1/exports", "post"),
            ("/v1/webhooks", "post"),
            ("/v1/ships", "get"),
            ("/v1/ships/{id}", "get"),
        )
        for example in paths[address][method]["responses"]["400"]["content"]["application/json"][
            "examples"
        ].values()
    )
    for text in (
        "Unsupported resource type: invalid_resourcex",
        "'ordersx' is not a valid named export",
        "'shipx' is not a resource",
        "has no column 'colorxx'",
        "has no filter 'created_ax'",
    ):
        assert text in messages
