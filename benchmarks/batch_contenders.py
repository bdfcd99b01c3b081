"""Several ways to create and update contacts from CSV.

Each function takes a number of rows and returns the size of the input in bytes. Longshore runs the
batch that is queued. The others read the first rows of a file, convert each to the types of the
model, validate it with the model's own `full_clean()`, and write it, all in one transaction.
"""

import csv
import json
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any

from django.db import transaction

from batches.execution import runner
from batches.models import Batch
from benchmarks import batch_data
from benchmarks.batch_data import CREATE_FILE, FIELDS, ORGANIZATION, UPDATE_FILE, path, updating
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact
from longshore.jobs.statuses import Status

_JSON = ("address", "metadata")
_BATCH_ROWS = 1000


def longshore(outcome: str, rows: int) -> int:
    """Run the queued batch: read, validate, write, journal, files of results.

    outcome: of all rows.
    """
    batch = Batch.objects.get(status=Status.QUEUED)
    runner.run(batch.pk)
    batch.refresh_from_db()
    if batch.status != Status.COMPLETED or getattr(batch, f"{outcome}_count") != rows:
        raise SystemExit(f"{batch.status}: {batch.error or batch.reason}")
    return batch.input_bytes or 0


def save_new(rows: int) -> int:
    """`full_clean()` and `save()` of each record."""
    organization = _organization()
    with transaction.atomic():
        for values in _read(CREATE_FILE, rows):
            contact = Contact(organization=organization, **values)
            contact.full_clean()
            contact.save()
    return 0


def save_existing(rows: int) -> int:
    """`get()`, `full_clean()` and `save()` of each record."""
    contacts = Contact.objects.filter(organization=_organization())
    with transaction.atomic():
        for values in _read(UPDATE_FILE, rows):
            contact = contacts.get(pk=values["id"])
            for name, value in values.items():
                setattr(contact, name, value)
            contact.full_clean()
            contact.save()
    return 0


def upsert(file: str, rows: int) -> int:
    """`full_clean()` of each record, and `bulk_create(update_conflicts=True)`.

    Leaves out the queries of `full_clean()` for each row: the organization exists, and one query
    for each thousand rows makes sure that the records are its own.
    """
    organization = _organization()
    own = Contact.objects.filter(organization=organization)
    with transaction.atomic():
        read = _read(file, rows)
        while block := list(islice(read, _BATCH_ROWS)):
            contacts = [Contact(organization=organization, **values) for values in block]
            given = [values["id"] for values in block if "id" in values]
            if given and own.filter(pk__in=given).count() < len(given):
                raise SystemExit("A record is not found.")
            for contact in contacts:
                contact.full_clean(exclude={"organization"}, validate_unique=False)
            Contact.objects.bulk_create(
                contacts,
                update_conflicts=True,
                unique_fields=["id"],
                update_fields=[*FIELDS, "updated_at"],
            )
    return 0


def import_export(file: str, is_bulk: bool, rows: int) -> int:
    """django-import-export: a ModelResource that validates with `full_clean()`."""
    from import_export.instance_loaders import CachedInstanceLoader, ModelInstanceLoader
    from import_export.resources import ModelResource
    from tablib import Dataset

    organization = _organization()

    class ContactResource(ModelResource):  # type: ignore[misc]
        class Meta:
            model = Contact
            fields = ("id", *FIELDS)
            clean_model_instances = True
            use_transactions = True
            use_bulk = is_bulk
            batch_size = _BATCH_ROWS
            # Both are faster than their alternatives.
            skip_diff = True
            instance_loader_class = CachedInstanceLoader if is_bulk else ModelInstanceLoader

        def get_queryset(self) -> Any:
            return Contact.objects.filter(organization=organization)

        def init_instance(self, row: Any = None) -> Contact:
            return Contact(organization=organization)

    dataset = Dataset()
    with path(file).open(newline="") as source:
        reader = csv.reader(source)
        dataset.headers = next(reader)
        for row in islice(reader, rows):
            dataset.append(row)
    result = ContactResource().import_data(dataset, raise_errors=True)
    if result.total_rows != rows or result.has_validation_errors():
        raise SystemExit("django-import-export refuses rows.")
    return 0


def _organization() -> Organization:
    return Organization.objects.get(slug=ORGANIZATION)


def _read(file: str, rows: int) -> Iterator[dict[str, Any]]:
    with path(file).open(newline="") as source:
        for row in islice(csv.DictReader(source), rows):
            values: dict[str, Any] = {name: value or None for name, value in row.items()}
            values |= {name: json.loads(row[name]) for name in _JSON}
            yield values | {"is_primary": row["is_primary"] == "true"}


CONTENDERS: dict[str, Callable[[int], int]] = {
    batch_data.CREATED: partial(longshore, "created"),
    batch_data.UPDATED: partial(longshore, "updated"),
    batch_data.UNCHANGED: partial(longshore, "unchanged"),
    batch_data.VALIDATED: partial(longshore, "created"),
    batch_data.SAVE: save_new,
    updating(batch_data.SAVE): save_existing,
    batch_data.ONE_BY_ONE: partial(import_export, CREATE_FILE, False),
    updating(batch_data.ONE_BY_ONE): partial(import_export, UPDATE_FILE, False),
    batch_data.BULK: partial(import_export, CREATE_FILE, True),
    updating(batch_data.BULK): partial(import_export, UPDATE_FILE, True),
    batch_data.UPSERT: partial(upsert, CREATE_FILE),
    updating(batch_data.UPSERT): partial(upsert, UPDATE_FILE),
}
