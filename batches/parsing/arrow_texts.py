"""Texts of Arrow columns: of scalars as PostgreSQL reads them, of nested values as JSON.

Works column by column, except for binary values.
"""

from base64 import b64encode
from itertools import chain
from typing import Any

from longshore.files.arrow import compute, pyarrow, types

_SHORT_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_OTHER_ESCAPES = {
    chr(code): f"\\u{code:04x}" for code in range(1, 32) if chr(code) not in _SHORT_ESCAPES
}
_CONTROL = "[\x01-\x1f]"


def texts(values: Any) -> Any:
    """Return the text of each value of an Arrow array; null for a null.

    Datetimes are ISO 8601, in UTC if they have a zone; binary values are base64.
    Raises pyarrow.ArrowInvalid for a value that has no exact text.
    """
    kind = values.type
    if types.is_dictionary(kind):
        return texts(values.dictionary_decode())
    if types.is_nested(kind):
        return json_texts(values)
    if types.is_timestamp(kind):
        zone = None if kind.tz is None else "UTC"
        # PostgreSQL keeps microseconds.
        moments = values.cast(pyarrow.timestamp("us", zone))
        return compute.replace_substring(moments.cast(pyarrow.string()), " ", "T")
    if types.is_date64(kind):
        return values.cast(pyarrow.date32()).cast(pyarrow.string())
    if types.is_duration(kind):
        microseconds = values.cast(pyarrow.duration("us")).cast(pyarrow.int64())
        return _concatenated(microseconds.cast(pyarrow.string()), " microseconds")
    if types.is_float16(kind):
        return values.cast(pyarrow.float32()).cast(pyarrow.string())
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        encoded = (v if v is None else b64encode(v).decode() for v in values.to_pylist())
        return pyarrow.array(encoded, pyarrow.string())
    return values.cast(pyarrow.string())


def inexact(values: Any) -> list[tuple[int, str]]:
    """Return the positions of the values that have no exact text, each with the reason."""
    try:
        texts(values)
        return []
    except pyarrow.ArrowException as error:
        if len(values) == 1:
            return [(0, str(error))]
    half = len(values) // 2
    second = ((half + position, reason) for position, reason in inexact(values.slice(half)))
    return [*inexact(values.slice(0, half)), *second]


def shown_texts(values: Any) -> Any:
    """Return the text of each value for people, such as one with nanoseconds; null without one."""
    for convert in (texts, lambda each: each.cast(pyarrow.string())):
        try:
            return convert(values)
        except pyarrow.ArrowException:
            continue
    return pyarrow.nulls(len(values), pyarrow.string())


def json_texts(values: Any) -> Any:
    """Return the JSON text of each value of an Arrow array; null for a null."""
    kind = values.type
    if types.is_map(kind):
        return _map(values)
    if types.is_struct(kind):
        return _struct(values)
    if types.is_nested(kind):
        return _joined(values, json_texts(values.flatten()), "[", "]")
    found = texts(values)
    if types.is_boolean(kind) or types.is_integer(kind) or types.is_decimal(kind):
        return found
    if types.is_floating(kind):
        # JSON has no number for NaN and infinity.
        return compute.if_else(compute.is_finite(values), found, _quoted(found))
    return _quoted(found)


def _quoted(values: Any) -> Any:
    # The backslash is the first: the other escapes contain it.
    for character, escape in _SHORT_ESCAPES.items():
        values = compute.replace_substring(values, character, escape)
    if compute.any(compute.match_substring_regex(values, _CONTROL)).as_py():
        for character, escape in _OTHER_ESCAPES.items():
            values = compute.replace_substring(values, character, escape)
    return _concatenated('"', values, '"')


def _joined(lists: Any, items: Any, opening: str, closing: str) -> Any:
    """Return the texts of lists.

    items: the texts of the elements of all lists that are not null, one after another.
    """
    lengths = compute.fill_null(compute.list_value_length(lists), 0).cast(pyarrow.int32())
    zero = pyarrow.array([0], pyarrow.int32())
    offsets = pyarrow.concat_arrays([zero, compute.cumulative_sum(lengths)])
    members = pyarrow.ListArray.from_arrays(offsets, compute.fill_null(items, "null"))
    joined = _concatenated(opening, compute.binary_join(members, ", "), closing)
    return _with_nulls_of(lists, joined)


def _struct(values: Any) -> Any:
    members = [
        [", ", _key(field.name), compute.fill_null(json_texts(child), "null")]
        for field, child in zip(values.type, values.flatten(), strict=True)
    ]
    parts = list(chain.from_iterable(members))[1:]
    length = len(values)
    opening = pyarrow.repeat("{", length)
    return _with_nulls_of(values, _concatenated(opening, *parts, "}"))


def _map(values: Any) -> Any:
    kind = values.type
    entry = [pyarrow.field("key", kind.key_type, nullable=False), ("value", kind.item_type)]
    lists = values.cast(pyarrow.list_(pyarrow.struct(entry)))
    keys, items = lists.flatten().flatten()
    members = _concatenated(
        _quoted(texts(keys)), ": ", compute.fill_null(json_texts(items), "null")
    )
    return _joined(lists, members, "{", "}")


def _key(name: str) -> str:
    return f"{_quoted(pyarrow.array([name]))[0].as_py()}: "


def _concatenated(*parts: Any) -> Any:
    return compute.binary_join_element_wise(*parts, "")


def _with_nulls_of(values: Any, found: Any) -> Any:
    return compute.if_else(compute.is_valid(values), found, None)
