"""The shell completes commands of `manage.py`, their options and values: in a real bash."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import load_command_class

from longshore.accounts.models import Organization

# Completes each line of the input as bash does after the Tab key, and prints the candidates.
SCRIPT = r"""
eval "$(register-python-argcomplete ./manage.py)"
while IFS= read -r COMP_LINE; do
    COMP_POINT=${#COMP_LINE} COMP_TYPE=9 COMPREPLY=()
    _python_argcomplete ./manage.py
    echo "${COMPREPLY[*]}"
done
"""
LINES = {
    "./manage.py import_b": {"import_batch"},
    "./manage.py export shipping": {
        "shipping_category",
        "shipping_label_inference",
        "shipping_method",
    },
    "./manage.py export --form": {"--format"},
    "./manage.py export --format ": {"csv", "json", "jsonl", "parquet", "xlsx"},
    "./manage.py export shipment --type ord": {"order_list", "order_line_items"},
    "./manage.py export --timezone Europe/Ber": {"Europe/Berlin"},
    "./manage.py export --preset ": {"excel", "iso"},
    "./manage.py import_batch contact people.csv --action ": {"merge", "overwrite", "delete"},
}


@pytest.mark.slow
def test_bash_completes_commands_options_and_values() -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        [bash, "-c", SCRIPT],
        input="".join(f"{line}\n" for line in LINES),
        cwd=settings.BASE_DIR,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
    )
    found = [set(line.split()) for line in ended.stdout.splitlines()]
    assert dict(zip(LINES, found, strict=True)) == LINES, ended.stderr


@pytest.mark.django_db
@pytest.mark.parametrize("command", [("exports", "export"), ("batches", "import_batch")])
def test_the_slugs_of_organizations_are_offered(
    acme: Organization, globex: Organization, command: tuple[str, str]
) -> None:
    parser = load_command_class(*command).create_parser("manage.py", command[1])
    [argument] = [each for each in parser._actions if each.dest == "organization"]
    assert set(argument.completer()) == {acme.slug, globex.slug}  # type: ignore[attr-defined]
