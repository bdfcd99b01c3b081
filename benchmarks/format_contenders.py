"""The same records in every format, by the server alone and by Longshore's runner.

Each function takes the number of rows and returns the size of the file in bytes.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import connection

from benchmarks.contenders import COLUMNS, ZONE, copied, exported
from benchmarks.data import ORGANIZATION
from longshore.accounts.models import Organization

PLAIN, PLAIN_CONTACTS, MERGED = (
    "server-side COPY of plain CSV",
    "server-side COPY of plain CSV, contacts",
    "server-side COPY of the merged CSV",
)
TWELVE = COLUMNS[:12]
CONTACT = (
    "id", "name", "nickname", "alternate_names", "email", "alternate_emails", "phone",
    "alternate_phones", "id_number", "address", "secondary_address", "is_primary", "notes",
    "metadata", "created_at", "updated_at",
)  # fmt: skip
_PLAIN = """COPY (SELECT {} FROM longshore_logistics_{} WHERE organization_id = %s)
TO '/dev/null' (FORMAT csv)"""


def plain_copy(resource: str, columns: tuple[str, ...], rows: int) -> int:
    """COPY the columns to /dev/null on the server, without any conversion."""
    organization = Organization.objects.get(slug=ORGANIZATION)
    with connection.cursor() as cursor:
        statement = _PLAIN.format(", ".join(columns), resource)
        # COPY takes no parameters.
        cursor.execute(statement.replace("%s", f"'{organization.pk}'"))
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
    "CSV, merge": request("csv"),
    "CSV, merge, gzip": request("csv") | {"compression": "gzip"},
    "CSV, merge, zstd": request("csv") | {"compression": "zstd"},
    "JSON Lines": request("jsonl"),
    "CSV, flatten": request("csv", properties="flatten"),
    "Parquet": request("parquet"),
    "XLSX, 12 columns": request("xlsx", TWELVE),
    "contacts with two groups each, CSV, merge": request(
        "csv", (*CONTACT, "groups"), resource="contact"
    ),
}
CONTENDERS: dict[str, Callable[[int], int]] = {
    PLAIN: partial(plain_copy, "shipment", COLUMNS),
    PLAIN_CONTACTS: partial(plain_copy, "contact", CONTACT),
    MERGED: merged_copy,
    **{name: partial(exported, body) for name, body in REQUESTS.items()},
}
