"""Models whose fields have the names of aliases in statements, reserved words, or odd columns."""

from django.db import models

from longshore.accounts.models import Organization
from longshore.resources.registry import Resource
from longshore.resources.relations import Relation
from tests.awkward.models import Awkward

NAMES = ("record", "cells", "row", "own", "page", "label", "key", "stored", "select", "user")


class Odd(Awkward):
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    record = models.CharField(max_length=40)
    cells = models.CharField(max_length=40)
    row = models.CharField(max_length=40)
    own = models.CharField(max_length=40)
    page = models.CharField(max_length=40)
    label = models.CharField(max_length=40)
    key = models.CharField(max_length=40)
    stored = models.CharField(max_length=40)
    select = models.CharField(max_length=40)
    user = models.CharField(max_length=40, db_column="of {row}")
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="found")


class OddChild(Odd):
    """A child with a table of its own."""

    class Meta(Awkward.Meta):
        abstract = False


_FIELDS = ("id", *NAMES)
ODD = Resource(
    "odd",
    "odds",
    Odd,
    date_field=None,
    relations=(
        Relation("parent", label="record", fields=_FIELDS),
        Relation("found", label="cells", fields=_FIELDS),
    ),
    includes=("parent", "found"),
    search="row",
)
CHILD = Resource("odd_child", "odd_children", OddChild, date_field=None)
MODELS = (Odd, OddChild)
RESOURCES = (ODD, CHILD)
