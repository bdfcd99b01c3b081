"""Base of the viewsets of the dialect: version header, rate limit, parsers and pages of 29next."""

from typing import Any, TypeVar

from django.conf import settings
from django.db.models import Model
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from dialects.nextcommerce import versions
from dialects.nextcommerce.parsers import MultiPartParser
from longshore.accounts.throttling import ApiKeyThrottle
from longshore.api.errors import ApiError, ErrorCode
from longshore.api.pagination import DEFAULT_PAGE_SIZE, NewestFirst
from longshore.api.parsers import BoundedFormParser, BoundedJSONParser, form_fields
from longshore.api.views import ApiViewSet

_Model = TypeVar("_Model", bound=Model)


class Throttle(ApiKeyThrottle):
    """Limits the requests of an API key to this dialect to `NEXTCOMMERCE_RATE_LIMIT`."""

    prefix = "nextcommerce:"

    def get_rate(self) -> str | None:
        return settings.NEXTCOMMERCE_RATE_LIMIT or None


class Pages(NewestFirst):
    """Pages of a fixed size, with the parameter `cursor` only."""

    page_size_query_param = None

    def get_page_size(self, request: Request) -> int:
        return DEFAULT_PAGE_SIZE


class NextCommerceViewSet(ApiViewSet[_Model]):
    """Base of the viewsets. An object has the number within its organization as its id.

    query_serializer_class: of the filters of the list. It ignores parameters that it does not
        have, as 29next does.
    """

    throttle_classes = (ApiKeyThrottle, Throttle)
    parser_classes = (BoundedJSONParser, BoundedFormParser, MultiPartParser)
    pagination_class = Pages
    lookup_field = "organization_number"
    lookup_url_kwarg = "id"
    # Longer numbers do not fit the column.
    lookup_value_regex = "[0-9]{1,18}"
    query_serializer_class: type[Serializer[Any]]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        version = request.headers.get(versions.HEADER, versions.VERSION)
        if version not in versions.VERSIONS:
            raise invalid_version(version)

    def list_filters(self) -> dict[str, Any]:
        """Return the filters of a list that the request has. Raises ValidationError."""
        given = form_fields(self.request.query_params)
        query = self.query_serializer_class(
            data={name: value for name, value in given.items() if value != ""}
        )
        query.is_valid(raise_exception=True)
        return dict(query.validated_data)


def invalid_version(version: str) -> ApiError:
    text = f"{version!r} is not a version of the API. Versions: {', '.join(versions.VERSIONS)}."
    return ApiError(ErrorCode.INVALID_REQUEST, text, {versions.HEADER: version})
