"""Records of any model, for tests that walk over all of them."""

from itertools import count
from typing import Any, cast

from django.db.models import NOT_PROVIDED, CharField, Model, TextField

from accounts.models import Organization
from resources.commerce.models.payments import Payment

_numbers = count(1)


def a_record(model: type[Model], organization: Organization, **values: Any) -> Any:
    """A record with all that it must have, made for the same organization."""
    number = next(_numbers)
    if issubclass(model, Payment) and not model._meta.managed:
        # A view of one kind.
        values.setdefault("kind", model._meta.model_name)
    for field in model._meta.concrete_fields:
        given = field.name in values or field.null or field.default is not NOT_PROVIDED
        if field.name == "organization":
            values.setdefault("organization", organization)
        elif given or field.generated or field.primary_key:
            continue
        elif field.many_to_one:
            values[field.name] = a_record(cast("type[Model]", field.related_model), organization)
        elif field.choices:
            values[field.name] = field.choices[0][0]
        elif isinstance(field, CharField | TextField):
            values[field.name] = f"{field.name} {number}"[-(field.max_length or 99) :]
    return model._default_manager.create(**values)
