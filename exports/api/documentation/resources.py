"""Operations on resources and named exports in the API description."""

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from exports.api.examples import EXPORTS_TAG
from exports.api.serializers import ExportableSerializer, ExportTypeSerializer
from longshore.api.openapi import (
    operation,
    raised,
    response_example,
    single_page_schema,
    unknown_name,
)
from longshore.api.pagination import single_page
from longshore.resources.api.lookup import find_resource
from longshore.resources.api.serializers import ResourceSummarySerializer
from longshore.resources.registry import registry

RESOURCES = "Resources"

list_resources = operation(
    "list_resources",
    tag=RESOURCES,
    summary="List resources",
    description="Returns every resource that can be exported and listed.",
    responses={200: single_page_schema("ResourceList", ResourceSummarySerializer)},
)
types = operation(
    "list_export_types",
    tag=EXPORTS_TAG,
    summary="List named exports",
    description="Returns the accepted values of `type` in requests, with their definitions.",
    responses={200: single_page_schema("ExportTypeList", ExportTypeSerializer)},
    examples=[
        response_example(
            "One named export",
            single_page(
                [
                    {
                        "type": "dispute_list",
                        "code": "dispute_list",
                        "name": "Disputes",
                        "resource": "dispute",
                        "columns": {"id": "ID", "status": "Status", "amount_float": "Amount"},
                        "date": "created_at",
                        "order_by": "created_at",
                        "options": {"transaction.is_test": False},
                    }
                ]
            ),
        )
    ],
)
get_resource = operation(
    "get_resource",
    tag=RESOURCES,
    summary="Retrieve a resource",
    description=(
        "Returns its columns with their types, operators and matchers, its relations, and the "
        "formats of its exports: everything that an export form needs."
    ),
    responses={200: OpenApiResponse(ExportableSerializer, "The resource.")},
    parameters=[OpenApiParameter("name", location="path", enum=registry.names())],
    errors=[raised(lambda: find_resource(unknown_name("nope", registry.names())))],
)
