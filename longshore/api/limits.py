"""The limits of an organization and their usage: `GET /v1/limits`.

Other packages register further limits, each a function of the organization.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from longshore.accounts.authentication import key_of
from longshore.accounts.models import Organization
from longshore.api import concurrency
from longshore.api.openapi import operation, response_example, single_page_schema
from longshore.api.pagination import single_page
from longshore.api.views import ApiView

OVERVIEW = "Overview"
# Names of the limits of concurrent requests, the slots that they leave for others, descriptions.
_EXPENSIVE = (
    (
        "expensive_requests",
        0,
        "Concurrent list pages and retrieved records; previews and creations count, too.",
    ),
    (
        "previews_and_creations",
        1,
        "Concurrent previews and creations; list pages and retrieved records count, too.",
    ),
)


@dataclass(frozen=True, kw_only=True)
class LimitUsage:
    """A limit and its usage.

    name: unique.
    unit: `bytes`, `seconds`, or "" for a number of things.
    limit: None for no limit.
    used: None if the limit applies to each object alone, such as to the rows of each export, and
        if the usage is not known.
    resets_at: when `used` begins at 0 again; None if it does not.
    """

    name: str
    description: str
    unit: str = ""
    limit: int | None
    used: int | None = None
    resets_at: datetime | None = None

    @property
    def left(self) -> int | None:
        """The amount that remains; None if it is not limited or not known."""
        if self.limit is None or self.used is None:
            return None
        return max(0, self.limit - self.used)


_sources: list[Callable[[Organization], Iterable[LimitUsage]]] = []


def register(source: Callable[[Organization], Iterable[LimitUsage]]) -> None:
    """Add the limits of a package."""
    _sources.append(source)


class LimitSerializer(serializers.Serializer[LimitUsage]):
    """A limit of the organization or of the API key, and its usage."""

    name = serializers.CharField()
    description = serializers.CharField()
    unit = serializers.CharField(help_text="`bytes`, `seconds`, or empty for a number of things.")
    limit = serializers.IntegerField(allow_null=True, help_text="Null if there is no limit.")
    used = serializers.IntegerField(
        allow_null=True,
        help_text=(
            "Null if the limit applies to each export, batch or request alone, if there is no "
            "limit, and if the usage is not known."
        ),
    )
    left = serializers.IntegerField(allow_null=True)
    resets_at = serializers.DateTimeField(
        allow_null=True, help_text="When `used` begins at 0 again. Null if it does not."
    )


_EXAMPLE = {
    "name": "exports.unfinished",
    "description": "Unfinished at the same time: requested, queued or processing.",
    "unit": "",
    "limit": 10,
    "used": 2,
    "left": 8,
    "resets_at": None,
}


class LimitsView(ApiView):
    """The limits that apply to the API key and its organization."""

    @operation(
        "list_limits",
        tag=OVERVIEW,
        summary="List limits",
        description="Returns the limits of the API key and its organization, and their usage.",
        responses={200: single_page_schema("LimitList", LimitSerializer)},
        examples=[response_example("One limit", single_page([_EXAMPLE]))],
    )
    def get(self, request: Request) -> Response:
        organization = key_of(request).organization
        limits = [
            *self._of_requests(organization.pk),
            *(limit for source in _sources for limit in source(organization)),
        ]
        return Response(single_page([LimitSerializer(each).data for each in limits]))

    def _of_requests(self, organization_id: str) -> Iterator[LimitUsage]:
        values: dict[str, Any] = {"limit": None}
        if rate := self.rate:
            limit, _, seconds = rate.state()
            values = {
                "limit": limit,
                "used": rate.count,
                "resets_at": datetime.now(UTC) + timedelta(seconds=seconds),
            }
        yield LimitUsage(name="requests", description="Requests of this API key.", **values)
        is_limited = bool(settings.API_MAX_EXPENSIVE_REQUESTS)
        running = concurrency.running(organization_id) if is_limited else None
        for name, spare, description in _EXPENSIVE:
            maximum = concurrency.slots(spare) if is_limited else None
            yield LimitUsage(name=name, description=description, limit=maximum, used=running)
