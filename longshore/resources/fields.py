"""Kinds of fields that the domains' models are made of, with their indexes."""

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
    """A short text without the second index that Django adds to keys for searches by pattern."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        # Django adds it to what is called varchar, this type's other name.
        return f"character varying({self.max_length})"


def id_field(prefix: str) -> IdField:
    """A primary key like `ship_01jd…`, compared byte by byte."""
    return IdField(
        max_length=40,
        primary_key=True,
        default=partial(new_id, prefix),
        editable=False,
        db_collation="C",
    )


def texts(help_text: str = "") -> "ArrayField[list[str], list[str]]":
    """A list of plain texts, empty by default."""
    return ArrayField(models.TextField(), default=list, blank=True, help_text=help_text)


def text(help_text: str = "") -> "models.TextField[str | None, str | None]":
    """A text that may be unknown (null), which is not the same as empty."""
    return models.TextField(null=True, blank=True, help_text=help_text)


def choice(
    choices: type[models.TextChoices], help_text: str = ""
) -> "models.CharField[str | None, str | None]":
    """One of a few words, or null where it does not apply."""
    return models.CharField(
        max_length=20, choices=choices.choices, null=True, blank=True, help_text=help_text
    )


def json_object(help_text: str = "") -> "models.JSONField[Any, Any]":
    """A JSON object that may be missing."""
    return models.JSONField(null=True, blank=True, help_text=help_text)


def json_list(help_text: str = "") -> "models.JSONField[Any, Any]":
    """A JSON list, empty by default."""
    return models.JSONField(default=list, blank=True, help_text=help_text)


def link(
    to: str | type[models.Model], related_name: str, help_text: str = "", *, db_index: bool = False
) -> "models.ForeignKey[Any, Any]":
    """An optional relation that outlives the other record.

    db_index: index every row; otherwise the model's `Meta` indexes those that it needs.
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
    """An index of the rows in which an optional relation is set."""
    return models.Index(
        fields=[field], name=name, condition=models.Q(**{f"{field}__isnull": False})
    )


def sorted_index(field: str, name: str) -> models.Index:
    """An index of an organization's records in the alphabetical order of a text."""
    return models.Index("organization", SortKey(field), name=name)


class JoinedTexts(models.Func):
    """Those of the given texts that hold something, joined by spaces; immutable."""

    template = "ltrim(%(expressions)s)"
    arg_joiner = " || "

    def __init__(self, *texts: str | models.Expression) -> None:
        super().__init__(*(models.Func(text, template=_WORD) for text in texts))


def search_field(*texts: str | models.Expression) -> models.GeneratedField:
    """The record's search text, stored."""
    return models.GeneratedField(
        expression=JoinedTexts(*texts), output_field=models.TextField(), db_persist=True
    )


def search_index(name: str) -> GinIndex:
    """An index over the words of the search text."""
    return GinIndex(SearchWords("search_text"), name=name)
