"""Runs and records previews of the builder: first rows, figures about the file, and problems."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from psycopg import sql

from exports.admin.builder.bodies import body_of
from exports.admin.builder.problems import PlacedProblem, form_problems, placed
from exports.admin.builder.state import State
from exports.execution.preview import Preview, preview
from exports.formats import formats
from exports.formats.base import FormatLimit, Rows
from exports.request.parser import parse_export
from exports.spec import TIMEZONE_FIELD, ExportSpec
from exports.sql.declared_names import resources_of
from longshore.accounts import audit
from longshore.accounts.models import Organization
from longshore.accounts.staff import Person
from longshore.api.concurrency import admitted
from longshore.api.errors import ApiError, InvalidInput
from longshore.files.datetime_patterns import ISO_8601, InvalidPattern, pattern_sql
from longshore.jobs.admin.presentation import resource_noun
from longshore.resources.readers import check_person
from longshore.resources.reading import StatementTimeout, reading

# Maximum of one cell, or of one record in JSON. A file has all characters.
MAX_SHOWN_CHARACTERS = 2_000
_EXAMPLE_MILLISECONDS = 300
_UTC = "UTC"


@dataclass(frozen=True)
class Table:
    """The rows of a preview as a person sees them.

    header: empty for a format without columns.
    rows: of cells, None for null; or each a single cell, a JSON text.
    """

    header: list[str]
    rows: list[list[str | None]]


@dataclass(frozen=True)
class Result:
    """What the builder shows about a state.

    spec: None if the request is not valid.
    preview, table: None if there is nothing to show: no organization, no permission, a problem.
    """

    problems: list[PlacedProblem] = field(default_factory=list)
    spec: ExportSpec | None = None
    preview: Preview | None = None
    table: Table | None = None


def parse(state: State, organization: Organization | None) -> Result:
    """Parse the request of a state as the API does."""
    problems = form_problems(state)
    timezone = organization.timezone if organization else _UTC
    try:
        spec = parse_export(body_of(state), timezone)
    except InvalidInput as invalid:
        return Result([*problems, *placed(invalid.problems, state)])
    return Result(problems, None if problems else spec)


def run_preview(state: State, organization: Organization, user: Person) -> Result:
    """Parse the request of a state and read its first rows, within the limits of the API."""
    result = parse(state, organization)
    if result.spec is None:
        return result
    try:
        with admitted(organization.pk, spare=1):
            check_person(resources_of(result.spec), user)
            found = preview(result.spec, organization.pk)
    except InvalidInput as invalid:
        return Result(placed(invalid.problems, state))
    except (ApiError, FormatLimit) as error:
        return Result([PlacedProblem("", str(error))], result.spec)
    return Result(spec=result.spec, preview=found, table=_table(found, result.spec))


def record_preview(
    request: HttpRequest, state: State, organization: Organization, spec: ExportSpec
) -> None:
    """Record a preview with its request, unless the person's last one had the same request.

    A retry after an error, and a change of a name only, preview the same request again.
    """
    body = json.dumps(body_of(state), ensure_ascii=False)
    message = f"Previewed {state.type or state.resource}: {body}"
    audit.record_preview(request, organization.pk, resource_noun(spec.resource), message)


def example_of(zone: str, pattern: str | None) -> str:
    """Return the current time in a zone by a pattern; "" for a pattern that is not valid."""
    try:
        shown = pattern_sql(pattern or ISO_8601, sql.SQL("now()"), zone)
    except InvalidPattern:
        return ""
    try:
        with reading(zone, _EXAMPLE_MILLISECONDS, TIMEZONE_FIELD) as cursor:
            cursor.execute(sql.SQL("SELECT {}").format(shown).as_string(None))
            return str(cursor.fetchone()[0])
    except (InvalidInput, StatementTimeout):
        return ""


def _table(found: Preview, spec: ExportSpec) -> Table:
    if formats[spec.format].rows is Rows.JSON:
        return Table([], [[_shown(text)] for text in found.rows])
    # Numbers stay texts: a float would change their digits.
    rows = (json.loads(row, parse_float=str, parse_int=str) for row in found.rows)
    return Table(found.header, [[_cell(value) for value in row] for row in rows])


def _cell(value: Any) -> str | None:
    if value is None:
        return None
    return _shown(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _shown(text: str) -> str:
    """Return a text for the page, which bounds the size of a preview."""
    if len(text) <= MAX_SHOWN_CHARACTERS:
        return text
    return f"{text[:MAX_SHOWN_CHARACTERS]}… ({len(text):,} characters)"
