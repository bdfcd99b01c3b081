"""The lists of records that PackageX documents, and their parameters."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.http import QueryDict
from psycopg import sql

from dialects.base.pages import PageRequest
from dialects.packagex.parameters import DIRECTION, LIMIT, PAGE, pages, read_once, read_page
from longshore.api.errors import ErrorCode, InvalidInput, Problem, Problems
from longshore.api.pagination import CURSOR
from longshore.resources.api.query import parse_query
from longshore.resources.expressions import JsonExpressions
from longshore.resources.filters import ORDER_BY
from longshore.resources.listing import Listing
from longshore.resources.registry import Resource


@dataclass(frozen=True)
class RecordList:
    """A list of PackageX.

    paths: its addresses below `/v1/`.
    limit: the records of a page by default.
    order: the columns and directions by default.
    """

    resource: str
    paths: tuple[str, ...]
    limit: int
    order: Mapping[str, str]


_BY_NAME = {ORDER_BY: "name", DIRECTION.name: "asc"}
_NEWEST_FIRST = {ORDER_BY: "created_at", DIRECTION.name: "desc"}
LISTS = (
    RecordList("contact", ("contacts",), 10, _BY_NAME),
    RecordList("group", ("groups",), 10, _BY_NAME),
    RecordList("fulfillment", ("fulfillments",), 25, _NEWEST_FIRST),
    RecordList("item", ("items",), 25, _NEWEST_FIRST),
    RecordList("location", ("locations",), 25, _BY_NAME),
    RecordList("manifest", ("manifests",), 25, _NEWEST_FIRST),
    RecordList("shipment", ("shipments",), 25, _NEWEST_FIRST),
    RecordList("tracker", ("trackers",), 25, _NEWEST_FIRST),
    RecordList(
        "shipping_label_inference",
        (
            "shipping_label_inferences",
            "inferences/shipping_labels",
            "inferences/images/shipping_labels",
        ),
        10,
        _NEWEST_FIRST,
    ),
    RecordList("asset", ("assets",), 25, _NEWEST_FIRST),
)


class EpochExpressions(JsonExpressions):
    """Writes datetimes in seconds since 1970, as PackageX does."""

    def datetime(self, value: sql.Composable) -> sql.Composable:
        return sql.SQL("floor(extract(epoch FROM {}))::bigint").format(value)


def parse_list(
    record_list: RecordList, resource: Resource, query: QueryDict, timezone: str
) -> tuple[Listing, PageRequest]:
    """Parse the parameters of a list: those of the native list, with numbered pages.

    Raises InvalidInput with every problem.
    """
    problems = Problems()
    given = read_once(query, problems)
    page = read_page(given, pages(record_list.limit), problems)
    native = query.copy()
    for name in (PAGE, LIMIT, CURSOR):
        native.pop(name, None)
    if ORDER_BY not in given:
        native.update({name: text for name, text in record_list.order.items() if name not in given})
    if CURSOR in given:
        text = f"This list has no parameter {CURSOR!r}. Its pages are numbered."
        problems.extend([Problem(ErrorCode.INVALID_REQUEST, CURSOR, given[CURSOR], text, PAGE)])
    listing = None
    try:
        listing = parse_query(resource, native, timezone).listing
    except InvalidInput as invalid:
        problems.extend(invalid.problems)
    if problems or listing is None or page is None:
        problems.refuse()
    return replace(listing, expressions=EpochExpressions), page
