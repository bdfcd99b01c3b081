"""Declares the bodies of requests for batches, for previews, and for saved mappings.

The parsers read by these declarations; the OpenAPI schema is derived from them. A request with a
file is multipart: the file is in the part `file`, and the part `request` has this body as JSON.
"""

from collections.abc import Mapping
from typing import Any

from batches.errors import BatchErrorCode
from batches.models import SavedMapping
from batches.request.charsets import ENCODINGS, find_encoding
from batches.request.corrections import corrections_field
from batches.spec import (
    MAX_SYNC_RECORDS,
    QUOTES,
    Action,
    Duplicates,
    InputFormat,
    Mode,
    OnError,
    Only,
)
from longshore.api.body.declaration import (
    Body,
    Boolean,
    Choice,
    Custom,
    Field,
    FreeObject,
    FreeObjects,
    Integer,
    Object,
    Text,
)
from longshore.api.errors import ErrorCode, Problems, display_value
from longshore.api.suggestions import did_you_mean
from longshore.database.column_types import MAX_BIGINT
from longshore.files.compression import Compression
from longshore.files.csv_dialect import DELIMITERS
from longshore.jobs.errors import JobErrorCode
from longshore.jobs.request_fields import datetime_format_field, metadata_field, timezone_field
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.registry import registry

# A table of PostgreSQL has at most 1,600 columns.
MAX_MAPPED_HEADERS = 1_600
MAX_PROPERTIES_CHARACTERS = 100_000
MAX_NAME_CHARACTERS = SavedMapping._meta.get_field("name").max_length or 0
_MAX_ERRORS = "max_errors"
_ON_ERROR = f'"skip", "abort", or {{"{_MAX_ERRORS}": <whole number>}}'
_ENCODING = "the name of an encoding, such as utf-8, windows-1252 or utf-16"
_MAPPING = '{"<header>": "<column>" or null}'


def _read_mapping(value: Any, path: str, problems: Problems) -> Any:
    if not isinstance(value, Mapping):
        text = f"{path} must be an object, not {display_value(value)}."
        problems.report(BatchErrorCode.INVALID_MAPPING, path, value, text, _MAPPING)
        return None
    if len(value) > MAX_MAPPED_HEADERS:
        text = f"{path} has {len(value):,} headers, more than {MAX_MAPPED_HEADERS:,}."
        problems.report(BatchErrorCode.INVALID_MAPPING, path, value, text, _MAPPING)
        return None
    for header, target in value.items():
        if not isinstance(target, str | None):
            text = (
                f"The header {display_value(header)} must be mapped to the name of a column or to "
                f"null, not to {display_value(target)}."
            )
            place = f"{path}.{header}"
            problems.report(BatchErrorCode.INVALID_MAPPING, place, target, text, _MAPPING)
    return {header: target for header, target in value.items() if isinstance(target, str | None)}


def _read_on_error(value: Any, path: str, problems: Problems) -> Any:
    if isinstance(value, str) and value in list(OnError):
        return value
    if isinstance(value, Mapping) and list(value) == [_MAX_ERRORS]:
        maximum = value[_MAX_ERRORS]
        if type(maximum) is int and 0 <= maximum <= MAX_BIGINT:
            return dict(value)
    text = f"{path} must be {_ON_ERROR}, not {display_value(value)}."
    problems.report(ErrorCode.INVALID_REQUEST, path, value, text, _ON_ERROR)
    return OnError.SKIP.value


def _read_encoding(value: Any, path: str, problems: Problems) -> str | None:
    if isinstance(value, str) and (found := find_encoding(value)):
        return found
    hint = did_you_mean(value, ENCODINGS) if isinstance(value, str) else "."
    text = f"{display_value(value)} is not an encoding{hint}"
    problems.report(ErrorCode.INVALID_REQUEST, path, value, text, _ENCODING)
    return None


CSV_OPTIONS = Body(
    "CsvInputOptions",
    "How a CSV file is written. What is absent is detected, and reported with the batch.",
    (
        Choice("delimiter", "The delimiter of cells.", choices=DELIMITERS),
        Choice("quote", "The quote of cells; `none` if no cell is quoted.", choices=QUOTES),
        Custom(
            "encoding",
            "The encoding of the text, such as `utf-8` or `windows-1252`.",
            schema={"type": "string"},
            accepts=_ENCODING,
            hook=_read_encoding,
        ),
        Boolean(
            "unescape_formulas",
            "Remove the apostrophe that exports put before text that looks like a formula, and "
            'read `="00123"`, as exports write for Excel, as `00123`.',
            default=True,
        ),
    ),
    null_is_absent=True,
)

