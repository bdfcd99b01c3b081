"""`manage.py demo_data`: load realistic records of the installed domains."""

import hashlib
from argparse import ArgumentParser
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from longshore.accounts.models import Organization
from longshore.api.progress import console_of, progress_bars
from longshore.domains.demo.load import DemoData, load
from longshore.domains.demo.sources import DemoSource, demo_sources


class Command(BaseCommand):
    help = (
        "Load demo records into an organization. The same slug and sizes always give the same "
        "records. Demo data that is already loaded is kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        for source in demo_sources():
            text = f"{source.help} Default: {source.default_size}."
            parser.add_argument(
                f"--{source.unit}", type=int, default=source.default_size, help=text
            )
        parser.add_argument(
            "--organization",
            required=True,
            metavar="SLUG",
            help="Slug of the organization, which is created if it does not exist.",
        )

    def handle(self, *, organization: str, **options: Any) -> None:
        sizes = [(source, options[source.unit]) for source in demo_sources()]
        if not sizes:
            raise CommandError("No installed domain has demo data. See the setting DOMAINS.")
        for source, size in sizes:
            _check_size(source, size)
        with transaction.atomic():
            owner = _organization(organization)
            for source, size in sizes:
                if size:
                    self._load(source.build(owner, size), organization, options)

    def _load(self, data: DemoData, slug: str, options: Mapping[str, Any]) -> None:
        """Load the data, unless the organization holds it already."""
        loaded = data.loaded_size()
        if loaded is None:
            is_hidden = options["verbosity"] == 0
            with (
                progress_bars(console_of(options), is_hidden=is_hidden) as progress,
                connection.cursor() as cursor,
            ):
                rows = progress.add_task(slug, total=data.records, unit="rows")
                finish = [*load(data, partial(progress.advance, rows))]
                statements = progress.add_task("finishing", total=len(finish), unit="statements")
                for statement in finish:
                    cursor.execute(statement)
                    progress.advance(statements)
        elif loaded != data.size:
            raise CommandError(
                f"{slug} already holds demo data of {loaded} {data.unit}, which cannot be changed "
                f"to {data.size}. Choose another organization."
            )
        done = "holds" if loaded is None else "already held"
        self.stdout.write(f"{slug} {done} demo data of {data.size} {data.unit}.")


def _check_size(source: DemoSource, size: int) -> None:
    if size != 0 and size < source.min_size:
        raise CommandError(
            f"--{source.unit} must be 0 or at least {source.min_size}, but is {size}."
        )


def _organization(slug: str) -> Organization:
    """Get or create the organization, and lock it.

    The lock makes a concurrent load wait, so that it finds the rows of the first one.
    """
    try:
        Organization._meta.get_field("slug").clean(slug, None)
    except ValidationError as error:
        raise CommandError(f"--organization {slug!r}: {error.messages[0]}") from error
    digits = hashlib.sha256(slug.encode()).hexdigest()[:26]
    name = slug.replace("-", " ").replace("_", " ").title()
    Organization.objects.get_or_create(slug=slug, defaults={"id": f"org_{digits}", "name": name})
    return Organization.objects.select_for_update().get(slug=slug)
