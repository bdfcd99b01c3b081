"""Work on any number of rows in batches, each in a bounded time.

No cursor is open between two batches, so a pooler may give each its own connection. What is left
when the time is over is the next run's.
"""

import time
from collections.abc import Iterator
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import CASCADE, Model, QuerySet
from django.db.models.deletion import get_candidate_relations_to_delete

Row = TypeVar("Row", bound=Model)
# A batch of exports, with their events and files, is deleted in about 50 ms.
ROWS = 1000
SECONDS = 45.0


def read(rows: QuerySet[Row, Row], seconds: float = SECONDS) -> Iterator[Row]:
    """Yield the rows in the order of their keys.

    seconds: after which no other row is yielded.
    """
    end = time.monotonic() + seconds
    rows = rows.order_by("pk")
    batch = list(rows[:ROWS])
    while batch:
        for row in batch:
            if time.monotonic() > end:
                return
            yield row
        batch = list(rows.filter(pk__gt=batch[-1].pk)[:ROWS])


def delete(rows: QuerySet[Row, Row], seconds: float = SECONDS) -> int:
    """Delete rows and all that refers to them, as CASCADE says, without loading an object.

    A row that another transaction has locked is left for the next run.
    seconds: after which no other batch is begun. Returns the number of rows of this model.
    """
    end = time.monotonic() + seconds
    locked = rows.order_by("pk").select_for_update(skip_locked=True, of=("self",))
    keys = locked.values_list("pk", flat=True)
    following, deleted = keys, 0
    while time.monotonic() < end:
        with transaction.atomic():
            batch = list(following[:ROWS])
            _delete_dependents(rows.model, "pk", batch)
            rows.model._base_manager.filter(pk__in=batch)._raw_delete(rows.db)
        deleted += len(batch)
        if len(batch) < ROWS:
            break
        following = keys.filter(pk__gt=batch[-1])
    return deleted


def _delete_dependents(model: type[Model], path: str, keys: list[object]) -> None:
    """path: from a row of `model` to the key of a row that is deleted.

    Raises NotImplementedError for a foreign key, hidden ones included, that is not CASCADE.
    """
    relations: Iterator[Any] = iter(get_candidate_relations_to_delete(model._meta))
    for relation in relations:
        if relation.on_delete is not CASCADE:
            raise NotImplementedError(f"{relation.field} is not deleted by CASCADE")
        dependent = relation.related_model
        way = relation.field.name if path == "pk" else f"{relation.field.name}__{path}"
        _delete_dependents(dependent, way, keys)
        manager = dependent._base_manager
        manager.filter(**{f"{way}__in": keys})._raw_delete(manager.db)
