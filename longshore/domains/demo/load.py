"""Writing demo rows with COPY."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import GeneratedField, JSONField, Model
from psycopg import sql

from longshore.resources.registry import registry

# About 100 kB of text, which a socket takes at once: then rows are made while the server stores
# those before them.
_BATCH = 64


# Statements that drop foreign keys and secondary indexes, and those that make them again.
_EXTRAS = """
    SELECT format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid)
    FROM pg_index WHERE indrelid = ANY (%(tables)s::regclass[]) AND NOT indisunique
    UNION ALL
    SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
           format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname,
                  pg_get_constraintdef(oid))
    FROM pg_constraint WHERE conrelid = ANY (%(tables)s::regclass[]) AND contype = 'f'
"""


# A table, its columns, and some of its rows.
Batch = tuple[type[Model], str, Iterator[str]]


@dataclass(frozen=True)
class Demo:
    """The demo data of a domain for an organization.

    size, unit: how much was asked for, of what.
    models: the tables that it fills. batches: their rows, in any order.
    first: a record of it, whose metadata remembers the size under `demo_<unit>`.
    records: how many rows of resources there will be, where that is known.
    finish: statements that complete the rows once all are there.
    """

    size: int
    unit: str
    models: tuple[type[Model], ...]
    first: tuple[type[Model], str]
    batches: Callable[[], Iterable[Batch]]
    records: int | None = None
    finish: tuple[str, ...] = ()

    def present(self) -> int | None:
        """How much demo data the organization was given, if any."""
        model, key = self.first
        found = model._default_manager.filter(pk=key).values_list("metadata", flat=True)
        return next((metadata.get(f"demo_{self.unit}", 0) for metadata in found), None)


def load(demo: Demo, written: Callable[[int], object]) -> list[str]:
    """Write all rows of the demo data; `written` is told how many more records there are.

    Returns the statements that finish the load, to be executed in the same transaction. Where the
    tables are empty, it is twice as fast to build indexes and check foreign keys only then.
    """
    finish = ["SET LOCAL maintenance_work_mem = '256MB'", *demo.finish]
    with connection.cursor() as cursor:
        if not any(model._default_manager.exists() for model in demo.models):
            cursor.execute(_EXTRAS, {"tables": [model._meta.db_table for model in demo.models]})
            for drop, create in cursor.fetchall():
                cursor.execute(drop)
                finish.append(create)
        for model, columns, lines in demo.batches():
            statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
                sql.Identifier(model._meta.db_table),
                sql.SQL(", ").join(map(sql.Identifier, columns.split())),
            )
            is_record = registry.for_model(model) is not None
            with cursor.copy(statement) as copy:
                while batch := list(islice(lines, _BATCH)):
                    copy.write("\n".join(batch) + "\n")
                    written(len(batch) if is_record else 0)
    # A tenth of the usual sample; autovacuum takes a full one later.
    finish.append("SET LOCAL default_statistics_target = 10")
    return finish + [_analyze(model) for model in demo.models]


def _analyze(model: type[Model]) -> str:
    """Gathers statistics of plain columns: comparing documents takes longer than loading them."""
    columns = [
        f'"{field.column}"'
        for field in model._meta.concrete_fields
        if not isinstance(field, JSONField | ArrayField | GeneratedField)
    ]
    return f'ANALYZE "{model._meta.db_table}" ({", ".join(columns)})'
