"""Pages of a list: together they have every row once, in order, in both directions."""

import json
import random
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from longshore.accounts.models import Organization
from longshore.resources.filters import Ordering, Selection
from longshore.resources.listing import Cursor, Listing
from longshore.resources.registry import registry
from tests.samples import SAMPLE, Sample

pytestmark = pytest.mark.usefixtures("samples")

MOMENT = datetime(2024, 12, 25, 14, 30, 0, 123456, UTC)
# Few values and many nulls, so that many rows tie.
VALUES: dict[str, list[Any]] = {
    "text": ["", "a", "Zoë's", "山田", None, None],
    "integer": [-(2**63), 0, 7, None],
    "decimal": [Decimal("-0.0000000001"), Decimal("12345678901234567890.0123456789"), None],
    "float": [0.1, -1e300, float("inf"), float("nan"), None],
    "boolean": [True, False, None],
    "date": [date(1, 1, 1), date(2024, 2, 29), None],
    "datetime": [MOMENT, MOMENT + timedelta(microseconds=1), None],
    "uuid": ["00000000-0000-0000-0000-000000000001", None],
    "address": ["10.0.0.1", "2001:db8::1", None],
}


@pytest.fixture
def rows(acme: Organization, globex: Organization, samples: None) -> list[str]:
    """Forty rows of acme in random order, and one of globex."""
    pick = random.Random(7)  # noqa: S311
    ids = [f"s{number:02}" for number in range(40)]
    pick.shuffle(ids)
    Sample.objects.bulk_create(
        Sample(id=key, organization=acme, **{n: pick.choice(v) for n, v in VALUES.items()})
        for key in ids
    )
    Sample.objects.create(id="secret", organization=globex)
    return ids


def listing(*ordering: Ordering) -> Listing:
    return Listing(SAMPLE, Selection(ordering=ordering), ("id",))


def walk(
    listing: Listing, organization: Organization, size: int, *, back: bool = False
) -> list[str]:
    """Return the ids of all pages, following `next`, or with `back` following `previous`."""
    pages: list[list[str]] = []
    cursor: Cursor | None = None
    while True:
        page = listing.page(organization.pk, size, cursor)
        pages.append([json.loads(record)["id"] for record in page.records])
        if page.next is None:
            break
        cursor = page.next
    if back:
        pages = pages[-1:]
        while page.previous is not None:
            page = listing.page(organization.pk, size, page.previous)
            pages.insert(0, [json.loads(record)["id"] for record in page.records])
    return [key for page_ids in pages for key in page_ids]


ORDERINGS = [
    *[(Ordering(name, descending),) for name in VALUES for descending in (False, True)],
    (Ordering("text"), Ordering("integer", True), Ordering("datetime")),
    (Ordering("boolean", True), Ordering("date"), Ordering("float", True)),
    (Ordering("id", True),),
    (Ordering("integer"), Ordering("id", True), Ordering("text")),
]


@pytest.mark.parametrize("ordering", ORDERINGS, ids=str)
@pytest.mark.parametrize("size", [1, 7, 40])
@pytest.mark.slow
def test_pages_have_every_row_once_in_both_directions(
    acme: Organization, rows: list[str], ordering: tuple[Ordering, ...], size: int
) -> None:
    ordered = listing(*ordering)
    whole = walk(ordered, acme, 100)
    assert sorted(whole) == sorted(rows)
    assert walk(ordered, acme, size) == whole
    assert walk(ordered, acme, size, back=True) == whole


@pytest.mark.slow
@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("descending", [False, True])
def test_rows_are_sorted_with_nulls_last(
    acme: Organization, rows: list[str], name: str, descending: bool
) -> None:
    ids = walk(listing(Ordering(name, descending)), acme, 9)
    by_id = Sample.objects.in_bulk()
    values = [getattr(by_id[key], name) for key in ids]
    known = [value for value in values if value is not None]
    assert values[len(known) :] == [None] * (len(values) - len(known))
    if name in ("integer", "decimal", "boolean", "date", "datetime"):
        assert known == sorted(known, reverse=descending)
    for (one, two), (key, other) in zip(pairwise(values), pairwise(ids), strict=True):
        if one == two:
            assert (key > other) == descending


def test_newest_rows_come_first_by_default(acme: Organization, rows: list[str]) -> None:
    newest_first = walk(listing(Ordering("datetime", True)), acme, 40)
    assert walk(listing(), acme, 9) == newest_first


def test_row_inserted_between_two_requests_shifts_no_other_row(
    acme: Organization, rows: list[str]
) -> None:
    ordered = listing(Ordering("id"))
    first = ordered.page(acme.pk, 10, None)
    Sample.objects.create(id="s00-new", organization=acme)
    second = ordered.page(acme.pk, 10, first.next)
    assert [json.loads(record)["id"] for record in second.records] == sorted(rows)[10:20]


def test_number_of_queries_of_a_page_is_constant(
    acme: Organization, rows: list[str], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for size in (1, 40):
        # Savepoint, settings, page, rollback to and release of the savepoint.
        with django_assert_num_queries(5):
            listing().page(acme.pk, size, None)


@pytest.mark.parametrize("backwards", [False, True])
def test_page_starts_at_an_index_condition(acme: Organization, backwards: bool) -> None:
    shipments = registry.get("shipment")
    assert shipments is not None
    ordering = (Ordering("status"), Ordering("created_at"))
    ordered = Listing(shipments, Selection(ordering=ordering), shipments.names)
    cursor = Cursor(("delivered", "2024-12-25 00:00:00+00", "ship_1"), backwards)
    statement = ordered.statement(acme.pk, 26, cursor).as_string(None)
    with connection.cursor() as database:
        # In an empty table, this index of the admin costs as little as the right one.
        database.execute("DROP INDEX shipment_by_day")
        # Statistics of rows of other tests, which are deleted, would mislead the planner.
        database.execute("ANALYZE longshore_logistics_shipment")
        # PostgreSQL prefers a sequential scan for so few rows.
        database.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        database.execute(f"EXPLAIN (COSTS OFF) {statement}")
        plan = "\n".join(line for (line,) in database.fetchall())
    sign = "<" if backwards else ">"
    for bounds in (
        rf"status\)::text {sign} 'delivered'",
        rf"status\)::text = 'delivered'::text\) AND \(created_at {sign} '2024",
    ):
        assert re.search(rf"Index Cond: \(.*organization_id.* AND .*{bounds}", plan), plan
