"""Search by words: one SQL expression for the index and for the condition."""

import re
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchVectorField
from django.db.models import Expression, Func
from psycopg import sql

from longshore.resources.folding import FOLDED

# PostgreSQL's parser keeps e-mail addresses, signed numbers and paths together, but people search
# for parts of them. In the C locale it treats every non-ASCII character as a letter. These
# characters separate words, in the search text and in the phrase.
_SEPARATORS = (
    "-_.,;:@/+#()[]<>&*=!?'|~\"\\"
    "\u00a0\u3000"  # no-break space, ideographic space
    "\u2018\u2019\u201c\u201d\u2013\u2014\u2026"  # typographic quotes, dashes, ellipsis
    "\u3001\u3002\u30fb"  # ideographic comma, full stop, middle dot
)
_SPLIT = re.compile(rf"[\s{re.escape(_SEPARATORS)}]+", re.ASCII)
_SPACES = " " * len(_SEPARATORS)
# The folded words of a search text or of a phrase, separated by spaces.
_WORDS = f"translate({FOLDED}, {{separators}}, {{spaces}})"
_VECTOR = f"to_tsvector('simple'::regconfig, {_WORDS})"
# A quoted word is never an operator of the query language, and the parser splits it like the text:
# 50% into the number and the sign. A phrase that folds to separators alone, such as a fullwidth
# apostrophe, is an empty query: an empty word would be a syntax error.
_QUERY = f"""coalesce(to_tsquery('simple'::regconfig, '''' || replace(
    nullif(btrim(regexp_replace({_WORDS}, ' +', ' ', 'g')), ''), ' ', ''':* & ''') || ''':*'),
    ''::tsquery)"""


def _template(template: str) -> str:
    """Return a Django template of one expression, with the separators as literals."""
    separators, spaces = ("'{}'".format(text.replace("'", "''")) for text in (_SEPARATORS, _SPACES))
    return template.format(text="%(expressions)s", separators=separators, spaces=spaces)


class SearchWords(Func):
    """The `tsvector` of the words of a text expression; immutable, for a GIN index."""

    output_field = SearchVectorField()
    template = _template(_VECTOR)

    def __init__(self, expression: Expression | str) -> None:
        super().__init__(expression)


class SearchPhrase(SearchQuery):
    """The `tsquery` of texts that have, for every word of the phrase, a word with that prefix."""

    template = _template(_QUERY)

    def __init__(self, phrase: str) -> None:
        super().__init__(" ".join(words_of(phrase)))

    def as_sql(self, *args: Any, **kwargs: Any) -> Any:
        # The template repeats its argument.
        text, params = super().as_sql(*args, **kwargs)
        return text, list(params) * self.template.count("%(expressions)s")


def words_of(phrase: str) -> list[str]:
    """Split a phrase into words."""
    return [word for word in _SPLIT.split(phrase) if word]


def words_match(text: sql.Composable, phrase: str) -> sql.Composable:
    """Return SQL that is true if every word of the phrase is the prefix of a word of the SQL text.

    Case and accents are ignored. A phrase without words matches nothing.
    """
    characters = {"separators": sql.Literal(_SEPARATORS), "spaces": sql.Literal(_SPACES)}
    words = sql.SQL("{}::text").format(sql.Literal(" ".join(words_of(phrase))))
    return sql.SQL("{} @@ {}").format(
        sql.SQL(_VECTOR).format(text=text, **characters),
        sql.SQL(_QUERY).format(text=words, **characters),
    )
