"""What a key's scopes allow."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from longshore.accounts.models import ApiKey, Scope
from longshore.api.errors import ApiError, ErrorCode

if TYPE_CHECKING:  # REST framework's views import this module.
    from rest_framework.views import APIView


class HasScope(BasePermission):
    """Safe methods need the scope read, others write, unless the view has a `required_scope`."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not isinstance(request.auth, ApiKey):
            return False
        by_method = Scope.READ if request.method in SAFE_METHODS else Scope.WRITE
        scope = Scope(getattr(view, "required_scope", by_method))
        if scope not in request.auth.scopes:
            raise ApiError(
                ErrorCode.FORBIDDEN,
                f"This API key lacks the scope {scope.value}.",
                {"required_scope": scope.value, "scopes": request.auth.scopes},
            )
        return True
