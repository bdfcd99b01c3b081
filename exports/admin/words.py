"""The request of an export in words."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.text import capfirst

from exports.admin.operator_words import words_of
from exports.models import Export
from exports.spec import ExportSpec, Nesting
from longshore.database.labels import spelled
from longshore.files.compression import Compression
from longshore.files.csv_dialect import Quoting
from longshore.jobs.admin.presentation import exact_time, resource_noun
from longshore.resources.columns import ColumnType
from longshore.resources.comparisons import LIKE_OPERATORS, Operator
from longshore.resources.conditions import SEARCH, AnyOf, Condition, compared_column
from longshore.resources.filters import Ordering
from longshore.resources.includes import Include
from longshore.resources.registry import Resource

# Operators whose values must all pass.
_JOINED = {Operator.BWI, Operator.BWE, *(each for each in Operator if each.endswith("_all"))}
# The words for an interval of time, such as a day; `end` is the first moment after it.
_MOMENTS = {
    Operator.EQUALS: "is from {start} until before {end}",
    Operator.GT: "is on or after {end}",
    Operator.GTE: "is on or after {start}",
    Operator.LT: "is before {start}",
    Operator.LTE: "is before {end}",
}
_ALL = (Operator.LIKE_ALL, Operator.UNLIKE_ANY)
_NEGATED = (Operator.UNLIKE_ANY, Operator.UNLIKE_ALL)
_COMPRESSIONS = {
    Compression.NONE: "not compressed",
    Compression.GZIP: "compressed with gzip",
    Compression.ZSTD: "compressed with Zstandard",
}
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_NESTINGS = {
    Nesting.MERGE: "in one cell",
    Nesting.FLATTEN: "in a column each",
    Nesting.REPEAT: "in a row each",
}
_MAX_VALUES = 20
_MAX_VALUE_CHARACTERS = 200


def format_label(export: Export) -> str:
    """Return `CSV` or `CSV, gzip`."""
    if export.compression == Compression.NONE:
        return export.format.upper()
    return f"{export.format.upper()}, {export.compression}"


def name_of(path: str) -> str:
    """Return `Tracking URL` for `tracking_url`, and `Group → ID` for `group.id`."""
    return capfirst(" → ".join(map(spelled, path.split("."))))


def sentence(export: Export, spec: ExportSpec) -> str:
    """Return `Exports all contacts with 5 columns to CSV files, compressed with gzip.`"""
    selection = spec.selection
    rows = f"{selection.limit:,}" if selection.limit is not None else "all"
    matching = " that match the filters" if selection.conditions else ""
    noun = resource_noun(export.resource)
    count = len(spec.columns)
    columns = "1 column" if count == 1 else f"{count:,} columns"
    packing = _COMPRESSIONS[spec.compression] if spec.compression != Compression.NONE else ""
    packed = f", {packing}" if packing else ""
    return f"Exports {rows} {noun}{matching} with {columns} as {spec.format.upper()}{packed}."


def condition_text(condition: Condition | AnyOf, resource: Resource | None) -> str:
    """Return a filter as a clause, such as `Name contains “a” or “b”`.

    resource: whose records it selects; None if it does not exist any more. Values of a column that
        does not exist are shown as they are stored.
    """
    if isinstance(condition, AnyOf):
        return " or ".join(condition_text(each, resource) for each in condition.any_of)
    if condition.path == SEARCH:
        return f"Search finds {_listed(condition.values, 'and')}"
    name, operator = name_of(condition.path), condition.operator
    if operator in LIKE_OPERATORS:
        return f"{name} {_like_text(operator, condition.values)}"
    if not condition.values:
        return f"{name} {words_of(operator)}"
    column = compared_column(resource, condition.path) if resource else None
    kind = column.kind if column else None
    values = condition.values
    if kind is ColumnType.DATETIME:
        moments = [[*map(_moment, value.split("/"))] for value in values]
        # `infinity` is an instant, and all other values are intervals.
        if operator in _MOMENTS and len(moments[0]) > 1:
            start, end = moments[0]
            return f"{name} {_MOMENTS[operator].format(start=start, end=end)}"
        values = tuple(map(" until before ".join, moments))
    is_time = kind in (ColumnType.DATE, ColumnType.DATETIME)
    words = words_of(operator, is_time=is_time, is_list=len(values) > 1)
    return f"{name} {words} {_listed(values, 'and' if operator in _JOINED else 'or')}"


def _moment(text: str) -> str:
    """Return `2024-12-25 15:30:00 CET` in the reader's zone, and only the date of a midnight.

    A fraction of a second is shown unless it is zero.
    Years that Python does not have stay in UTC.
    """
    try:
        shown = exact_time(datetime.fromisoformat(text), "auto")
    except (ValueError, OverflowError):
        shown = text.replace("T", " ").replace("+00:00", " UTC")
    return shown.replace(" 00:00:00 ", " ")


def _like_text(operator: Operator, values: tuple[str, ...]) -> str:
    joint = "and" if operator in _ALL else "or"
    negated = operator in _NEGATED
    parts = []
    for value in values[:_MAX_VALUES]:
        verb, text = _pattern_words(value)
        parts.append(f"{verb if negated else _third_person(verb)} {_quoted(text)}")
    text = f" {joint} ".join(parts)
    return f"does not {text}" if negated else text


def _pattern_words(pattern: str) -> tuple[str, str]:
    """Return the verb and the text of a LIKE pattern."""
    inner = pattern.strip("%")
    plain = inner.replace("\\%", "%").replace("\\_", "_").replace("\\\\", "\\")
    is_plain = "%" not in inner.replace("\\%", "") and "_" not in inner.replace("\\_", "")
    if not is_plain or not inner:
        return "match", pattern
    starts, ends = not pattern.startswith("%"), not pattern.endswith("%")
    if starts and ends:
        return "equal", plain
    return ("start with" if starts else "end with" if ends else "contain"), plain


def _third_person(verb: str) -> str:
    first, space, rest = verb.partition(" ")
    return f"{first}{'es' if first.endswith('ch') else 's'}{space}{rest}"


def _listed(values: tuple[str, ...], joint: str) -> str:
    shown = [_quoted(value) for value in values[:_MAX_VALUES]]
    if len(values) > _MAX_VALUES:
        shown.append(f"{len(values) - _MAX_VALUES:,} other values")
    *first, last = shown
    return f"{', '.join(first)} {joint} {last}" if first else last


def _quoted(value: str) -> str:
    if len(value) > _MAX_VALUE_CHARACTERS:
        value = f"{value[:_MAX_VALUE_CHARACTERS]}…"
    return f"“{value}”"


def ordering_text(ordering: Ordering) -> str:
    direction = "descending" if ordering.descending else "ascending"
    return f"{name_of(ordering.column)}, {direction}"


def layout_text(spec: ExportSpec) -> str:
    """Return how the files show the records."""
    parts = [_COMPRESSIONS[spec.compression]]
    if spec.format == "csv":
        parts.append(f"delimiter {_DELIMITERS[spec.dialect.delimiter]}")
        if spec.dialect.quoting is Quoting.ALL:
            parts.append("every cell quoted")
        if spec.dialect.bom:
            parts.append("byte order mark for Excel")
        if not spec.escape_formulas:
            parts.append("formulas not escaped")
    if not spec.include_header:
        parts.append("without a header")
    if spec.includes:
        parts.append(f"nested records {_NESTINGS[spec.nesting]}")
    if spec.max_rows_per_file is not None:
        parts.append(f"at most {spec.max_rows_per_file:,} rows per file")
    if spec.omit_empty:
        parts.append("empty values left out")
    return f"{spec.format.upper()}: {', '.join(parts)}"


def column_texts(spec: ExportSpec) -> Iterator[str]:
    """Yield the path of each column, followed by the paths of the columns that it includes."""
    includes = {include.relation: include for include in spec.includes}
    for column in spec.columns:
        is_renamed = column.header != column.path
        yield f"{column.path} as {column.header}" if is_renamed else column.path
        if column.path in includes:
            yield from _included_texts(includes[column.path], column.path)


def _included_texts(include: Include, path: str) -> Iterator[str]:
    yield from (f"{path}.{name}" for name in include.columns)
    for inner in include.includes:
        yield from _included_texts(inner, f"{path}.{inner.relation}")
