"""Strategies for records with a column of every type, and their files."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from exports.reading.stream import ExportStream
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from tests.exports.nested import joined
from tests.samples import Sample

COLUMNS = ("text", "integer", "decimal", "float", "boolean", "date", "datetime", "list", "json")
# Texts with a special meaning in a format, in spreadsheets or in PostgreSQL.
NASTY = (
    *("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=x", "\r", "\n", "\r\n", " =1", "-"),
    *("\u3000=1", "\uff1d1", "\ufeff=1", "-12.5", "+1 555 0100", "+44 (0)20 7946 0958", "-1e5"),
    *("", " ", "-1,234.50", "'", '"', '""', ",", ";", "|", "\t", "a\nb", "\\.", "\\N", "NULL"),
    *("null", "true", "&amp;", "<t>", "]]>", "</t></is></c>", "_x0041_", "_x005F_x0041_"),
    *("\x01", "\x02", "\x03", "\x1f", "\x7f", "\x85", "\u2028", "\ufffe", "\uffff", "\U0001f600"),
    *('{"list":[]}', "{}", "[]", "a, b", "0x1F", "1e5", "NaN"),
)
texts = st.sampled_from(NASTY) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40
)
_numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
documents = st.recursive(
    st.none() | st.booleans() | _numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
rows = st.fixed_dictionaries(
    {
        "text": st.none() | texts,
        "integer": st.none()
        | st.integers(-(2**63), 2**63 - 1)
        | st.integers(-(10**15) - 1, 10**15 + 1),
        "decimal": st.none()
        | st.decimals(-(10**19), 10**19, places=10)
        | st.decimals(-(10**4), 10**4, places=2),
        "float": st.none() | st.floats(allow_nan=False),
        "boolean": st.none() | st.booleans(),
        "date": st.none() | st.dates(),
        # Until 1883, New York's UTC offset had seconds, which ISO 8601 cannot express.
        "datetime": st.none()
        | st.datetimes(datetime(1884, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC)),
        "list": st.none() | st.lists(st.none() | texts, max_size=4),
        "json": st.none() | documents,
    }
)


def stored(*records: dict[str, Any]) -> Organization:
    """Create an organization with these samples."""
    organization = Organization(name="Samples")
    organization.slug = organization.pk
    organization.save()
    Sample.objects.bulk_create(
        Sample(id=f"{organization.pk}{number:05}", organization=organization, **record)
        for number, record in enumerate(records)
    )
    return organization


def exported(organization: Organization, file_format: str, **output: Any) -> bytes:
    """Return the file of an organization's samples, in order.

    output: `csv_field_options`, and optionally `compression`.
    """
    compression = output.pop("compression", "none")
    body = {
        "resource": "sample",
        "format": file_format,
        "compression": compression,
        "options": {"order_by": "id"},
        "csv_field_options": {"columns": list(COLUMNS)} | output,
    }
    return b"".join(ExportStream(parse_export(body), organization.pk))


def exact(text: str) -> Any:
    """Parse JSON with exact numbers."""
    return json.loads(text, parse_int=Decimal, parse_float=Decimal)


def merged(value: Any) -> str | None:
    """Return the text of a list or JSON with `merge`; None for null and for values kept as JSON."""
    match value:
        case list():
            if any(isinstance(member, list | dict) for member in value):
                return None
            return joined(merged(member) or "" for member in value)
        case bool():
            return str(value).lower()
        case int() | float():
            return format(abs(Decimal(repr(value))) if value == 0 else Decimal(repr(value)), "f")
        case str():
            return value
        case _:
            return None
