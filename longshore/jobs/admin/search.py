"""The search of the lists of jobs: bounded, and fast with millions of jobs.

Each source of matches is read through an index of its own and yields at most MAX_MATCHES jobs, the
newest ones. A condition that joins the sources by OR would scan the whole table.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, models
from django.db.models import (
    BooleanField,
    Count,
    Exists,
    Expression,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Value,
)

from longshore.accounts import staff
from longshore.accounts.models import ApiKey, AuditAction, AuditEntry
from longshore.jobs.admin.presentation import resource_label
from longshore.resources.reading import StatementTimeout, reading
from longshore.resources.registry import registry

# Jobs that one source yields.
MAX_MATCHES = 500
MAX_CHARACTERS = 200
# The trigram indexes need this many characters.
MIN_CHARACTERS = 3
# Timeout of each query. The first one that exceeds it ends the search.
MAX_MILLISECONDS = 3_000
# Organizations, API keys and codes whose name contains the text.
MAX_OWNERS = 20
# Rows that the trigram index yields, before the filters of the list select some of their jobs.
MAX_ROWS = 5_000
# A text that is in more rows, or in more than one percent of the newest rows, is searched from the
# newest job on: its trigrams are in too many rows for an index.
_NEWEST_ROWS = 20_000
MAX_RARE_ROWS = _NEWEST_ROWS // 100
_MAX_NUMBER = 2**63 - 1
_STOPPED = (
    f"The search was stopped because a part of it took longer than {MAX_MILLISECONDS // 1_000} "
    "seconds. There may be more matches: add a filter, or search for a longer text."
)


@dataclass(frozen=True)
class TextSource:
    """A column with a trigram index.

    field: the name of the column.
    job: the name of the field that holds the primary key of the job.
    """

    model: type[models.Model]
    field: str
    job: str


@dataclass(frozen=True)
class CodeSource:
    """A column with codes that people know by labels, and whose index has the newest jobs first.

    labels: returns the label of each code.
    """

    column: Expression | F
    labels: Callable[[], Mapping[str, str]]


def _resource_labels() -> Mapping[str, str]:
    return {name: resource_label(name) for name in registry.names()}


RESOURCES = CodeSource(F("resource"), _resource_labels)


@dataclass(frozen=True)
class Found:
    """The jobs that a search found. note: why there may be more of them; "" if there are not."""

    jobs: QuerySet[Any]
    note: str


class _Contains(Func):
    """Whether a column contains a text, in any case. Uses a trigram index, unlike `icontains`."""

    arg_joiner = " ILIKE "
    template = "%(expressions)s"
    output_field = BooleanField()

    def __init__(self, field: str, text: str) -> None:
        pattern = connection.ops.prep_for_like_query(text)
        super().__init__(F(field), Value(f"%{pattern}%"))


def search(
    jobs: QuerySet[Any],
    text: str,
    sources: tuple[TextSource, ...],
    codes: tuple[CodeSource, ...],
    user: staff.Person,
) -> Found:
    """Select the jobs whose number, texts, organization, API key, labels or creator match.

    jobs: the filtered jobs of the list.
    text: is cut to MAX_CHARACTERS. With fewer than MIN_CHARACTERS, only numbers are searched.
    user: who searches. To a bound person, the jobs and names of other organizations do not exist:
        they count towards no limit.
    """
    text = " ".join(text.split())[:MAX_CHARACTERS]
    newest = jobs.order_by("-number").values_list("number", flat=True)
    numbers: set[int] = set()
    is_complete = True
    try:
        with reading("UTC", MAX_MILLISECONDS, ""):
            for matches, is_whole in _matches(newest, text, sources, codes, user):
                found = list(matches[: MAX_MATCHES + 1])
                is_complete &= is_whole and len(found) <= MAX_MATCHES
                numbers.update(found[:MAX_MATCHES])
    except StatementTimeout:
        return Found(jobs.filter(pk__in=sorted(numbers)), _STOPPED)
    if len(text) < MIN_CHARACTERS:
        note = (
            f"Enter at least {MIN_CHARACTERS} characters to search texts. With fewer, only job "
            "numbers are searched."
        )
    elif not is_complete:
        note = f"More than {MAX_MATCHES} jobs match. Only the newest are shown; add a filter."
    else:
        note = ""
    return Found(jobs.filter(pk__in=sorted(numbers)), note)


def _matches(
    jobs: QuerySet[Any],
    text: str,
    sources: tuple[TextSource, ...],
    codes: tuple[CodeSource, ...],
    user: staff.Person,
) -> Iterator[tuple[QuerySet[Any], bool]]:
    """Yield queries of primary keys and whether each finds all matches. A query uses one index."""
    number = text.removeprefix("#").replace(",", "")
    if number.isascii() and number.isdecimal() and int(number) <= _MAX_NUMBER:
        yield jobs.filter(organization_number=int(number)), True
    if len(text) < MIN_CHARACTERS:
        return
    names = Q(name__icontains=text) | Q(slug__icontains=text)
    organizations = staff.organizations(user).filter(names)
    keys = staff.restrict(ApiKey.objects.filter(name__icontains=text), user).order_by("name")
    for field, owners in (("organization", organizations), ("api_key", keys)):
        found = list(owners.values_list("pk", flat=True)[: MAX_OWNERS + 1])
        yield from _with_values(jobs, F(field), found)
    for each in codes:
        named = [code for code, label in each.labels().items() if text.lower() in label.lower()]
        yield from _with_values(jobs, each.column, named)
    for source in sources:
        yield _containing(jobs, text, source), True
    created, is_whole = _created_by(text, jobs.model, user)
    yield jobs.filter(pk__in=created), is_whole


def _with_values(
    jobs: QuerySet[Any], column: Expression | F, values: list[Any]
) -> Iterator[tuple[QuerySet[Any], bool]]:
    """Yield the newest jobs with one of some values of a column; nothing for no values."""
    # Each part reads its own range of the index of the column.
    parts = [
        jobs.alias(found=column).filter(found=value)[: MAX_MATCHES + 1]
        for value in values[:MAX_OWNERS]
    ]
    if parts:
        first, *rest = parts
        newest = first.union(*rest, all=True).order_by("-number") if rest else first
        yield newest, len(values) <= MAX_OWNERS


def _created_by(name: str, model: type[models.Model], user: staff.Person) -> tuple[list[int], bool]:
    """Return the primary keys of the newest jobs that a member of staff created in the admin.

    Also returns whether there are no others.
    """
    entries = staff.restrict(AuditEntry.objects.filter(username=name), user).order_by("-pk")
    created = AuditEntry.objects.filter(
        pk__in=entries[:_NEWEST_ROWS].values("pk"),
        model=model._meta.label_lower,
        action=AuditAction.ADD,
    )
    keys = list(created.order_by("-pk").values_list("object_id", flat=True)[: MAX_MATCHES + 1])
    is_whole = len(keys) <= MAX_MATCHES and not entries[_NEWEST_ROWS:].exists()
    return [*map(int, keys)], is_whole


def _containing(jobs: QuerySet[Any], text: str, source: TextSource) -> QuerySet[Any]:
    """Select the jobs with a text that contains `text`."""
    rows: QuerySet[Any] = source.model._default_manager.order_by()
    condition = _Contains(source.field, text)
    # All or none: `jobs` may have only some of them, such as those of one organization.
    numbers = _rare(rows, condition, source)
    if numbers is not None:
        return jobs.filter(pk__in=numbers)
    return jobs.filter(Exists(rows.filter(condition, **{source.job: OuterRef("pk")})))


def _rare(rows: QuerySet[Any], condition: _Contains, source: TextSource) -> list[int] | None:
    """Return the primary keys of all jobs whose text matches; None if there may be too many."""
    newest = rows.order_by("-pk").annotate(matches=condition)[:_NEWEST_ROWS]
    common = newest.aggregate(rows=Count("pk", filter=Q(matches=True)))["rows"]
    if common > MAX_RARE_ROWS:
        return None
    # Not sorted, because a sort would read all matches before the limit applies.
    numbers = list(rows.filter(condition).values_list(source.job, flat=True)[: MAX_ROWS + 1])
    return numbers if len(numbers) <= MAX_ROWS else None
