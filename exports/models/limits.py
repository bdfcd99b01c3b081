"""What an organization may use, and what it has used."""

from django.core.validators import MinValueValidator
from django.db import models

from longshore.accounts.models import Organization


class ExportUsage(models.Model):
    """Usage counters of an organization.

    `exports.lifecycle.limits` changes them under the organization's lock.

    last_number: the `organization_number` of its newest export.
    exports: created or retried on `day`, in UTC; deleting an export does not lower it.
    """

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    last_number = models.PositiveBigIntegerField(default=0)
    day = models.DateField(null=True)
    exports = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.organization_id


class ExportLimits(models.Model):
    """What one organization may ask for, where that is not what the settings say of all."""

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, primary_key=True, related_name="export_limits"
    )
    unfinished = models.PositiveIntegerField(
        "unfinished exports",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="At the same time.",
    )
    records = models.PositiveBigIntegerField(
        "records of an export", null=True, blank=True, validators=[MinValueValidator(1)]
    )
    seconds = models.PositiveIntegerField(
        "seconds of an export",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="From the first row to the last byte, in each attempt.",
    )
    bytes = models.PositiveBigIntegerField(
        "bytes of an export's files", null=True, blank=True, validators=[MinValueValidator(1)]
    )
    daily = models.PositiveIntegerField(
        "exports a day",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Created or retried, from midnight to midnight in UTC.",
    )
    stored_bytes = models.PositiveBigIntegerField(
        "stored bytes",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Of the files of all its exports together, until they expire or are deleted.",
    )

    class Meta:
        verbose_name = verbose_name_plural = "export limits"
        ordering = ("organization__name",)

    def __str__(self) -> str:
        return str(self.organization)
