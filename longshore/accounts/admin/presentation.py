"""HTML and text fragments that all admin pages share: times, code, badges, links, tables."""

from datetime import datetime
from typing import Any

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

# Shown in place of a value that is missing.
EMPTY = "–"  # noqa: RUF001 (an en dash is intended)

# Rows and headers in the format of Unfold's table component, with a title.
Table = dict[str, Any]


def exact_time(when: datetime | None, timespec: str = "seconds") -> str:
    """Return `2024-12-25 14:30:00 CET` in the time zone of the reader, or EMPTY.

    timespec: as of `datetime.isoformat`; "auto" shows microseconds unless they are zero.
    """
    if when is None:
        return EMPTY
    local = localtime(when)
    return f"{local.replace(tzinfo=None).isoformat(' ', timespec)} {zone_label(local)}"


def zone_label(local: datetime) -> str:
    """Return the name of the time zone of a datetime: `CET`, or `UTC-03:00` if it has no name."""
    name, offset = f"{local:%Z}", f"{local:%z}"
    return name if name.isalpha() else f"UTC{offset[:3]}:{offset[3:5]}"


def relative_and_exact_time(when: datetime | None) -> tuple[str, str]:
    """Return `5 minutes ago` and the exact time, or EMPTY and ""."""
    return (naturaltime(when), exact_time(when)) if when else (EMPTY, "")


def table(title: str, headers: list[str], rows: list[list[Any]]) -> Table:
    return {"title": title, "headers": headers, "rows": rows}


def code(text: str) -> SafeString:
    return format_html('<code class="admin-code">{}</code>', text)


def badge(text: str, color: str) -> SafeString:
    """Return a status label. color: `success`, `danger`, `info`, … of Unfold."""
    context = {"text": text, "type": color}
    return SafeString(render_to_string("unfold/helpers/label.html", context))


def link(url: str, text: str) -> SafeString:
    return format_html('<a class="admin-link" href="{}">{}</a>', url, text)


def nowrap(text: str) -> SafeString:
    return format_html('<span class="admin-nowrap">{}</span>', text)
