"""Fixtures: the tables of the awkward models, and their resources."""

import pytest
from django.contrib.postgres.signals import get_hstore_oids, register_type_handlers
from django.db import connection

from longshore.resources.registry import Registry
from tests.awkward.models import MODELS, RESOURCES

BEFORE = """
CREATE SCHEMA legacy;
CREATE TYPE text_mood AS ENUM ('happy', 'sad');
CREATE EXTENSION hstore;
CREATE TABLE awkward_bare (
    id bigint PRIMARY KEY, organization_id varchar(40), mood text_mood, at timestamp
);
"""


def register_types() -> None:
    """Register the types of the extension that `BEFORE` creates."""
    get_hstore_oids.cache_clear()  # type: ignore[attr-defined]
    register_type_handlers(connection)


@pytest.fixture
def awkward(own_registry: Registry, db: None) -> Registry:
    """Create the tables for the test, and register the resources."""
    with connection.cursor() as cursor:
        cursor.execute(BEFORE)
    register_types()
    with connection.schema_editor() as editor:
        for model in MODELS:
            editor.create_model(model)
    with connection.cursor() as cursor:
        # Pending events of deferred constraints would block later changes of the tables.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for resource in RESOURCES:
        own_registry.register(resource)
    return own_registry
