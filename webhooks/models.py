"""Subscriptions, events, deliveries of events to subscriptions, and attempts to deliver."""

from functools import partial
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import MD5, RowNumber
from django.utils import timezone

from longshore.accounts.models import ApiKey, Organization
from longshore.database.fields import OrderedJSONField
from longshore.database.ids import new_id
from longshore.resources.readers import restricted, unreadable
from webhooks.events import ALL_EVENTS, EventType
from webhooks.targets import MAX_TARGET_CHARACTERS, host_of

MAX_NAME_CHARACTERS = 200
# Attempts of one delivery that the API returns. Each redelivery adds up to ten.
MAX_SHOWN_ATTEMPTS = 20


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def visible(self) -> "SubscriptionQuerySet":
        """Leave out soft-deleted subscriptions."""
        return self.filter(deleted_at=None)

    def matching(self, event: "Event") -> "SubscriptionQuerySet":
        """Return the subscriptions of the event's organization that get a delivery of it."""
        all_events = models.Q(events__contains=[ALL_EVENTS])
        event_type = all_events | models.Q(events__contains=[event.type])
        resource = models.Q(resources=[]) | models.Q(resources__contains=[event.resource])
        export_type = models.Q(types=[]) | models.Q(types__contains=[event.export_type])
        # If Longshore disabled a subscription, its deliveries fail and can be recovered later.
        recoverable = models.Q(active=True) | models.Q(disabled_at__isnull=False)
        # Only an API key that may read a restricted resource can name it in a subscription.
        names = restricted([event.resource, *event.other_resources])
        own = self.visible().filter(organization=event.organization_id, resources__contains=names)
        return own.filter(recoverable, event_type, resource, export_type, challenge="")


class Verification(models.TextChoices):
    """Whether the target has repeated its challenge. A pending target gets only challenges."""

    NOT_REQUIRED = "not_required", "Not required"
    PENDING = "pending", "Pending: the target has not repeated its challenge"
    VERIFIED = "verified", "Verified"


