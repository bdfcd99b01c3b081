"""Abstract tables of what an organization used, and of its own limits."""

from typing import Any, ClassVar, Self, cast

from django.conf import settings
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


class LimitField(models.PositiveBigIntegerField):  # type: ignore[type-arg]  # Not generic at run time.
    """A limit of one organization; null if its default applies.

    setting: the setting of the default, without the prefix of the kind of job; None for no default,
        so that only organizations with a value of their own are limited.
    unit: `bytes`, `seconds`, or "" for a number of things.
    """

    def __init__(
        self, *args: Any, setting: str | None = None, unit: str = "", **options: Any
    ) -> None:
        self.setting = setting
        self.unit = unit
        options |= {"null": True, "blank": True, "validators": [MinValueValidator(1)]}
        super().__init__(*args, **options)

    def deconstruct(self) -> Any:
        """Describe a plain field to migrations, which do not store the default."""
        name, _, args, options = super().deconstruct()
        return name, "django.db.models.PositiveBigIntegerField", args, options


def required_limit(
    setting: str, verbose_name: str | None = None, help_text: str = "", unit: str = ""
) -> "models.PositiveBigIntegerField[int | None, int]":
    """Return the field of a limit whose setting always has a value."""
    field = LimitField(verbose_name, setting=setting, unit=unit, help_text=help_text)
    return cast("models.PositiveBigIntegerField[int | None, int]", field)


def optional_limit(
    setting: str | None = None,
    verbose_name: str | None = None,
    help_text: str = "",
    unit: str = "",
) -> "models.PositiveBigIntegerField[int | None, int | None]":
    """Return the field of a limit that may be None: no limit."""
    field = LimitField(verbose_name, setting=setting, unit=unit, help_text=help_text)
    return cast("models.PositiveBigIntegerField[int | None, int | None]", field)


class JobLimits(models.Model):
    """Limits of one organization that differ from the settings.

    To add a limit, declare its field. `applied_to` and the admin take it from there; the code that
    enforces it reads its attribute.

    settings_prefix: begins the names of the settings with the defaults.
    """

    settings_prefix: ClassVar[str]

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    unfinished = required_limit(
        "MAX_UNFINISHED",
        help_text="Unfinished at the same time: requested, queued or processing.",
    )
    daily = optional_limit(
        "MAX_DAILY", "per day", "Created or retried, from midnight to midnight in UTC."
    )
    seconds = required_limit(
        "TIME_LIMIT_SECONDS", help_text="Duration of each attempt.", unit="seconds"
    )
    stored_bytes = optional_limit(
        "MAX_STORED_BYTES",
        help_text="Size of all stored files together, until they expire or are deleted.",
        unit="bytes",
    )

    class Meta:
        abstract = True
        ordering = ("organization__name",)

    def __str__(self) -> str:
        return str(self.organization)

    @classmethod
    def limit_fields(cls) -> list[LimitField]:
        """Return the fields of all limits, in the order of their declaration."""
        return [field for field in cls._meta.fields if isinstance(field, LimitField)]

    @classmethod
    def default_of(cls, field: LimitField) -> int | None:
        """Return the limit of organizations without a value of their own; None for no limit."""
        if field.setting is None:
            return None
        default: int | None = getattr(settings, cls.settings_prefix + field.setting)
        return default

    @classmethod
    def applied_to(cls, organization_id: str) -> Self:
        """Return the limits that apply to an organization: its own, or else the defaults.

        The object is for reading: saving it would store the defaults as the organization's own.
        """
        # SQL text, because Django needs several times as long to build this query as PostgreSQL to
        # run it, and every creation sends it.
        query = f'SELECT * FROM "{cls._meta.db_table}" WHERE organization_id = %s'  # noqa: S608
        own = cls._default_manager.raw(query, [organization_id])
        limits = next(iter(own), None) or cls(pk=organization_id)
        for field in cls.limit_fields():
            if getattr(limits, field.name) is None:
                setattr(limits, field.name, cls.default_of(field))
        return limits
