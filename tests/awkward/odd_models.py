"""Models whose fields have the names of aliases in statements, reserved words, or odd columns."""

from django.db import models
from django.db.models import Q

from longshore.accounts.models import Organization
from longshore.resources.columns import Column, ColumnType
from longshore.resources.registry import Resource
from longshore.resources.relations import Relation
from tests.awkward.models import Awkward

LONG = "a_note_whose_name_has_so_many_words_that_it_is_rather_long"
NAMES = (
    *("record", "cells", "row", "own", "page", "label", "key", "stored", "select", "user"),
    LONG,
)
# The names of computed columns need not be identifiers of Python.
COMPUTED = ("net-price", "2fa", "Größe")
LONG_STEP = "belongs_to_the_middle_of_the_tree_that_has_a_very_long_name"


class Odd(Awkward):
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    record = models.CharField(max_length=40)
    cells = models.CharField(max_length=40)
    row = models.CharField(max_length=40)
    own = models.CharField(max_length=40, db_column="net-price")
    page = models.CharField(max_length=40, db_column="2fa")
    label = models.CharField(max_length=40)
    key = models.CharField(max_length=40)
    stored = models.CharField(max_length=40)
    select = models.CharField(max_length=40)
    user = models.CharField(max_length=40, db_column="of {row}")
    a_note_whose_name_has_so_many_words_that_it_is_rather_long = models.CharField(max_length=80)
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="found")


class OddChild(Odd):
    """A child with a table of its own."""

    class Meta(Awkward.Meta):
        abstract = False


class Percent(Awkward):
    """A view; Django cannot write such a column."""

    id = models.IntegerField(primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.DO_NOTHING, related_name="+")
    share = models.CharField(max_length=40, db_column="100% of {row}")

    class Meta(Awkward.Meta):
        abstract = False
        managed = False
        db_table = "awkward_percent"


class Top(Awkward):
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")


class Middle(Awkward):
    top = models.ForeignKey(Top, on_delete=models.CASCADE, related_name="+")


class Leaf(Awkward):
    """A record whose path to the organization begins with a name of almost 63 bytes."""

    belongs_to_the_middle_of_the_tree_that_has_a_very_long_name = models.ForeignKey(
        Middle, on_delete=models.CASCADE, related_name="+"
    )


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
    columns=tuple(Column(name, ColumnType.TEXT, f"'a {name}'") for name in COMPUTED),
    includes=("parent", "found"),
    search="row",
)
CHILD = Resource("odd_child", "odd_children", OddChild, date_field=None)
LEAF = Resource(
    "leaf", "leaves", Leaf, organization=f"{LONG_STEP}__top__organization", date_field=None
)
PERCENT = Resource(
    "percent", "percents", Percent, date_field=None, where=~Q(share="none"), search="share"
)
VIEW = """CREATE VIEW awkward_percent AS
    SELECT id, organization_id, record AS "100% of {row}" FROM awkward_odd"""
MODELS = (Odd, OddChild, Top, Middle, Leaf)
RESOURCES = (ODD, CHILD, LEAF, PERCENT)
