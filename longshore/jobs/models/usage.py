"""Abstract tables of what an organization used, and of its own limits."""

from django.core.validators import MinValueValidator
from django.db import models

from longshore.accounts.models import Organization


class JobUsage(models.Model):
    """Usage counters of an organization; `longshore.jobs.admission` changes them under its lock.

    last_number: the `organization_number` of its newest job.
    jobs: created or retried on `day`, in UTC. Deleting a job does not lower it.
    """

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    last_number = models.PositiveBigIntegerField(default=0)
    day = models.DateField(null=True)
    jobs = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.organization_id


class JobLimits(models.Model):
    """Limits of one organization that differ from the settings."""

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    unfinished = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Queued or processing at the same time.",
    )
    daily = models.PositiveIntegerField(
        "per day",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Created or retried, from midnight to midnight in UTC.",
    )
    seconds = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Duration of each attempt.",
    )
    stored_bytes = models.PositiveBigIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Size of all stored files together, until they expire or are deleted.",
    )

    class Meta:
        abstract = True
        ordering = ("organization__name",)

    def __str__(self) -> str:
        return str(self.organization)
