"""`manage.py resource_scaffold app.Model`: print a declaration to start from."""

from argparse import ArgumentParser
from typing import Any

from django.apps import apps
from django.core.management import BaseCommand, CommandError

from longshore.resources.scaffold import scaffold


class Command(BaseCommand):
    """Print the declaration of a model as a resource, with its relations and warnings."""

    help = "Prints the declaration of a model as a resource, for the module resources.py of an app."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", help="the label of a model, such as bookings.Booking")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            model = apps.get_model(options["model"])
        except (LookupError, ValueError) as error:
            known = ", ".join(sorted(each._meta.label for each in apps.get_models())[:10])
            text = f"{options['model']!r} is not a model ({error}). Models: {known}, …"
            raise CommandError(text) from None
        self.stdout.write(scaffold(model), ending="")
