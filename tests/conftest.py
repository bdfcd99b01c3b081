"""Fixtures of all tests. Alice and Bob work for Acme, Charlie for Globex."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import copy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management.commands import flush
from django.db import OperationalError, connection, transaction
from hypothesis import settings as hypothesis_settings
from psycopg import sql
from pytest_django import Settings
from redis import Redis
from rest_framework.test import APIClient
from xdist.scheduler import LoadFileScheduling

from exports_project import embedded
from longshore.accounts.models import ApiKey, AuditEntry, Organization, Scope
from longshore.resources.registry import Registry, Resource, registry
from tests.samples import Sample

# No limit of time for one example: a busy machine would exceed it.
hypothesis_settings.register_profile("patient", deadline=None)
hypothesis_settings.load_profile("patient")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out of `make test-fast` the file whose collection alone takes seconds."""
    is_costly = collection_path.name == "test_schemathesis.py"
    return True if is_costly and config.option.markexpr == "not slow" else None


class Scheduler(LoadFileScheduling):  # type: ignore[misc]
    """Give each test process one file after another, but all files with stacks to one process.

    A stack has ten processes: several of them on two cores are too slow for each other's deadlines.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return "stacks" if starts_stacks(file) else file


@cache
def starts_stacks(file: str) -> bool:
    return "pytest.mark.stack" in (Path(django_settings.BASE_DIR) / file).read_text()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduler:
    return Scheduler(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark slow tests, and run those that start whole stacks first: they mostly wait for others."""
    for item in items:
        if is_slow(item):
            item.add_marker("slow")
    items.sort(key=lambda item: "stack" not in item.keywords)


def is_slow(item: pytest.Item) -> bool:
    """Return whether `make test-fast` leaves a test out.

    Slow are tests of stacks, in browsers and with an S3 server (a bucket), tests that commit
    (workers, web servers and threads need committed rows, and every table must be emptied
    afterwards), and property-based tests.
    Other tests that take more than about a second, such as tests of all resources, have the marker.
    """
    if "stack" in item.keywords or item.path.parent.name in ("browser", "recovery"):
        return True
    if "bucket" in item.nodeid:
        return True
    if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
        return True
    database = item.get_closest_marker("django_db")
    commits = database is not None and database.kwargs.get("transaction", False)
    return commits or "transactional_db" in getattr(item, "fixturenames", ())


class KeyClient(APIClient):
    """An API client that sends JSON and its own API key."""

    default_format = "json"

    def __init__(self, organization: Organization, name: str, *scopes: Scope) -> None:
        api_key, self.key = ApiKey.objects.create_key(
            organization=organization, name=name, scopes=list(scopes)
        )
        assert isinstance(api_key, ApiKey)
        self.api_key = api_key
        super().__init__(headers={"PX-API-KEY": self.key})


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Copy the migrated database of `tests.services` in place of running all migrations."""
    connection.settings_dict["TEST"]["TEMPLATE"] = embedded.DATABASE


@pytest.fixture(scope="session", autouse=True)
def quick_flush() -> Iterator[None]:
    """Delete only the rows that a test has committed, in place of Django's `flush`.

    `flush` truncates a hundred tables and recreates all content types and permissions, which takes
    0.4 s after every test with real transactions.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush.Command, "handle", lambda self, **options: delete_committed())
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Hash passwords quickly: the default takes 0.4 s for each user of a test, by intention."""
    with pytest.MonkeyPatch.context() as patch:
        hashers = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        patch.setattr(django_settings, "PASSWORD_HASHERS", hashers)
        yield


# VACUUM reduces an empty table to zero bytes, so tables of size zero hold no rows.
_WRITTEN = """
SELECT relname FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0
    AND relname NOT IN ('django_migrations', 'django_content_type', 'auth_permission',
        'auth_group', 'auth_group_permissions')"""


def delete_committed() -> None:
    """Empty every written table, except those that migrations fill.

    A request that a closed page has left running may deadlock with it: then once more.
    """
    for _ in range(5):
        with suppress(OperationalError):
            return _delete_committed()
    _delete_committed()


def _delete_committed() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_WRITTEN)
        tables = [sql.Identifier(name) for (name,) in cursor.fetchall()]
        with transaction.atomic():
            # Skip foreign keys: all rows are deleted.
            cursor.execute("SET LOCAL session_replication_role = replica")
            if tables:
                # Wait for other writers, whose rows would otherwise appear in the next test.
                names = sql.SQL(", ").join(tables)
                cursor.execute(sql.SQL("LOCK {} IN SHARE ROW EXCLUSIVE MODE").format(names))
            for table in tables:
                cursor.execute(sql.SQL("DELETE FROM {}").format(table))
        if tables:
            # Reset the statistics, on which the query plans of later tests depend.
            cursor.execute(sql.SQL("VACUUM {}").format(sql.SQL(", ").join(tables)))


@pytest.fixture
def full_log(transactional_db: None) -> Iterator[None]:
    """Let the database refuse each entry of the audit log."""
    table = AuditEntry._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT is_full CHECK (false) NOT VALID")
        yield
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT is_full")


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
def valkey() -> Iterator[Redis]:
    """A client of the database of the cache, without the cache's serializer."""
    with Redis.from_url(django_settings.CACHE_URL) as client:
        yield client


@pytest.fixture
def static_files(settings: Settings) -> None:
    """Link static files by their plain names, because the tests do not run collectstatic."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}


@pytest.fixture
def own_registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """The registry; resources that the test registers are removed at its end."""
    for name, value in vars(registry).items():
        monkeypatch.setitem(vars(registry), name, copy(value))
    return registry


@pytest.fixture
def restrict() -> Iterator[Callable[[str], None]]:
    """A function that lets only keys with the scope `write` read a resource, during the test."""
    changed: list[Resource] = []

    def declare(name: str) -> None:
        resource = registry.get(name)
        assert resource is not None
        # In place: the viewsets keep their resource.
        object.__setattr__(resource, "scopes", frozenset({Scope.WRITE.value}))
        changed.append(resource)

    yield declare
    for resource in changed:
        object.__setattr__(resource, "scopes", frozenset())


@pytest.fixture
def samples(db: None) -> Iterator[None]:
    """Create the table of `Sample` for the test."""
    with connection.schema_editor() as editor:
        editor.create_model(Sample)
        # Deferred statements would lock the table against its deletion.
        editor.deferred_sql.clear()
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {Sample._meta.db_table}")
