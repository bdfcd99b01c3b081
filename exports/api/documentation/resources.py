"""The operations that say what can be exported, as the API's description has them."""

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from exports.api.examples import EXPORTS
from exports.lifecycle.representation import (
    ExportableSerializer,
    ExportTypeSerializer,
)
from longshore.api.errors import ApiError, ErrorCode
from longshore.api.openapi import answer, operation, whole_list
from longshore.resources.api.serializers import ResourceSummarySerializer
from longshore.resources.registry import registry

RESOURCES = "Resources"

list_resources = operation(
    "list_resources",
    tag=RESOURCES,
    summary="List what there is",
    description="Every kind of records that can be exported and listed.",
    responses={200: whole_list("ResourceList", ResourceSummarySerializer)},
)
list_types = operation(
    "list_export_types",
    tag=EXPORTS,
    summary="List named exports",
    description="What `type` of a request may be, and what each stands for.",
    responses={200: whole_list("ExportTypeList", ExportTypeSerializer)},
    examples=[
        answer(
            "One type",
            {
                "code": "dispute_list",
                "name": "Disputes",
                "resource": "dispute",
                "columns": {"id": "Dispute ID", "status": "Status", "amount_float": "Amount"},
                "date": "created_at",
                "order_by": "created_at",
                "options": {"transaction.is_test": False},
            },
        )
    ],
)
get_resource = operation(
    "get_resource",
    tag=RESOURCES,
    summary="Describe a kind of records",
    description=(
        "Its columns with what each holds and which operators and matchers filter by it, its "
        "relations, and what its exports can be: all that a form for exports needs to know."
    ),
    responses={200: OpenApiResponse(ExportableSerializer, "The description.")},
    parameters=[OpenApiParameter("name", location="path", enum=registry.names())],
    errors=[
        ApiError(
            ErrorCode.NOT_FOUND, "There is no resource 'nope'.", {"accepted": registry.names()}
        )
    ],
)
