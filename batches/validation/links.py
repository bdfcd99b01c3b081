"""Links: the records that rows refer to by many-to-many relations.

The members of each cell are found once for each distinct text, as references are. An input may have
several cells for one relation: for each row the first one that has a value decides, and the others
must not name other records.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from batches.context import Context
from batches.errors import RowErrorCode
from batches.validation import messages
from batches.validation.assembly import Assembly
from batches.validation.conversion import fails
from batches.validation.given import INPUT, Given
from batches.validation.merged import split
from batches.validation.references import Reference
from batches.validation.refusals import FAILED, Refusals
from batches.validation.repeated import rows_of_records
from longshore.database.tables import table_name
from longshore.resources.columns import column_name, primary_key
from longshore.resources.conditions import related_scope, scope
from longshore.resources.relations import Relation

_RELATED = "related"
_MEMBERS = """CREATE UNLOGGED TABLE {members} AS
SELECT {row} AS "row", member.reference, {is_spare} AS is_spare
FROM {rows} CROSS JOIN LATERAL {list} WHERE member.reference IS NOT NULL"""
_TEXTS = "unnest({}) AS member (reference)"
_JSONS = """(SELECT element::text AS reference FROM jsonb_array_elements(
 CASE WHEN {0} IS JSON ARRAY AND pg_input_is_valid({0}, 'jsonb') THEN {0}::jsonb END)
 AS element WHERE element <> 'null') AS member"""
_HAS_NULL = """CASE WHEN {0} IS JSON ARRAY AND pg_input_is_valid({0}, 'jsonb')
 THEN {0}::jsonb @> '[null]' END"""
_LINKS = """INSERT INTO {links} (relation, "row", key)
SELECT DISTINCT {relation}, members."row", lookup.key::text
FROM {members} AS members JOIN {lookup} AS lookup USING (reference)
WHERE lookup.matches = 1 AND NOT members.is_spare"""
_ERRORS = """SELECT members."row", {column} AS "column", {code} AS code, {value} AS value,
 {message} AS message
FROM {members} AS members JOIN {lookup} AS lookup USING (reference)
WHERE {fails} AND NOT members.is_spare"""
# Rows in which a spare cell names a record that the deciding cells do not name.
_OTHER_MEMBERS = """SELECT DISTINCT members."row", {column} AS "column", {code} AS code,
 NULL AS value, {message} AS message
FROM {members} AS members JOIN {lookup} AS lookup USING (reference)
JOIN {typed} AS typed ON typed.longshore_row = members."row" AND typed.{failed} IS NULL
WHERE members.is_spare AND members.reference <> '' AND NOT EXISTS (SELECT FROM {links} AS links
 WHERE links.relation = {relation} AND links."row" = members."row" AND {names})"""
# Rows in which a spare cell, which has all members, does not name a record. A member without a text
# may be that of a record whose field is null, and a row of a repeated record has one member.
_MISSING_MEMBERS = """SELECT DISTINCT links."row", {column} AS "column", {code} AS code,
 NULL AS value, {message} AS message
FROM {links} AS links
JOIN {typed} AS typed ON typed.longshore_row = links."row" AND typed.{failed} IS NULL
JOIN (SELECT {row} AS "row" FROM {rows} WHERE {is_spare} GROUP BY 1
 HAVING bool_and({text} IS NOT NULL AND ({has_blank}) IS NOT TRUE)) AS spare
 ON spare."row" = links."row"
