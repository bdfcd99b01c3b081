"""The manifest: describes the files of an export without access to the API."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from exports.models import Export, ExportFile
from exports.spec import ExportSpec


def manifest(export: Export, spec: ExportSpec, files: Iterable[ExportFile]) -> dict[str, Any]:
    """Return the manifest, ready for JSON: the request as it was executed, and the files.

    rows, bytes: counts, of each file and of all.
    sha256: hexadecimal, of each file as it is downloaded.
    snapshot_at: time of the database snapshot that all files show.
    partitions: of a file that several workers wrote, in its order: rows, bytes and sha256 of each.
        The file may have some bytes more, its end.
    """
    selection = spec.selection
    files = list(files)
    return {
        "id": export.public_id,
        "resource": spec.resource,
        "format": spec.format,
        "compression": spec.compression,
        "created_at": export.created_at,
        "snapshot_at": export.snapshot_at,
        "timezone": spec.timezone,
        "columns": [{"path": column.path, "header": column.header} for column in spec.columns],
        "includes": [asdict(include) for include in spec.includes],
        "filters": [asdict(condition) for condition in selection.conditions],
        "order_by": [
            {"column": order.column, "direction": "desc" if order.descending else "asc"}
            for order in selection.ordering
        ],
        "limit": selection.limit,
        "rows": sum(file.rows for file in files),
        "bytes": sum(file.bytes for file in files),
        "files": [
            {
                "name": file.name,
                "content_type": file.content_type,
                "rows": file.rows,
                "bytes": file.bytes,
                "sha256": file.sha256,
                **({"partitions": file.partitions} if file.partitions else {}),
            }
            for file in files
        ],
    }
