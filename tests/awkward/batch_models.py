"""Models whose tables batches write in other ways than those of common models."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from longshore.accounts.models import Organization
from longshore.resources.registry import Resource
from tests.awkward.models import Awkward, Team
from tests.awkward.plain_models import Category


class CategoryProxy(Category):
    """A proxy: the fields are those of its concrete model."""

    class Meta(Awkward.Meta):
        abstract = False
        proxy = True


class Clash(Awkward):
    """Its columns have the names of columns and aliases of the statements of batches.

    The name of its table, with the schema, is longer than PostgreSQL's maximum for one name.
    """

    key = models.AutoField(primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    image = models.CharField(max_length=40)
    record = models.CharField(max_length=40)
    row = models.IntegerField()
    absent = models.BooleanField(default=False)
    typed = models.JSONField(null=True, blank=True)
    plan = models.CharField(max_length=40, default="p")
    stored = models.IntegerField(null=True, blank=True)
    step = models.CharField(max_length=40, default="s")

    class Meta(Awkward.Meta):
        abstract = False
        db_table = f'"legacy"."{"clash_" * 10}"'
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "image", "row"], name="clash_key"),
            models.CheckConstraint(condition=models.Q(row__gte=100), name="clash_row"),
        ]


class Depot(Awkward):
    """Its primary key is a code that people choose."""

    code = models.CharField(max_length=5, primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=40)


class Member(Awkward):
    """Its relations have tables of links that a batch cannot write, except `teams`."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    friends = models.ManyToManyField("self")
    clubs = models.ManyToManyField(Category, through="Membership", related_name="+")
    teams = models.ManyToManyField(Team, related_name="+")


class Membership(Awkward):
    member = models.ForeignKey(Member, on_delete=models.CASCADE)
    club = models.ForeignKey(Category, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=40, default="guest")
    since = models.DateField(db_default=Now())


CATEGORY_PROXY = Resource("category_proxy", "category_proxies", CategoryProxy, date_field=None)
CLASH = Resource("clash", "clashes", Clash, date_field=None, key=("image", "row"))
DEPOT = Resource("depot", "depots", Depot, date_field=None)
RESOURCES = (CATEGORY_PROXY, CLASH, DEPOT)
