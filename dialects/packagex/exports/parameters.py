"""The query parameters of exports."""

from dialects.packagex.parameters import DIRECTION, SEARCH, any_of, boolean, order_by, pages
from longshore.api.body.declaration import Body, Choice
from longshore.jobs.statuses import Status
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.registry import registry

STATUSES = tuple(
    str(status.value)
    for status in (
        Status.QUEUED,
        Status.PROCESSING,
        Status.COMPLETED,
        Status.FAILED,
        Status.TIMED_OUT,
    )
)
CREATED, BATCHES, TOTAL, UPDATED = "created_at", "count_batches", "count_total", "updated_at"
PAGE_PARAMETERS = pages(10)
EXPORT_PARAMETERS = Body(
    "PackageXExportList",
    "The parameters of the list of exports.",
    (
        order_by(CREATED, BATCHES, TOTAL, UPDATED, default=CREATED),
        DIRECTION,
        Choice(
            "resource",
            "Exports of this resource.",
            choices=registry.names,
            code=ResourceErrorCode.INVALID_RESOURCE,
        ),
        any_of("statuses", "Exports with these statuses.", *STATUSES),
        SEARCH,
    ),
)
INCLUDES = Body(
    "PackageXExportIncludes",
    "The links of an export.",
    (
        boolean("include_csv", "Add the links `_csv_url`, `_csv_error_url`, `_csv_sanitized_url`."),
        boolean("include_json", "Add the link `_json_url`."),
    ),
)
