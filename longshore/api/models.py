"""Database table of idempotency keys."""

from django.db import models
from django.db.models.functions import Now

from longshore.accounts.models import Organization


class IdempotencyKey(models.Model):
    """An idempotency key and the response to its first request."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    operation = models.CharField(max_length=255, help_text="Method and path: POST /v1/exports.")
    key = models.CharField(max_length=255, help_text="Chosen by the client.")
    fingerprint = models.TextField(help_text="SHA-256 of the request's body, sealed.")
    # The response. It is set in the transaction that inserts the row.
    status = models.PositiveSmallIntegerField(default=0)
    location = models.TextField(default="")
    body = models.TextField(default="", help_text="Sealed (`longshore.accounts.sealing`).")
    subject = models.CharField(
        max_length=40,
        default="",
        db_default="",
        help_text="Public id of the object in the body; its deletion empties `body`.",
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
