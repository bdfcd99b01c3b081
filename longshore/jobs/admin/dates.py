"""Links that narrow a list of jobs to a year, a month or a day of creation.

They cost two reads of an index, whatever the number of jobs: nothing is counted. For a bound person
they cost two reads for each organization.
"""

from calendar import month_name, monthrange
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, TypeAlias

from django.db.models import Max, Min, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.timezone import localdate

from longshore.accounts import staff

_FROM, _TO = "created_at_from", "created_at_to"
_MAX_YEARS = 10
# The index has the numbers, which grow with the time of creation.
_ORDERS = ("number", "-number")

_ALL = "All years"

# A label, and the first and the last day.
_Period: TypeAlias = tuple[str, date, date]


def date_links(request: HttpRequest, jobs: QuerySet[Any]) -> list[tuple[str, str]]:
    """Return the labels and addresses of the periods inside the one that a list shows.

    The first one leads back to the period around it. Returns no links for other ranges of days, and
    for a POST, which shows no list.
    """
    if request.method == "POST":
        return []
    days = [request.GET.get(name, "") for name in (_FROM, _TO)]
    try:
        shown = [date.fromisoformat(day) for day in days if day]
    except ValueError:
        return []
    if len(shown) == 1:
        return []
    ends = _ends(jobs, request.user)
    if None in ends:
        return []
    oldest, newest = map(localdate, ends)
    found = _inside(*shown) if shown else _years(oldest, newest)
    return [
        (label, _address(request, first, last))
        for label, first, last in found
        if label == _ALL or (first <= newest and last >= oldest)
    ]


def _ends(jobs: QuerySet[Any], user: staff.Person) -> list[datetime | None]:
    """Return when the oldest and the newest job were created; None without jobs."""
    if not staff.is_bound(user):
        times = jobs.values_list("created_at", flat=True)
        return [times.order_by(order).first() for order in _ORDERS]
    # In the order of all numbers, the database might skip the jobs of others one by one.
    own = jobs.filter(organization=OuterRef("pk")).values("created_at")
    oldest, newest = (Subquery(own.order_by(order)[:1]) for order in _ORDERS)
    return [*staff.organizations(user).aggregate(a=Min(oldest), b=Max(newest)).values()]


def _years(oldest: date, newest: date) -> Iterator[_Period]:
    for year in range(max(oldest.year, newest.year - _MAX_YEARS + 1), newest.year + 1):
        yield _year(year)


def _inside(first: date, last: date) -> Iterator[_Period]:
    """Yield the period around a year, a month or a day, and then the periods inside it."""
    year, month = _year(first.year), _month(first)
    if (first, last) == year[1:]:
        yield _ALL, date.min, date.max
        yield from (_month(date(first.year, each, 1)) for each in range(1, 13))
    elif (first, last) == month[1:]:
        yield year
        days = (first.replace(day=each) for each in range(1, last.day + 1))
        yield from ((str(day.day), day, day) for day in days)
    elif first == last:
        yield month


def _year(year: int) -> _Period:
    return str(year), date(year, 1, 1), date(year, 12, 31)


def _month(day: date) -> _Period:
    """Return the month of a day."""
    last = monthrange(day.year, day.month)[1]
    return f"{month_name[day.month]} {day.year}", day.replace(day=1), day.replace(day=last)


def _address(request: HttpRequest, first: date, last: date) -> str:
    query = request.GET.copy()
    for name in (_FROM, _TO, "p"):
        query.pop(name, None)
    if (first, last) != (date.min, date.max):
        query[_FROM], query[_TO] = first.isoformat(), last.isoformat()
    return f"?{query.urlencode()}"
