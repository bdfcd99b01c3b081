"""System checks: what production must say, and a laptop need not."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from longshore.database.postgres import problem_of


@register
def check_base_url(**_: Any) -> list[CheckMessage]:
    """Links in webhooks and emails must lead somewhere from where they are read."""
    local = urlsplit(settings.BASE_URL).hostname in ("127.0.0.1", "localhost")
    if settings.EMBEDDED_DATABASE or not local:
        return []
    text = f"BASE_URL is {settings.BASE_URL}: links in webhooks and emails lead to nowhere else."
    return [Warning(text, hint="Set it to where others reach Longshore.", id="accounts.W001")]


@register(Tags.database)
def check_postgres(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Run by `check --database default` and by `migrate`."""
    problems = [problem_of(alias) for alias in databases or ()]
    return [Error(problem, id="accounts.E001") for problem in problems if problem]
