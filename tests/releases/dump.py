"""Dumps the database of this version: `make release-dump VERSION=0.1.0`, once for every release.

    python -m tests.releases.dump 0.1.0

Writes `tests/releases/<version>.sql`: the schema, and a few rows of every table. The test of the
upgrade restores the newest one. Uses embedded servers in a temporary folder.
"""

import argparse
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from exports_project import embedded
from exports_project.embedded import servers

FOLDER = Path(__file__).parent
ROWS_PER_TABLE = 2
PACKAGES = ("longshore", "webhooks", "exports", "batches")
# Values of tables whose constraints the general values break, by the label of the model.
VALUES: dict[str, dict[str, Any]] = {}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("version", help="such as 0.1.0")
    version = parser.parse_args().version
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        parser.error(f"'{version}' is not a version. Write three numbers, such as 0.1.0.")
    # Short: the path of a UNIX socket has at most about a hundred bytes.
    with tempfile.TemporaryDirectory(prefix="longshore-") as name:
        folder = Path(name)
        os.environ |= {"LOCAL_DIR": name, "ENV_FILE": os.devnull}
        os.environ["DJANGO_SETTINGS_MODULE"] = "exports_project.settings"
        with servers.running(folder, durable=False):
            fill()
            path = FOLDER / f"{version}.sql"
            dump(folder, path)
    print(f"Wrote {path}, {path.stat().st_size:,} bytes.")


def fill() -> None:
    """Migrate the database and add rows to every table."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("demo_data", organization="acme", rows=100, orders=2, verbosity=0)
    fill_tables()


def fill_tables() -> None:
    """Add rows to the tables of our models, in the order of their foreign keys."""
    from django.apps import apps
    from django.db import IntegrityError, transaction

    tables = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
        if model.__module__.partition(".")[0] in PACKAGES
    ]
    short = [model for model in tables if model._base_manager.count() < ROWS_PER_TABLE]
    while short:
        errors: dict[str, Exception] = {}
        for model in short:
            try:
                with transaction.atomic():
                    for number in range(model._base_manager.count(), ROWS_PER_TABLE):
                        model._base_manager.create(**required_values(model, number))
            except (IntegrityError, IndexError) as error:
                errors[model._meta.label] = error
        if len(errors) == len(short):
            raise SystemExit(f"These tables need values in VALUES: {errors}")
        short = [model for model in short if model._meta.label in errors]


def required_values(model: Any, number: int) -> dict[str, Any]:
    """Return values for the fields that have no default. Raises IndexError if a row is missing.

    number: of the row. Rows with different numbers have different values.
    """
    own = {
        each.name: value(each, number) for each in model._meta.concrete_fields if is_required(each)
    }
    return own | VALUES.get(model._meta.label, {})


def is_required(field: Any) -> bool:
    """Return whether a row needs a value of the field, because neither side generates one."""
    if field.null or field.generated or field.has_db_default() or is_serial(field):
        return False
    return not field.has_default() or field.default is None


def is_serial(field: Any) -> bool:
    return bool(field.get_internal_type().endswith("AutoField"))


def value(field: Any, number: int) -> Any:
    """Return a value of a field."""
    from django.utils import timezone

    if field.is_relation:
        return field.related_model._base_manager.order_by("pk")[number]
    if field.choices:
        return field.flatchoices[number % len(field.flatchoices)][0]
    kind = field.get_internal_type()
    if kind in ("CharField", "TextField", "SlugField"):
        return f"text-{number}"[: field.max_length]
    if kind == "BooleanField":
        return True
    if kind.startswith("DateTime"):
        return timezone.now()
    if kind.startswith("Date"):
        return timezone.now().date()
    if kind == "JSONField":
        return {"number": number}
    if kind == "ArrayField":
        return [value(field.base_field, number)]
    return number + 1


def dump(folder: Path, path: Path) -> None:
    command: list[str | Path] = [servers.POSTGRES / "bin" / "pg_dump", "--inserts"]
    command += ["--no-owner", "--no-privileges", "--restrict-key=longshore", f"--file={path}"]
    command += [f"--host={embedded.socket_dir(folder)}", f"--username={embedded.DATABASE}"]
    subprocess.run([*command, embedded.DATABASE], check=True)


if __name__ == "__main__":
    main()
