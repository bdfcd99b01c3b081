"""docs/ agrees with the code: requests are accepted, links resolve, tables are complete."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from django.db import connection
from psycopg import sql

from exports.formats import formats
from exports.reading.stream import ExportStream
from exports.request.body import OUTPUT_OPTIONS
from exports.request.parser import parse_export
from exports_project.health import CHECKS
from longshore.api.errors import error_codes
from longshore.files.datetime_patterns import FIELDS, pattern_sql
from longshore.files.formulas import excel_text_sql
from longshore.jobs.kinds import registered
from longshore.jobs.metrics import JobCollector
from longshore.jobs.statuses import Status
from longshore.resources.columns import ColumnType
from longshore.resources.matchers import MATCHERS, Takes
from tests import settings_page
from tests.factories import (
    ContactFactory,
    GroupFactory,
    LocationFactory,
    OrganizationFactory,
)

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES = sorted(DOCS.rglob("*.md"))


def blocks(page: Path, language: str) -> list[str]:
    pattern = rf"^```{language}\n(.*?)^```"
    return re.findall(pattern, page.read_text(), re.MULTILINE | re.DOTALL)


def table(page: str, heading: str) -> list[list[str]]:
    """Return the cells of each row of the table whose first column has this heading."""
    _, _, rest = (DOCS / page).read_text().partition(f"\n| {heading} |")
    lines = rest.partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_request_is_accepted(page: Path) -> None:
    for block in blocks(page, "json"):
        parse_export(json.loads(block))


def test_there_are_requests_to_accept() -> None:
    assert sum(len(blocks(page, "json")) for page in PAGES) >= 3


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for name, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text()):
        target = page.parent / name if name else page
        assert target.exists(), name
        if not anchor:
            continue
        headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
        slugs = [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
        assert anchor in slugs, anchor


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("letters", "results"), [(row[0], row[2]) for row in table("datetimes.md", "Letters")]
)
def test_patterns_give_the_results_of_their_table(letters: str, results: str) -> None:
    fields, texts = (re.findall(r"`(.+?)`", cell) for cell in (letters, results))
    moment = sql.SQL("timestamptz '2024-12-05 14:03:07.123456-05'")
    zone = "America/New_York"
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [zone])
        for index, field in enumerate(fields):
            query = sql.SQL("SELECT {}").format(pattern_sql(field, moment, zone))
            cursor.execute(query.as_string(None))
            assert cursor.fetchone() == (texts[index] if len(texts) > 1 else texts[0],), field


@pytest.mark.django_db(transaction=True)
def test_nested_values_give_the_rows_of_their_tables() -> None:
    organization = OrganizationFactory.create()
    location = LocationFactory.create(pk="l_1", organization=organization)
    groups = [
        GroupFactory.create(pk=key, name=name, location=place, organization=organization)
        for key, name, place in (("g_1", "Night", location), ("g_2", "Yard", None))
    ]
    for name, metadata, members in (
        ("Ada", {"shoe": 43, "locker": {"row": "B"}}, groups),
        ("Bo", {"shoe": 38}, []),
    ):
        ContactFactory.create(
            name=name, metadata=metadata, groups=members, organization=organization
        )
    page = (DOCS / "nesting.md").read_text()
    shown = re.findall(r"^```json\n([^`]*)^```\n\n(\|.*?)\n\n", page, re.MULTILINE | re.DOTALL)
    assert len(shown) == 4
    for request, lines in shown:
        spec = parse_export(json.loads(request) | {"options": {"order_by": "name"}})
        text = b"".join(ExportStream(spec, organization.pk)).decode()
        header, _, *rows = [
            [cell.strip() for cell in line.strip()[1:-1].split("|")] for line in lines.splitlines()
        ]
        assert list(csv.reader(io.StringIO(text))) == [header, *rows]


def test_the_table_of_datetime_letters_is_complete() -> None:
    cells = " ".join(row[0] for row in table("datetimes.md", "Letters"))
    assert {*re.findall(r"`(.+?)`", cells)} == {*FIELDS, "'T'", "''"}


def test_the_table_of_matchers_is_complete() -> None:
    takes = {"a value": Takes.VALUE, "a list": Takes.VALUES, "true or false": Takes.FLAG}
    kinds = {
        "all": {*ColumnType},
        "all but JSON": {*ColumnType} - {ColumnType.JSON},
        "all but JSON, lists, booleans": {*ColumnType}
        - {ColumnType.JSON, ColumnType.LIST, ColumnType.BOOLEAN},
        "text": {ColumnType.TEXT},
        "booleans": {ColumnType.BOOLEAN},
        "JSON": {ColumnType.JSON},
    }
    documented = [
        (name, takes[row[1]], kinds[row[2]])
        for row in table("filters.md", "Matcher")
        for name in re.findall(r"`(.+?)`", row[0])
    ]
    meant = [(name, matcher.takes, {*matcher.kinds}) for name, matcher in MATCHERS.items()]
    assert sorted(documented, key=str) == sorted(meant, key=str)


def test_the_table_of_errors_is_complete() -> None:
    documented = [(row[0].strip("`"), int(row[1])) for row in table("errors.md", "Code")]
    assert sorted(documented) == [(name, code.status) for name, code in error_codes().items()]


def test_the_table_of_output_options_equals_their_declaration() -> None:
    declared = {field.name: field.default for field in OUTPUT_OPTIONS.fields}
    documented = set()
    for row in table("formats.md", "Option"):
        names, default, used_by = re.findall(r"`(.+?)`", row[0]), row[-2], row[-1]
        documented |= set(names)
        for name in names:
            text = json.dumps(declared[name]).strip('"')
            assert declared[name] is None or default == f"`{text}`", name
            having = [each.name for each in formats.values() if name in each.options]
            assert not having or re.findall(r"`(.+?)`", used_by) == having, name
    assert documented == set(declared)


def test_the_table_of_checks_is_complete() -> None:
    cells = " ".join(row[0] for row in table("operations.md", "Check"))
    assert sorted(re.findall(r"`(.+?)`", cells)) == sorted(check.name for check in CHECKS)


@pytest.mark.django_db
def test_the_table_of_metrics_is_complete() -> None:
    documented = [
        row[0].strip("`").removesuffix("_total") for row in table("operations.md", "Metric")
    ]
    assert documented == [metric.name for metric in JobCollector().collect()]


def test_the_table_of_statuses_is_complete() -> None:
    assert [row[0].strip("`") for row in table("operations.md", "Status")] == list(Status)


@pytest.mark.django_db
def test_texts_have_the_cells_of_the_table_of_the_preset_for_excel() -> None:
    rows = table("formats.md", "Text")
    assert len(rows) > 10
    with connection.cursor() as cursor:
        for text, cell in ((row[0].strip("`"), row[1].strip("`")) for row in rows):
            value = sql.Literal(text)
            query = sql.SQL("SELECT {}").format(excel_text_sql(value, value))
            cursor.execute(query.as_string(None))
            assert cursor.fetchone() == (cell,)


def test_the_policy_and_the_lifecycle_rules_of_the_bucket_name_all_folders() -> None:
    roots = {kind.storage.root for kind in registered() if kind.storage}
    section = (DOCS / "operations.md").read_text().partition("\n### S3\n")[2]
    policy, rules = map(json.loads, re.findall(r"^```\n(.*?)^```", section, re.M | re.S)[:2])
    bucket, files = (statement["Resource"] for statement in policy["Statement"])
    assert files == [f"{bucket}/{root}/*" for root in sorted(roots, reverse=True)]
    prefixes = {rule["Filter"]["Prefix"] for rule in rules["Rules"]}
    assert prefixes == {f"{root}/" for root in roots}


def test_the_page_of_settings_is_up_to_date() -> None:
    assert settings_page.PAGE.read_text() == settings_page.page(), "Run `make settings`."
    names = re.findall(r"^#([A-Z0-9_]+)=", settings_page.EXAMPLE.read_text(), re.MULTILINE)
    first = [row for row in settings_page.page().splitlines() if row.startswith("| `")]
    assert re.findall(r"`([A-Z0-9_]+)`", " ".join(row.split("|")[1] for row in first)) == names


def test_every_page_is_in_the_navigation_of_the_guide() -> None:
    shown = re.findall(r'"([\w/-]+\.md)"', (DOCS.parent / "zensical.toml").read_text())
    assert sorted(shown) == sorted(str(page.relative_to(DOCS)) for page in PAGES)
