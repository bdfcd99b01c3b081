"""Viewset of one kind of job: list, retrieve, change, interrupt and delete."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from django.db import transaction
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from dialects.commercelayer.documents import Shown, read_attributes
from dialects.commercelayer.events.rendering import events_of
from dialects.commercelayer.jobs.attributes import (
    CLIENT_ATTRIBUTES,
    merged,
    pointer,
    read_client_attributes,
    read_flag,
)
from dialects.commercelayer.views import DocumentViewSet
from longshore.accounts.authentication import key_of
from longshore.api.errors import ErrorCode, Problems
from longshore.jobs import actions
from longshore.jobs.api.serializers import JobSerializer
from longshore.jobs.lifecycle import Lifecycle
from longshore.jobs.models import Job, JobQuerySet

J = TypeVar("J", bound=Job)
INTERRUPT = "_interrupt"


class JobDocumentViewSet(DocumentViewSet[J]):
    """The jobs of the API key's organization.

    A subclass states:
    queryset: the visible jobs of all organizations.
    serializer_class: of the native API.
    lifecycle: of the kind of job.
    """

    lifecycle: Lifecycle[J]
    serializer_class: type[JobSerializer[Any]]

    @property
    def triggers(self) -> Mapping[str, Callable[[J], None]]:
        """The attributes that act on a job when a request sets them to true."""
        return {INTERRUPT: self._interrupt}

    def get_queryset(self) -> QuerySet[J]:
        jobs = cast("JobQuerySet[J]", super().get_queryset())
        return jobs.readable_by(key_of(self.request))

    def render(self, shown: Mapping[str, Any], job: J) -> Shown:
        """Return a job as documents show it. shown: as the native API shows it."""
        raise NotImplementedError

    def show(self, rows: Sequence[J]) -> list[Shown]:
        # One serializer for all rows: creating the fields of one costs more than a row.
        shown = self.get_serializer(rows, many=True).data
        return [self.render(each, row) for each, row in zip(shown, rows, strict=True)]

    def related(self, name: str, rows: Sequence[J]) -> Mapping[str, Sequence[Shown]]:
        return events_of(self.organization.pk, [row.public_id for row in rows])

    def partial_update(self, request: Request, public_id: str) -> Response:
        accepted = [*CLIENT_ATTRIBUTES, *self.triggers]
        attributes = read_attributes(
            self.json_body(request), self.kind.name, accepted, id=public_id
        )
        problems = Problems()
        given = read_client_attributes(attributes, problems)
        fired = _fired(attributes, list(self.triggers), problems)
        if problems:
            problems.refuse()
        job = self.get_object()
        # Before the attributes: a request whose trigger is refused changes nothing.
        for name in fired:
            self.triggers[name](job)
        if given:
            self._store(job, given)
        return self.respond(self.get_object())

    def destroy(self, request: Request, public_id: str) -> Response:
        actions.delete(self.lifecycle, self.get_object())
        return Response(status=204)

    def _store(self, job: J, given: Mapping[str, Any]) -> None:
        """Replace client attributes of a job."""
        jobs = self.get_queryset().filter(pk=job.pk)
        with transaction.atomic():
            # Another request may change them at the same time, or delete the job.
            locked = jobs.select_for_update(no_key=True, of=("self",)).first()
            if locked is not None:
                metadata = merged(locked.request.get("metadata") or {}, given, {})
                jobs.update(request={**locked.request, "metadata": metadata})

    def _interrupt(self, job: J) -> None:
        reason = f"Canceled with the API key {key_of(self.request)}."
        actions.cancel(self.lifecycle, job, reason)


def _fired(attributes: Mapping[str, Any], triggers: Sequence[str], problems: Problems) -> list[str]:
    """Return the triggers that a request sets to true: at most one."""
    fired = [name for name in triggers if read_flag(attributes, name, problems)]
    if len(fired) > 1:
        text = f"Set one of {' and '.join(fired)}."
        problems.report(ErrorCode.INVALID_REQUEST, pointer(fired[1]), True, text, "one trigger")
    return fired
