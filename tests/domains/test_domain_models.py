"""Rules of the models of every domain."""

import pytest
from django.apps import apps
from django.db import models


@pytest.mark.parametrize("app_label", ["longshore_commerce", "longshore_logistics"])
def test_every_foreign_key_has_an_index(app_label: str) -> None:
    """Without an index, a deletion reads the whole table for each deleted row."""
    managed = [m for m in apps.get_app_config(app_label).get_models() if m._meta.managed]
    assert len(managed) > 10
    for model in managed:
        first = {index.fields[0] for index in model._meta.indexes if index.fields}
        first |= {f.name for f in model._meta.fields if getattr(f, "db_index", False)}
        first |= {
            constraint.fields[0]
            for constraint in model._meta.constraints
            if isinstance(constraint, models.UniqueConstraint) and constraint.fields
        }
        keys = {field.name for field in model._meta.fields if field.many_to_one}
        assert keys <= first, f"{model.__name__}: {keys - first}"
