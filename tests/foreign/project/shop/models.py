"""Models that were written without a thought of Longshore."""

from typing import Any

from accounts.models import Club
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models


class MoodField(models.CharField):
    """A native enum of PostgreSQL."""

    def db_type(self, connection: Any) -> str:
        return "shop_mood"


class Size(models.TextChoices):
    SMALL = "s", "Small"
    LARGE = "l", "Large"


class Product(models.Model):
    club = models.ForeignKey(Club, on_delete=models.CASCADE)
    sku = models.CharField(max_length=20)
    name = models.CharField(max_length=80)
    price = models.DecimalField(max_digits=9, decimal_places=2)
    size = models.CharField(max_length=1, choices=Size, default=Size.SMALL)
    tags = ArrayField(models.CharField(max_length=20), default=list)
    details = models.JSONField(default=dict)
    is_listed = models.BooleanField(default=True)
    added = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("club", "sku"), name="product_by_sku"),)

    def __str__(self) -> str:
        return self.name


class Book(Product):
    """A child of a model with a table of its own: multi-table inheritance."""

    pages = models.PositiveIntegerField()


class ListedManager(models.Manager):
    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().filter(is_listed=True)


class Listed(Product):
    """A proxy whose manager shows some rows only."""

    objects = ListedManager()

    class Meta:
        proxy = True


class LiveManager(models.Manager):
    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().filter(deleted_at=None)


class Review(models.Model):
    """Deleted softly. Belongs to a tenant by the product only."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    mood = MoodField(max_length=10)
    text = models.TextField()
    written = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    objects = LiveManager()

    def __str__(self) -> str:
        return self.text


class Invoice(models.Model):
    """A table in another schema."""

    club = models.ForeignKey(Club, on_delete=models.CASCADE)
    number = models.CharField(max_length=20, primary_key=True)
    total = models.DecimalField(max_digits=9, decimal_places=2)
    issued = models.DateField()

    class Meta:
        db_table = '"legacy"."invoice"'

    def __str__(self) -> str:
        return self.number


class Stock(models.Model):
    """A composite key."""

    pk = models.CompositePrimaryKey("product_id", "place")
    product = models.ForeignKey(Product, on_delete=models.CASCADE)
    place = models.CharField(max_length=20)
    pieces = models.IntegerField()
    counted = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.product} at {self.place}"


class Country(models.Model):
    """A lookup table of all tenants, without a date."""

    code = models.CharField(max_length=2, primary_key=True)
    name = models.CharField(max_length=40)

    def __str__(self) -> str:
        return self.name


class Stamp(models.Model):
    """What a task of the team has done."""

    file = models.FileField(upload_to="stamps")

    def __str__(self) -> str:
        return self.file.name
