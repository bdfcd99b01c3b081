"""Renders what exports and imports have in common, from jobs as the native API shows them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import Q

from dialects.commercelayer.documents import moment
from dialects.commercelayer.jobs.attributes import KEY, REFERENCES, extras_of, without_extras
from dialects.commercelayer.names import resource_types, resources_of, type_of
from dialects.commercelayer.queries import attribute, computed
from dialects.commercelayer.statuses import (
    COMPLETED,
    INTERRUPTED,
    STATUS_SQL,
    status_of,
    with_statuses,
)
from longshore.jobs.models import Job
from longshore.resources.columns import Column, ColumnType


def job_attributes(job: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes that every job has.

    job: an export or a batch as the native API or an event shows it.
    """
    status = status_of(job)
    ended_at = moment(job["completed_at"])
    times = (job["created_at"], job["started_at"], job["completed_at"])
    extras = extras_of(job["metadata"])
    error = job["error"]
    return {
        "resource_type": type_of(job["resource"]),
        "status": status,
        "started_at": moment(job["started_at"]),
        "completed_at": ended_at if status == COMPLETED else None,
        "interrupted_at": ended_at if status == INTERRUPTED else None,
        "processed_count": job["processed_count"],
        "errors_log": {error["error"]: error["message"]} if error else {},
        "created_at": moment(job["created_at"]),
        "updated_at": moment(max(time for time in times if time)),
        **{name: extras.get(name) for name in REFERENCES},
        "metadata": without_extras(job["metadata"]),
    }


def of_types(types: Sequence[str]) -> Q:
    """Select the jobs whose resources have one of these types."""
    return Q(resource__in=resources_of(types))


# The filters of lists of jobs that indexes serve.
STORED: Mapping[str, Callable[[Sequence[str]], Q]] = {
    "status": with_statuses,
    "resource_type": of_types,
}


def job_columns(model: type[Job]) -> tuple[Column, ...]:
    """Return the columns by which lists of jobs are filtered and sorted."""
    types = " ".join(f"WHEN '{name}' THEN '{type}'" for type, name in resource_types().items())
    resource_type = f"CASE {{row}}.resource {types} ELSE {{row}}.resource END"
    if not types:
        resource_type = "{row}.resource"
    times = "{row}.created_at, {row}.started_at, {row}.completed_at"
    return (
        attribute(model, "public_id", "id"),
        computed("resource_type", resource_type),
        computed("status", STATUS_SQL),
        attribute(model, "created_at"),
        computed("updated_at", f"GREATEST({times})", ColumnType.DATETIME),
        attribute(model, "started_at"),
        *(
            computed(
                f"{status}_at",
                f"CASE WHEN {STATUS_SQL} = '{status}' THEN {{row}}.completed_at END",
                ColumnType.DATETIME,
            )
            for status in (COMPLETED, INTERRUPTED)
        ),
        attribute(model, "processed_count"),
        *(
            computed(name, f"{{row}}.request #>> '{{{{metadata,{KEY},{name}}}}}'")
            for name in REFERENCES
        ),
    )
