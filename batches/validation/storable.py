"""Values that PostgreSQL accepts, but that Python, and so Django, cannot hold.

A record with such a value could be written, but not read by the application.
"""

from django.db import models
from psycopg import sql

from longshore.resources.columns import AnyField

_FIRST_MOMENT, _LAST_MOMENT = "0001-01-01 00:00:00+00", "9999-12-31 23:59:59.999999+00"
# Subclasses before their parents. A time of 24:00 and the number NaN are such values, too; a year
# or a month has no fixed length in days.
_REFUSED: tuple[tuple[type[AnyField], str], ...] = (
    (models.DateTimeField, f"NOT {{0}} BETWEEN '{_FIRST_MOMENT}' AND '{_LAST_MOMENT}'"),
    (models.DateField, "NOT {0} BETWEEN '0001-01-01' AND '9999-12-31'"),
    (models.TimeField, "{0} = '24:00'"),
    (
        models.DurationField,
        "NOT {0} BETWEEN '-999999999 days' AND '999999999 days'"
        " OR extract(year FROM {0}) <> 0 OR extract(month FROM {0}) <> 0",
    ),
    (models.DecimalField, "NOT ({0} > '-Infinity' AND {0} < 'Infinity')"),
)


def not_storable(field: AnyField, value: sql.Composable) -> sql.Composable | None:
    """Return SQL of a test whether Python cannot hold a value of a field; None if it always can.

    value: SQL in the type of the field's column.
    """
    for kind, template in _REFUSED:
        if isinstance(field, kind):
            return sql.SQL("(" + template + ")").format(value)
    return None