WHERE links.relation = {relation} AND NOT EXISTS (
 SELECT FROM {members} AS members JOIN {lookup} AS lookup USING (reference)
 WHERE members.is_spare AND members."row" = links."row" AND {names})"""
# Leaves out a spare text that is either several labels, or one with a comma or a double quote, as a
# row of a repeated record has it.
_UNDECIDED = """CASE WHEN {0} ~ '[",]'
 AND {0} IN (SELECT {label}::text FROM {related} WHERE {shown}) THEN NULL ELSE {0} END"""
_UNREADABLE = """SELECT {row} AS "row", {column} AS "column", {code} AS code, {value} AS value,
 {message} AS message FROM {rows} WHERE {text} IS NOT NULL AND {test}"""


@dataclass(frozen=True)
class _Cell:
    """A cell with members of a relation. earlier: cells that decide in its place, if given."""

    context: Context
    given: Given
    relation: Relation
    earlier: "tuple[_Cell, ...]"

    @property
    def text(self) -> sql.Composable:
        cell = self.given.cell(INPUT)
        if not self.given.form.is_table:
            return cell
        text = fails("nullif({}, '')", cell)
        if not self.earlier or self.given.target.index is not None:
            return text
        label = self.relation.target._meta.get_field(self.given.target.by or self.relation.label)
        return sql.SQL(_UNDECIDED).format(
            text,
            label=sql.Identifier(_RELATED, column_name(label)),
            related=self.relation.table(_RELATED),
            shown=related_scope(self.relation, self.context.organization_id, _RELATED),
        )

    @property
    def is_spare(self) -> sql.Composable:
        """SQL of a test whether another cell of the row decides."""
        if not self.earlier:
            return sql.SQL("false")
        given = (fails("{} IS NOT NULL", each.text) for each in self.earlier)
        return fails("({})", sql.SQL(" OR ").join(given))

    @property
    def list(self) -> sql.Composable:
        """SQL of a FROM item of the members' texts."""
        if self.given.target.index is not None:
            return fails("(SELECT {} AS reference) AS member", self.text)
        if self.given.form.is_json:
            return sql.SQL(_JSONS).format(self.text)
        return sql.SQL(_TEXTS).format(split(self.text))

    @property
    def has_blank(self) -> sql.Composable:
        """SQL of a test whether the text has a member that is null or empty."""
        if self.given.form.is_json:
            return sql.SQL(_HAS_NULL).format(self.text)
        return fails("'' = ANY ({})", split(self.text))

    @property
    def unreadable(self) -> tuple[sql.Composable, str] | None:
        """SQL of a test whether the text is not a list, and what is accepted."""
        if self.given.target.index is not None:
            return None
        if self.given.form.is_json:
            return fails("{} IS NOT JSON ARRAY", self.text), "a list"
        accepted = "names joined by commas; one with a comma in double quotes"
        return fails("{} IS NULL", split(self.text)), accepted


def find_links(refusals: Refusals, assembly: Assembly) -> None:
    """Create `links`, and write the errors of members that are not one record."""
    cursor, context = refusals.cursor, refusals.context
    cursor.execute(
        sql.SQL('CREATE UNLOGGED TABLE {} (relation text, "row" bigint, key text)').format(
            context.staging.links
        )
    )
    for name, group in assembly.links.items():
        relation = context.targets.relations[name]
        cells = _ordered(context, relation, group)
        for number, cell in enumerate(cells):
            _find(refusals, cell, len(assembly.lookups) + number)
        assembly.warnings += _warnings([each.given for each in cells])
    cursor.execute(sql.SQL("ANALYZE {}").format(context.staging.links))


def _ordered(context: Context, relation: Relation, group: Sequence[Given]) -> list[_Cell]:
    """Return the cells of a relation by precedence: keys first; for each index apart."""
    fields = context.targets.identifying_fields(relation)

    def precedence(given: Given) -> tuple[bool, int]:
        by = given.target.by
        return given.number is None, fields.index(by) if by in fields else len(fields)

    cells: list[_Cell] = []
    for given in sorted(group, key=precedence):
        index = given.target.index
        earlier = [
            each
            for each in cells
            if each.given.target.index == index or None in (each.given.target.index, index)
        ]
        cells.append(_Cell(context, given, relation, tuple(earlier)))
    return cells


def _warnings(ordered: Sequence[Given]) -> list[str]:
    """Return sentences about columns of the input that do not decide every row."""
    targets = [given.target for given in ordered if given.number is not None]
    return [
        messages.given_twice(targets[0].name, other.name)
        for other in targets[1:]
        if other.index == targets[0].index
    ]


