"""SQL that writes dates and datetimes as ISO 8601, including years before 1 and infinity.

PostgreSQL's `to_char` writes the year 44 BC as 0044, and infinity as null. Here years are
astronomical, as in ISO 8601 (1 BC is 0000, 44 BC is -0043), and infinity is `infinity`.
"""

from psycopg import sql

# From this value on, the year is positive in every time zone.
_HAS_ORDINARY_YEAR = "{0} >= '0001-01-02' AND {0} < 'infinity'"


def with_any_year(
    value: sql.Composable, ordinary: sql.Composable, ancient: sql.Composable
) -> sql.Composable:
    """Return SQL that chooses the text of a date or `timestamptz`.

    `ancient` for values before the year 1, `infinity` or `-infinity` for infinite values, else
    `ordinary`.
    """
    template = (
        f"CASE WHEN {_HAS_ORDINARY_YEAR} THEN {{1}}"
        " WHEN isfinite({0}) THEN {2} ELSE ({0})::text END"
    )
    return sql.SQL(template).format(value, ordinary, ancient)


def astronomical_year(
    value: sql.Composable, field: str = "year", digits: int = 4
) -> sql.Composable:
    """Return SQL of the text of an astronomical year up to 9999.

    field: `year` or `isoyear`.
    digits: minimum of digits, 1 to 4.
    """
    # PostgreSQL has no year 0: its -1 is 1 BC, the astronomical year 0.
    extracted = f"extract({field} FROM {{0}})"
    year = sql.SQL(f"({extracted} + ({extracted} < 0)::int)::int").format(value)
    template = f"FM{'9' * (4 - digits)}{'0' * digits}"
    signed = "(CASE WHEN {0} < 0 THEN '-' ELSE '' END || to_char(abs({0}), {1}))"
    return sql.SQL(signed).format(year, sql.Literal(template))


def date_text(value: sql.Composable) -> sql.Composable:
    """Return SQL of the ISO 8601 text of a date."""
    ancient = sql.SQL("{} || to_char({}, '-MM-DD')").format(astronomical_year(value), value)
    return with_any_year(value, sql.SQL("({})::text").format(value), ancient)


def datetime_text(value: sql.Composable) -> sql.Composable:
    """Return SQL of the ISO 8601 text of a `timestamptz`: session's TimeZone, microseconds."""
    rest = '-MM-DD"T"HH24:MI:SS.FF6TZH:TZM'
    ordinary = sql.SQL("to_char({}, {})").format(value, sql.Literal(f"YYYY{rest}"))
    ancient = sql.SQL("{} || to_char({}, {})").format(
        astronomical_year(value), value, sql.Literal(rest)
    )
    return with_any_year(value, ordinary, ancient)
