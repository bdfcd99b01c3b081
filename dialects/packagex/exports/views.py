"""`/packagex/v1/exports`: create, retrieve and list exports."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from drf_spectacular.utils import extend_schema_view

from dialects.packagex.exports import documentation
from dialects.packagex.exports.error_files import error_file_url
from dialects.packagex.exports.parameters import (
    BATCHES,
    CREATED,
    EXPORT_PARAMETERS,
    INCLUDES,
    PAGE_PARAMETERS,
    TOTAL,
    UPDATED,
)
from dialects.packagex.exports.representation import (
    CSV_FORMATS,
    JSON_FORMATS,
    ShownExportSerializer,
    show_export,
)
from dialects.packagex.jobs import (
    CHANGED_AT,
    PackageXJobViewSet,
    in_order,
    with_shown_status,
)
from dialects.packagex.parameters import SEARCH, read_parameters
from exports.api.views import ExportViewSet
from exports.models import Export, ExportFile, ExportSearch
from exports.request.body import ALL_COLUMNS, EXPORT_BODY, PRESET, TYPE
from exports.request.file_presets import PRESET_FORMAT, FilePreset
from exports.spec import OUTPUT
from longshore.api.errors import InvalidInput, Problem
from longshore.jobs.models import JobQuerySet
from longshore.resources.errors import ResourceErrorCode

# The trigram index of texts serves words of this length; shorter ones are compared with each text.
_TRIGRAM_CHARACTERS = 3
MAX_UNINDEXED = 10_000
_FILES = ExportFile.objects.filter(export=OuterRef("pk")).order_by().values("export")
_ORDERS: dict[str, Any] = {
    CREATED: F("created_at"),
    # A sub-select: to count by a join, PostgreSQL would group the rows of all exports.
    BATCHES: Coalesce(Subquery(_FILES.values(count=Count("pk"))), 0),
    # An unknown number counts as the smallest.
    TOTAL: Coalesce("records_count", -1),
    UPDATED: CHANGED_AT,
}


@extend_schema_view(**documentation.exports)
class PackageXExportViewSet(PackageXJobViewSet[Export], ExportViewSet):
    """The exports of the API key's organization."""

    # They may have 256 KiB each, and no response shows them.
    queryset = ExportViewSet.queryset.defer("spec", "request")
    serializer_class = ShownExportSerializer
    page_parameters = PAGE_PARAMETERS
    list_parameters = EXPORT_PARAMETERS
    may_wait = False

    def create_job(self, body: Mapping[str, Any]) -> tuple[Export, bool]:
        # PackageX writes a CSV and a JSON file of each export, and Longshore one file.
        output = body.get(OUTPUT)
        if output is None and body.get("format") is None:
            body = {**body, "format": "json"}
        defaults = _default_options(EXPORT_BODY.canonical(body))
        if defaults and (output is None or isinstance(output, Mapping)):
            given = {name: value for name, value in (output or {}).items() if value is not None}
            body = {**body, OUTPUT: {**defaults, **given}}
        return super().create_job(body)

    def show(self, native: Mapping[str, Any]) -> dict[str, Any]:
        return show_export(native, self.request)

    def show_one(self, native: Mapping[str, Any]) -> dict[str, Any]:
        shown = self.show(native)
        included = read_parameters(self.request.query_params, INCLUDES)
        url, file_format = shown["download_url"], native["format"]
        if included["include_csv"]:
            shown["_csv_url"] = url if file_format in CSV_FORMATS else None
            shown["_csv_error_url"] = error_file_url(native, self.request)
            # No rows are left out: dangerous cells are escaped.
            shown["_csv_sanitized_url"] = None
        if included["include_json"]:
            shown["_json_url"] = url if file_format in JSON_FORMATS else None
        return shown

    def select(self, jobs: JobQuerySet[Export], parameters: Mapping[str, Any]) -> QuerySet[Export]:
        if resource := parameters.get("resource"):
            jobs = jobs.filter(resource=resource)
        if statuses := parameters.get("statuses"):
            jobs = with_shown_status(jobs, statuses)
        if words := parameters.get("search"):
            jobs = _found(jobs, words)
        return in_order(jobs, _ORDERS[parameters["order_by"]], parameters["direction"])


def _default_options(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the options of a file as PackageX writes it: for programs, and with all columns."""
    if body.get(TYPE) is not None:
        # A named export is native and has columns of its own.
        return {PRESET: FilePreset.ISO} if body.get("format") in (None, PRESET_FORMAT) else {}
    selects_columns = body.get("fields") is not None or body.get("includes") or body.get("dry_data")
    return {} if selects_columns else {"columns": ALL_COLUMNS}


def _found(jobs: JobQuerySet[Export], words: Sequence[str]) -> JobQuerySet[Export]:
    """Select the exports whose texts contain every word.

    Raises InvalidInput if no index serves the search and there are too many exports to read.
    """
    has_index = any(len(word) >= _TRIGRAM_CHARACTERS for word in words)
    if not has_index and jobs.order_by()[: MAX_UNINDEXED + 1].count() > MAX_UNINDEXED:
        accepted = f"a word of at least {_TRIGRAM_CHARACTERS} characters"
        text = (
            f"More than {MAX_UNINDEXED:,} exports would be searched. Send {accepted}, or filter by "
            "resource or statuses."
        )
        code = ResourceErrorCode.INVALID_FILTER
        raise InvalidInput(Problem(code, SEARCH.name, " ".join(words), text, accepted))
    texts = ExportSearch.objects.filter(number=OuterRef("pk"))
    for word in words:
        jobs = jobs.filter(Exists(texts.filter(text__contains=word)))
    return jobs
