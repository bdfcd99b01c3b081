"""`/api/events`, and the events of a job."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema_view

from batches.models import Batch
from dialects.commercelayer.documentation.operations import operations
from dialects.commercelayer.documents import Shown
from dialects.commercelayer.events.rendering import KIND, events, render_event
from dialects.commercelayer.views import DocumentViewSet
from exports.models import Export
from longshore.accounts.authentication import key_of
from webhooks.models import Event

_SUBJECTS: Mapping[str, Any] = {"exports": Export, "imports": Batch}


@extend_schema_view(**operations(KIND, "event"))
class EventViewSet(DocumentViewSet[Event]):
    """The events of the organization; at an address below a job, those of the job."""

    kind = KIND
    lookup_value_regex = r"evt_\w+"

    def get_queryset(self) -> QuerySet[Event]:
        api_key = key_of(self.request)
        found = events(self.organization.pk).readable_by(api_key)
        if self.of not in _SUBJECTS:
            return found
        own = _SUBJECTS[self.of].objects.visible().readable_by(api_key)
        # Only the id is needed; the request and the spec may be large.
        job = get_object_or_404(own.only("public_id"), public_id=self.kwargs["public_id"])
        return found.filter(subject=job.public_id)

    def show(self, rows: Sequence[Event]) -> list[Shown]:
        return [render_event(row) for row in rows]
