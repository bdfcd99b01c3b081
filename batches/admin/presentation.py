"""Text of the admin pages of batches: outcomes, phases, input, errors and undo."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from batches.lifecycle.deadlines import undo_deadline
from batches.models import Batch, BatchError
from batches.spec import Action, Mode, OnError, Only
from batches.staging import STATISTICS
from longshore.jobs.admin.facts import Fact
from longshore.jobs.admin.presentation import (
    EMPTY,
    Table,
    chips,
    code,
    exact_time,
    link,
    nowrap,
    resource_label,
    resource_noun,
    table,
)
from longshore.jobs.statuses import UNFINISHED, Status

_OUTCOMES_TEMPLATE = "admin/batches/outcomes.html"
_EMPTY_VALUE = "empty"
_ON_ERROR: Mapping[str, str] = {
    OnError.SKIP: "Skipped; the other rows are written",
    OnError.ABORT: "One error stops the batch, and nothing is written",
}
_MODES: Mapping[str, str] = {
    Mode.SYNC: "Sent when the batch had ended",
    Mode.MIXED: "Sent after validation, if it took a few seconds at most",
    Mode.ASYNC: "Sent at once",
}


def kind_label(batch: Batch) -> str:
    """Return `merge`, `merge, dry run` or `undo of merge`."""
    kind = f"undo of {batch.action}" if batch.reverses_id else batch.action
    return f"{kind}, dry run" if batch.dry_run else kind


def title_of(batch: Batch) -> str:
    """Return `Contacts, merge, dry run`."""
    return f"{resource_label(batch.resource)}, {kind_label(batch)}"


_ACTIONS = {
    Action.MERGE: "Creates {noun} and updates those that exist",
    Action.OVERWRITE: "Creates and updates {noun}, and deletes those that the input does not have",
    Action.DELETE: "Deletes {noun}",
}
_ONLY = {
    Only.CREATE: "Creates {noun}; rows of existing ones are errors",
    Only.UPDATE: "Updates {noun}; rows of new ones are errors",
}


def sentence(batch: Batch) -> str:
    """Return `Creates contacts and updates those that exist, from contacts.csv (12 KB).`"""
    noun = resource_noun(batch.resource)
    if batch.reverses_id:
        return f"Reverses what another batch wrote to {noun}."
    only = batch.spec.get("only")
    text = (_ONLY[Only(only)] if only else _ACTIONS[Action(batch.action)]).format(noun=noun)
    if batch.input_bytes is not None:
        text += f", from {batch.input_name} ({filesizeformat(batch.input_bytes)})"
    return f"{text}. Dry run: nothing is written." if batch.dry_run else f"{text}."


def facts(batch: Batch) -> list[Fact]:
    """Return the request in words. A batch that undoes another one has no input."""
    if batch.reverses:
        return [Fact("Undoes", batch_link(batch.reverses))]
    found = [
        Fact("Input", input_text(batch)),
        Fact("Read as", reading_text(batch)),
        Fact("Rows with errors", _ON_ERROR.get(batch.spec.get("on_error", ""), EMPTY)),
        Fact("Response", _MODES.get(batch.mode, batch.mode)),
        Fact("Undo", undo_text(batch)),
        Fact("Journal", journal_text(batch)),
        Fact("Mapping", mapping_text(batch), is_wide=True),
    ]
    if corrected := corrected_text(batch):
        found.append(Fact("Corrections", corrected))
    if metadata := batch.request.get("metadata"):
        pairs = (f"{name}: {value}" for name, value in metadata.items())
        found.append(Fact("Metadata", chips(pairs)))
    return [*found, *(Fact("Warning", text, is_wide=True) for text in batch.warnings)]


def corrected_text(batch: Batch) -> str:
    """Return how many cells a request corrects, as `2 corrected cells`; "" for none."""
    corrections = batch.request.get("corrections") or {}
    cells = sum(map(len, corrections.values()))
    return f"{cells:,} corrected {'cell' if cells == 1 else 'cells'}" if cells else ""


def outcomes(batch: Batch) -> list[tuple[str, int]]:
    """Return the number of rows of each outcome."""
    return [(name, getattr(batch, f"{name}_count")) for name in STATISTICS]


def outcome_chips(batch: Batch) -> SafeString:
    """Return the outcomes that rows have, for a list."""
    found = [(name, number) for name, number in outcomes(batch) if number]
    return render_to_string(_OUTCOMES_TEMPLATE, {"outcomes": found}) if found else SafeString()


def progress_text(batch: Batch) -> str | None:
    """Return the text of the progress bar of a batch that has begun but is not completed."""
    if batch.status == Status.REQUESTED and batch.is_draft and batch.input_bytes is not None:
        return "Uploaded; its mapping is not chosen yet"
    if not batch.phases:
        return None
    phase = batch.phases[-1]
    match batch.status:
        case Status.PROCESSING:
            return f"{phase['name'].capitalize()}: {_phase_text(phase)}"
        case Status.FAILED | Status.TIMED_OUT | Status.CANCELED:
            return (
                f"Stopped after {phase['name']}"
                if _is_done(phase)
                else (f"Stopped during {phase['name']}")
            )
    return None


def phases(batch: Batch) -> list[dict[str, Any]]:
    """Return the phases that have begun: the name, progress, counts, and a status for the color."""
    last = len(batch.phases) - 1
    return [
        {
            "name": phase["name"],
            "percent": _percent(phase),
            "text": _phase_text(phase),
            "status": _phase_status(batch, phase, is_last=number == last),
        }
        for number, phase in enumerate(batch.phases)
    ]


def _percent(phase: dict[str, Any]) -> int | None:
    """Return the progress of a phase; None if its total is not known yet."""
    if phase["total"] is None:
        return None
    return 100 * phase["processed"] // phase["total"] if phase["total"] else 100


def _is_done(phase: dict[str, Any]) -> bool:
    return phase["total"] is not None and phase["processed"] >= phase["total"]


def _phase_text(phase: dict[str, Any]) -> str:
    processed, total, failed = phase["processed"], phase["total"], phase["error"]
    if total is None:
        text = f"{processed:,} rows so far"
    elif processed < total:
        text = f"{processed:,} of {total:,} rows"
    else:
        text = f"{total:,} {'row' if total == 1 else 'rows'}"
    return f"{text}, {failed:,} failed" if failed else text


def _phase_status(batch: Batch, phase: dict[str, Any], *, is_last: bool) -> Status:
    """Return the status whose color a phase has."""
    if not is_last or batch.status == Status.EXPIRED:
        return Status.COMPLETED
    if batch.status in UNFINISHED:
        return Status.COMPLETED if _is_done(phase) else Status.PROCESSING
    return Status(batch.status)


def errors_url(batch: Batch) -> str:
    """Return the page that lists the errors of a batch."""
    return f"{reverse('admin:batches_batcherror_changelist')}?batch={batch.pk}"


def error_table(batch: Batch, errors: Iterable[BatchError], *, has_cells: bool) -> Table:
    """Return the first errors as a table whose title links to all of them.

    has_cells: whether the table has the texts of cells, which are also in the messages.
    """
    columns: dict[str, Callable[[BatchError], str]] = {
        "Row": row_number,
        "Column": lambda error: nowrap(error.column or EMPTY),
        **({"Value": refused_value} if has_cells else {}),
        "Code": lambda error: code(error.code),
        **({"Message": lambda error: error.message} if has_cells else {}),
    }
    rows = [[cell(error) for cell in columns.values()] for error in errors]
    title = format_html("First errors ({})", link(errors_url(batch), "show all"))
    return table(title, [*columns], rows)


def row_number(error: BatchError) -> str:
    return EMPTY if error.row is None else f"{error.row:,}"


def refused_value(error: BatchError) -> SafeString:
    """Return the refused text; `empty` for the empty text, and EMPTY for none."""
    if error.value is None:
        return SafeString(EMPTY)
    return code(error.value) if error.value else SafeString(f"<i>{_EMPTY_VALUE}</i>")


def input_text(batch: Batch) -> SafeString:
    """Return name, size and checksum of the input."""
    if batch.input_key is None:
        return SafeString("None")
    size = "not uploaded yet" if batch.input_bytes is None else filesizeformat(batch.input_bytes)
    return format_html(
        "{} ({}){}",
        batch.input_name or "Deleted",
        size,
        format_html("<br>SHA-256 {}", code(batch.input_sha256)) if batch.input_sha256 else "",
    )


def reading_text(batch: Batch) -> SafeString:
    """Return how the input was read, as far as that is known."""
    names = ("format", "compression", "encoding", "delimiter", "quote", "bom", "sheet")
    found = ((name, batch.detected.get(name)) for name in names)
    shown = [(name, _shown(value)) for name, value in found if value not in (None, False, "")]
    text = format_html_join(SafeString("<br>"), "{} {}", ((n, code(v)) for n, v in shown))
    return text or SafeString(EMPTY)


def _shown(value: Any) -> str:
    """Return a detected value; a tabulator would be invisible."""
    if value is True:
        return "yes"
    return str(value) if str(value).isprintable() else repr(value)[1:-1]


def mapping_text(batch: Batch) -> SafeString:
    """Return the column of each header of the input."""
    mapping = batch.detected.get("mapping") or {}
    context = {"mapping": mapping.items()}
    return render_to_string("admin/batches/mapping.html", context) if mapping else SafeString(EMPTY)


def undo_text(batch: Batch) -> SafeString:
    """Return whether a batch can be undone, and which batches tried to."""
    reversals = list(batch.reversals.filter(deleted_at=None).order_by("number"))
    if reversals:
        links = ((batch_link(each), each.shown_status.label.lower()) for each in reversals)
        return format_html("By {}", format_html_join(", ", "{} ({})", links))
    if batch.dry_run:
        return SafeString("Nothing to undo: a dry run")
    if batch.status in UNFINISHED:
        return SafeString("Possible when the batch has ended")
    deadline = undo_deadline(batch)
    if deadline is None:
        return SafeString("Nothing to undo: the batch never started")
    is_possible = deadline > timezone.now()
    return format_html(
        "{} {}", "Possible until" if is_possible else "Was possible until", exact_time(deadline)
    )


def reversal_texts(batch: Batch) -> list[str]:
    """Return what an undo of a batch does, one sentence per kind of change."""
    noun = resource_noun(batch.resource)
    texts = (
        (batch.created_count, f"{{:,}} created {noun} are deleted."),
        (batch.updated_count, f"{{:,}} updated {noun} get their former values back."),
        (batch.deleted_count, f"{{:,}} deleted {noun} are created again."),
    )
    return [text.format(count) for count, text in texts if count]


def journal_text(batch: Batch) -> str:
    """Return the number of changes in the journal, from which an undo takes the former records."""
    entries = batch.journal.count()
    return f"{entries:,} {'entry' if entries == 1 else 'entries'}" if entries else "Empty"


def batch_link(batch: Batch) -> SafeString:
    return link(reverse("admin:batches_batch_change", args=[batch.pk]), code(batch.public_id))
