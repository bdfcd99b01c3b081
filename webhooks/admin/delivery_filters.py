"""Filters and search of the list of deliveries.

All of them read few rows of a large table. An organization's deliveries are read per webhook, those
of a type of event through the index of events, and rare statuses and responses through indexes of
their own.
"""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter

from longshore.accounts import staff
from webhooks.events import EventType
from webhooks.models import NO_RESPONSE, SUCCESS, Delivery, Event

# Deliveries that a search finds by each kind of id.
MAX_MATCHES = 500


class EventTypeFilter(DropdownFilter):
    title = "event type"
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in EventType.values]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        field = "type" if queryset.model is Event else "event__type"
        return queryset.filter(**{field: self.value()}) if self.value() else queryset


class ResponseFilter(DropdownFilter):
    """Selects deliveries by the response to their newest attempt."""

    title = "last response"
    parameter_name = "response"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            (str(SUCCESS), "2xx success"),
            ("3", "3xx redirect"),
            ("4", "4xx refused"),
            ("5", "5xx error of the target"),
            (str(NO_RESPONSE), "No response"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        value = self.value()
        is_offered = value in dict(self.lookup_choices)
        return queryset.filter(response_class=value) if is_offered else queryset


def search(
    deliveries: QuerySet[Delivery], term: str, user: staff.Person
) -> tuple[QuerySet[Delivery], str]:
    """Return the deliveries whose id, or the id of whose event or subject, begins with a term.

    Each kind of id is read through its own index: an OR of all would scan the table. The ids of
    subjects must be complete. Searches what the person may see. The text says if there are more
    than the newest MAX_MATCHES.
    """
    text = term.strip().lower()
    if not text:
        return deliveries, ""
    # Ids sort by time.
    own = staff.restrict(Delivery.objects.all(), user, "subscription__organization")
    own = own.filter(subscription__deleted_at=None).order_by("-public_id")
    events = staff.restrict(Event.objects.order_by("-public_id"), user)
    # An empty subject is in no index.
    by_subject = events.filter(subject=text).exclude(subject="")
    of_events = {*_keys(events.filter(public_id__startswith=text)), *_keys(by_subject)}
    found = {
        *_keys(own.filter(public_id__startswith=text)),
        *_keys(own.filter(event__in=sorted(of_events))),
    }
    is_cut = max(len(of_events), len(found)) > MAX_MATCHES
    note = f"There are more matches than the newest {MAX_MATCHES}. Enter more of the id."
    return deliveries.filter(pk__in=sorted(found)), note if is_cut else ""


def _keys(records: QuerySet[Any]) -> QuerySet[Any]:
    """Return the keys of the first records, and one more than MAX_MATCHES if there are more."""
    return records.values_list("pk", flat=True)[: MAX_MATCHES + 1]
