"""The description of each dialect: up to date, complete, and shown by local pages."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from dialects.base.apps import DialectConfig, installed_dialects
from longshore.api.apis import api_of
from tests.descriptions import committed, parse, violations
from tests.dialects.addresses import addresses

dialects = pytest.mark.parametrize(
    "dialect", installed_dialects(), ids=lambda dialect: dialect.dialect_name
)


def described(dialect: DialectConfig) -> dict[str, Any]:
    return parse(committed(dialect.dialect_name).read_text())


def operations(dialect: DialectConfig) -> Iterator[dict[str, Any]]:
    for path in described(dialect)["paths"].values():
        yield from path.values()


@pytest.mark.slow
@dialects
def test_the_committed_description_is_up_to_date(dialect: DialectConfig) -> None:
    written = io.StringIO()
    settings = f"{dialect.name}.description.SETTINGS"
    call_command("spectacular", fail_on_warn=True, custom_settings=settings, stdout=written)
    expected = committed(dialect.dialect_name).read_text()
    assert written.getvalue().strip() == expected.strip(), "run: make openapi"


@pytest.mark.slow
@dialects
def test_the_description_follows_openapi(dialect: DialectConfig) -> None:
    assert violations(described(dialect)) == []


@dialects
def test_every_address_of_the_dialect_is_described_and_no_other(dialect: DialectConfig) -> None:
    paths = described(dialect)["paths"]
    assert {address.template for address in addresses(dialect)} == set(paths)
    for path in paths:
        api = api_of(path)
        assert api is not None
        assert api.name == dialect.dialect_name


@pytest.mark.slow
@dialects
def test_every_operation_has_texts_tags_and_authentication(dialect: DialectConfig) -> None:
    tags = {tag["name"] for tag in described(dialect).get("tags", ())}
    ids = [operation["operationId"] for operation in operations(dialect)]
    assert len(ids) == len(set(ids))
    for operation in operations(dialect):
        assert operation["summary"]
        assert operation["description"]
        assert operation["tags"]
        assert set(operation["tags"]) <= tags


@pytest.mark.slow
@dialects
@pytest.mark.usefixtures("static_files")
def test_the_description_and_its_pages_are_public(client: Client, dialect: DialectConfig) -> None:
    folder = f"/docs/{dialect.dialect_name}"
    served = client.get(f"{folder}/schema")
    assert served.content.decode().strip() == committed(dialect.dialect_name).read_text().strip()
    for page in (folder, f"{folder}/redoc"):
        content = client.get(page).content.decode()
        assert f'href="{folder}/schema"' in content
        assert f'<a href="{folder}" aria-current="page">{dialect.dialect_title}</a>' in content
