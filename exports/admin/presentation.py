"""How the admin words what an export is and how far it is."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from exports.models import Export, ExportFile, Status
from exports.spec import ExportSpec
from longshore.files.compression import Compression
from longshore.resources.conditions import AnyOf, Condition
from longshore.resources.filters import Ordering
from longshore.resources.includes import Include
from longshore.resources.registry import registry
from webhooks.admin.presentation import NOTHING, moment

STATUS_COLORS = {
    Status.QUEUED: "info",
    Status.PROCESSING: "primary",
    Status.COMPLETED: "success",
    Status.FAILED: "danger",
    Status.TIMED_OUT: "danger",
    Status.CANCELED: "warning",
    Status.EXPIRED: "default",
}


def resource_label(name: str) -> str:
    """The words for many of them; the bare name of a resource that is not declared any more."""
    resource = registry.get(name)
    return capfirst(str(resource.model._meta.verbose_name_plural)) if resource else name


def format_label(export: Export) -> str:
    plain = export.compression == Compression.NONE
    return export.format if plain else f"{export.format}, {export.compression}"


def duration(taken: timedelta) -> str:
    """`40 ms`, `2.5 s`, `2 min 5 s` or `1 h 3 min`."""
    if taken < timedelta(seconds=1):
        return f"{taken / timedelta(milliseconds=1):.0f} ms"
    minutes, seconds = divmod(taken.total_seconds(), 60)
    hours, minutes = divmod(int(minutes), 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds:.0f} s" if minutes else f"{seconds:.1f} s"


def code(text: str) -> SafeString:
    return format_html('<code class="export-code">{}</code>', text)


def codes(texts: Iterable[str]) -> SafeString:
    return format_html_join(
        " ", '<code class="export-code export-chip">{}</code>', ((text,) for text in texts)
    )


def condition_text(condition: Condition | AnyOf) -> str:
    if isinstance(condition, AnyOf):
        return " or ".join(map(condition_text, condition.any_of))
    operator = condition.operator.replace("_", " ")
    return " ".join([condition.path, operator, ", ".join(condition.values)]).strip()


def ordering_text(ordering: Ordering) -> str:
    return f"{ordering.column} descending" if ordering.descending else ordering.column


def column_texts(spec: ExportSpec) -> Iterator[str]:
    """Each column, and behind a relation that is included whole those of its records."""
    included = {include.relation: include for include in spec.includes}
    for column in spec.columns:
        renamed = column.header != column.path
        yield f"{column.path} as {column.header}" if renamed else column.path
        if column.path in included:
            yield from _included_texts(included[column.path], column.path)


def _included_texts(include: Include, path: str) -> Iterator[str]:
    yield from (f"{path}.{name}" for name in include.columns)
    for inner in include.includes:
        yield from _included_texts(inner, f"{path}.{inner.relation}")


def file_table(export: Export, *, linked: bool) -> dict[str, list[Any]]:
    """The files in the form of Unfold's table component; their names are links where `linked`."""
    download = reverse("admin:exports_export_download", args=[export.pk])
    linked = linked and export.shown_status == Status.COMPLETED

    def name(file: ExportFile) -> SafeString:
        shown = code(file.name)
        if not linked:
            return shown
        return format_html('<a href="{}?file={}">{}</a>', download, file.pk, shown)

    rows = [
        [name(file), f"{file.rows:,}", f"{file.bytes:,}", code(file.sha256)]
        for file in export.files.all()
    ]
    return {"headers": ["File", "Rows", "Bytes", "SHA-256"], "rows": rows}


def event_table(export: Export) -> dict[str, list[Any]]:
    """What happened to it, in the form of Unfold's table component; the newest first."""
    rows = [
        [
            moment(event.created_at),
            Status(event.status).label,
            str(event.attempt or NOTHING),
            event.reason or NOTHING,
        ]
        for event in reversed(export.events.all())
    ]
    return {"headers": ["When", "Status", "Attempt", "Why"], "rows": rows}


def progress(export: Export) -> dict[str, Any]:
    """What the progress bar's template shows; without a percentage the bar runs to and fro."""
    running = export.status in (Status.QUEUED, Status.PROCESSING)
    counted = export.records_count is not None or export.status != Status.PROCESSING
    written, total = f"{export.processed_count:,}", f"{export.records_count or 0:,}"
    match export.status:
        case Status.QUEUED:
            text = "Waiting for a worker"
        case Status.PROCESSING:
            text = f"{written} of {total} rows" if counted else f"{written} rows so far"
        case Status.FAILED | Status.TIMED_OUT | Status.CANCELED:
            text = f"Stopped after {written} rows"
        case _:
            text = f"{total} rows"
    return {
        "export": export,
        "running": running,
        "percent": export.progress if counted else None,
        "text": text,
    }


def times(export: Export) -> list[tuple[str, str, str]]:
    """Title, relative and absolute time of each step in an export's life so far."""
    began, ended = export.started_at, export.completed_at
    steps = [("Created", export.created_at, naturaltime(export.created_at))]
    if began:
        waited = f"after {duration(began - export.created_at)} in the queue"
        steps.append(("Started", began, waited))
    if began and ended:
        steps.append(("Ended", ended, f"after {duration(ended - began)} of work"))
    if export.estimated_completion and export.status == Status.PROCESSING:
        estimate = export.estimated_completion
        steps.append(("Expected to end", estimate, naturaltime(estimate)))
    if export.status in (Status.COMPLETED, Status.EXPIRED):
        title = "Files deleted" if export.shown_status == Status.EXPIRED else "Files kept until"
        steps.append((title, export.expires_at, naturaltime(export.expires_at)))
    return [(title, relative, moment(when)) for title, when, relative in steps]
