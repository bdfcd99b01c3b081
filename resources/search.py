"""The words of a record's search text, written once for the index and for the condition."""

import re

from django.contrib.postgres.search import SearchVectorField
from django.db.models import Expression, Func
from psycopg import sql

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
_TEMPLATE = "to_tsvector('simple'::regconfig, translate({text}, {marks}, {spaces}))"


class SearchWords(Func):
    """The `tsvector` of a text expression's words, immutable, for a GIN index."""

    output_field = SearchVectorField()

    def __init__(self, expression: Expression | str) -> None:
        super().__init__(expression)

    template = _TEMPLATE.format(
        text="%(expressions)s",
        marks="'" + _MARKS.replace("'", "''") + "'",
        spaces="'" + " " * len(_MARKS) + "'",
    )


def words_of(phrase: str) -> list[str]:
    return [word for word in _SPLIT.split(phrase) if word]


def words_match(text: sql.Composable, phrase: str) -> sql.Composable:
    """SQL that is true where every word of `phrase` begins a word of the SQL text `text`.

    A phrase without a word matches nothing.
    """
    # Quoted, a word is never an operator of the query language; PostgreSQL folds its letters
    # and parts what it parts in the text, such as 50% and its sign.
    query = " & ".join(f"'{word}':*" for word in words_of(phrase))
    vector = sql.SQL(_TEMPLATE).format(
        text=text, marks=sql.Literal(_MARKS), spaces=sql.Literal(" " * len(_MARKS))
    )
    return sql.SQL("{vector} @@ to_tsquery('simple'::regconfig, {query})").format(
        vector=vector, query=sql.Literal(query)
    )
