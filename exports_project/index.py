"""`/v1`: the addresses of the API, for people who open it first."""

from collections.abc import Iterator
from contextlib import suppress

from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from drf_spectacular.utils import OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from longshore.api import exception_handler
from longshore.api.apis import NATIVE, api_of
from longshore.api.errors import display_value
from longshore.api.limits import OVERVIEW
from longshore.api.links import absolute
from longshore.api.openapi import error_responses, extend_schema, response_example
from longshore.api.suggestions import did_you_mean
from longshore.api.views import ApiView
from longshore.resources.registry import registry

# By the names of their URLs. The pages under /docs are optional.
_ADDRESSES = {
    "exports": "export-list",
    "named_exports": "export-types",
    "batches": "batch-list",
    "webhooks": "webhook-list",
    "events": "event-list",
    "resources": "resource-list",
    "limits": "limits",
    "openapi": "schema",
    "docs": "docs",
}


class IndexView(ApiView):
    """The same for every client: it needs no API key, and has no rate limit."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    @extend_schema(
        operation_id="get_index",
        tags=[OVERVIEW],
        summary="List the addresses of the API",
        description="Returns the addresses of the lists. It needs no API key.",
        auth=[],
        responses={
            200: OpenApiResponse(
                {"type": "object", "additionalProperties": {"type": "string", "format": "uri"}},
                "The addresses, by name.",
            ),
            **error_responses(()),
        },
        examples=[
            response_example("Addresses", {"exports": "https://longshore.example/v1/exports"})
        ],
    )
    def get(self, request: Request) -> Response:
        return Response({name: absolute(path, request) for name, path in _paths()})


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return 404; for an unknown address of the native API with the address that is closest."""
    message = ""
    if api_of(request.path) is NATIVE:
        lists = [path for _, path in _paths()] + [f"/v1/{each.plural}" for each in registry]
        hint = did_you_mean(request.path.rstrip("/"), lists)
        message = f"{display_value(request.path)} is not an address of the API{hint}"
    return exception_handler.page_not_found(request, exception, message)


def _paths() -> Iterator[tuple[str, str]]:
    """Yield name and path of each list that is installed."""
    for name, url_name in _ADDRESSES.items():
        with suppress(NoReverseMatch):
            yield name, reverse(url_name)
