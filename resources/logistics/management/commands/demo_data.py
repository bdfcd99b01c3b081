"""`manage.py demo_data`: realistic records of all ten logistics resources."""

import hashlib
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from tqdm import tqdm

from accounts.models import Organization
from resources.logistics.demo.load import load
from resources.logistics.demo.plan import MINIMUM_ROWS, Plan
from resources.logistics.models import Location


class Command(BaseCommand):
    help = (
        "Fill an organization with demo records. The same slug and number of rows always give "
        "the same records; an organization that has them is left alone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--rows",
            type=int,
            default=20_000,
            help=f"records of all ten resources together, at least {MINIMUM_ROWS} (20000)",
        )
        parser.add_argument(
            "--organization", required=True, metavar="SLUG", help="made if there is none"
        )

    def handle(self, *, rows: int, organization: str, **options: Any) -> None:
        if rows < MINIMUM_ROWS:
            raise CommandError(f"--rows must be at least {MINIMUM_ROWS}, not {rows}.")
        with transaction.atomic():
            owner = _organization(organization)
            plan = Plan(owner.slug, owner.id, rows)
            if (present := _rows_present(plan)) is None:
                self._load(plan, rows, quiet=options["verbosity"] == 0)
            elif present != rows:
                raise CommandError(
                    f"{organization} already holds demo data of {present} rows, which cannot "
                    f"become {rows}. Name another organization."
                )
        done = "holds" if present is None else "already held"
        self.stdout.write(f"{organization} {done} demo data of {rows} rows.")

    def _load(self, plan: Plan, rows: int, *, quiet: bool) -> None:
        with tqdm(total=rows, desc=plan.slug, unit=" rows", disable=quiet) as bar:
            finish = load(plan, bar.update)
        with connection.cursor() as cursor:
            for statement in tqdm(finish, desc="finishing", unit="", disable=quiet, leave=False):
                cursor.execute(statement)


def _organization(slug: str) -> Organization:
    """The organization, locked, so that of two loads at once the second finds the first's rows."""
    try:
        Organization._meta.get_field("slug").clean(slug, None)
    except ValidationError as error:
        raise CommandError(f"--organization {slug!r}: {error.messages[0]}") from error
    digits = hashlib.sha256(slug.encode()).hexdigest()[:26]
    name = slug.replace("-", " ").replace("_", " ").title()
    Organization.objects.get_or_create(slug=slug, defaults={"id": f"org_{digits}", "name": name})
    return Organization.objects.select_for_update().get(slug=slug)


def _rows_present(plan: Plan) -> int | None:
    """How many demo rows the organization was given, if any: its first location remembers."""
    first = Location.objects.filter(pk=plan.names["loc"](0)).values_list("metadata", flat=True)
    return next((metadata.get("demo_rows", 0) for metadata in first), None)
