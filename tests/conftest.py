"""Fixtures of the whole suite: alice and bob work for acme, charlie for globex."""

from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.test import TransactionTestCase
from psycopg import sql
from pytest_django import Settings
from rest_framework.test import APIClient

from longshore.accounts.models import ApiKey, Organization, Scope
from longshore.resources.registry import Registry, registry
from tests.samples import Sample


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts whole stacks, and mostly waits for them, comes first: others fill the gaps."""
    items.sort(key=lambda item: "stack" not in item.keywords)


class KeyClient(APIClient):
    """A client of the API that sends JSON and a key of its own."""

    default_format = "json"

    def __init__(self, organization: Organization, name: str, *scopes: Scope) -> None:
        api_key, self.key = ApiKey.objects.create_key(
            organization=organization, name=name, scopes=list(scopes)
        )
        assert isinstance(api_key, ApiKey)
        self.api_key = api_key
        super().__init__(headers={"PX-API-KEY": self.key})


@pytest.fixture(scope="session", autouse=True)
def quick_flush() -> Iterator[None]:
    """What a test has committed is deleted where there is any.

    Django would truncate each of a hundred tables with all its indexes, and make all content types
    and permissions anew: 0.4 s of work after every such test.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda self: delete_committed())
        yield


# A table that VACUUM found empty takes no space until it is written again.
_WRITTEN = """
SELECT relname FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0
    AND relname NOT IN ('django_migrations', 'django_content_type', 'auth_permission')"""


def delete_committed() -> None:
    """Empty every table that was written, but for what migrations have made."""
    with connection.cursor() as cursor:
        cursor.execute(_WRITTEN)
        tables = [sql.Identifier(name) for (name,) in cursor.fetchall()]
        with transaction.atomic():
            # Foreign keys are not looked at: nothing is left that they could miss.
            cursor.execute("SET LOCAL session_replication_role = replica")
            if tables:
                # Waits for whoever still writes: what they add later would be the next test's.
                names = sql.SQL(", ").join(tables)
                cursor.execute(sql.SQL("LOCK {} IN SHARE ROW EXCLUSIVE MODE").format(names))
            for table in tables:
                cursor.execute(sql.SQL("DELETE FROM {}").format(table))
        if tables:
            # Forgets how large the tables were, which plans of later tests would go by.
            cursor.execute(sql.SQL("VACUUM {}").format(sql.SQL(", ").join(tables)))


@pytest.fixture
def acme(db: None) -> Organization:
    return Organization.objects.create(name="Acme Freight", slug="acme")


@pytest.fixture
def globex(db: None) -> Organization:
    return Organization.objects.create(name="Globex Stores", slug="globex")


@pytest.fixture
def alice(acme: Organization) -> KeyClient:
    return KeyClient(acme, "alice", Scope.READ, Scope.WRITE)


@pytest.fixture
def bob(acme: Organization) -> KeyClient:
    return KeyClient(acme, "bob", Scope.READ, Scope.WRITE)


@pytest.fixture
def charlie(globex: Organization) -> KeyClient:
    return KeyClient(globex, "charlie", Scope.READ, Scope.WRITE)


@pytest.fixture
def read_only(acme: Organization) -> KeyClient:
    return KeyClient(acme, "read only", Scope.READ)


@pytest.fixture
def static_files(settings: Settings) -> None:
    """Pages link static files by their names: nothing is collected, so nothing is hashed."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}


@pytest.fixture
def own_registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """The registry, which forgets at the end of the test what is registered during it."""
    monkeypatch.setattr(registry, "_resources", dict(registry._resources))
    monkeypatch.setattr(registry, "declared", [*registry.declared])
    return registry


@pytest.fixture
def samples(db: None) -> Iterator[None]:
    """The table of `Sample`."""
    with connection.schema_editor() as editor:
        editor.create_model(Sample)
        # What it defers would lock the table against its deletion.
        editor.deferred_sql.clear()
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {Sample._meta.db_table}")
