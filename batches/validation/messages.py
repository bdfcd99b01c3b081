"""The sentences of errors in rows, as SQL of texts, or as texts if they name no value.

One sentence for one mistake, whichever statement detects it.
"""

from collections.abc import Sequence

from psycopg import sql

from longshore.api.errors import MAX_SHOWN_CHARACTERS
from longshore.api.suggestions import did_you_mean

# Choices that a message lists.
_MAX_LISTED = 20


def shown(text: sql.Composable) -> sql.Composable:
    """Return SQL of a text in quotes, shortened."""
    return sql.SQL("'''' || {} || ''''").format(shortened(text))


def shortened(text: sql.Composable) -> sql.Composable:
    """Return SQL of a text that is cut after `MAX_SHOWN_CHARACTERS`."""
    return sql.SQL(
        "CASE WHEN length({0}) > {1} THEN left({0}, {1}) || '… ('"
        " || to_char(length({0}), 'FM999,999,999') || ' characters)' ELSE {0} END"
    ).format(text, sql.Literal(MAX_SHOWN_CHARACTERS))


def sentence(text: sql.Composable, rest: str) -> sql.Composable:
    """Return SQL of a sentence that begins with a refused text."""
    return sql.SQL("{} || {}").format(shown(text), sql.Literal(rest))


def plain(text: str) -> sql.Composable:
    return sql.Literal(text)


def not_accepted(text: sql.Composable, name: str, accepted: str) -> sql.Composable:
    return sentence(text, f" is not a valid value of {name}. Accepted: {accepted}.")


def out_of_range(text: sql.Composable, name: str, accepted: str) -> sql.Composable:
    return sentence(text, f" is out of range for {name}. Accepted: {accepted}.")


def too_long(text: sql.Composable, name: str, maximum: int) -> sql.Composable:
    return sql.SQL("{} || {} || length({}) || {}").format(
        shown(text),
        sql.Literal(f" is too long for {name}: "),
        text,
        sql.Literal(f" characters; the maximum is {maximum:,}."),
    )


def too_many_decimals(text: sql.Composable, name: str, places: int) -> sql.Composable:
    return sentence(text, f" has more than {places} decimal places, the maximum of {name}.")


def ambiguous_date(text: sql.Composable, name: str) -> sql.Composable:
    rest = (
        f" is ambiguous: the order of day, month and year of {name} is not known."
        " Set datetime_format, such as dd/MM/yyyy or MM/dd/yyyy."
    )
    return sentence(text, rest)


def missing_value(name: str) -> str:
    return f"{name} must have a value."


def missing_key(names: Sequence[str]) -> str:
    return f"The row does not name a record: {joined(names)} must have a value."


def not_a_choice(value: str, name: str, choices: Sequence[str], *, suggest: bool = True) -> str:
    """Return the sentence of a text that is not one of the choices.

    suggest: look for the closest choice, which takes about 0.1 ms.
    """
    meant = ""
    if suggest:
        folded = {choice.casefold(): choice for choice in choices}
        same = folded.get(value.strip().casefold())
        meant = f". Did you mean {same!r}?" if same else did_you_mean(value, choices)
    if meant.endswith("?"):
        return f" is not a value of {name}{meant}"
    listed = ", ".join(choices[:_MAX_LISTED]) + (", …" if len(choices) > _MAX_LISTED else "")
    return f" is not a value of {name}. Values: {listed}."


def no_such_record(text: sql.Composable, noun: str, field: str) -> sql.Composable:
    """field: the field that holds the text; empty for a label."""
    with_field = f" with the {field} " if field else " "
    return sql.SQL("{} || {} || '.'").format(
        sql.Literal(f"There is no {noun}{with_field}"), shown(text)
    )


def several_records(
    count: sql.Composable, text: sql.Composable, nouns: str, key: str
) -> sql.Composable:
    return sql.SQL("{} || {} || {} || {}").format(
        count,
        sql.Literal(f" {nouns} match "),
        shown(text),
        sql.Literal(f". Give the {key} of one of them."),
    )


def several_named(noun: str, names: Sequence[str], key: str) -> str:
    return f"More than one {noun} has this {joined(names)}. Give the {key} of one of them."


def duplicate_row(other: sql.Composable) -> sql.Composable:
    """other: SQL of the place of the other one, such as `row 3`."""
    return sql.SQL("{} || {} || '.'").format(
        sql.Literal("The same record is also named by "), other
    )


def already_exists(noun: str) -> str:
    return f"The {noun} exists already, and the batch only creates."


def not_unique(names: Sequence[str], noun: str) -> str:
    return f"Another {noun} has the same {joined(names)}."


def not_unique_in_input(other: sql.Composable, names: Sequence[str]) -> sql.Composable:
    """other: SQL of the place of the other one, such as `row 3`."""
    return sql.SQL("regexp_replace({}, '^r', 'R') || {}").format(
        other, sql.Literal(f" has the same {joined(names)}.")
    )


def contradiction(
    first: sql.Composable,
    row: sql.Composable,
    name: str,
    value: sql.Composable,
    other: sql.Composable,
) -> sql.Composable:
    """Return the sentence of two rows of one record with different values."""
    return sql.SQL("{} || {} || {} || {} || {} || {} || {} || {} || '.'").format(
        sql.Literal("Rows "),
        first,
        sql.Literal(" and "),
        row,
        sql.Literal(f" are the same record, but have different values of {name}: "),
        shown(sql.SQL("coalesce({}, '')").format(value)),
        sql.Literal(" and "),
        shown(sql.SQL("coalesce({}, '')").format(other)),
    )


def too_many_parts(maximum: int) -> str:
    return f"The record has more than {maximum:,} records in one relation."


def violated(constraint: str) -> str:
    return f"The record violates the constraint {constraint}."


def different_records(used: str, spare: str, noun: str) -> str:
    """Return the beginning of a sentence about two cells of one row."""
    return f"{used} and {spare} do not name the same {noun}"


def given_twice(used: str, spare: str) -> str:
    return f"{spare} is used only in rows without {used}."


def not_used(names: Sequence[str]) -> str:
    return f"A batch that deletes records does not use {joined(names)}."


def joined(names: Sequence[str]) -> str:
    """Return names as a list in a sentence: `a`, `a and b`, `a, b and c`."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
