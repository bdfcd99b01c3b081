"""Who is told of what, what happened, and what became of telling it."""

from functools import partial
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import MD5
from django.utils import timezone

from longshore.accounts.models import Organization
from longshore.database.fields import OrderedJSONField
from longshore.database.ids import new_id
from webhooks.events import EVERY, EventType
from webhooks.targets import host_of


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def visible(self) -> "SubscriptionQuerySet":
        return self.filter(deleted_at=None)

    def wanting(self, event: "Event") -> "SubscriptionQuerySet":
        """Those of the event's organization that are to be told of it."""
        of_type = models.Q(events__contains=[EVERY]) | models.Q(events__contains=[event.type])
        of_resource = models.Q(resources=[]) | models.Q(resources__contains=[event.resource])
        # What one misses that Longshore disabled is noted, and can be recovered.
        told = models.Q(active=True) | models.Q(disabled_at__isnull=False)
        named = models.Q(types=[]) | models.Q(types__contains=[event.export_type])
        own = self.visible().filter(organization=event.organization_id)
        return own.filter(told, of_type, of_resource, named, challenge="")


class Verification(models.TextChoices):
    """Whether a target has repeated its challenge. A pending target gets only challenges."""

    NOT_REQUIRED = "not_required", "Not required"
    PENDING = "pending", "Pending: the target has not repeated its challenge"
    VERIFIED = "verified", "Verified"


class Subscription(models.Model):
    """An address of an organization that is told of events.

    number: internal. It counts the subscriptions of all organizations: never show it to a client.
    organization_number: of the subscription within its organization; shown as `number`.
    events: types, or `["*"]`; resources, types: those whose exports it is told of, `[]` for all.
    host: of the target, as `host_of` spells it; deliveries to one host are limited.
    challenge: a token that the target has yet to repeat before it gets events; "" if none.
    verified_at: when the target repeated its challenge; null if it was never challenged.
    headers: sent with every delivery; each value is encrypted, as the secrets are
        (`longshore.accounts.sealing`).
    previous_secret: signs as well until its time is over, after a rotation.
    consecutive_failures, failing_since: of attempts, since the last one that succeeded.
    paused_until: nothing is sent before.
    is_quick: it has answered quickly when it last answered; others are sent one delivery at a time.
    disabled_at, disabled_reason: when Longshore itself ended it, and why; notified_at: since when
    the organization knows.
    deleted_at: since when nobody sees it any more; it goes once its deliveries have gone.
    """

    number = models.BigAutoField(primary_key=True)
    public_id = models.CharField(
        max_length=40, unique=True, default=partial(new_id, "whsub"), editable=False
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="subscriptions", db_index=False
    )
    organization_number = models.PositiveBigIntegerField(null=True)
    name = models.CharField(max_length=200, blank=True)
    target = models.CharField(max_length=2048)
    host = models.CharField(max_length=255, blank=True, default="", db_default="")
    challenge = models.CharField(max_length=64, blank=True, default="", db_default="")
    verified_at = models.DateTimeField(null=True, blank=True)
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
                name="subscription_of_organization",
                condition=models.Q(deleted_at=None),
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                "organization",
                MD5("target"),
                "events",
                "resources",
                "types",
                condition=models.Q(deleted_at=None),
                name="subscription_is_not_there_twice",
            ),
            models.UniqueConstraint(
                fields=("organization", "organization_number"),
                name="subscription_number_is_given_once",
            ),
            models.CheckConstraint(
                name="subscription_is_to_something",
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


class Event(models.Model):
    """Something that happened, as it was then.

    data: what it happened to, as the API shows it, but for links: they are made when it is sent.
    resource, export_type: of the export, for who wants to hear of some only; "" if there is none.
    subject: public id of the object of the event, whose deletion deletes the event; or "".
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
    export_type = models.CharField(max_length=100, blank=True)
    subject = models.CharField(max_length=40, blank=True, default="", db_default="")
    data = OrderedJSONField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-number",)
        indexes: ClassVar = [
            models.Index(fields=("organization", "-number"), name="event_of_organization"),
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
        """The data without the token of a challenge, which only the target may know."""
        hidden = "challenge" if self.type == EventType.WEBHOOK_CHALLENGE else None
        return {name: value for name, value in self.data.items() if name != hidden}


class DeliveryStatus(models.TextChoices):
    """The life of a delivery; `webhooks.lifecycle` is the only module that changes it."""

    PENDING = "pending"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Delivery(models.Model):
    """An event on its way to a subscription.

    attempts_count: since it was last asked for; the attempts themselves are all kept.
    claim, lease_ends_at: of the sender that has it, and until when nobody takes it from there.
    """

    number = models.BigAutoField(primary_key=True)
    public_id = models.CharField(
        max_length=40, unique=True, default=partial(new_id, "dlv"), editable=False
    )
    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    # The index of the constraint begins with it.
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
            # By time, for which there is no other index: by number, the planner hopes to find those
            # of a subscription soon among all, and reads the whole table where it does not.
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
                fields=("event", "subscription"), name="delivery_is_made_once_for_each"
            ),
            models.CheckConstraint(
                name="delivery_status_is_known",
                condition=models.Q(status__in=DeliveryStatus.values),
            ),
            models.CheckConstraint(
                name="delivery_is_pending_until_a_time",
                condition=~models.Q(status=DeliveryStatus.PENDING)
                | models.Q(next_attempt_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class Attempt(models.Model):
    """One request to a subscription's target.

    status_code: of the answer; null where none came, and `error` says what came instead.
    response: the first kilobyte of the answer's body.
    """

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    started_at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField()
    status_code = models.PositiveSmallIntegerField(null=True)
    error = models.TextField(blank=True)
    response = models.TextField(blank=True)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.status_code or self.error}"
