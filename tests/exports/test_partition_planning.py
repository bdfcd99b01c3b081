"""Plans of partitions, and the choice of small partitions that are joined."""

import random
from itertools import pairwise
from typing import Any

import pytest
from psycopg import sql

from exports.execution import distribution, joining, planning
from exports.execution.joining import groups_to_join
from exports.execution.planning import PART_BYTES, FilePlanner, PartPlanner
from exports.models import PartitionStatus
from exports.reading.partitioning import Plan, Slice

SMALL, DONE, PENDING = PartitionStatus.SMALL, PartitionStatus.DONE, PartitionStatus.PENDING
LARGE_BYTES, SMALL_BYTES = 8 << 20, 3 << 20
ROW_BYTES = 100


def partitions(*statuses: PartitionStatus) -> list[dict[str, Any]]:
    sizes = {SMALL: SMALL_BYTES, DONE: LARGE_BYTES, PENDING: 0}
    return [
        {"pk": number, "status": status, "bytes": sizes[status]}
        for number, status in enumerate(statuses)
    ]


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ((DONE, DONE), []),
        # A small one at the end joins the one before it, at the beginning the one after it.
        ((DONE, SMALL), [[0, 1]]),
        ((SMALL, DONE), [[0, 1]]),
        ((DONE, SMALL, DONE), [[0, 1]]),
        # Three of 3 MiB are enough, and the rest joins them.
        ((DONE, SMALL, SMALL, SMALL, DONE), [[1, 2, 3]]),
        ((SMALL, SMALL, SMALL, SMALL), [[0, 1, 2, 3]]),
        ((SMALL,) * 6, [[0, 1, 2], [3, 4, 5]]),
        # The rest waits for the one after it.
        ((DONE, SMALL, PENDING), []),
        ((SMALL, SMALL, SMALL, SMALL, PENDING), [[0, 1, 2]]),
        # The whole file is small.
        ((SMALL,), []),
        ((SMALL, SMALL), []),
        ((), []),
    ],
)
def test_small_partitions_are_joined_to_their_neighbors(
    statuses: tuple[PartitionStatus, ...], expected: list[list[int]]
) -> None:
    groups = groups_to_join(partitions(*statuses))
    assert [[each["pk"] for each in group] for group in groups] == expected


def test_joins_always_end() -> None:
    """Joined partitions that are read again have the bytes of their members."""
    chance = random.Random(1)  # noqa: S311
    for _ in range(300):
        states = partitions(*chance.choices((SMALL, DONE), k=chance.randrange(1, 12)))
        for _ in range(len(states) + 1):
            for group in groups_to_join(states):
                size = sum(each["bytes"] for each in group)
                status = DONE if size >= 5 << 20 else SMALL
                first = group[0] | {"bytes": size, "status": status}
                gone = [each["pk"] for each in group]
                states = [
                    first if each["pk"] == gone[0] else each
                    for each in states
                    if each["pk"] not in gone[1:]
                ]
        left = {each["status"] for each in states}
        assert left == {DONE} or sum(each["bytes"] for each in states) < joining.JOINED_BYTES


def planned(slices: list[Slice], ratio: float = 1.0) -> list[list[Slice]]:
    is_listed = bool(slices[0].locations)
    planner = PartPlanner(Plan(0, ROW_BYTES, is_listed, (), lambda: iter(slices)))
    groups = []
    while group := planner.take(ratio):
        groups.append(group)
    assert planner.is_complete
    return groups


def test_partitions_cover_all_pages_once_in_their_order() -> None:
    slices = [
        Slice(50 << 20, first, first + 2048, is_open=first == 2048 * 3)
        for first in range(0, 2048 * 4, 2048)
    ]
    for ratio in (0.1, 0.25, 1.0, 3.0):
        pages = [each for group in planned(slices, ratio) for each in group]
        assert pages[0].first_page == 0
        assert pages[-1].end_page == 2048 * 4
        assert [each.is_open for each in pages] == [False] * (len(pages) - 1) + [True]
        for one, following in pairwise(pages):
            assert one.end_page == following.first_page
        assert sum(each.bytes for each in pages) == 200 << 20


LISTS = [[f"({page},{row})" for row in range(97)] for page in range(9)]


def listed(row_bytes: int) -> list[Slice]:
    return [
        Slice(len(each) * row_bytes, locations="{" + ",".join(f'"{tid}"' for tid in each) + "}")
        for each in LISTS
    ]


def locations_of(group: list[Slice]) -> list[str]:
    return [tid.strip('"') for each in group for tid in each.locations[1:-1].split('","')]


def test_partitions_cover_all_locations_once_in_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(planning, "MAX_LOCATIONS", 1 << 40)
    found = [tid for group in planned(listed(100 << 10)) for tid in locations_of(group)]
    assert found == [tid for each in LISTS for tid in each]


def test_no_partition_lists_more_locations_than_the_maximum(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(planning, "MAX_LOCATIONS", 50)
    groups = [locations_of(group) for group in planned(listed(ROW_BYTES), ratio=0.001)]
    assert [tid for group in groups for tid in group] == [tid for each in LISTS for tid in each]
    # The last one may take a rest of less than a half.
    assert {len(group) for group in groups[:-1]} == {50}
    assert len(groups[-1]) <= 75


@pytest.mark.parametrize("max_rows", [1, 7, 97, 100, 873, 1000])
def test_files_have_the_maximum_of_rows(max_rows: int) -> None:
    slices = listed(ROW_BYTES)
    planner = FilePlanner(Plan(0, ROW_BYTES, True, (), lambda: iter(slices)), max_rows)
    groups = []
    while group := planner.take(1.0):
        groups.append(locations_of(group))
    assert planner.is_complete
    assert [tid for group in groups for tid in group] == [tid for each in LISTS for tid in each]
    assert {len(group) for group in groups[:-1]} <= {max_rows}
    assert len(groups[-1]) <= max_rows


def test_no_partition_is_planned_to_be_small() -> None:
    for size in range(1, 100, 7):
        slices = [Slice(1 << 20, first, first + 1) for first in range(size)]
        groups = planned(slices)
        for group in groups[1:]:
            assert sum(each.bytes for each in group) >= PART_BYTES / 2


def test_a_huge_file_has_few_partitions() -> None:
    """The largest file needs less than the numbers of partitions, and its parts stay small."""
    size = planning.MAX_FILE_BYTES // 50
    pages = 1 << 20
    slices = [Slice(size, first * pages, (first + 1) * pages) for first in range(50)]
    groups = planned(slices)
    assert len(groups) < distribution.MAX_PARTITIONS
    assert max(sum(each.bytes for each in group) for group in groups) <= 512 << 20


def test_the_condition_of_a_slice_quotes_its_locations() -> None:
    condition = Slice(0, locations='{"(0,1)"}').condition()
    assert isinstance(condition, sql.Composed)
    assert condition.as_string(None) == """"row"."ctid" = ANY('{"(0,1)"}'::tid[])"""
    assert Slice(0, 3, 9).condition().as_string(None) == (
        """"row"."ctid" >= '(3,0)' AND "row"."ctid" < '(9,0)'"""
    )
    assert Slice(0, 3, 9, is_open=True).condition().as_string(None) == """"row"."ctid" >= '(3,0)'"""
