"""System checks of the settings of production and of the version of PostgreSQL."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from longshore.database.postgres import find_problem


@register
def check_base_url(**_: Any) -> list[CheckMessage]:
    """Warn if links in webhooks and emails would lead to the reader's own machine."""
    local = urlsplit(settings.BASE_URL).hostname in ("127.0.0.1", "localhost")
    if settings.EMBEDDED_DATABASE or not local:
        return []
    text = (
        f"BASE_URL is {settings.BASE_URL}: links in webhooks and emails do not work on other "
        "machines."
    )
    hint = "Set BASE_URL to the public URL of Longshore."
    return [Warning(text, hint=hint, id="longshore_database.W001")]


@register(Tags.database)
def check_postgres(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Refuse old servers. `check --database default` and `migrate` run this check."""
    problems = [find_problem(alias) for alias in databases or ()]
    return [Error(problem, id="longshore_database.E001") for problem in problems if problem]