_RESOURCE = Choice(
    "resource",
    "The resource whose records are written.",
    choices=registry.names,
    noun="resource",
    required=True,
    code=ResourceErrorCode.INVALID_RESOURCE,
)
_MAPPING_SCHEMA = {"type": "object", "additionalProperties": {"type": ["string", "null"]}}
_WHAT: tuple[Field, ...] = (
    _RESOURCE,
    Choice(
        "action",
        "`merge` creates records and updates those that exist. `overwrite` then deletes the "
        "records that are not in the batch. `delete` deletes the records that the batch names.",
        choices=[each.value for each in Action],
        default=Action.MERGE.value,
        code=BatchErrorCode.INVALID_ACTION,
    ),
    Choice(
        "only",
        "`merge` only: accept only rows that create records, or only rows that update them.",
        choices=[each.value for each in Only],
    ),
    Custom(
        "mapping",
        "The column that each header or key of the input sets; null ignores it. Headers that are "
        "not in the mapping must be names of columns.",
        schema=_MAPPING_SCHEMA,
        accepts=_MAPPING,
        hook=_read_mapping,
    ),
    Text(
        "mapping_name",
        "A saved mapping of the organization. `mapping` takes precedence over its entries.",
        max_characters=MAX_NAME_CHARACTERS,
        code=BatchErrorCode.INVALID_MAPPING,
    ),
    FreeObject(
        "properties",
        "Values for records without them, by the name of the column.",
        max_characters=MAX_PROPERTIES_CHARACTERS,
    ),
    Choice(
        "duplicate_handling",
        "What happens to rows that name the same record: `ignore_all` refuses all of them, "
        "`use_first` refuses all but the first.",
        choices=[each.value for each in Duplicates],
        default=Duplicates.IGNORE_ALL.value,
    ),
)
_INPUT: tuple[Field, ...] = (
    Choice(
        "format",
        "The format of the file. By default, its content decides.",
        choices=[each.value for each in InputFormat],
        code=JobErrorCode.INVALID_FORMAT,
    ),
    Choice(
        "compression",
        "The compression of the file. By default, its content decides.",
        choices=[each.value for each in Compression],
        code=JobErrorCode.INVALID_COMPRESSION,
    ),
    timezone_field(
        "The IANA time zone of datetimes without an offset. Default: the organization's time zone."
    ),
    datetime_format_field(
        "The LDML pattern of datetimes, such as `dd/MM/yyyy HH:mm`. Default: ISO 8601."
    ),
    Choice(
        "decimal_separator",
        "The separator before the decimal places of numbers.",
        choices=[".", ","],
        default=".",
    ),
    Object("csv", body=CSV_OPTIONS),
)

BATCH_BODY = Body(
    "BatchRequest",
    "Which records to write, and how. The records are in `data`, in a file, or uploaded later.",
    (
        *_WHAT,
        Choice(
            "mode",
            f"`sync` responds when the batch has ended, for up to {MAX_SYNC_RECORDS:,} records. "
            "`mixed` responds after the validation, if that takes only seconds. `async` responds "
            "as soon as the batch is queued.",
            choices=[each.value for each in Mode],
            default=Mode.MIXED.value,
        ),
        FreeObjects("data", "The records, as objects of columns."),
        Boolean(
            "upload",
            "Respond with a link to which the file is uploaded, instead of sending it with the "
            "request.",
            default=False,
        ),
        *_INPUT,
        Custom(
            "on_error",
            "`skip` writes the rows without errors. `abort` writes all rows or none. "
            f'`{{"{_MAX_ERRORS}": 10}}` writes nothing if more than 10 rows have errors.',
            schema={
                "oneOf": [
                    {"type": "string", "enum": [each.value for each in OnError]},
                    {
                        "type": "object",
                        "properties": {_MAX_ERRORS: {"type": "integer", "minimum": 0}},
                        "required": [_MAX_ERRORS],
                        "additionalProperties": False,
                    },
                ],
            },
            accepts=_ON_ERROR,
            default=OnError.SKIP.value,
            hook=_read_on_error,
        ),
        Boolean("dry_run", "Do everything except writing the records.", default=False),
        Integer(
            "confirm_deletes",
            "`overwrite` only: the number of records that the batch may delete although it is more "
            "than half of them.",
            minimum=0,
            maximum=MAX_BIGINT,
        ),
        corrections_field(),
        Boolean(
            "dedupe",
            "Return the organization's batch with the same file and specification, with status "
            "200, if one exists.",
            default=False,
        ),
        metadata_field("batch"),
    ),
    null_is_absent=True,
)

PREVIEW_BODY = Body(
    "BatchPreviewRequest",
    "How a file would be read. The file, or its first mebibyte, is in the part `file`.",
    (
        *_WHAT,
        *_INPUT,
        Integer(
            "file_size",
            "The bytes of the whole file, if the request has only its beginning.",
            minimum=1,
            maximum=MAX_BIGINT,
        ),
    ),
    null_is_absent=True,
)

MAPPING_BODY = Body(
    "MappingRequest",
    "A mapping to save under a name.",
    (
        Text(
            "name",
            "The name of the mapping. A mapping of the same resource and name is replaced.",
            max_characters=MAX_NAME_CHARACTERS,
            required=True,
        ),
        _RESOURCE,
        Custom(
            "mapping",
            "The column that each header sets; null ignores the header.",
            schema=_MAPPING_SCHEMA,
            accepts=_MAPPING,
            required=True,
            hook=_read_mapping,
        ),
    ),
)
