"""Events, stored in the transaction of what they report."""

from functools import partial
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from longshore.accounts.models import ApiKey, Organization
from longshore.database.fields import OrderedJSONField
from longshore.database.ids import new_id
from longshore.resources.readers import unreadable
from webhooks.events import EventType


class EventQuerySet(models.QuerySet["Event"]):
    def readable_by(self, api_key: ApiKey) -> "EventQuerySet":
        """Select the events of an API key's organization whose resources it may read."""
        own = self.filter(organization=api_key.organization_id)
        hidden = unreadable(api_key)
        return own.exclude(hidden) if hidden else own


class Event(models.Model):
    """An event of an organization, stored in the transaction of the change that it reports.

    data: the subject at the time of the event, as the API represents it. It has no links: they are
        signed when a message is sent.
    resource, other_resources, export_type: those of the job, for the filters of subscriptions;
        empty if the event is about no job or the job has no type.
    subject: public id of the object that the event is about, or "". Deleting the object deletes
        its events.
    """

    number = models.BigAutoField(primary_key=True)
    public_id = models.CharField(
        max_length=40, unique=True, default=partial(new_id, "evt"), editable=False
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="events", db_index=False
    )
    type = models.CharField(max_length=50)
    resource = models.CharField(max_length=100, blank=True)
    other_resources = ArrayField(models.CharField(max_length=100), default=list, db_default=[])
    export_type = models.CharField(max_length=100, blank=True)
    subject = models.CharField(max_length=40, blank=True, default="", db_default="")
    data = OrderedJSONField()
    created_at = models.DateTimeField(default=timezone.now)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ("-number",)
        indexes: ClassVar = [
            models.Index(fields=("organization", "-number"), name="event_by_organization"),
            models.Index(
                fields=("organization", "-created_at", "-number"), name="event_by_creation"
            ),
            models.Index(
                fields=("organization", "type", "-created_at", "-number"), name="event_by_type"
            ),
            models.Index(fields=("type", "-number"), name="event_of_type"),
            models.Index(fields=("created_at",), name="event_by_age"),
            models.Index(
                fields=("subject",), name="event_by_subject", condition=~models.Q(subject="")
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_data(self) -> dict[str, Any]:
        """The data without the token of a challenge, which only the target may see."""
        hidden = "challenge" if self.type == EventType.WEBHOOK_CHALLENGE else None
        return {name: value for name, value in self.data.items() if name != hidden}
