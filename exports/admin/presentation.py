"""Text of the admin pages of exports: request, interpretation and files."""

from collections.abc import Iterator

from django.utils.safestring import SafeString
from django.utils.text import capfirst

from exports.models import Export, ExportFile
from exports.spec import ExportSpec
from longshore.files.compression import Compression
from longshore.jobs.admin.presentation import Table, code, link, table
from longshore.resources.conditions import AnyOf, Condition
from longshore.resources.filters import Ordering
from longshore.resources.includes import Include
from longshore.resources.registry import registry


def resource_label(name: str) -> str:
    """Return the plural label of a resource, or its name if it is not declared any more."""
    resource = registry.get(name)
    return capfirst(str(resource.model._meta.verbose_name_plural)) if resource else name


def format_label(export: Export) -> str:
    """Return `csv` or `csv, gzip`."""
    if export.compression == Compression.NONE:
        return export.format
    return f"{export.format}, {export.compression}"


def condition_text(condition: Condition | AnyOf) -> str:
    if isinstance(condition, AnyOf):
        return " or ".join(map(condition_text, condition.any_of))
    operator = condition.operator.replace("_", " ")
    return " ".join([condition.path, operator, ", ".join(condition.values)]).strip()


def ordering_text(ordering: Ordering) -> str:
    return f"{ordering.column} descending" if ordering.descending else ordering.column


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


def file_table(export: Export, download_url: str | None) -> Table:
    """Return the files as a table.

    download_url: base of the links to the files; None if they cannot be downloaded.
    """

    def name(file: ExportFile) -> SafeString:
        if download_url is None:
            return code(file.name)
        return link(f"{download_url}?file={file.pk}", code(file.name))

    rows = [
        [name(file), f"{file.rows:,}", f"{file.bytes:,}", code(file.sha256)]
        for file in export.files.all()
    ]
    return table("Files", ["File", "Rows", "Bytes", "SHA-256"], rows)
