"""HTML and text fragments of admin pages: times, durations, code, badges, links."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

# Shown in place of a value that is missing.
EMPTY = "–"  # noqa: RUF001 (an en dash is intended)

# Rows and headers in the format of Unfold's table component, with a title.
Table = dict[str, Any]


def table(title: str, headers: list[str], rows: list[list[Any]]) -> Table:
    return {"title": title, "headers": headers, "rows": rows}


def exact_time(when: datetime | None) -> str:
    """Return `2024-12-25 14:30:00 UTC`, or EMPTY."""
    return f"{localtime(when):%Y-%m-%d %H:%M:%S %Z}" if when else EMPTY


def relative_and_exact_time(when: datetime | None) -> tuple[str, str]:
    """Return `5 minutes ago` and the exact time, or EMPTY and ""."""
    return (naturaltime(when), exact_time(when)) if when else (EMPTY, "")


def duration(elapsed: timedelta) -> str:
    """Return `40 ms`, `2.5 s`, `2 min 5 s` or `1 h 3 min`."""
    if elapsed < timedelta(seconds=1):
        return f"{elapsed / timedelta(milliseconds=1):.0f} ms"
    minutes, seconds = divmod(elapsed.total_seconds(), 60)
    hours, minutes = divmod(int(minutes), 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds:.0f} s" if minutes else f"{seconds:.1f} s"


def code(text: str) -> SafeString:
    return format_html('<code class="admin-code">{}</code>', text)


def code_block(text: str) -> SafeString:
    return format_html('<pre class="admin-code">{}</pre>', text)


def json_block(data: Any) -> SafeString:
    return code_block(json.dumps(data, indent=2, ensure_ascii=False))


def chips(texts: Iterable[str]) -> SafeString:
    """Return a list of short codes side by side; "" if there are none."""
    return format_html_join(
        " ", '<code class="admin-code admin-chip">{}</code>', ((text,) for text in texts)
    )


def badge(text: str, color: str) -> SafeString:
    """Return a status label. color: `success`, `danger`, `info`, … of Unfold."""
    context = {"text": text, "type": color}
    return SafeString(render_to_string("unfold/helpers/label.html", context))


def link(url: str, text: str) -> SafeString:
    return format_html('<a class="admin-link" href="{}">{}</a>', url, text)


def nowrap(text: str) -> SafeString:
    return format_html('<span class="admin-nowrap">{}</span>', text)
