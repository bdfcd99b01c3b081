"""Model fields and indexes for resources: ids, texts, choices, JSON, links and search text."""

from functools import partial
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from longshore.database.ids import new_id
from longshore.resources.folding import SortKey
from longshore.resources.search import SearchWords

_WORD = "COALESCE(' ' || NULLIF(%(expressions)s, ''), '')"


class IdField(models.CharField):  # type: ignore[type-arg]
    """A short text key without the additional `varchar_pattern_ops` index that Django creates."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        # Django creates that index for types named varchar only, which is an alias of this name.
        return f"character varying({self.max_length})"


def id_field(prefix: str) -> IdField:
    """Return a primary key such as `ship_01jd…`, which sorts byte by byte."""
    return IdField(
        max_length=40,
        primary_key=True,
        default=partial(new_id, prefix),
        editable=False,
        db_collation="C",
    )


def texts(help_text: str = "") -> "ArrayField[list[str], list[str]]":
    """Return a field for a list of texts, empty by default."""
    return ArrayField(models.TextField(), default=list, blank=True, help_text=help_text)


def text(help_text: str = "") -> "models.TextField[str | None, str | None]":
    """Return a text field that distinguishes unknown (null) from empty."""
    return models.TextField(null=True, blank=True, help_text=help_text)


def choice(
    choices: type[models.TextChoices], help_text: str = ""
) -> "models.CharField[str | None, str | None]":
    """Return a field for one of the choices, or null if none applies."""
    return models.CharField(
        max_length=20, choices=choices.choices, null=True, blank=True, help_text=help_text
    )


def json_object(help_text: str = "") -> "models.JSONField[Any, Any]":
    """Return a field for an optional JSON object."""
    return models.JSONField(null=True, blank=True, help_text=help_text)


def json_list(help_text: str = "") -> "models.JSONField[Any, Any]":
    """Return a field for a JSON list, empty by default."""
    return models.JSONField(default=list, blank=True, help_text=help_text)


def link(
    to: str | type[models.Model], related_name: str, help_text: str = "", *, db_index: bool = False
) -> "models.ForeignKey[Any, Any]":
    """Return an optional foreign key that becomes null when the other record is deleted.

    db_index: index all rows. Otherwise the model declares the indexes that it needs in `Meta`.
    """
    return models.ForeignKey(
        to,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name=related_name,
        db_index=db_index,
        help_text=help_text,
    )


def link_index(field: str, name: str) -> models.Index:
    """Return an index of the rows whose optional foreign key is set."""
    return models.Index(
        fields=[field], name=name, condition=models.Q(**{f"{field}__isnull": False})
    )


def sorted_index(field: str, name: str) -> models.Index:
    """Return an index of an organization's records in the alphabetical order of a text."""
    return models.Index("organization", SortKey(field), name=name)


class JoinedTexts(models.Func):
    """The texts that are neither null nor empty, joined by spaces. The SQL is immutable."""

    template = "ltrim(%(expressions)s)"
    arg_joiner = " || "

    def __init__(self, *texts: str | models.Expression) -> None:
        super().__init__(*(models.Func(text, template=_WORD) for text in texts))


def search_field(*texts: str | models.Expression) -> models.GeneratedField:
    """Return a stored generated field with the search text of the record."""
    return models.GeneratedField(
        expression=JoinedTexts(*texts), output_field=models.TextField(), db_persist=True
    )


def search_index(name: str) -> GinIndex:
    """Return a GIN index of the words of the search text."""
    return GinIndex(SearchWords("search_text"), name=name)
