"""Small views that test authentication, throttling and error responses of every view."""

from typing import Any, cast

from django.contrib import admin
from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    SuspiciousOperation,
)
from django.core.exceptions import ValidationError as ModelValidationError
from django.http import Http404
from django.urls import path, re_path
from rest_framework import exceptions
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from exports.errors import ExportErrorCode
from longshore.accounts.models import ApiKey, Organization, Scope
from longshore.api.errors import ApiError, ErrorCode, InvalidInput, Problem
from longshore.api.idempotency import idempotent
from longshore.api.views import ApiView
from longshore.database.ids import new_id
from longshore.resources.errors import ResourceErrorCode

RAISED: dict[str, Exception] = {
    "problem": InvalidInput(
        Problem(
            ResourceErrorCode.INVALID_RESOURCE,
            "resource",
            "invalid_resource",
            "Unsupported resource type: invalid_resource",
            ["contact", "shipment"],
        ),
        Problem(ErrorCode.INVALID_LIMIT, "options.limit", 0, "A limit is at least 1.", "1 or more"),
    ),
    "gone": ApiError(ExportErrorCode.EXPORT_EXPIRED, details={"id": "exp_1"}),
    "not-found": Http404("No Export matches the given query."),
    "rest-not-found": exceptions.NotFound(),
    "denied": PermissionDenied("secret"),
    "rest-denied": exceptions.PermissionDenied("secret"),
    "bad": BadRequest("secret"),
    "suspicious": SuspiciousOperation("secret"),
    "parse": exceptions.ParseError("Bad bits."),
    "unavailable": exceptions.APIException("secret"),
    "invalid": exceptions.ValidationError(
        {
            "options": {"limit": ["Too low."]},
            "columns": [{}, {"id": ["No."]}],
            "non_field_errors": ["Together wrong."],
        }
    ),
    "model-invalid": ModelValidationError({"name": ["Too long."]}),
    "unforeseen": RuntimeError("secret"),
}


class Echo(ApiView):
    def get(self, request: Request) -> Response:
        assert isinstance(request.auth, ApiKey)
        return Response({"key": request.auth.pk, "organization": request.auth.organization.slug})

    def post(self, request: Request) -> Response:
        return Response(request.data)


class Create(ApiView):
    """Store an organization with the `name` of the body; then raise or respond, as it asks."""

    @idempotent
    def post(self, request: Request) -> Response:
        body = cast("dict[str, Any]", request.data)
        made = Organization.objects.create(name=body["name"], slug=new_id("slug"))
        if "raise" in body:
            raise RAISED[body["raise"]]
        shown = {"id": made.pk, "name": made.name}
        headers = {"Location": f"/v1/created/{made.pk}"}
        return Response(shown, body.get("status", 201), headers=headers)


class Preview(Echo):
    required_scope = Scope.READ


class Public(ApiView):
    permission_classes = (AllowAny,)

    def get(self, request: Request) -> Response:
        return Response({})


class Raise(ApiView):
    def get(self, request: Request, name: str) -> Response:
        raise RAISED[name]


urlpatterns = [
    path("admin/", admin.site.urls),
    path("v1/create", Create.as_view()),
    path("v1/create-another", Create.as_view()),
    re_path("v1/create-x+[ab]/?$", Create.as_view()),
    path("v1/echo", Echo.as_view()),
    path("v1/preview", Preview.as_view()),
    path("v1/public", Public.as_view()),
    path("v1/raise/<name>", Raise.as_view()),
]
handler400 = "longshore.api.exception_handler.bad_request"
handler404 = "longshore.api.exception_handler.page_not_found"
handler500 = "longshore.api.exception_handler.server_error"
