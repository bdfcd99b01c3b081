"""Base classes of every view of the API.

They set the whole policy: authentication, permissions, throttles, parsers, renderers, content
negotiation, errors and schema class. They ignore the setting REST_FRAMEWORK, so the defaults of a
project can neither open an endpoint nor change the format of an error.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeVar, cast

from django.db.models import Model
from drf_spectacular.openapi import AutoSchema
from rest_framework.authentication import BaseAuthentication
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.pagination import BasePagination
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.settings import DEFAULTS, IMPORT_STRINGS, APISettings
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from longshore.accounts.authentication import ApiKeyAuthentication, key_of
from longshore.accounts.models import Organization, Scope
from longshore.accounts.throttling import ApiKeyThrottle
from longshore.api.apis import NATIVE, api_of
from longshore.api.exception_handler import exception_handler
from longshore.api.parsers import BoundedJSONParser
from longshore.api.permissions import HasScope

_Model = TypeVar("_Model", bound=Model)

_OVERRIDES: Any = {
    "EXCEPTION_HANDLER": exception_handler,
    # `format` is a filter of exports, not a choice of renderer.
    "URL_FORMAT_OVERRIDE": None,
    "FORMAT_SUFFIX_KWARG": None,
}
# The limit, the requests that are left in this period, and the seconds until it ends.
RATE_HEADERS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
SETTINGS: Any = APISettings(_OVERRIDES, DEFAULTS, IMPORT_STRINGS)


class ApiRenderer(JSONRenderer):
    """Render compact JSON in UTF-8."""

    compact = True
    ensure_ascii = False
    strict = True


class AcceptNegotiation(DefaultContentNegotiation):
    """Select the renderer by the Accept header alone."""

    settings = SETTINGS


class ApiView(APIView):
    """Base of the views that are not viewsets."""

    settings = SETTINGS
    authentication_classes: Sequence[type[BaseAuthentication]] = (ApiKeyAuthentication,)
    permission_classes: Sequence[Any] = (HasScope,)
    throttle_classes: Sequence[type[BaseThrottle]] = (ApiKeyThrottle,)
    parser_classes: Sequence[type[BaseParser]] = (BoundedJSONParser,)
    renderer_classes: Sequence[type[BaseRenderer]] = (ApiRenderer,)
    content_negotiation_class: type[BaseContentNegotiation] = AcceptNegotiation
    versioning_class = None
    # Endpoints reject OPTIONS like any other unsupported method.
    metadata_class = None
    schema = AutoSchema()
    # The scope that a request needs; None: `read` for safe methods, `write` for others.
    required_scope: Scope | None = None
    # Whether successful responses may be compressed: see `longshore.api.compression`.
    may_compress = False
    # Public id of the object of a request, for `longshore.api.idempotency`. A view sets it during
    # the request if the addresses of its objects do not end with their public ids.
    subject = ""

    @cached_property
    def _throttles(self) -> list[BaseThrottle]:
        return super().get_throttles()

    def get_throttles(self) -> list[BaseThrottle]:
        """Return the same throttles during the whole request: they hold its count."""
        return self._throttles

    @property
    def rate(self) -> ApiKeyThrottle | None:
        """The throttle that counted the request; None if its API key has no rate limit."""
        throttles = self.get_throttles()
        keyed = (each for each in throttles if isinstance(each, ApiKeyThrottle) and each.count)
        return next(keyed, None)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Add the headers of the rate limit to responses of the native API."""
        finalized: Any = super().finalize_response(request, response, *args, **kwargs)
        finalized.may_compress = self.may_compress and finalized.status_code < 400
        if api_of(request.path_info) is NATIVE and (rate := self.rate):
            for name, value in zip(RATE_HEADERS, rate.state(), strict=True):
                finalized[name] = str(value)
        return finalized


class ApiViewSet(ApiView, GenericViewSet[_Model]):
    """Base of every viewset. Objects are looked up by `public_id`."""

    filter_backends = ()
    pagination_class: type[BasePagination] | None = None
    lookup_field = "public_id"

    @cached_property
    def organization(self) -> Organization:
        """The organization of the request's API key."""
        return key_of(self.request).organization

    @classmethod
    def get_extra_actions(cls) -> list[Callable[..., Any]]:
        """Return the extra actions in the order of their declaration, base classes first.

        Routes, and so the operations of the API description, follow this order. REST framework
        sorts them by name.
        """
        declared = [name for base in reversed(cls.__mro__) for name in vars(base)]
        actions: list[Callable[..., Any]] = super().get_extra_actions()
        return sorted(actions, key=lambda action: declared.index(action.__name__))

    def json_body(self, request: Request) -> dict[str, Any]:
        """Return the request's body; the parser accepts JSON objects only."""
        return cast("dict[str, Any]", request.data)
