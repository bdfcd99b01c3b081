"""HTML and text fragments of the admin pages of jobs, and those that all pages share."""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from longshore.accounts.admin.presentation import (
    EMPTY,
    Table,
    badge,
    code,
    exact_time,
    link,
    nowrap,
    relative_and_exact_time,
    table,
)
from longshore.resources.registry import registry

__all__ = [
    "EMPTY",
    "Table",
    "badge",
    "chips",
    "code",
    "code_block",
    "duration",
    "exact_time",
    "json_block",
    "json_text",
    "link",
    "nowrap",
    "relative_and_exact_time",
    "resource_label",
    "resource_noun",
    "table",
]


def resource_label(name: str) -> str:
    """Return the plural label of a resource, or its name if it is not declared any more."""
    return capfirst(resource_noun(name)) if registry.get(name) else name


def resource_noun(name: str) -> str:
    """Return `resource_label` as inside a sentence: only its acronyms have capitals."""
    resource = registry.get(name)
    return str(resource.model._meta.verbose_name_plural) if resource else name


def duration(elapsed: timedelta) -> str:
    """Return `40 ms`, `2.5 s`, `2 min 5 s` or `1 h 3 min`."""
    # Rounded before it is divided, or 59.96 s would be 60.0 s.
    milliseconds = round(elapsed / timedelta(milliseconds=1))
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    tenths = round(elapsed / timedelta(seconds=0.1))
    if tenths < 600:
        return f"{tenths / 10} s"
    minutes, seconds = divmod(round(elapsed.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def code_block(text: str) -> SafeString:
    return format_html('<pre class="admin-code">{}</pre>', text)


def json_text(data: Any) -> str:
    """Return data as indented JSON."""
    return json.dumps(data, indent=2, ensure_ascii=False)


def json_block(data: Any) -> SafeString:
    return code_block(json_text(data))


def chips(texts: Iterable[str]) -> SafeString:
    """Return a list of short codes side by side; "" if there are none."""
    return format_html_join(
        " ", '<code class="admin-code admin-chip">{}</code>', ((text,) for text in texts)
    )
