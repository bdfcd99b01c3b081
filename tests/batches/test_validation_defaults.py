"""Ids and defaults that SQL makes agree with those that Python makes."""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from psycopg import sql

from longshore.accounts.models import Organization
from longshore.database.ids import new_id, new_id_sql
from longshore.domains.commerce.models import Customer
from longshore.domains.logistics.models import Contact
from tests.batches.specimens import SPECIMEN, specimens
from tests.batches.staged import stage

__all__ = ["specimens"]
_SHAPE = re.compile("ctct_[0-9abcdefghjkmnpqrstvwxyz]{26}")


def _ids(moment: datetime, number: int) -> list[str]:
    query = sql.SQL("SELECT {} FROM generate_series(1::bigint, {}) AS n").format(
        new_id_sql("ctct", moment, sql.Identifier("n")), number
    )
    with connection.cursor() as cursor:
        cursor.execute(query.as_string())
        return [found for (found,) in cursor.fetchall()]


@pytest.mark.django_db
def test_ids_of_sql_and_python_have_the_same_shape_and_order() -> None:
    now = datetime.now(UTC)
    earlier, later = _ids(now - timedelta(milliseconds=50), 1_000), _ids(now, 1_000)
    time.sleep(0.01)
    made = new_id("ctct")
    assert all(_SHAPE.fullmatch(each) for each in (*earlier, *later, made))
    assert len({*earlier, *later}) == 2_000
    assert max(earlier) < min(later) < max(later) < made
    assert made[:9] == later[0][:9]
    assert not {*_ids(now, 10)} & {*_ids(now, 10)}


@pytest.mark.django_db
def test_the_digits_of_ids_are_equally_likely() -> None:
    digits = "".join(each[-16:] for each in _ids(datetime.now(UTC), 20_000))
    counts = [digits.count(digit) for digit in sorted(set(digits))]
    assert len(counts) == 32
    assert min(counts) > 9_500
    assert max(counts) < 10_500


def _row(attempt: Any, model: Any) -> Any:
    """Create the planned record as a write would, and return it."""
    validated, staging = attempt.validated, attempt.context.staging
    columns = [*validated.columns, *validated.filled]
    statement = sql.SQL(
        "INSERT INTO {table} ({key}, {names}) SELECT plan.key, {values} FROM {plan} AS plan"
        " JOIN {typed} AS typed ON typed.longshore_row = plan.row"
    ).format(
        table=sql.Identifier(model._meta.db_table),
        key=sql.Identifier(model._meta.pk.column),
        names=sql.SQL(", ").join(map(sql.Identifier, [*columns, *validated.created])),
        values=sql.SQL(", ").join(
            [*(sql.Identifier("typed", name) for name in columns), *validated.created.values()]
        ),
        plan=staging.plan,
        typed=staging.typed,
    )
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string())
    return model.objects.get(pk=attempt.plan()[0]["key"])


@pytest.mark.parametrize(
    ("resource", "model", "values"),
    [("contact", Contact, {"name": "Ann"}), ("customer", Customer, {"email": "a@x.y"})],
)
def test_created_records_have_the_defaults_of_the_model(
    acme: Organization, resource: str, model: Any, values: dict[str, str]
) -> None:
    record = _row(stage(acme, resource, list(values), [list(values.values())]), model)
    expected = model(organization=acme, **values)
    for field in model._meta.concrete_fields:
        if field.primary_key or field.generated or field.name.endswith("_at"):
            continue
        assert getattr(record, field.attname) == getattr(expected, field.attname), field.name
    assert datetime.now(UTC) - record.created_at < timedelta(minutes=1)
    assert record.created_at == record.updated_at


def test_defaults_that_only_python_can_compute(acme: Organization, specimens: None) -> None:
    model: Any = SPECIMEN.model
    record = _row(stage(acme, SPECIMEN, ["code"], [["ab"]]), model)
    assert record.serial > 0
    assert record.level == 7
    assert record.attributes == []
    assert record.sizes == []
    assert record.made == datetime.now(UTC).date()


@pytest.mark.django_db
def test_a_default_may_query_the_database(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the connection of the batch, which a COPY would block."""
    Contact.objects.create(organization=acme, name="Zoe")
    field = Contact._meta.get_field("nickname")
    monkeypatch.setattr(field, "default", lambda: f"Contact {Contact.objects.count()}")
    attempt = stage(acme, "contact", ["name"], [["Ann"], ["Bob"]])
    assert attempt.errors == []
    assert [row["nickname"] for row in attempt.typed()] == ["Contact 1", "Contact 1"]
