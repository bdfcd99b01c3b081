"""Read or delete any number of rows in chunks, within a time limit.

No cursor stays open between two chunks, so a pooler may use another connection for each. Rows that
remain when the time is over are left for the next run.
"""

import time
from collections.abc import Iterator
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import CASCADE, SET_NULL, Model, QuerySet
from django.db.models.deletion import get_candidate_relations_to_delete

Row = TypeVar("Row", bound=Model)
# A chunk of exports, with their events and files, is deleted in about 50 ms.
ROWS = 1000
SECONDS = 45.0


def read(rows: QuerySet[Row, Row], seconds: float = SECONDS) -> Iterator[Row]:
    """Yield the rows in the order of their primary keys.

    seconds: time after which no further row is yielded.
    """
    end = time.monotonic() + seconds
    rows = rows.order_by("pk")
    chunk = list(rows[:ROWS])
    while chunk:
        for row in chunk:
            if time.monotonic() > end:
                return
            yield row
        chunk = list(rows.filter(pk__gt=chunk[-1].pk)[:ROWS])


def delete(rows: QuerySet[Row, Row], seconds: float = SECONDS) -> int:
    """Delete rows and, by CASCADE, the rows that refer to them, without loading objects.

    Foreign keys with SET_NULL that refer to deleted rows are set to null.
    Rows that another transaction has locked are left for the next run.
    seconds: time after which no further chunk is started.
    Returns the number of deleted rows of this model.
    """
    end = time.monotonic() + seconds
    locked = rows.order_by("pk").select_for_update(skip_locked=True, of=("self",))
    keys = locked.values_list("pk", flat=True)
    following, deleted = keys, 0
    while time.monotonic() < end:
        with transaction.atomic():
            chunk = list(following[:ROWS])
            _delete_dependents(rows.model, "pk", chunk)
            rows.model._base_manager.filter(pk__in=chunk)._raw_delete(rows.db)
        deleted += len(chunk)
        if len(chunk) < ROWS:
            break
        following = keys.filter(pk__gt=chunk[-1])
    return deleted


def _delete_dependents(model: type[Model], path: str, keys: list[object]) -> None:
    """Delete the rows that refer to deleted rows, or set their foreign keys to null.

    path: the lookup from `model` to the primary key of the deleted rows.
    keys: primary keys of the deleted rows.
    Raises NotImplementedError for a foreign key, including hidden ones, that is neither CASCADE
        nor SET_NULL.
    """
    relations: Iterator[Any] = iter(get_candidate_relations_to_delete(model._meta))
    for relation in relations:
        dependent = relation.related_model
        lookup = relation.field.name if path == "pk" else f"{relation.field.name}__{path}"
        manager = dependent._base_manager
        referring = manager.filter(**{f"{lookup}__in": keys})
        if relation.on_delete is SET_NULL:
            referring.update(**{relation.field.name: None})
        elif relation.on_delete is CASCADE:
            _delete_dependents(dependent, lookup, keys)
            referring._raw_delete(manager.db)
        else:
            text = f"{relation.field} is neither CASCADE nor SET_NULL"
            raise NotImplementedError(text)