def _find(refusals: Refusals, cell: _Cell, number: int) -> None:
    cursor, staging = refusals.cursor, refusals.context.staging
    members, lookup = staging.working("members", number), staging.working("linked", number)
    row, rows = rows_of_records(refusals.context)
    cursor.execute(
        sql.SQL(_MEMBERS).format(
            members=members, row=row, rows=rows, list=cell.list, is_spare=cell.is_spare
        )
    )
    reference = Reference(cell.relation, cell.given.target.by, cell.given.form, lookup)
    texts = sql.SQL("SELECT reference FROM {}").format(members)
    reference.create_lookup(cursor, refusals.context, texts)
    cursor.execute(
        sql.SQL(_LINKS).format(
            links=staging.links,
            relation=sql.Literal(cell.relation.name),
            members=members,
            lookup=lookup,
        )
    )
    _refuse(refusals, cell, reference, members)
    if cell.earlier and cell.given.number is not None:
        _refuse_contradictions(refusals, cell, reference, members)
    for table in (members, lookup):
        cursor.execute(sql.SQL("DROP TABLE {}").format(table))


def _refuse(refusals: Refusals, cell: _Cell, reference: Reference, members: sql.Identifier) -> None:
    name = cell.given.target.name
    text = sql.Identifier("reference")
    matches = sql.Identifier("lookup", "matches")
    for problem in reference.problems(matches, text, sql.SQL("true")):
        refusals.add(
            sql.SQL(_ERRORS).format(
                column=sql.Literal(name),
                code=sql.Literal(problem.code),
                value=messages.shortened(text),
                message=problem.message,
                members=members,
                lookup=reference.lookup,
                fails=problem.fails,
            )
        )
    if (unreadable := cell.unreadable) is not None:
        test, accepted = unreadable
        row, rows = rows_of_records(refusals.context)
        refusals.add(
            sql.SQL(_UNREADABLE).format(
                column=sql.Literal(name),
                code=sql.Literal(RowErrorCode.INVALID_VALUE),
                value=messages.shortened(cell.text),
                message=messages.not_accepted(cell.text, name, accepted),
                row=row,
                rows=rows,
                text=cell.text,
                test=test,
            )
        )


def _refuse_contradictions(
    refusals: Refusals, cell: _Cell, reference: Reference, members: sql.Identifier
) -> None:
    """Write an error for each row in which two cells of a relation name different records."""
    context, used = refusals.context, cell.earlier[0].given.target.name
    row, rows = rows_of_records(context)
    key = fails("{}::{}", sql.Identifier("links", "key"), reference.key_type)
    nouns = str(cell.relation.target._meta.verbose_name_plural)
    sentence = messages.different_records(used, cell.given.target.name, nouns)
    templates = [_OTHER_MEMBERS]
    # A cell at a position has one member, all other cells have all of them.
    if cell.given.target.index is None:
        templates.append(_MISSING_MEMBERS)
    for template in templates:
        refusals.add(
            fails(
                template,
                column=sql.Literal(used),
                code=sql.Literal(RowErrorCode.INVALID_VALUE),
                message=messages.plain(f"{sentence}."),
                members=members,
                lookup=reference.lookup,
                links=context.staging.links,
                relation=sql.Literal(cell.relation.name),
                typed=context.staging.typed,
                failed=FAILED,
                names=reference.names(context, "lookup", key),
                row=row,
                rows=rows,
                is_spare=cell.is_spare,
                text=cell.text,
                has_blank=cell.has_blank,
            )
        )


def existing_links(context: Context, relation: Relation) -> sql.Composable:
    """Return a query of the links of existing records: `parent` and `key`, as text."""
    model = context.resource.model
    source, joined = relation.join("record", "related")
    return sql.SQL(
        "SELECT record.{} AS parent, related.{}::text AS key FROM {} AS record"
        " JOIN ({}) ON {} WHERE {} AND {}"
    ).format(
        sql.Identifier(primary_key(model)),
        sql.Identifier(primary_key(relation.target)),
        table_name(model),
        source,
        joined,
        scope(context.resource, context.organization_id, "record"),
        related_scope(relation, context.organization_id, "related"),
    )
