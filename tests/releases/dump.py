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
    fill_empty_tables()


def fill_empty_tables() -> None:
    """Add rows to each table that is still empty, tables that others refer to first."""
    from django.apps import apps
    from django.db import IntegrityError, connection, transaction

    models = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    ]
    pending = [model for model in models if not model._base_manager.exists()]
    while pending:
        errors: dict[str, IntegrityError] = {}
        for model in list(pending):
            try:
                with transaction.atomic():
                    for number in range(ROWS_PER_TABLE):
                        model._base_manager.create(**values(model, number))
                    connection.check_constraints()
            except IntegrityError as error:
                errors[model._meta.label] = error
            else:
                pending.remove(model)
        if len(errors) == len(pending) and pending:
            raise SystemExit(f"No rows for these tables, add them to `values`: {errors}")


def values(model: Any, number: int) -> dict[str, Any]:
    """Return values of the required fields of a row, all different from those of other rows."""
    return {}


def dump(folder: Path, path: Path) -> None:
    command: list[str | Path] = [servers.POSTGRES / "bin" / "pg_dump", "--inserts"]
    command += ["--no-owner", "--no-privileges", "--restrict-key=longshore", f"--file={path}"]
    command += [f"--host={embedded.socket_dir(folder)}", f"--username={embedded.DATABASE}"]
    subprocess.run([*command, embedded.DATABASE], check=True)


if __name__ == "__main__":
    main()
