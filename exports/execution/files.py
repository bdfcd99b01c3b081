"""The rows of the database that describe the files of an export."""

from exports.formats import formats
from exports.models import Export, ExportFile
from exports.spec import ExportSpec
from longshore.files.compression import CONTENT_TYPES, EXTENSIONS
from longshore.jobs.files import name_suffix
from longshore.resources.registry import registry


def content_type(spec: ExportSpec) -> str:
    """Return the media type of the files."""
    return CONTENT_TYPES.get(spec.compression, formats[spec.format].content_type)


def describe_file(
    export: Export, spec: ExportSpec, number: int, key: str, rows: int, size: int, sha256: str
) -> ExportFile:
    """Return an unsaved row of a stored file.

    number: of the file in the export, from 1.
    key: of the file in the storage.
    """
    return ExportFile(
        export=export,
        name=_name(export, spec, number),
        storage_key=key,
        content_type=content_type(spec),
        rows=rows,
        bytes=size,
        sha256=sha256,
    )


def _name(export: Export, spec: ExportSpec, number: int) -> str:
    """Return the name of a file for people: plural of the resource, suffix, extensions."""
    resource = registry.get(spec.resource)
    plural = resource.plural if resource else spec.resource
    suffix = name_suffix(export)
    if spec.max_rows_per_file:
        suffix = f"{suffix}-{number:03}"
    return f"{plural}-{suffix}.{formats[spec.format].extension}{EXTENSIONS[spec.compression]}"
