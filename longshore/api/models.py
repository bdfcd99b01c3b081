"""Requests that a client may repeat."""

from django.db import models
from django.db.models.functions import Now

from longshore.accounts.models import Organization


class IdempotencyKey(models.Model):
    """A request that may be sent again within a day, and how it was answered."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    operation = models.CharField(max_length=255, help_text="Method and path: POST /v1/exports.")
    key = models.CharField(max_length=255, help_text="As the client chose it.")
    fingerprint = models.TextField(help_text="SHA-256 of the request's body, sealed.")
    # The answer, which is there when the transaction that inserts the row ends.
    status = models.PositiveSmallIntegerField(default=0)
    location = models.TextField(default="")
    body = models.TextField(default="", help_text="Sealed (`longshore.accounts.sealing`).")
    subject = models.CharField(
        max_length=40,
        default="",
        db_default="",
        help_text="Id of what the answer is about; its deletion empties `body`.",
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("organization", "operation", "key"), name="idempotency_key_is_used_once"
            ),
        )
        indexes = (
            models.Index(fields=("created_at",), name="idempotency_key_by_age"),
            models.Index(
                fields=("subject",),
                name="idempotency_key_by_subject",
                condition=~models.Q(subject=""),
            ),
        )

    def __str__(self) -> str:
        return self.key
