"""Load demo rows with COPY."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import GeneratedField, JSONField, Model
from psycopg import sql

from longshore.resources.registry import registry

# About 100 kB of text, which a socket accepts at once: Python generates the next rows while the
# server stores these.
_CHUNK_ROWS = 64


# Pairs of statements: drop a foreign key or a secondary index, and create it again.
_CONSTRAINTS_AND_INDEXES = """
    SELECT format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid)
    FROM pg_index WHERE indrelid = ANY (%(tables)s::regclass[]) AND NOT indisunique
    UNION ALL
    SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
           format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname,
                  pg_get_constraintdef(oid))
    FROM pg_constraint WHERE conrelid = ANY (%(tables)s::regclass[]) AND contype = 'f'
"""


# Model, space-separated column names, and lines in the text format of COPY.
TableRows = tuple[type[Model], str, Iterator[str]]


@dataclass(frozen=True)
class DemoData:
    """The demo data of one domain for one organization.

    size, unit: how much there is, for example 500 orders.
    models: the tables that the data fills.
    tables: returns the rows table by table; a table may occur several times.
    marker: model and primary key of one of the records. Its metadata stores the size under
        `demo_<unit>`.
    records: number of rows that belong to resources, if known before they are generated.
    finish: statements to execute after all rows are loaded.
    """

    size: int
    unit: str
    models: tuple[type[Model], ...]
    marker: tuple[type[Model], str]
    tables: Callable[[], Iterable[TableRows]]
    records: int | None = None
    finish: tuple[str, ...] = ()

    def loaded_size(self) -> int | None:
        """Return the size of the demo data that the organization holds; None without any."""
        model, key = self.marker
        found = model._default_manager.filter(pk=key).values_list("metadata", flat=True)
        return next((metadata.get(f"demo_{self.unit}", 0) for metadata in found), None)


def load(data: DemoData, on_progress: Callable[[int], object]) -> list[str]:
    """Load all rows. Call `on_progress` with the number of records in each chunk.

    Returns the statements that complete the load; execute them in the same transaction. Into empty
    tables, loading without indexes and foreign keys and creating them afterwards is twice as fast.
    """
    finish = ["SET LOCAL maintenance_work_mem = '256MB'", *data.finish]
    with connection.cursor() as cursor:
        if not any(model._default_manager.exists() for model in data.models):
            tables = [model._meta.db_table for model in data.models]
            cursor.execute(_CONSTRAINTS_AND_INDEXES, {"tables": tables})
            for drop, create in cursor.fetchall():
                cursor.execute(drop)
                finish.append(create)
        for model, columns, lines in data.tables():
            statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
                sql.Identifier(model._meta.db_table),
                sql.SQL(", ").join(map(sql.Identifier, columns.split())),
            )
            is_record = registry.for_model(model) is not None
            with cursor.copy(statement) as copy:
                while chunk := list(islice(lines, _CHUNK_ROWS)):
                    copy.write("\n".join(chunk) + "\n")
                    on_progress(len(chunk) if is_record else 0)
    # A tenth of the default sample; autovacuum analyzes the full sample later.
    finish.append("SET LOCAL default_statistics_target = 10")
    return finish + [_analyze(model) for model in data.models]


def _analyze(model: type[Model]) -> str:
    """Return an ANALYZE of plain columns: comparing JSON documents takes longer than loading."""
    columns = [
        f'"{field.column}"'
        for field in model._meta.concrete_fields
        if not isinstance(field, JSONField | ArrayField | GeneratedField)
    ]
    return f'ANALYZE "{model._meta.db_table}" ({", ".join(columns)})'
