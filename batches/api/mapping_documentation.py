"""Operations on saved mappings in the API description."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse

from batches.api.mapping_serializers import MappingRequestSerializer, MappingSerializer
from batches.request.parser import writable_resources
from batches.request.saved_mappings import MAX_SAVED_MAPPINGS, parse_mapping, too_many
from longshore.api.openapi import (
    IDEMPOTENCY_ERRORS,
    IDEMPOTENCY_PARAMETERS,
    NOT_FOUND,
    operation,
    raised,
    raised_errors,
    response_example,
    single_page_schema,
)
from longshore.api.pagination import single_page
from longshore.jobs.api.documentation import Operations
from longshore.resources.api.list_filters import parse_list_filters

_TAG = "Batches"
_REQUEST: Mapping[str, Any] = {
    "name": "Address book",
    "resource": "contact",
    "mapping": {"E-Mail": "email", "Full name": "name", "Birthday": None},
}
_SAVED = {
    "id": "map_01jd8z6vkq3m5w7x9y1z3b5d7f",
    "object": "mapping",
    **_REQUEST,
    "created_at": "2024-12-25T14:30:00.123456Z",
}
_INVALID = raised_errors(
    partial(parse_mapping, {**_REQUEST, **change})
    for change in ({"mapping": {"E-Mail": "emial"}}, {"resource": "kontact"}, {"name": " "})
)

mappings: Operations = {
    "list": operation(
        "list_batch_mappings",
        tag=_TAG,
        summary="List saved mappings",
        description="Returns the organization's saved mappings by resource and name.",
        responses={200: single_page_schema("MappingList", MappingSerializer)},
        parameters=[
            OpenApiParameter(
                "resource",
                description="One or more, separated by commas.",
                enum=writable_resources() or ["no resources"],
            )
        ],
        errors=[raised(lambda: parse_list_filters({"shade": ["red"]}, {}))],
        examples=[response_example("One saved mapping", single_page([_SAVED]))],
    ),
    "create": operation(
        "save_batch_mapping",
        tag=_TAG,
        summary="Save a mapping",
        description=(
            "Saves a mapping of headers to columns. Requests for batches use it by its name, as "
            "`mapping_name`. A mapping of the same resource and name is replaced, with status 200. "
            f"An organization has at most {MAX_SAVED_MAPPINGS} saved mappings."
        ),
        request=MappingRequestSerializer,
        responses={
            201: OpenApiResponse(MappingSerializer, "Saved."),
            200: OpenApiResponse(MappingSerializer, "Replaced."),
        },
        parameters=IDEMPOTENCY_PARAMETERS,
        errors=[*_INVALID, *IDEMPOTENCY_ERRORS, too_many()],
        examples=[
            OpenApiExample("An address book", value=_REQUEST, request_only=True),
            response_example("Saved", _SAVED),
        ],
    ),
    "destroy": operation(
        "delete_batch_mapping",
        tag=_TAG,
        summary="Delete a saved mapping",
        description="Deletes the mapping. Batches that used it keep their own copy.",
        responses={204: OpenApiResponse(description="Deleted.")},
        errors=[NOT_FOUND],
    ),
}
