"""Rules for the models of every domain."""

import pytest
from django.apps import apps
from django.db import models


@pytest.mark.parametrize("label", ["longshore_commerce", "longshore_logistics"])
def test_every_foreign_key_has_an_index(label: str) -> None:
    """Without an index, a deletion reads the whole table for each deleted row."""
    for model in apps.get_app_config(label).get_models():
        if not model._meta.managed:
            continue
        indexed = {index.fields[0] for index in model._meta.indexes if index.fields}
        indexed |= {key.name for key in model._meta.fields if getattr(key, "db_index", False)}
        indexed |= {
            constraint.fields[0]
            for constraint in model._meta.constraints
            if isinstance(constraint, models.UniqueConstraint) and constraint.fields
        }
        keys = {key.name for key in model._meta.fields if key.many_to_one}
        assert keys <= indexed, f"{model.__name__}: {keys - indexed}"
