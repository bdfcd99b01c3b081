"""SQL of rows of the input with their errors, as the file of failed rows has them."""

from psycopg import sql

from batches.request.mapping import ERRORS_HEADER, SOURCE_KEY


def quoted(text: sql.Composable) -> sql.Composable:
    """Return SQL of a text as a quoted cell of CSV."""
    return sql.SQL("""'"' || replace({}, '"', '""') || '"'""").format(text)


def with_errors(document: sql.Composable) -> sql.Composable:
    """Return SQL of a record of JSON with its errors, in place of those of an earlier batch."""
    # Before the closing brace, so that the document stays as it is.
    return sql.SQL(
        "CASE WHEN pg_input_is_valid({0}, 'jsonb') AND {0} IS JSON OBJECT"
        " AND {0}::json -> {3} IS NOT NULL THEN (SELECT '{{' || coalesce(string_agg("
        "to_json(key)::text || ':' || value, ',' ORDER BY number) || ',', '')"
        " || {1} || to_json(errors)::text || '}}'"
        " FROM json_each({0}::json) WITH ORDINALITY AS given (key, value, number) WHERE key <> {3})"
        " WHEN {0} IS JSON OBJECT THEN regexp_replace({0}, '\\s*}}\\s*$', '')"
        " || CASE WHEN {0} ~ '^\\s*{{\\s*}}\\s*$' THEN '' ELSE ',' END"
        " || {1} || to_json(errors)::text || '}}' ELSE {2} END"
    ).format(
        document,
        sql.Literal(f'"{ERRORS_HEADER}":'),
        source_with_errors(document),
        sql.Literal(ERRORS_HEADER),
    )


def source_with_errors(source: sql.Composable) -> sql.Composable:
    """Return SQL of a JSON object with the text of a record that is not an object."""
    return sql.SQL("json_build_object({}, {}, {}, errors)::text").format(
        sql.Literal(SOURCE_KEY), source, sql.Literal(ERRORS_HEADER)
    )
