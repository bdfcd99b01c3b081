"""Deliveries of events to subscriptions, and attempts to deliver."""

from functools import partial
from typing import ClassVar

from django.db import models
from django.db.models.functions import RowNumber
from django.utils import timezone

from longshore.database.ids import new_id
from webhooks.models.events import Event
from webhooks.models.subscriptions import Subscription

# Attempts of one delivery that the API returns. Each redelivery adds up to ten.
MAX_SHOWN_ATTEMPTS = 20
# Classes of responses (`Delivery.response_class`).
NO_RESPONSE, SUCCESS = 0, 2


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
    response_class: the hundreds of the status code of the newest attempt; 0 if it had no response,
        null without an attempt.
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
    response_class = models.PositiveSmallIntegerField(null=True)
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
            # The lists of all organizations. Other statuses and successes are frequent, or few.
            models.Index(
                fields=("-number",),
                name="delivery_failed",
                condition=models.Q(status=DeliveryStatus.FAILED),
            ),
            models.Index(
                fields=("response_class", "-number"),
                name="delivery_by_response",
                condition=models.Q(response_class__lt=SUCCESS)
                | models.Q(response_class__gt=SUCCESS),
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
