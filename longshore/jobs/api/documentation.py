"""Operations of one kind of job in the API description."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
)
from rest_framework import serializers

from longshore.api import concurrency
from longshore.api.errors import ApiError, ErrorCode
from longshore.api.exception_handler import not_acceptable
from longshore.api.openapi import (
    IDEMPOTENCY_ERRORS,
    IDEMPOTENCY_PARAMETERS,
    NOT_FOUND,
    Errors,
    error_responses,
    extend_schema,
    operation,
    raised,
    response_example,
    single_page_schema,
)
from longshore.api.pagination import single_page
from longshore.jobs import actions
from longshore.jobs.admission import too_many_stored_bytes, too_many_today, too_many_unfinished
from longshore.jobs.api.files import range_not_satisfiable
from longshore.jobs.errors import JobErrorCode
from longshore.jobs.files import FileLinks
from longshore.jobs.kinds import JobKind
from longshore.jobs.models import MAX_EVENTS
from longshore.jobs.statuses import Status
from longshore.resources.api.documentation import CREATED_PARAMETERS, PAGE_ERRORS
from longshore.resources.api.list_filters import parse_list_filters

Serializer = type[serializers.BaseSerializer[Any]]
Operations = dict[str, Callable[[Any], Any]]

_EVENTS = [
    {"status": status, "attempt": attempt, "reason": reason, "created_at": time}
    for status, attempt, reason, time in (
        ("queued", 0, "", "2024-12-25T14:30:00.102Z"),
        ("processing", 1, "", "2024-12-25T14:30:00.140Z"),
        ("queued", 1, "The worker stopped responding.", "2024-12-25T14:30:19.007Z"),
        ("processing", 2, "", "2024-12-25T14:30:25.031Z"),
        ("completed", 2, "", "2024-12-25T14:31:40.815Z"),
    )
]


@dataclass(frozen=True, kw_only=True)
class JobDescription:
    """The values that the description of a kind of job needs.

    filters: accepted values of each filter of the list.
    create, retrieve, cancel, retry, delete: the descriptions of the operations.
    create_responses: by status code.
    queued, completed: responses of the API.
    create_parameters: that only this kind has.
    create_errors, retry_errors, delete_errors: errors of creation, of a retry and of deletion that
        only this kind has.
    """

    kind: JobKind[Any]
    tag: str
    serializer: Serializer
    event_serializer: Serializer
    request_serializer: Serializer
    request_examples: Sequence[OpenApiExample]
    create: str
    retrieve: str
    cancel: str
    retry: str
    delete: str
    create_responses: Mapping[int, OpenApiResponse]
    queued: dict[str, Any]
    completed: dict[str, Any]
    filters: Mapping[str, Sequence[str]]
    create_errors: Errors
    create_parameters: Sequence[OpenApiParameter] = ()
    retry_errors: Errors = ()
    delete_errors: Errors = ()


def job_operations(job: JobDescription) -> Operations:
    """Describe the actions of a JobViewSet; arguments of `extend_schema_view`."""
    noun, plural, tag = job.kind.name, job.kind.plural, job.tag
    admission_errors = _admission_errors(job.kind)
    one = f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
    queued = response_example("Queued", job.queued)
    completed = response_example("Completed", job.completed)
    event_list = single_page_schema(f"{noun.capitalize()}EventList", job.event_serializer)
    return {
        "list": operation(
            f"list_{plural}",
            tag=tag,
            summary=f"List {plural}",
            description=f"Returns the organization's {plural}, newest first.",
            responses={200: OpenApiResponse(job.serializer(many=True), "A page.")},
            parameters=[
                *(
                    OpenApiParameter(
                        name, description="One or more, separated by commas.", enum=[*values]
                    )
                    for name, values in job.filters.items()
                ),
                *CREATED_PARAMETERS,
            ],
            errors=[_invalid_status_filter(job.filters), *PAGE_ERRORS],
            examples=[response_example(f"One completed {noun}", job.completed)],
        ),
        "create": operation(
            f"create_{noun}",
            tag=tag,
            summary=f"Create {one}",
            description=job.create,
            request=job.request_serializer,
            responses=job.create_responses,
            parameters=[
                OpenApiParameter(
                    "Location",
                    OpenApiTypes.URI,
                    OpenApiParameter.HEADER,
                    response=[201],
                    description=f"URL of the {noun}.",
                ),
                *job.create_parameters,
                *IDEMPOTENCY_PARAMETERS,
            ],
            errors=[
                *job.create_errors,
                *admission_errors,
                concurrency.too_many(2),
                *IDEMPOTENCY_ERRORS,
            ],
            examples=[*job.request_examples, queued],
        ),
        "retrieve": operation(
            f"get_{noun}",
            tag=tag,
            summary=f"Retrieve {one}",
            description=job.retrieve,
            responses={200: OpenApiResponse(job.serializer, f"The {noun}.")},
            errors=[NOT_FOUND],
            examples=[queued, completed],
        ),
        "destroy": operation(
            f"delete_{noun}",
            tag=tag,
            summary=f"Delete {one}",
            description=job.delete,
            responses={204: OpenApiResponse(description="Deleted.")},
            errors=[NOT_FOUND, *job.delete_errors],
        ),
        "cancel": operation(
            f"cancel_{noun}",
            tag=tag,
            summary=f"Cancel {one}",
            description=job.cancel,
            responses={200: OpenApiResponse(job.serializer, "Canceled.")},
            errors=[NOT_FOUND, actions.not_cancelable(job.kind, Status.COMPLETED)],
        ),
        "retry": operation(
            f"retry_{noun}",
            tag=tag,
            summary=f"Retry {one}",
            description=job.retry,
            responses={200: OpenApiResponse(job.serializer, "Queued.")},
            errors=[
                NOT_FOUND,
                actions.not_retryable(job.kind, Status.COMPLETED),
                *job.retry_errors,
                *admission_errors,
                ApiError(JobErrorCode.STORAGE_UNAVAILABLE),
            ],
            examples=[queued],
        ),
        "events": operation(
            f"list_{noun}_events",
            tag=tag,
            summary=f"List the events of {one}",
            description=(
                "Returns every change of its status, oldest first; "
                f"of more than {MAX_EVENTS:,} changes, the newest {MAX_EVENTS:,}."
            ),
            responses={200: event_list},
            errors=[NOT_FOUND],
            examples=[
                response_example(
                    "A retry after a lost worker",
                    single_page(_EVENTS),
                )
            ],
        ),
    }


def file_operation(
    operation_id: str, *, tag: str, summary: str, description: str, links: FileLinks[Any]
) -> Callable[[Any], Any]:
    """Describe `get` of a SignedFileView. links: those of the view."""
    return extend_schema(
        operation_id=operation_id,
        tags=[tag],
        summary=summary,
        description=description,
        auth=[],
        parameters=_download_parameters(),
        responses=_download_responses(links),
    )


def _download_parameters() -> list[OpenApiParameter]:
    return [
        OpenApiParameter("name", location=OpenApiParameter.PATH),
        OpenApiParameter("signature", required=True, description="From the link."),
        OpenApiParameter(
            "Range",
            location=OpenApiParameter.HEADER,
            description="Bytes to return, to resume a download.",
            examples=[OpenApiExample("All but the first megabyte", value="bytes=1048576-")],
        ),
    ]


def _download_responses(links: FileLinks[Any]) -> dict[Any, OpenApiResponse]:
    return {
        (200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY),
        (206, "application/octet-stream"): OpenApiResponse(
            OpenApiTypes.BINARY, "The requested range of bytes."
        ),
        **error_responses(
            [
                NOT_FOUND,
                links.link_expired(),
                not_acceptable(["application/json"]),
                range_not_satisfiable(391_824),
                ApiError(ErrorCode.INTERNAL_ERROR),
            ]
        ),
    }


def _admission_errors(kind: JobKind[Any]) -> list[ApiError]:
    return [
        too_many_unfinished(kind, 10, 12),
        too_many_today(kind, 10_000, 10_000, 34_200),
        too_many_stored_bytes(kind, 2**40, 2**40),
    ]


def _invalid_status_filter(filters: Mapping[str, Sequence[str]]) -> ApiError:
    return raised(lambda: parse_list_filters({"status": ["done"]}, filters))
