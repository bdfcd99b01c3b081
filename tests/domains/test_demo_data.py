"""Demo data of every domain: reproducible, complete, and within one organization."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import AutoField, F, JSONField, Model

from longshore.domains.commerce.models.base import Record as CommerceRecord
from longshore.domains.logistics.models import Article, ContactGroup, ContactLocation, Level
from longshore.domains.logistics.models.base import Record as LogisticsRecord

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Domain:
    """A domain and the sizes of its demo data.

    unit: the option of `demo_data`, and the word of its messages.
    size: enough records to fill every table. small: the minimum that loads fast.
    parents: the path to the organization of models without an organization of their own.
    """

    label: str
    unit: str
    size: int
    small: int
    record: type[Model]
    parents: dict[type[Model], str] = field(default_factory=dict)

    @property
    def models(self) -> list[type[Model]]:
        return [m for m in apps.get_app_config(self.label).get_models() if m._meta.managed]

    @property
    def records(self) -> list[type[Model]]:
        return [model for model in self.models if issubclass(model, self.record)]

    def load(self, organization: str = "acme", size: int | None = None) -> None:
        sizes = {"rows": 0, "orders": 0} | {self.unit: size or self.size}
        call_command("demo_data", organization=organization, verbosity=0, **sizes)

    def contents(self) -> dict[str, Any]:
        """Return row count and hash of every table, without generated keys."""
        found = {}
        models = apps.get_app_config(self.label).get_models(include_auto_created=True)
        with connection.cursor() as cursor:
            for model in models:
                ignored = "id" if isinstance(model._meta.pk, AutoField) else ""
                cursor.execute(
                    f"""SELECT count(*), md5(string_agg(row, ' ' ORDER BY row COLLATE "C"))
                        FROM (SELECT (to_jsonb(r) - %s)::text AS row
                              FROM {model._meta.db_table} AS r) AS rows""",  # noqa: S608
                    [ignored],
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
                {"tables": f"{self.label}_%"},
            )
            return set(cursor.fetchall())


DOMAINS = [
    Domain("longshore_commerce", "orders", 400, 60, CommerceRecord),
    Domain(
        "longshore_logistics",
        "rows",
        2000,
        300,
        LogisticsRecord,
        {Article: "item", ContactGroup: "contact", ContactLocation: "contact", Level: "item"},
    ),
]
all_domains = pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: domain.label)


@all_domains
@pytest.mark.slow
def test_equal_slug_and_size_give_equal_records(domain: Domain) -> None:
    domain.load()
    first = domain.contents()
    assert all(count for count, _ in first.values()), first
    with connection.cursor() as cursor:
        tables = ", ".join(model._meta.db_table for model in domain.models)
        cursor.execute(f"TRUNCATE {tables} CASCADE")
    domain.load()
    assert domain.contents() == first


@pytest.mark.slow
@all_domains
def test_second_run_changes_nothing_and_rejects_another_size(
    domain: Domain, capsys: pytest.CaptureFixture[str]
) -> None:
    size = f"{domain.small} {domain.unit}"
    domain.load(size=domain.small)
    before = domain.contents()
    domain.load(size=domain.small)
    assert f"acme already held demo data of {size}." in capsys.readouterr().out
    with pytest.raises(CommandError, match=f"already holds demo data of {size}, which cannot"):
        domain.load(size=domain.small + 100)
    assert domain.contents() == before


@pytest.mark.slow
@all_domains
def test_load_restores_indexes_and_constraints(domain: Domain) -> None:
    before = domain.definitions()
    assert len(before) > 80
    assert any("gin" in definition for _, definition in before)
    domain.load(size=domain.small)
    assert domain.definitions() == before


@all_domains
@pytest.mark.slow
def test_foreign_keys_stay_within_the_organization(domain: Domain) -> None:
    domain.load("acme")
    domain.load("globex")
    links = [
        (model, key.name)
        for model in (*domain.records, *domain.parents)
        for key in model._meta.fields
        if isinstance(key.related_model, type) and issubclass(key.related_model, domain.record)
    ]
    assert len(links) > 30
    for model, name in links:
        owner = f"{domain.parents[model]}__" if model in domain.parents else ""
        rows = model._default_manager.filter(**{f"{name}__isnull": False})
        assert rows.exists(), f"{model.__name__}.{name} is never set"
        foreign = rows.exclude(**{f"{name}__organization": F(f"{owner}organization")})
        assert not foreign.exists(), f"{model.__name__}.{name} refers to another organization"


@all_domains
@pytest.mark.slow
def test_every_field_has_values(domain: Domain) -> None:
    domain.load()
    for model in domain.records:
        for column in model._meta.concrete_fields:
            filled = model._default_manager.filter(**{f"{column.name}__isnull": False})
            if isinstance(column, JSONField | ArrayField):
                filled = filled.exclude(**{column.name: []})
            assert filled.exists(), f"{model.__name__}.{column.name}"
