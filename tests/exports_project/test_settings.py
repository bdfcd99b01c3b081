"""A wrong environment variable stops the start with a one-line error."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from secrets import token_hex

import pytest
from django.conf import settings


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("PORT", "abc", 'PORT is "abc", but must be a whole number, 1 to 65535.'),
        ("PORT", "70000", 'PORT is "70000", but must be a whole number, 1 to 65535.'),
        ("PORT", "0", 'PORT is "0", but must be a whole number, 1 to 65535.'),
        (
            "API_RATE_LIMIT",
            "abc",
            'API_RATE_LIMIT is "abc", but must be a number per second, min, hour or day, '
            "such as 600/min, or empty for no limit.",
        ),
        (
            "BASE_URL",
            "longshore.example.com",
            'BASE_URL is "longshore.example.com", but must be like https://longshore.example.com.',
        ),
        (
            "WEBHOOK_ALLOWED_NETWORKS",
            "10.0.0.0/8,10.0.0.1/8",
            'WEBHOOK_ALLOWED_NETWORKS holds "10.0.0.1/8", but must be networks such as '
            "10.1.0.0/16 or fd00:1::/64, separated by commas.",
        ),
        (
            "WEBHOOK_ALLOWED_PORTS",
            "443,70000",
            'WEBHOOK_ALLOWED_PORTS holds "70000", but must be numbers, 1 to 65535, '
            "separated by commas, or empty for all.",
        ),
        (
            "SECRET_KEY",
            "short",
            "SECRET_KEY has 5 characters, 5 of them different, but must have at least 50, "
            "5 of them different. "
            "Generate one: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'",
        ),
        (
            "SECRET_KEY",
            "ab" * 40,
            "SECRET_KEY has 80 characters, 2 of them different, but must have at least 50, "
            "5 of them different. "
            "Generate one: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'",
        ),
        (
            "BROKER_URL",
            "amqp://guest:guest@localhost:5672//",
            "CACHE_URL must be set when BROKER_URL is not a redis:// URL.",
        ),
        (
            "DATABASE_URL",
            "foo",
            'DATABASE_URL is "foo", but must be like postgres://user:password@host:5432/name.',
        ),
        (
            "DATABASE_URL",
            "postgres://me:hush@db:port/name",
            'DATABASE_URL is "postgres://…", but must be like '
            "postgres://user:password@host:5432/name.",
        ),
    ],
)
def test_a_wrong_value_stops_the_start_with_one_line(
    tmp_path: Path, name: str, value: str, message: str
) -> None:
    environment = {"LOCAL_DIR": str(tmp_path), "SECRET_KEY": token_hex(25), name: value}
    process = subprocess.run(
        [sys.executable, "-m", "exports_project.serve"],
        cwd=settings.BASE_DIR,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (process.returncode, process.stderr) == (1, f"Longshore: {message}\n")


def test_the_example_names_every_variable_that_settings_read() -> None:
    """The tests unset the variables that `.env.example` names."""
    folder = settings.BASE_DIR / "exports_project" / "settings"
    source = "".join(path.read_text() for path in folder.glob("*.py"))
    read = re.findall(r'(?:env|env\.\w+|environment\.\w+)\(\s*"([A-Z0-9_]+)"', source)
    example = (settings.BASE_DIR / ".env.example").read_text()
    named = re.findall(r"^#([A-Z0-9_]+)=", example, re.MULTILINE)
    assert {"PORT", "DATABASE_URL", "HTTPS", "EXPORTS_ROOT"} <= set(read) <= set(named)


@pytest.mark.slow
def test_every_setting_that_the_product_reads_has_a_default() -> None:
    """The tests run without any environment variable of `.env.example`."""
    packages = ("exports_project", "dialects", "exports", "batches", "webhooks", "longshore")
    trees = [
        ast.parse(path.read_text())
        for name in packages
        for path in (settings.BASE_DIR / name).rglob("*.py")
    ]
    names = {
        node.attr
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "settings"
        and node.attr.isupper()
    }
    assert {"EXPORT_TIME_LIMIT_SECONDS", "PROJECT_QUEUES", "AUTH_USER_MODEL"} <= names
    assert sorted(name for name in names if not hasattr(settings, name)) == []


@pytest.mark.slow
def test_the_settings_of_a_project_have_its_own_folder(tmp_path: Path) -> None:
    site = tmp_path / "site_of_team"
    site.mkdir()
    (site / "__init__.py").touch()
    (site / "settings.py").write_text("from exports_project.settings import *\n")
    (tmp_path / ".env").write_text("EXPORT_MAX_DAILY=7\n")
    code = (
        "from django.conf import settings as s; print(s.BASE_DIR, s.LOCAL_DIR, s.EXPORT_MAX_DAILY)"
    )
    environment = {k: v for k, v in os.environ.items() if k not in ("LOCAL_DIR", "ENV_FILE")} | {
        "DJANGO_SETTINGS_MODULE": "site_of_team.settings",
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{settings.BASE_DIR}",
    }
    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    folder = tmp_path.resolve()
    assert process.stdout.split() == [str(folder), str(folder / ".local"), "7"], process.stderr
