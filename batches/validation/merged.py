"""Merged cells: SQL that splits the one text of several members.

The inverse of what exports write: members joined with `, `, those with a comma or a double quote
in double quotes. The space after a comma may be missing.
"""

from psycopg import sql

_MEMBER = '(?:"(?:[^"]|"")*"|[^",]*)'
_WELL_FORMED = f"^{_MEMBER}(?:, ?{_MEMBER})*$"
# The text gets a comma at its start, because the longest match wins: at the start of a text, an
# alternative to the comma would lose an empty first member.
_EACH = ', ?(?:"((?:[^"]|"")*)"|([^",]*))'
# Only few texts need the regular expression.
_SPLIT = f"""CASE WHEN {{0}} = '' THEN '{{{{}}}}'::text[]
 WHEN strpos({{0}}, '"') = 0 THEN string_to_array(replace({{0}}, ', ', ','), ',')
 WHEN {{0}} ~ '{_WELL_FORMED}'
 THEN ARRAY(SELECT coalesce(replace(m[1], '""', '"'), m[2])
  FROM regexp_matches(', ' || {{0}}, '{_EACH}', 'g') AS m) END"""  # noqa: S608


def split(text: sql.Composable) -> sql.Composable:
    """Return SQL of the members as `text[]`; null if a double quote is in the wrong place."""
    return sql.SQL(_SPLIT).format(text)
