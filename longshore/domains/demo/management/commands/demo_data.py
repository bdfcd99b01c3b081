"""`manage.py demo_data`: realistic records of all logistics and commerce resources."""

import hashlib
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from tqdm import tqdm

from longshore.accounts.models import Organization
from longshore.domains.commerce.demo import load as commerce
from longshore.domains.commerce.demo.plan import Plan as Shop
from longshore.domains.demo.load import Demo, load
from longshore.domains.logistics.demo import load as logistics
from longshore.domains.logistics.demo.plan import MINIMUM_ROWS, Plan


class Command(BaseCommand):
    help = (
        "Fill an organization with demo records. The same slug and numbers always give the same "
        "records; an organization that has them is left alone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--rows",
            type=int,
            default=20_000,
            help=f"logistics records, of all ten resources together: 0, or at least {MINIMUM_ROWS} "
            "(20000)",
        )
        parser.add_argument(
            "--orders",
            type=int,
            default=0,
            help="orders of a shop with all that belongs to them, some twenty records each (0)",
        )
        parser.add_argument(
            "--organization", required=True, metavar="SLUG", help="made if there is none"
        )

    def handle(self, *, rows: int, orders: int, organization: str, **options: Any) -> None:
        if rows < MINIMUM_ROWS and rows != 0:
            raise CommandError(f"--rows must be at least {MINIMUM_ROWS}, or 0, not {rows}.")
        if orders < 0:
            raise CommandError(f"--orders must be at least 0, not {orders}.")
        with transaction.atomic():
            owner = _organization(organization)
            demos = [logistics.demo(Plan(owner.slug, owner.id, rows))] if rows else []
            demos += [commerce.demo(Shop(owner.slug, owner.id, orders))] if orders else []
            for demo in demos:
                if (present := demo.present()) is None:
                    self._load(demo, owner.slug, quiet=options["verbosity"] == 0 or None)
                elif present != demo.size:
                    raise CommandError(
                        f"{organization} already holds demo data of {present} {demo.unit}, which "
                        f"cannot become {demo.size}. Name another organization."
                    )
                done = "holds" if present is None else "already held"
                self.stdout.write(f"{organization} {done} demo data of {demo.size} {demo.unit}.")

    def _load(self, demo: Demo, slug: str, *, quiet: bool | None) -> None:
        """Write the rows. quiet: whether to hide progress; None hides it outside of a terminal."""
        with tqdm(total=demo.records, desc=slug, unit=" rows", disable=quiet) as bar:
            finish = load(demo, bar.update)
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
