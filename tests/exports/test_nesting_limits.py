"""`flatten`: limits of depth, columns and time."""

from typing import Any

import pytest
from django.db import connection
from psycopg import sql
from pytest_django import Settings

from exports.execution import runner
from exports.formats.base import FormatLimit
from exports.models import Export, Status
from exports.request.parser import parse_export
from exports.sql import discovery
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact
from tests.exports.conftest import stored_files
from tests.exports.nested import create_contact, table_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_value_of_more_than_a_hundred_levels_raises_format_limit(acme: Organization) -> None:
    value: Any = 1
    for _ in range(100):
        value = [value]
    create_contact(acme, "one", value)
    assert table_of(acme, "flatten", output={"columns": ["metadata"]}) == [
        ["metadata" + 100 * ".0"],
        ["1"],
    ]
    for levels in (101, 3000):
        Contact.objects.all().delete()
        create_contact(acme, "one", {})
        with connection.cursor() as cursor:
            text = "[" * levels + "1" + "]" * levels
            cursor.execute("UPDATE longshore_logistics_contact SET metadata = %s", [text])
        with pytest.raises(FormatLimit, match="metadata is nested in more than 100 levels"):
            table_of(acme, "flatten", output={"columns": ["metadata"]})


def test_the_maximum_number_of_columns_is_written(acme: Organization) -> None:
    create_contact(acme, "one", {f"k{index}": index for index in range(1599)})
    header, row = table_of(acme, "flatten", output={"columns": ["name", "metadata"]})
    assert len(header) == len(row) == 1600
    assert row[-1] == "1598"


@pytest.mark.parametrize("rows", [1, 1600])
def test_more_columns_fail_with_an_error_that_names_the_widest(
    queued: Export, acme: Organization, rows: int
) -> None:
    keys = [f"k{index}" for index in range(1600)]
    Contact.objects.bulk_create(
        Contact(organization=acme, metadata=dict.fromkeys(keys[row::rows], 1))
        for row in range(rows)
    )
    output = {"properties": "flatten", "columns": ["id", "alternate_names", "metadata"]}
    body = {"resource": "contact", "csv_field_options": output}
    Export.objects.update(spec=parse_export(body).to_json())
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Status.FAILED
    assert queued.error is not None
    assert queued.error["error"] == "format_limit"
    assert "metadata alone needs 1,600 or more" in queued.error["message"]
    assert stored_files() == []


def test_the_time_limit_stops_discovery(
    queued: Export, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = sql.SQL("SELECT pg_sleep(60)::text")
    monkeypatch.setattr(discovery, "compile_discovery", lambda *args: slow)
    output = {"properties": "flatten", "columns": ["metadata"]}
    spec = parse_export({"resource": "contact", "csv_field_options": output})
    Export.objects.update(spec=spec.to_json())
    settings.EXPORT_TIME_LIMIT_SECONDS = 1
    runner.run(queued.pk)
    queued.refresh_from_db()
    assert queued.status == Status.TIMED_OUT
