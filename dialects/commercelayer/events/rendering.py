"""Renders events, and finds those of jobs."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from dialects.commercelayer.documents import BASE_ATTRIBUTES, Shown, moment
from dialects.commercelayer.queries import Kind, attribute, computed
from dialects.commercelayer.topics import TOPIC_OF
from webhooks.models import Event, EventQuerySet

TYPE = "events"
_RELATIONSHIPS = ("last_event_callbacks",)
_NAME = "CASE {row}.type " + " ".join(f"WHEN '{k}' THEN '{v}'" for k, v in TOPIC_OF.items())
KIND: Kind[Event] = Kind(
    TYPE,
    Event,
    (
        attribute(Event, "public_id", "id"),
        computed("name", f"{_NAME} END"),
        attribute(Event, "created_at"),
    ),
    ("name", *BASE_ATTRIBUTES),
    _RELATIONSHIPS,
)
# Retries of jobs are not limited, so neither is the number of their events.
_MAX_INCLUDED = 1_000


def events(organization_id: str) -> EventQuerySet:
    """Return the events of an organization that have a topic, without their data."""
    found = Event.objects.filter(organization=organization_id, type__in=TOPIC_OF)
    return found.defer("data")


def render_event(event: Event) -> Shown:
    """Return an event as documents show it."""
    time = moment(event.created_at)
    attributes: dict[str, Any] = {
        "name": TOPIC_OF[event.type],
        "created_at": time,
        "updated_at": time,
        "reference": None,
        "reference_origin": None,
        "metadata": {},
    }
    return Shown(TYPE, event.public_id, attributes, _RELATIONSHIPS)


def events_of(organization_id: str, subjects: Sequence[str]) -> Mapping[str, Sequence[Shown]]:
    """Return the newest events of jobs, oldest first, by the public id of the job."""
    newest = events(organization_id).filter(subject__in=subjects).order_by("-number")
    found: dict[str, list[Shown]] = defaultdict(list)
    for event in reversed(newest[:_MAX_INCLUDED]):
        found[event.subject].append(render_event(event))
    return found
