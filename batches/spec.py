"""BatchSpec: the validated request that the engine executes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from longshore.files.compression import Compression
from longshore.jobs.specs import Spec


class Action(StrEnum):
    """What a batch does with its records.

    MERGE: create records, and update those that exist.
    OVERWRITE: as MERGE, then delete the organization's records that are not in the batch.
    DELETE: delete the records that the batch names.
    """

    MERGE = "merge"
    OVERWRITE = "overwrite"
    DELETE = "delete"


class Only(StrEnum):
    """The only kind of write that a merge may do. Rows that need the other kind are errors."""

    CREATE = "create"
    UPDATE = "update"


class Mode(StrEnum):
    """When the response is sent.

    SYNC: after the batch has ended. MIXED: after parsing and validation, if these take a few
    seconds at most. ASYNC: as soon as the batch is queued.
    """

    SYNC = "sync"
    MIXED = "mixed"
    ASYNC = "async"


class OnError(StrEnum):
    """SKIP: write the valid rows. ABORT: write all rows or none, in one transaction."""

    SKIP = "skip"
    ABORT = "abort"


class Duplicates(StrEnum):
    """What to do with rows that name the same record: refuse all of them, or use the first."""

    IGNORE_ALL = "ignore_all"
    USE_FIRST = "use_first"


class InputFormat(StrEnum):
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    XLSX = "xlsx"
    PARQUET = "parquet"


# The quote in the request of a CSV file that has no quotes.
NO_QUOTE = "none"
QUOTES = ('"', "'", NO_QUOTE)
# The formats whose records are JSON objects.
JSON_FORMATS = (InputFormat.JSON, InputFormat.JSONL)
# Maximum of records of a batch that is executed within its request.
MAX_SYNC_RECORDS = 1_000


@dataclass(frozen=True)
class InputOptions:
    """How the input is read; None: detected from its content, and reported with the batch.

    delimiter, quote, encoding: of CSV. quote: one of `QUOTES`. encoding: a name of Python's codecs,
        such as `utf-8`.
    datetime_format: an LDML pattern; None for ISO 8601.
    decimal_separator: `.` or `,`.
    unescape_formulas: remove the apostrophe that an export put before a formula, and the formula
        around a text that it kept for Excel.
    """

    format: InputFormat | None = None
    compression: Compression | None = None
    delimiter: str | None = None
    quote: str | None = None
    encoding: str | None = None
    timezone: str = "UTC"
    datetime_format: str | None = None
    decimal_separator: str = "."
    unescape_formulas: bool = True


@dataclass(frozen=True)
class BatchSpec(Spec):
    """A validated request.

    mapping: for headers of the input, the name of the target, or None to ignore the header. Headers
        that it does not name are matched by their names.
    properties: values of targets for records without them, by name.
    max_errors: stop before anything is written if more rows than this have errors; None: no limit.
    dry_run: do everything except writing.
    confirm_deletes: the number of records that an `overwrite` may delete although it is more than
        half of them; None: it may not.
    corrections: for numbers of rows, the texts that replace cells of the input, by header; None for
        an empty cell.
    reverses: the public id of the batch that this one undoes; it has no input.
    """

    version = 1

    resource: str
    action: Action = Action.MERGE
    only: Only | None = None
    mode: Mode = Mode.MIXED
    on_error: OnError = OnError.SKIP
    max_errors: int | None = None
    duplicates: Duplicates = Duplicates.IGNORE_ALL
    dry_run: bool = False
    mapping: tuple[tuple[str, str | None], ...] = ()
    properties: Mapping[str, Any] = field(default_factory=dict)
    input: InputOptions = field(default_factory=InputOptions)
    confirm_deletes: int | None = None
    corrections: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    reverses: str | None = None

    @classmethod
    def _from_members(cls, data: Mapping[str, Any]) -> "BatchSpec":
        return cls(
            resource=data["resource"],
            action=Action(data["action"]),
            only=Only(data["only"]) if data["only"] else None,
            mode=Mode(data["mode"]),
            on_error=OnError(data["on_error"]),
            max_errors=data["max_errors"],
            duplicates=Duplicates(data["duplicates"]),
            dry_run=data["dry_run"],
            mapping=tuple((header, target) for header, target in data["mapping"]),
            properties=data["properties"],
            input=_input_options(data["input"]),
            confirm_deletes=data["confirm_deletes"],
            corrections=data["corrections"],
            reverses=data["reverses"],
        )


def _input_options(data: Mapping[str, Any]) -> InputOptions:
    given: dict[str, Any] = dict(data)
    if given["format"] is not None:
        given["format"] = InputFormat(given["format"])
    if given["compression"] is not None:
        given["compression"] = Compression(given["compression"])
    return InputOptions(**given)