class Subscription(models.Model):
    """A subscription of an organization: a target URL that receives events.

    number: internal. It counts the subscriptions of all organizations: never show it to a client.
    organization_number: counts the subscriptions of one organization; shown as `number`.
    events: event types, or `["*"]` for all.
    dialect: the dialect whose message format is sent to the target; "" for the native format.
    dialect_fields: what the dialect stores in addition, which Longshore does not use.
    resources, types: limit the events to exports of these resources and to these named exports;
        `[]` for all.
    host: canonical host of the target (`host_of`), by which deliveries are limited.
    challenge: the token that the target must repeat before it gets events; "" if none is open.
    verified_at: when the target repeated its challenge; null if it did not.
    headers: sent with every delivery. Values are encrypted, as the secrets are
        (`longshore.accounts.sealing`).
    previous_secret: the secret before the last rotation; it signs until `previous_secret_ends_at`.
    consecutive_failures: failed attempts since the last successful one.
    failing_since: time of the first of these failures.
    last_error: error of the last of these failures; "" if an earlier release stored it.
    paused_until: no delivery is sent before this time.
    is_quick: whether the last response was quick. A slow target gets one delivery at a time.
    disabled_at, disabled_reason: when and why Longshore disabled the subscription.
    notified_at: when the organization was notified of that by email.
    deleted_at: time of the soft delete; the row is purged after its deliveries.
    """

    number = models.BigAutoField(primary_key=True)
    public_id = models.CharField(
        max_length=40, unique=True, default=partial(new_id, "whsub"), editable=False
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="subscriptions", db_index=False
    )
    organization_number = models.PositiveBigIntegerField(null=True)
    name = models.CharField(max_length=MAX_NAME_CHARACTERS, blank=True)
    target = models.CharField(max_length=MAX_TARGET_CHARACTERS)
    host = models.CharField(max_length=255, blank=True, default="", db_default="")
    challenge = models.CharField(max_length=64, blank=True, default="", db_default="")
    verified_at = models.DateTimeField(null=True, blank=True)
    dialect = models.CharField(max_length=40, blank=True, default="", db_default="")
    dialect_fields = models.JSONField(blank=True, default=dict, db_default={})
    events = ArrayField(models.CharField(max_length=50))
    resources = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    types = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    active = models.BooleanField(default=True)
    headers = models.JSONField(default=dict, blank=True)
    secret = models.TextField()
    previous_secret = models.TextField(blank=True)
    previous_secret_ends_at = models.DateTimeField(null=True, blank=True)
    consecutive_failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True, default="", db_default="")
    paused_until = models.DateTimeField(null=True, blank=True)
    is_quick = models.BooleanField(default=False)
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.TextField(blank=True)
    notified_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        ordering = ("-number",)
        indexes: ClassVar = [
            models.Index(
                fields=("organization", "-number"),
                name="subscription_by_organization",
                condition=models.Q(deleted_at=None),
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                "organization",
                MD5("target"),
                "dialect",
                "events",
                "resources",
                "types",
                condition=models.Q(deleted_at=None),
                name="subscription_unique_definition",
            ),
            models.UniqueConstraint(
                fields=("organization", "organization_number"),
                name="subscription_unique_number",
            ),
            models.CheckConstraint(
                name="subscription_has_events",
                condition=models.Q(events__len__gte=1),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.host = host_of(self.target)
        super().save(*args, **kwargs)

    @property
    def verification(self) -> Verification:
        if self.challenge:
            return Verification.PENDING
        return Verification.VERIFIED if self.verified_at else Verification.NOT_REQUIRED


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


class DeliveryStatus(models.TextChoices):
    """Statuses of a delivery. Only `webhooks.lifecycle` changes the status of a delivery."""

    PENDING = "pending"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Delivery(models.Model):
    """A delivery of an event to a subscription.

    attempts_count: attempts since the delivery was created or requested again. The attempts of
        earlier requests are kept too.
    claim: token of the sender that has claimed the delivery; "" if none has.
    lease_ends_at: end of the claim; after it, the delivery is given to another sender.
    """

    number = models.BigAutoField(primary_key=True)
    public_id = models.CharField(
        max_length=40, unique=True, default=partial(new_id, "dlv"), editable=False
    )
    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    # No index of its own: the index of the unique constraint begins with this column.
    event = models.ForeignKey(
        Event, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    status = models.CharField(
        max_length=20, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING
    )
    attempts_count = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, default=timezone.now)
    claim = models.CharField(max_length=40, blank=True)
    lease_ends_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ("-number",)
        indexes: ClassVar = [
            # By time, not by number: for an ORDER BY number, the planner scans the primary key and
            # hopes to find rows of the subscription soon, which can read the whole table.
            models.Index(fields=("subscription", "-created_at"), name="delivery_of_subscription"),
            models.Index(
                fields=("subscription", "status", "-created_at"), name="delivery_by_status"
            ),
            models.Index(
                fields=("subscription", "next_attempt_at"),
                name="delivery_pending",
                condition=models.Q(status=DeliveryStatus.PENDING),
            ),
            models.Index(
                fields=("subscription", "claim"),
                name="delivery_sending",
                condition=models.Q(status=DeliveryStatus.SENDING),
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("event", "subscription"), name="delivery_unique_subscription"
            ),
            models.CheckConstraint(
                name="delivery_valid_status",
                condition=models.Q(status__in=DeliveryStatus.values),
            ),
            models.CheckConstraint(
                name="delivery_pending_with_time",
                condition=~models.Q(status=DeliveryStatus.PENDING)
                | models.Q(next_attempt_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class AttemptQuerySet(models.QuerySet["Attempt"]):
    def newest(self) -> "AttemptQuerySet":
        """Return the newest MAX_SHOWN_ATTEMPTS attempts of each delivery, oldest first."""
        newest_first = models.F("pk").desc()
        rank = models.Window(RowNumber(), partition_by="delivery", order_by=newest_first)
        return self.annotate(rank=rank).filter(rank__lte=MAX_SHOWN_ATTEMPTS).order_by("pk")


class Attempt(models.Model):
    """One request to the target of a subscription.

    status_code: null if there was no response; `error` then says why.
    response: the first kilobyte of the body of the response.
    response_headers: pairs of name and value; null if there was no response, or if an earlier
        release stored the attempt.
    """

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    started_at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField()
    status_code = models.PositiveSmallIntegerField(null=True)
    error = models.TextField(blank=True)
    response = models.TextField(blank=True)
    response_headers = models.JSONField(null=True)

    objects = AttemptQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.status_code or self.error}"
