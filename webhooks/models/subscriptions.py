"""Subscriptions of organizations: the targets of their events."""

from functools import partial
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import MD5
from django.utils import timezone

from longshore.accounts.models import Organization
from longshore.database.ids import new_id
from webhooks.targets import MAX_TARGET_CHARACTERS, host_of

MAX_NAME_CHARACTERS = 200


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def visible(self) -> "SubscriptionQuerySet":
        """Leave out soft-deleted subscriptions."""
        return self.filter(deleted_at=None)


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
