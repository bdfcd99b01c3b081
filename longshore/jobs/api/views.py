"""Viewset of one kind of job: list, create, retrieve, delete, cancel, retry and events."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

from rest_framework import status
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from longshore.accounts.authentication import key_of
from longshore.api.concurrency import expensive
from longshore.api.idempotency import idempotent
from longshore.api.pagination import NewestFirst, single_page
from longshore.api.views import ApiViewSet
from longshore.jobs import actions
from longshore.jobs.lifecycle import Lifecycle
from longshore.jobs.models import Job, JobQuerySet
from longshore.resources.api.list_filters import request_filters

_Job = TypeVar("_Job", bound=Job)


class JobViewSet(ListModelMixin, RetrieveModelMixin, ApiViewSet[_Job]):
    """Base of the viewset of one kind of job. Other organizations' jobs are not found.

    A subclass states:
    queryset: the visible jobs of all organizations.
    serializer_class, event_serializer_class: of a job and of a change of its status.
    lifecycle: of the kind of job.
    """

    event_serializer_class: type[BaseSerializer[Any]]
    lifecycle: Lifecycle[_Job]
    pagination_class = NewestFirst

    def create_job(self, body: Mapping[str, Any]) -> tuple[_Job, bool]:
        """Create a job from a request. Returns the job, and whether it is a new one."""
        raise NotImplementedError

    def filter_choices(self) -> Mapping[str, Sequence[str]]:
        """Return the accepted values of each filter of the list, `status` among them."""
        raise NotImplementedError

    def filter_jobs(
        self, jobs: JobQuerySet[_Job], filters: Mapping[str, Sequence[str]]
    ) -> JobQuerySet[_Job]:
        """Select the jobs that have one of the values of each filter."""
        for name, values in filters.items():
            if name == "status":
                jobs = jobs.shown_as(values)
            else:
                jobs = jobs.filter(**{f"{name}__in": values})
        return jobs

    def get_queryset(self) -> JobQuerySet[_Job]:
        jobs = cast("JobQuerySet[_Job]", super().get_queryset())
        # A key that may not read a resource does not find its jobs, either.
        jobs = jobs.readable_by(key_of(self.request))
        if self.action != "list":
            return jobs
        filters = request_filters(self.request, self.filter_choices(), jobs.model)
        return self.filter_jobs(filters.filter_by_creation(jobs), filters.values)

    @expensive(spare=1)
    @idempotent
    def create(self, request: Request) -> Response:
        job, is_new = self.create_job(self.json_body(request))
        return self.created(job, is_new=is_new)

    def created(self, job: _Job, *, is_new: bool) -> Response:
        """Return the response to the creation of a job."""
        data = self.get_serializer(job).data
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(data, code, headers={"Location": data["url"]})

    def destroy(self, request: Request, public_id: str) -> Response:
        actions.delete(self.lifecycle, self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, public_id: str) -> Response:
        reason = f"Canceled with the API key {key_of(request)}."
        actions.cancel(self.lifecycle, self.get_object(), reason)
        return self.retrieve(request)

    @action(detail=True, methods=["post"])
    def retry(self, request: Request, public_id: str) -> Response:
        actions.retry(self.lifecycle, self.get_object())
        return self.retrieve(request)

    @action(detail=True)
    def events(self, request: Request, public_id: str) -> Response:
        events = self.get_object().newest_events()
        return Response(single_page(self.event_serializer_class(events, many=True).data))
