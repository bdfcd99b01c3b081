"""The operations on all files of a job in one ZIP archive, in the API description."""

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    inline_serializer,
)
from rest_framework import serializers

from longshore.api.errors import ApiError, ErrorCode
from longshore.api.exception_handler import not_acceptable
from longshore.api.openapi import (
    NOT_FOUND,
    error_responses,
    extend_schema,
    operation,
    response_example,
)
from longshore.jobs.api.files import too_many_archives
from longshore.jobs.files import FileLinks
from longshore.jobs.kinds import JobKind

V = TypeVar("V", bound=Callable[..., Any])
_ZipLink = inline_serializer(
    "ZipLink",
    {
        "name": serializers.CharField(),
        "url": serializers.URLField(),
        "expires_at": serializers.DateTimeField(),
    },
)


def zip_link(kind: JobKind[Any], tag: str, example: str, errors: list[ApiError]) -> Any:
    """Describe the action that returns the link. example: its URL."""
    name = example.partition("?")[0].rpartition("/")[2]
    link = {"name": name, "url": example, "expires_at": "2024-12-25T14:36:40.123456Z"}
    return operation(
        f"zip_{kind.name}",
        tag=tag,
        summary="Create a link to all files in one ZIP archive",
        description=(
            "The archive is written while it is downloaded. Its files are stored as they are, not "
            "compressed again. The link needs no API key and works for a few minutes."
        ),
        responses={200: _ZipLink},
        errors=[NOT_FOUND, *errors],
        examples=[response_example("Link", link)],
    )


def get_zip(kind: JobKind[Any], tag: str, links: FileLinks[Any]) -> Callable[[V], V]:
    """Describe `get` of a SignedZipView. links: those of the view."""
    return extend_schema(
        operation_id=f"get_{kind.name}_zip",
        tags=[tag],
        summary="Download all files in one ZIP archive",
        description="Serves the archive of a link. It has a length, but no ranges.",
        auth=[],
        parameters=[
            OpenApiParameter("name", location=OpenApiParameter.PATH),
            OpenApiParameter("signature", required=True, description="From the link."),
        ],
        responses={
            (200, "application/zip"): OpenApiResponse(OpenApiTypes.BINARY),
            **error_responses(
                [
                    NOT_FOUND,
                    links.link_expired(),
                    not_acceptable(["application/json"]),
                    too_many_archives(),
                    ApiError(ErrorCode.INTERNAL_ERROR),
                ]
            ),
        },
    )
