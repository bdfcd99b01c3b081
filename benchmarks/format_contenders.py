"""The same records in every format, by the server alone and by Longshore's runner.

Each function takes the number of rows and returns the size of the file in bytes.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import connection
from psycopg import sql

from benchmarks import names
from benchmarks.contenders import ZONE, copied, exported
from benchmarks.data import COLUMNS, ORGANIZATION
from longshore.accounts.models import Organization

TWELVE = COLUMNS[:12]
CONTACT = (
    "id", "name", "nickname", "alternate_names", "email", "alternate_emails", "phone",
    "alternate_phones", "id_number", "address", "secondary_address", "is_primary", "notes",
    "metadata", "created_at", "updated_at",
)  # fmt: skip
# COPY takes no parameters.
_PLAIN = sql.SQL("""COPY (SELECT {} FROM {} WHERE organization_id = {})
TO '/dev/null' (FORMAT csv)""")


def plain_copy(resource: str, columns: tuple[str, ...], rows: int) -> int:
    """COPY the columns to /dev/null on the server, without any conversion."""
    organization = Organization.objects.get(slug=ORGANIZATION)
    statement = _PLAIN.format(
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.Identifier(f"longshore_logistics_{resource}"),
        sql.Literal(organization.pk),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(None))
    return 0


def request(
    file_format: str,
    columns: tuple[str, ...] = COLUMNS,
    *,
    resource: str = "shipment",
    properties: str = "merge",
) -> dict[str, Any]:
    return {
        "resource": resource,
        "format": file_format,
        "csv_field_options": {
            "timezone": ZONE,
            "datetime_format": "yyyy-MM-dd HH:mm:ss",
            "columns": list(columns),
            "properties": properties,
        },
    }


def merged_copy(rows: int) -> int:
    return copied(request("csv"))


REQUESTS = {
    names.CSV: request("csv"),
    names.CSV_GZIP: request("csv") | {"compression": "gzip"},
    names.CSV_ZSTD: request("csv") | {"compression": "zstd"},
    names.JSON_LINES: request("jsonl"),
    names.CSV_FLATTEN: request("csv", properties="flatten"),
    names.PARQUET: request("parquet"),
    names.XLSX: request("xlsx", TWELVE),
    names.CONTACTS: request("csv", (*CONTACT, "groups"), resource="contact"),
}
IMPORTS = {names.PARQUET: ("exports.reading.arrow_reader", "pyarrow.parquet")}
CONTENDERS: dict[str, Callable[[int], int]] = {
    names.PLAIN: partial(plain_copy, "shipment", COLUMNS),
    names.PLAIN_CONTACTS: partial(plain_copy, "contact", CONTACT),
    names.MERGED: merged_copy,
    **{name: partial(exported, body) for name, body in REQUESTS.items()},
}
