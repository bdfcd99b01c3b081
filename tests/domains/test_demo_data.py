"""Demo data of each domain: reproducible, complete, and within one organization."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F, JSONField, Model

from longshore.domains.logistics.models import Article, ContactGroup, ContactLocation, Level

pytestmark = pytest.mark.django_db

# The path to the organization of rows without an organization of their own.
PARENTS: dict[type[Model], str] = {
    Article: "item",
    ContactGroup: "contact",
    ContactLocation: "contact",
    Level: "item",
}


@dataclass(frozen=True)
class Domain:
    """A domain with demo data.

    unit: option of `demo_data` that sets the size.
    size, small_size: values of that option; all fields have values from `size` on.
    min_links: number of foreign keys to records of organizations, at least.
    """

    app_label: str
    unit: str
    size: int
    small_size: int
    min_links: int

    @property
    def models(self) -> list[type[Model]]:
        models = apps.get_app_config(self.app_label).get_models()
        return [model for model in models if model._meta.managed]

    @property
    def records(self) -> list[type[Model]]:
        return [model for model in self.models if model not in PARENTS]

    def load(self, organization: str = "acme", size: int | None = None) -> None:
        sizes = {"rows": 0, "orders": 0} | {self.unit: size or self.size}
        call_command("demo_data", organization=organization, verbosity=0, **sizes)

    def contents(self) -> dict[str, Any]:
        """Return row count and hash of every table and view, without generated keys."""
        models = apps.get_app_config(self.app_label).get_models(include_auto_created=True)
        found = {}
        with connection.cursor() as cursor:
            for model in models:
                is_generated = model._meta.pk.get_internal_type().endswith("AutoField")
                cursor.execute(
                    f"""SELECT count(*), md5(string_agg(row, ' ' ORDER BY row COLLATE "C"))
                        FROM (SELECT (to_jsonb(r) - %s)::text AS row
                              FROM {model._meta.db_table} AS r) AS rows""",  # noqa: S608
                    ["id" if is_generated else ""],
                )
                found[model._meta.db_table] = cursor.fetchone()
        return found

    def definitions(self) -> set[tuple[str, str]]:
        """Return all indexes and constraints of the tables."""
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT indexname, indexdef FROM pg_indexes WHERE tablename LIKE %(tables)s
                   UNION ALL SELECT conname, pg_get_constraintdef(oid) || convalidated
                   FROM pg_constraint WHERE conrelid::regclass::text LIKE %(tables)s""",
                {"tables": f"{self.app_label}_%"},
            )
            return set(cursor.fetchall())


@pytest.fixture(
    params=[
        Domain("longshore_commerce", "orders", 400, 60, min_links=80),
        Domain("longshore_logistics", "rows", 2000, 300, min_links=30),
    ],
    ids=lambda domain: domain.app_label,
)
def domain(request: pytest.FixtureRequest) -> Domain:
    found: Domain = request.param
    return found


def test_equal_slug_and_size_give_equal_records(domain: Domain) -> None:
    domain.load()
    first = domain.contents()
    assert all(count for count, _ in first.values()), first
    with connection.cursor() as cursor:
        tables = ", ".join(model._meta.db_table for model in domain.models)
        cursor.execute(f"TRUNCATE {tables} CASCADE")
    domain.load()
    assert domain.contents() == first


def test_second_run_changes_nothing_and_rejects_another_size(
    domain: Domain, capsys: pytest.CaptureFixture[str]
) -> None:
    domain.load(size=domain.small_size)
    before = domain.contents()
    domain.load(size=domain.small_size)
    held = f"demo data of {domain.small_size} {domain.unit}"
    assert f"acme already held {held}." in capsys.readouterr().out
    with pytest.raises(CommandError, match=f"already holds {held}, which cannot"):
        domain.load(size=domain.small_size + 1)
    assert domain.contents() == before


def test_load_restores_indexes_and_constraints(domain: Domain) -> None:
    before = domain.definitions()
    assert len(before) > domain.min_links
    domain.load(size=domain.small_size)
    assert domain.definitions() == before


def test_foreign_keys_stay_within_the_organization(domain: Domain) -> None:
    domain.load("acme")
    domain.load("globex")
    links = [
        (model, field.name)
        for model in domain.models
        for field in model._meta.fields
        if field.related_model in domain.records
    ]
    assert len(links) > domain.min_links
    for model, name in links:
        owner = f"{PARENTS[model]}__organization" if model in PARENTS else "organization"
        rows = model._default_manager.filter(**{f"{name}__isnull": False})
        assert rows.exists(), f"{model.__name__}.{name} is never set"
        foreign = rows.exclude(**{f"{name}__organization": F(owner)})
        assert not foreign.exists(), f"{model.__name__}.{name} refers to another organization"


def test_every_field_has_values(domain: Domain) -> None:
    domain.load()
    for model in domain.records:
        for field in model._meta.concrete_fields:
            filled = model._default_manager.filter(**{f"{field.name}__isnull": False})
            if isinstance(field, JSONField | ArrayField):
                filled = filled.exclude(**{field.name: []})
            assert filled.exists(), f"{model.__name__}.{field.name}"
