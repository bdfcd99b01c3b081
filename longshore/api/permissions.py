"""Permissions: the scopes of API keys."""

from collections.abc import Sequence

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from longshore.accounts.models import ApiKey, Scope
from longshore.api.errors import ApiError, ErrorCode


class HasScope(BasePermission):
    """Require the scope `read` for safe methods, else `write`, or the view's `required_scope`."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.auth, ApiKey):
            return False
        by_method = Scope.READ if request.method in SAFE_METHODS else Scope.WRITE
        scope = Scope(getattr(view, "required_scope", None) or by_method)
        if scope not in request.auth.scopes:
            raise missing_scope(scope, request.auth.scopes)
        return True


def missing_scope(scope: Scope, scopes: Sequence[str]) -> ApiError:
    """Return the error of a key with `scopes` that needs `scope`."""
    text = f"This API key lacks the scope {scope.value}."
    details = {"required_scope": scope.value, "scopes": [*scopes]}
    return ApiError(ErrorCode.FORBIDDEN, text, details)
