"""A model with fields and constraints that no domain has; `specimens` creates its table."""

from itertools import count
from typing import ClassVar
from uuid import uuid4

import pytest
from django.contrib.postgres.fields import ArrayField
from django.core.validators import (
    MaxLengthValidator,
    MinLengthValidator,
    MinValueValidator,
    RegexValidator,
)
from django.db import connection, models
from django.db.models.functions import Lower

from longshore.accounts.models import Organization
from longshore.resources.registry import Resource
from longshore.resources.writing import Rule
from tests.samples import APPS

# None of them breaks a rule.
_numbers = count(1_000)


def next_number() -> int:
    return next(_numbers)


class Color(models.Field):  # type: ignore[type-arg]
    """A column of a type of the database's own."""

    def db_type(self, connection: object) -> str:
        return "specimen_color"


class Specimen(models.Model):
    """A record with validators, defaults and constraints of every kind."""

    id = models.UUIDField(primary_key=True, default=uuid4)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    code = models.CharField(max_length=5, validators=[MinLengthValidator(2)])
    rank = models.SmallIntegerField(choices=((1, "one"), (2, "two")), null=True, blank=True)
    email = models.EmailField(blank=True)
    site = models.URLField(blank=True, null=True)  # noqa: DJ001
    slug = models.CharField(  # noqa: DJ001
        max_length=20, null=True, validators=[RegexValidator("^[a-z]+$", "Use lower-case letters.")]
    )
    weight = models.DecimalField(
        max_digits=6, decimal_places=2, null=True, validators=[MinValueValidator(1)]
    )
    serial = models.IntegerField(default=next_number)
    sizes = ArrayField(models.IntegerField(), default=list, blank=True)
    labels = ArrayField(
        models.CharField(max_length=3, choices=(("a", "A"), ("b", "B"))), null=True, size=2
    )
    attributes = models.JSONField(default=list, blank=True)
    blob = models.BinaryField(null=True, editable=True, max_length=100)
    notes = models.JSONField(null=True, validators=[MaxLengthValidator(2)])
    emails = ArrayField(models.EmailField(), null=True)
    scores = ArrayField(models.IntegerField(validators=[MinValueValidator(1)]), null=True)
    days = ArrayField(models.DateField(), null=True)
    color = Color(null=True)
    at = models.TimeField(null=True)
    made = models.DateField(auto_now_add=True)
    size = models.GeneratedField(
        expression=models.F("serial") * 2, output_field=models.IntegerField(), db_persist=True
    )
    level = models.IntegerField(db_default=7)

    objects: ClassVar[models.Manager["Specimen"]] = models.Manager()

    class Meta:
        apps = APPS
        app_label = "tests"
        constraints: ClassVar = [
            models.UniqueConstraint(
                "organization",
                Lower("email"),
                name="specimen_email",
                condition=~models.Q(email=""),
                violation_error_message="This e-mail address is taken.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


SPECIMEN = Resource(
    "specimen",
    "specimens",
    Specimen,
    date_field="made",
    rules=(
        Rule("{row}.slug <> 'forbidden'", "The slug is forbidden.", "slug"),
        Rule("{row}.size <> 84", "The size is taken.", "serial"),
        Rule("{row}.level < 100 OR {row}.code = 'big'", "A high level needs the code big."),
    ),
)


@pytest.fixture
def specimens(db: None) -> None:
    """Create the table of `Specimen` for the test."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TYPE specimen_color AS ENUM ('red', 'green')")
    with connection.schema_editor() as editor:
        editor.create_model(Specimen)
