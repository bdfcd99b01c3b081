"""Organizations (tenants), their API keys, and the audit log of the staff."""

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
    """Validate an IANA name of a time zone. Raises ValidationError."""
    if name not in available_timezones():
        raise ValidationError(f"'{name}' is not a time zone. Use a name such as Europe/Berlin.")


def organization_id() -> str:
    return new_id("org")


class Organization(models.Model):
    """A tenant: every record, export and key belongs to exactly one."""

    id = models.CharField(max_length=40, primary_key=True, default=organization_id, editable=False)
    name = models.CharField(max_length=200)
    slug = models.SlugField(unique=True, help_text="Identifies it in commands and in file names.")
    email = models.EmailField(
        blank=True, help_text="Receives notices, for example that a webhook was disabled."
    )
    timezone = models.CharField(
        max_length=64,
        default="UTC",
        validators=[check_timezone],
        help_text="IANA name. The default of datetimes and of days in filters.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Scope(models.TextChoices):
    """The permissions of an API key."""

    READ = "read"
    WRITE = "write"


def every_scope() -> list[str]:
    return list(Scope.values)


class KeyStatus(models.TextChoices):
    """Whether a key is valid. A key that is revoked and expired counts as revoked."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


class ApiKeyManager(BaseAPIKeyManager):
    """Creates keys: `create_key` returns the row and the key. Only its hash is stored."""

    def assign_key(self, obj: AbstractAPIKey) -> str:
        key = super().assign_key(obj)
        # The library's id contains the hash, which must not appear in URLs of the admin.
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
        help_text="read: lists, records and downloads. write: all requests that change something.",
    )
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    # The key in plain text, only during the request that created it.
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
    """An action of the staff."""

    DOWNLOAD = "download"


class AuditEntry(models.Model):
    """An action of a staff user in the admin. The admin cannot change or delete it.

    username: at the time of the action. The user may have been deleted since.
    subject: public id of the object.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    username = models.CharField(max_length=150)
    action = models.CharField(max_length=20, choices=AuditAction.choices)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=60, help_text="Id of the object.")
    address = models.GenericIPAddressField(null=True, help_text="Address of the client.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-pk",)
        verbose_name_plural = "audit log"
        indexes = (models.Index(fields=("subject",), name="audit_entry_by_subject"),)

    def __str__(self) -> str:
        return f"{self.username}: {self.action} {self.subject}"
