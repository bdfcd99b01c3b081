"""Commerce demo data: reproducible, complete, and within one organization."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F, JSONField, QuerySet

from longshore.domains.commerce.models import Market, Order
from longshore.domains.commerce.models.base import Record

pytestmark = pytest.mark.django_db

ORDERS = 400
MODELS = [
    model for model in apps.get_app_config("longshore_commerce").get_models() if model._meta.managed
]
RECORDS = [model for model in MODELS if issubclass(model, Record)]


def load(organization: str = "acme", orders: int = ORDERS) -> None:
    call_command("demo_data", organization=organization, rows=0, orders=orders, verbosity=0)


def contents() -> dict[str, Any]:
    """Return row count and hash of every table, without generated keys."""
    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_app_config("longshore_commerce").get_models(
            include_auto_created=True
        ):
            ignored = "id" if model._meta.auto_created else ""
            cursor.execute(
                f"""SELECT count(*), md5(string_agg(row, ' ' ORDER BY row COLLATE "C"))
                    FROM (SELECT (to_jsonb(r) - %s)::text AS row
                          FROM {model._meta.db_table} AS r) AS rows""",  # noqa: S608
                [ignored],
            )
            found[model._meta.db_table] = cursor.fetchone()
    return found


def definitions() -> set[tuple[str, str]]:
    """Return all indexes and constraints of the tables."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT indexname, indexdef FROM pg_indexes
               WHERE tablename LIKE 'longshore_commerce_%'
               UNION ALL SELECT conname, pg_get_constraintdef(oid) || convalidated
               FROM pg_constraint WHERE conrelid::regclass::text LIKE 'longshore_commerce_%'"""
        )
        return set(cursor.fetchall())


def none(rows: QuerySet[Any]) -> bool:
    return not rows.exists()


def test_equal_slug_and_size_give_equal_records() -> None:
    load()
    first = contents()
    assert all(count for count, _ in first.values()), first
    with connection.cursor() as cursor:
        tables = ", ".join(model._meta.db_table for model in MODELS)
        cursor.execute(f"TRUNCATE {tables} CASCADE")
    load()
    assert contents() == first


def test_second_run_changes_nothing_and_rejects_another_size(
    capsys: pytest.CaptureFixture[str],
) -> None:
    load(orders=60)
    before = contents()
    load(orders=60)
    assert "acme already held demo data of 60 orders." in capsys.readouterr().out
    with pytest.raises(CommandError, match="already holds demo data of 60 orders, which cannot"):
        load(orders=61)
    assert contents() == before


@pytest.mark.parametrize("orders", [1, 7])
def test_smallest_shops_are_complete(orders: int) -> None:
    load(orders=orders)
    assert Order.objects.count() == orders
    assert Market.objects.count() == 4


def test_negative_number_of_orders_is_rejected() -> None:
    with pytest.raises(CommandError, match="--orders must be 0 or at least 1, but is -1"):
        load(orders=-1)


def test_load_restores_indexes_and_constraints() -> None:
    before = definitions()
    assert len(before) > 200
    load(orders=20)
    assert definitions() == before


def test_foreign_keys_stay_within_the_organization() -> None:
    load("acme", 200)
    load("globex", 200)
    links = [
        (model, field.name)
        for model in RECORDS
        for field in model._meta.fields
        if isinstance(field.related_model, type) and issubclass(field.related_model, Record)
    ]
    assert len(links) > 80
    for model, name in links:
        rows = model._default_manager.filter(**{f"{name}__isnull": False})
        assert rows.exists(), f"{model.__name__}.{name} is never set"
        foreign = rows.exclude(**{f"{name}__organization": F("organization")})
        assert none(foreign), f"{model.__name__}.{name} refers to another organization"


def test_every_field_has_values() -> None:
    load()
    for model in RECORDS:
        for field in model._meta.concrete_fields:
            filled = model._default_manager.filter(**{f"{field.name}__isnull": False})
            if isinstance(field, JSONField | ArrayField):
                filled = filled.exclude(**{field.name: []})
            assert filled.exists(), f"{model.__name__}.{field.name}"
    assert Order.objects.filter(reference__isnull=False, reference_origin="legacy").exists()
