"""`manage.py rows product acme`: the rows of a resource in the ORM's words, as JSON."""

import json
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand

from longshore.resources.registry import registry


class Command(BaseCommand):
    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("resource")
        parser.add_argument("organization")

    def handle(self, *, resource: str, organization: str, **options: Any) -> None:
        declared = registry.get(resource)
        if declared is None:
            raise ValueError(resource)
        rows = declared.model._base_manager.order_by("pk")
        if declared.organization:
            rows = rows.filter(**{f"{declared.organization}__slug": organization})
        if declared.where is not None:
            rows = rows.filter(declared.where)
        found = [{name: plain(value) for name, value in row.items()} for row in rows.values()]
        self.stdout.write(json.dumps(found))


def plain(value: Any) -> Any:
    """Return a value that JSON can hold: times in UTC, all else that it lacks as a text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value if isinstance(value, int | list | dict | None) else str(value)
