"""What exports and batches share: single objects in both documented shapes, and lists."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, TypeVar, cast

from django.db.models import QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from dialects.base.pages import PageParameters
from dialects.packagex.documentation import ObjectSchema
from dialects.packagex.envelope import around_object, envelope, pagination
from dialects.packagex.parameters import read_list
from longshore.accounts.authentication import key_of
from longshore.api.body.declaration import Body
from longshore.api.concurrency import admitted
from longshore.api.links import absolute
from longshore.jobs.api.views import JobViewSet
from longshore.jobs.models import Job, JobQuerySet
from longshore.jobs.statuses import Status

_Job = TypeVar("_Job", bound=Job)
Shown = dict[str, Any]


class PackageXJobViewSet(JobViewSet[_Job]):
    """Creates, retrieves and lists the jobs of one kind. Precedes a native viewset in the bases.

    A subclass states:
    page_parameters, list_parameters: of the list.
    show: renders what the native serializer returns.
    """

    page_parameters: ClassVar[PageParameters]
    list_parameters: ClassVar[Body]
    schema = ObjectSchema()

    def show(self, native: Mapping[str, Any]) -> Shown:
        """Return an object in the words of PackageX. native: the object of the native API."""
        raise NotImplementedError

    def show_one(self, native: Mapping[str, Any]) -> Shown:
        """As `show`, with the links that the query of the request includes."""
        return self.show(native)

    def select(self, jobs: JobQuerySet[_Job], parameters: Mapping[str, Any]) -> QuerySet[_Job]:
        """Return the jobs of a list, filtered and in a total order."""
        raise NotImplementedError

    def get_queryset(self) -> JobQuerySet[_Job]:
        # Not that of JobViewSet, which filters a list by the parameters of the native API.
        jobs = cast("JobQuerySet[_Job]", GenericViewSet.get_queryset(self))
        return jobs.readable_by(key_of(self.request))

    def created(self, job: _Job, *, is_new: bool) -> Response:
        shown = self.show(self.get_serializer(job).data)
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        location = absolute(f"{self.request.path.rstrip('/')}/{job.public_id}", self.request)
        body = around_object(self.request, shown, code)
        return Response(body, code, headers={"Location": location})

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        shown = self.show_one(super().retrieve(request, *args, **kwargs).data)
        return Response(around_object(request, shown, status.HTTP_200_OK))

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        # It counts all rows, and indexes serve few of its orders and filters.
        with admitted(self.organization.pk):
            return self._list(request)

    def _list(self, request: Request) -> Response:
        parameters = request.query_params
        wanted, values = read_list(parameters, self.page_parameters, self.list_parameters)
        page = wanted.of(self.select(self.get_queryset(), values))
        shown = [self.show(each) for each in self.get_serializer(page.rows, many=True).data]
        pages = pagination(wanted, len(shown), page.total)
        return Response(envelope(request, shown, pagination=pages))


def shown_status(native: Mapping[str, Any]) -> str:
    """Return the status in the words of PackageX, which cancels no jobs.

    A job that was completed stays so when its files are deleted. An upload that did not arrive is
    expired.
    """
    if native["status"] == Status.CANCELED:
        return str(Status.FAILED.value)
    if native["status"] == Status.EXPIRED and native["started_at"] is not None:
        return str(Status.COMPLETED.value)
    return str(native["status"])


def with_shown_status(jobs: JobQuerySet[_Job], statuses: list[str]) -> JobQuerySet[_Job]:
    """Select the jobs whose `shown_status` is one of `statuses`."""
    wanted = {*statuses}
    if Status.FAILED in wanted:
        wanted.add(Status.CANCELED)
    if Status.COMPLETED in wanted:
        if Status.EXPIRED not in wanted:
            jobs = jobs.exclude(status=Status.EXPIRED, started_at=None)
        wanted.add(Status.EXPIRED)
    elif Status.EXPIRED in wanted:
        completed = (Status.COMPLETED, Status.EXPIRED)
        jobs = jobs.exclude(status__in=completed, started_at__isnull=False)
    return jobs.shown_as(wanted)


# When a job last changed its status, for queries; `changed_at` for an object.
CHANGED_AT = Coalesce("completed_at", "started_at", "created_at")


def in_order(jobs: JobQuerySet[_Job], by: Combinable, direction: str) -> QuerySet[_Job]:
    """Sort jobs by an expression, and equal ones by their creation."""
    sign = "-" if direction == "desc" else ""
    ordered = jobs.alias(position=by).order_by(f"{sign}position", f"{sign}number")
    return cast("QuerySet[_Job]", ordered)


def changed_at(native: Mapping[str, Any]) -> str:
    """Return when a job last changed its status, as the native API shows times."""
    return str(native["completed_at"] or native["started_at"] or native["created_at"])


def epoch(text: str) -> int:
    """Return a time of the native API in seconds since 1970."""
    return int(datetime.fromisoformat(text).timestamp())
