"""Progress, times and durations of jobs on admin pages."""

from datetime import timedelta

import pytest
from django.utils import timezone

from exports.models import Export, Status
from longshore.jobs.admin.presentation import duration
from longshore.jobs.admin.progress import STATUS_COLORS, progress_context, times

NOW = timezone.now()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "40 ms"),
        (2.5, "2.5 s"),
        (15, "15.0 s"),
        (0.9996, "1.0 s"),
        (59.96, "1 min 0 s"),
        (119.7, "2 min 0 s"),
        (125, "2 min 5 s"),
        (3_599.7, "1 h 0 min"),
        (3_780, "1 h 3 min"),
        (90_000, "25 h 0 min"),
    ],
)
def test_a_duration_is_shown_in_its_largest_units(seconds: float, text: str) -> None:
    assert duration(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("values", "text", "percent", "is_unfinished"),
    [
        ({"status": Status.QUEUED}, "Waiting for a worker", 0, True),
        ({"status": Status.PROCESSING, "processed_count": 5}, "5 rows so far", None, True),
        (
            {"status": Status.PROCESSING, "processed_count": 5, "records_count": 2_000},
            "5 of 2,000 rows",
            0,
            True,
        ),
        ({"status": Status.FAILED, "processed_count": 5}, "Stopped after 5 rows", 0, False),
        ({"status": Status.COMPLETED, "records_count": 7}, "7 rows", 100, False),
    ],
)
def test_the_progress_follows_the_status_and_the_counts(
    values: dict[str, object], text: str, percent: int | None, is_unfinished: bool
) -> None:
    context = progress_context(Export(**values), "rows")
    assert (context["text"], context["percent"], context["is_unfinished"]) == (
        text,
        percent,
        is_unfinished,
    )


def test_times_of_a_completed_job_end_with_the_expiry_of_its_files() -> None:
    export = Export(
        status=Status.COMPLETED,
        created_at=NOW - timedelta(seconds=10),
        started_at=NOW - timedelta(seconds=8),
        completed_at=NOW - timedelta(seconds=5),
        expires_at=NOW + timedelta(hours=1),
    )
    titles = [title for title, *_ in times(export)]
    assert titles == ["Created", "Started", "Ended", "Files expire"]
    assert [relative for _, relative, _ in times(export)][1:3] == [
        "2.0 s after creation",
        "after 3.0 s of processing",
    ]
    export.expires_at = NOW
    assert times(export)[-1][0] == "Files expired"


def test_each_status_of_an_export_has_a_color() -> None:
    assert set(Status.values) <= set(STATUS_COLORS)
