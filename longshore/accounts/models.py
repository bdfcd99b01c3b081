"""Organizations (tenants), their API keys, the profiles and the audit log of the staff."""

from datetime import timedelta
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


# A key that expires within this time is reported as expiring soon.
EXPIRES_SOON = timedelta(days=14)


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

    def expiring_soon(self) -> "models.QuerySet[ApiKey]":
        """Return the active keys that expire within EXPIRES_SOON."""
        active = self.with_status(KeyStatus.ACTIVE)
        return active.filter(expiry_date__lte=timezone.now() + EXPIRES_SOON)


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

    @property
    def expires_soon(self) -> bool:
        """Whether the key is active and expires within EXPIRES_SOON."""
        ends = self.expiry_date
        if ends is None or self.status != KeyStatus.ACTIVE:
            return False
        is_soon: bool = ends <= timezone.now() + EXPIRES_SOON
        return is_soon


class StaffProfile(models.Model):
    """Settings of a person who uses the admin. A person without one has the defaults.

    is_bound: whether the person may see only `organizations`. It stays set when the last of them is
        deleted: the person then sees none, not all.
    timezone: times in the admin are shown in it; "" for UTC.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="staff_profile",
    )
    is_bound = models.BooleanField(
        "only some organizations",
        default=False,
        help_text="The user can see only the organizations below.",
    )
    organizations = models.ManyToManyField(Organization, blank=True, related_name="bound_staff")
    timezone = models.CharField(
        "time zone",
        max_length=64,
        blank=True,
        default="",
        validators=[check_timezone],
        help_text="Times in the admin are shown in it. Default: UTC.",
    )

    def __str__(self) -> str:
        return str(self.user)


class SecondFactor(models.Model):
    """What a person signs in with in addition to the password. Most people have none.

    id: differs after each setup. A session names the one with which it was signed in.
    secret: of the authenticator app, encrypted with SECRET_KEY.
    last_step: time step of the last accepted code. Codes of it and of earlier ones are refused.
    recovery_codes: hashes of those that are not used.
    wrong_codes, wrong_at: number of wrong codes in a row, and when the last one was entered.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="second_factor"
    )
    secret = models.TextField()
    last_step = models.BigIntegerField()
    recovery_codes = ArrayField(models.CharField(max_length=64))
    wrong_codes = models.PositiveSmallIntegerField(default=0)
    wrong_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        # No page shows these records.
        default_permissions = ()

    def __str__(self) -> str:
        return f"Second factor of {self.user}"


# The person of an entry about a refused sign-in.
NOBODY = "Not signed in"


class AuditAction(models.TextChoices):
    """Actions that every page of the admin has, and sign-ins. The others are names of buttons."""

    ADD = "add"
    CHANGE = "change"
    DELETE = "delete"
    DOWNLOAD = "download"
    PREVIEW = "preview"
    SIGN_IN = "sign_in", "Sign in"
    SIGN_OUT = "sign_out", "Sign out"
    SIGN_IN_FAILED = "sign_in_failed", "Sign in failed"
    SIGN_IN_LOCKED = "sign_in_locked", "Sign in locked"


class AuditEntry(models.Model):
    """An action of a staff user in the admin. The admin cannot change or delete it.

    username: at the time of the action. The user may have been deleted since. "" if nobody was
        signed in; then the object is the user whose password or code was refused.
    action: an AuditAction, or the name of a button, such as `cancel_job`.
    organization: null if the object belongs to none, such as a user.
    subject: public id or name of the object.
    model, object_id: label (`exports.export`) and primary key of the object; "" if there is none,
        such as for a preview of a request that is not stored.
    message: what was done, as a sentence.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    username = models.CharField(max_length=150)
    action = models.CharField(max_length=60)
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    subject = models.CharField(max_length=200, blank=True, help_text="Id or name of the object.")
    model = models.CharField(max_length=100, blank=True, default="", db_default="")
    object_id = models.CharField(max_length=64, blank=True, default="", db_default="")
    message = models.TextField(blank=True, default="", db_default="")
    address = models.GenericIPAddressField(null=True, help_text="Address of the client.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-pk",)
        verbose_name = "audit log entry"
        verbose_name_plural = "audit log"
        # The page that searches the log filters by each of these, newest first.
        indexes: ClassVar = [
            models.Index(
                fields=("subject",),
                name="audit_entry_by_subject",
                opclasses=("varchar_pattern_ops",),
            ),
            models.Index(fields=("username", "-id"), name="audit_entry_by_user"),
            models.Index(fields=("action", "-id"), name="audit_entry_by_action"),
            models.Index(fields=("organization", "-id"), name="audit_entry_by_organization"),
            models.Index(fields=("model", "object_id", "-id"), name="audit_entry_by_object"),
            models.Index(fields=("address", "-id"), name="audit_entry_by_address"),
            models.Index(fields=("created_at",), name="audit_entry_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.username or NOBODY}: {self.action} {self.subject}"
