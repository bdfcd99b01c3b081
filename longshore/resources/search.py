"""The words of a record's search text, written once for the index and for the condition."""

import re
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchVectorField
from django.db.models import Expression, Func
from psycopg import sql

from longshore.resources.folding import FOLDED

# PostgreSQL's parser keeps e-mail addresses, numbers with signs and paths together; a person
# types a part of them. In the C locale it takes every sign beyond ASCII for a letter. Every
# mark below parts words, on both sides of the comparison.
_MARKS = (
    "-_.,;:@/+#()[]<>&*=!?'|~\"\\"
    "\u00a0\u3000"  # the spaces that do not break and that ideographs have
    "\u2018\u2019\u201c\u201d\u2013\u2014\u2026"  # typographic quotes, dashes, ellipsis
    "\u3001\u3002\u30fb"  # ideographic comma, full stop, middle dot
)
_SPLIT = re.compile(rf"[\s{re.escape(_MARKS)}]+", re.ASCII)
_SPACES = " " * len(_MARKS)
# Words of a text, folded, with spaces between; the same of a record's text and of a phrase.
_WORDS = f"translate({FOLDED}, {{marks}}, {{spaces}})"
_VECTOR = f"to_tsvector('simple'::regconfig, {_WORDS})"
# Quoted, a word is never an operator of the query language. The parser parts it as it parts the
# text, such as 50% and its sign. A phrase that folds to marks alone, such as a fullwidth
# apostrophe, is an empty query: an empty word would be a syntax error.
_QUERY = f"""coalesce(to_tsquery('simple'::regconfig, '''' || replace(
    nullif(btrim(regexp_replace({_WORDS}, ' +', ' ', 'g')), ''), ' ', ''':* & ''') || ''':*'),
    ''::tsquery)"""


def _template(template: str) -> str:
    """A template for Django: of one expression, with the marks as literals."""
    marks, spaces = ("'{}'".format(text.replace("'", "''")) for text in (_MARKS, _SPACES))
    return template.format(text="%(expressions)s", marks=marks, spaces=spaces)


class SearchWords(Func):
    """The `tsvector` of a text expression's words, immutable, for a GIN index."""

    output_field = SearchVectorField()
    template = _template(_VECTOR)

    def __init__(self, expression: Expression | str) -> None:
        super().__init__(expression)


class SearchPhrase(SearchQuery):
    """The query of the texts in which every word of a phrase begins a word."""

    template = _template(_QUERY)

    def __init__(self, phrase: str) -> None:
        super().__init__(" ".join(words_of(phrase)))

    def as_sql(self, *args: Any, **kwargs: Any) -> Any:
        # The template names its one argument several times.
        text, params = super().as_sql(*args, **kwargs)
        return text, list(params) * self.template.count("%(expressions)s")


def words_of(phrase: str) -> list[str]:
    return [word for word in _SPLIT.split(phrase) if word]


def words_match(text: sql.Composable, phrase: str) -> sql.Composable:
    """SQL that is true where every word of `phrase` begins a word of the SQL text `text`.

    Case and accents do not count. A phrase without a word matches nothing.
    """
    marks = {"marks": sql.Literal(_MARKS), "spaces": sql.Literal(_SPACES)}
    words = sql.SQL("{}::text").format(sql.Literal(" ".join(words_of(phrase))))
    return sql.SQL("{} @@ {}").format(
        sql.SQL(_VECTOR).format(text=text, **marks), sql.SQL(_QUERY).format(text=words, **marks)
    )
