"""Contacts as CSV, queued batches, and the names of what the benchmarks of batches measure."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import count, islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.conf import settings

from longshore.domains.demo import words

# Not the organization whose records other benchmarks read.
ORGANIZATION = "benchmark-batches"
FIELDS = (
    "name", "nickname", "email", "phone", "id_number", "address", "is_primary", "notes",
    "external_id", "metadata",
)  # fmt: skip
CREATE_FILE, UPDATE_FILE = "created.csv", "updated.csv"
CREATED, UPDATED, UNCHANGED, VALIDATED = (
    "Longshore: created",
    "Longshore: updated, one column each",
    "Longshore: recognized as unchanged",
    "Longshore: read and validated only (dry run)",
)
SAVE, ONE_BY_ONE, BULK, UPSERT = (
    "full_clean() + save()",
    "django-import-export, one by one",
    "django-import-export, bulk mode",
    "full_clean() + bulk_create(update_conflicts=True)",
)
_BLOCK_ROWS = 1000
_NAMES = tuple(words.NAMES.values())


def _contacts(nickname: str) -> Iterator[dict[str, Any]]:
    """Yield the same contacts at each call, without end. nickname: of all of them."""
    for number in count():
        given, family, pattern = _NAMES[number % len(_NAMES)]
        person = pattern.format(
            given=given[number % len(given)], family=family[number % len(family)]
        )
        city, state, postal_code, country = words.CITIES[number % len(words.CITIES)]
        street = words.STREETS[number % len(words.STREETS)]
        yield {
            "name": f"{person} {number}",
            "nickname": nickname,
            "email": f"person.{number}@example.org",
            "phone": f"+1415{number % 10**7:07}",
            "id_number": f"E-{number:08}",
            "address": {
                "line1": f"{number % 900} {street}",
                "city": city,
                "state": state,
                "postal_code": postal_code,
                "country": country,
            },
            "is_primary": number % 32 == 0,
            "notes": words.NOTES[number % len(words.NOTES)],
            "external_id": f"crm-{number:010}",
            "metadata": {"source": "crm", "score": number % 100},
        }


def new_contacts(rows: int) -> Iterator[bytes]:
    """Yield the first contacts as CSV in blocks."""
    return _csv(FIELDS, map(_cells, islice(_contacts("Nick"), rows)))


def changed_contacts(ids: Sequence[str]) -> Iterator[bytes]:
    """Yield the first contacts as CSV, with their ids and another nickname."""
    cells = map(_cells, islice(_contacts("Nicky"), len(ids)))
    rows = ([key, *row] for key, row in zip(ids, cells, strict=True))
    return _csv(("id", *FIELDS), rows)


def records(rows: int) -> list[dict[str, Any]]:
    """Return the first contacts, as the body of a request has them."""
    return list(islice(_contacts("Nick"), rows))


def _csv(names: Sequence[str], rows: Iterator[list[str | None]]) -> Iterator[bytes]:
    yield f"{','.join(names)}\n".encode()
    while block := list(islice(rows, _BLOCK_ROWS)):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(block)
        yield text.getvalue().encode()


def updating(kind: str) -> str:
    """Return the name of a contender that updates records, from that of one that creates them."""
    return f"{kind}, updated"


def queue(blocks: Iterable[bytes], **request: Any) -> None:
    """Queue a batch that merges contacts from CSV."""
    from batches.lifecycle import creation
    from batches.models import Via
    from batches.request.parser import parse_batch
    from longshore.accounts.models import Organization

    organization, _ = Organization.objects.get_or_create(slug=ORGANIZATION, name=ORGANIZATION)
    body = {"resource": "contact", "mode": "async", **request}
    source = creation.store(organization, "contacts.csv", Via.FILE, blocks)
    spec = parse_batch(body, organization, has_file=True).spec
    with patch("longshore.jobs.actions.enqueue"):  # No worker shall run it.
        creation.create(organization, None, body, spec, source)


def path(name: str) -> Path:
    """Return the path of a file of the benchmark, which the process that is measured reads."""
    return Path(settings.LOCAL_DIR) / name


def _cells(contact: dict[str, Any]) -> list[str | None]:
    return [_cell(contact[name]) for name in FIELDS]


def _cell(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
