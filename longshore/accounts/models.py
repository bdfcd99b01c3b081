"""Who may use the API: organizations and the keys that speak for them."""

from typing import ClassVar
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from rest_framework_api_key.models import AbstractAPIKey, BaseAPIKeyManager

from longshore.database.ids import new_id


def check_timezone(name: str) -> None:
    """Raises ValidationError for what is no IANA name of a time zone."""
    if name not in available_timezones():
        raise ValidationError(f"{name} is no time zone: name one such as Europe/Berlin.")


def organization_id() -> str:
    return new_id("org")


class Organization(models.Model):
    """A tenant: every record, export and key belongs to exactly one."""

    id = models.CharField(max_length=40, primary_key=True, default=organization_id, editable=False)
    name = models.CharField(max_length=200)
    slug = models.SlugField(unique=True, help_text="Names it on the command line and in files.")
    email = models.EmailField(
        blank=True, help_text="Where to write to, such as when one of its webhooks is disabled."
    )
    timezone = models.CharField(
        max_length=64,
        default="UTC",
        validators=[check_timezone],
        help_text="An IANA name: of datetimes, and of days in filters, where a request names none.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Scope(models.TextChoices):
    """What a key allows."""

    READ = "read"
    WRITE = "write"


def every_scope() -> list[str]:
    return list(Scope.values)


class KeyStatus(models.TextChoices):
    """Whether a key opens anything. A revoked key stays revoked when it expires."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


class ApiKeyManager(BaseAPIKeyManager):
    """Issues keys; `create_key` returns the row and the key, which is stored hashed only."""

    def assign_key(self, obj: AbstractAPIKey) -> str:
        key = super().assign_key(obj)
        # The library's id holds the hash, which has no place in the admin's addresses.
        obj.id = new_id("key")
        return key

    def with_status(self, status: KeyStatus) -> "models.QuerySet[ApiKey]":
        if status == KeyStatus.REVOKED:
            return self.filter(revoked=True)
        expired = models.Q(expiry_date__lt=timezone.now())
        return self.filter(expired if status == KeyStatus.EXPIRED else ~expired, revoked=False)


class ApiKey(AbstractAPIKey):
    """A secret that acts for an organization within its scopes until it expires or is revoked."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="api_keys"
    )
    scopes = ArrayField(
        models.CharField(max_length=10, choices=Scope.choices),
        default=every_scope,
        help_text="read: lists, records and downloads. write: everything that changes something.",
    )
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    # The key itself, while the request that issued it lasts.
    issued_key: str = ""

    objects: ClassVar[ApiKeyManager] = ApiKeyManager()  # type: ignore[assignment]

    class Meta(AbstractAPIKey.Meta):
        constraints = (
            models.CheckConstraint(
                condition=models.Q(scopes__len__gte=1),
                name="api_key_has_at_least_one_scope",
                violation_error_message="A key needs at least one scope.",
            ),
            models.CheckConstraint(
                condition=models.Q(scopes__contained_by=Scope.values),
                name="api_key_has_only_known_scopes",
                violation_error_message="The scopes of a key are read and write.",
            ),
        )

    @property
    def status(self) -> KeyStatus:
        if self.revoked:
            return KeyStatus.REVOKED
        return KeyStatus.EXPIRED if self.has_expired else KeyStatus.ACTIVE


class AuditAction(models.TextChoices):
    """What staff did."""

    DOWNLOAD = "download"


class AuditEntry(models.Model):
    """Something that a member of the staff took out of the admin; never changed or deleted there.

    username: as it was then; the user may be deleted since.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    username = models.CharField(max_length=150)
    action = models.CharField(max_length=20, choices=AuditAction.choices)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=60, help_text="The id of what it was done to.")
    address = models.GenericIPAddressField(
        null=True, help_text="The client's address as the server knows it."
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-pk",)
        verbose_name_plural = "audit log"
        indexes = (models.Index(fields=("subject",), name="audit_entry_by_subject"),)

    def __str__(self) -> str:
        return f"{self.username}: {self.action} {self.subject}"
