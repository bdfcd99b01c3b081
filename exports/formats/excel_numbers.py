"""Which numbers Excel stores exactly. It keeps 15 digits."""

from longshore.resources.columns import ColumnType

# SQL conditions by the type of the value. Zeros at the end of a decimal do not count.
EXACT = {
    ColumnType.INTEGER: "{0} BETWEEN -999999999999999 AND 999999999999999",
    ColumnType.DECIMAL: (
        "length(ltrim(translate(trim_scale({0})::text, '-.', ''), '0')) <= 15"
        " AND {0}::text !~ '[a-z]'"
    ),
}
