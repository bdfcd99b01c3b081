"""The operations on exports that are there, as the API's description has them."""

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from exports.api.examples import (
    COMPLETED,
    EXPORTS,
    OVER_QUOTA,
    QUEUED,
    TOO_MANY_EXPORTS,
)
from exports.formats import formats
from exports.lifecycle.representation import (
    ExportEventSerializer,
    ExportSerializer,
)
from exports.models import RETRYABLE, STATUSES
from longshore.api.errors import ApiError, ErrorCode
from longshore.api.openapi import NOT_FOUND, answer, operation, whole_list
from longshore.jobs.errors import JobErrorCode
from longshore.resources.api.documentation import (
    BAD_PAGES,
    CREATED_PARAMETERS,
    bad_input,
)
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.export_types import export_types
from longshore.resources.registry import registry

list_exports = operation(
    "list_exports",
    tag=EXPORTS,
    summary="List exports",
    description="The exports of the organization, newest first.",
    responses={200: OpenApiResponse(ExportSerializer(many=True), "A page.")},
    parameters=[
        OpenApiParameter(name, description="One, or several with commas between.", enum=accepted)
        for name, accepted in (
            ("resource", registry.names()),
            ("type", export_types.codes()),
            ("status", list(STATUSES)),
            ("format", list(formats)),
        )
    ]
    + [*CREATED_PARAMETERS],
    errors=[
        bad_input(
            ResourceErrorCode.INVALID_FILTER,
            "status",
            "done",
            "Unknown status: done",
            list(STATUSES),
        ),
        *BAD_PAGES,
    ],
    examples=[answer("One completed export", COMPLETED)],
)
get_export = operation(
    "get_export",
    tag=EXPORTS,
    summary="Look at an export",
    description="Its status, its progress and, once it is completed, its file.",
    responses={200: OpenApiResponse(ExportSerializer, "The export.")},
    errors=[NOT_FOUND],
    examples=[answer("Queued", QUEUED), answer("Completed", COMPLETED)],
)
cancel_export = operation(
    "cancel_export",
    tag=EXPORTS,
    summary="Cancel an export",
    description="Ends it, whether it waits or is being written; the database is free at once.",
    request=None,
    responses={200: OpenApiResponse(ExportSerializer, "Canceled.")},
    errors=[
        NOT_FOUND,
        ApiError(
            ErrorCode.INVALID_STATUS,
            "The export is completed; it can be canceled when it is queued or processing.",
            {"status": "completed", "accepted": ["queued", "processing"]},
        ),
    ],
)
retry_export = operation(
    "retry_export",
    tag=EXPORTS,
    summary="Ask for an ended export again",
    description="The same request, under the same id, of the records that there are now.",
    request=None,
    responses={200: OpenApiResponse(ExportSerializer, "Queued.")},
    errors=[
        NOT_FOUND,
        ApiError(
            ErrorCode.INVALID_STATUS,
            "The export is completed; it can be retried when it is failed or timed_out or canceled"
            " or expired.",
            {"status": "completed", "accepted": [status.value for status in RETRYABLE]},
        ),
        TOO_MANY_EXPORTS,
        *OVER_QUOTA,
        ApiError(JobErrorCode.STORAGE_UNAVAILABLE),
    ],
    examples=[answer("Queued", QUEUED)],
)
delete_export = operation(
    "delete_export",
    tag=EXPORTS,
    summary="Delete an export",
    description=(
        "With its files, its request and its events, at once; one that is being written ends. "
        "Webhooks are told by `export.deleted`."
    ),
    responses={204: OpenApiResponse(description="Gone.")},
    errors=[NOT_FOUND],
)
list_events = operation(
    "list_export_events",
    tag=EXPORTS,
    summary="See what happened to an export",
    description="Every change of its status, oldest first.",
    responses={200: whole_list("ExportEventList", ExportEventSerializer)},
    errors=[NOT_FOUND],
    examples=[
        answer(
            "A worker was lost",
            {
                "next": None,
                "previous": None,
                "results": [
                    {"status": status, "attempt": attempt, "reason": reason, "created_at": time}
                    for status, attempt, reason, time in (
                        ("queued", 0, "", "2024-12-25T14:30:00.102Z"),
                        ("processing", 1, "", "2024-12-25T14:30:00.140Z"),
                        (
                            "queued",
                            1,
                            "The attempt ended in the loss of its worker.",
                            "2024-12-25T14:30:19.007Z",
                        ),
                        ("processing", 2, "", "2024-12-25T14:30:25.031Z"),
                        ("completed", 2, "", "2024-12-25T14:31:40.815Z"),
                    )
                ],
            },
        )
    ],
)
