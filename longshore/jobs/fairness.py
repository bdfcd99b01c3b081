"""Decides which queued job a worker claims next.

Within a lane, a worker claims the oldest job of the organization with the fewest running jobs.
Among equals, the organization whose last turn is longest ago is next. If a lane has two or more
slots, one organization never uses all of them, so its backlog does not delay other organizations.

All times are those of the database's clock.
"""

from typing import Any, TypeVar

from django.db import connection
from django.db.models import Case, Count, F, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce, Now

from longshore.jobs.kinds import JobKind
from longshore.jobs.models import Job
from longshore.jobs.statuses import Lane, Status

J = TypeVar("J", bound=Job)


def is_due() -> Q:
    """Select queued jobs that need not wait for the delay of a retry."""
    return Q(not_before=None) | Q(not_before__lte=Now())


def due(kind: JobKind[Any]) -> QuerySet[Any, Any]:
    """Return the queued jobs that are ready to be claimed, with the time `since` then.

    A job becomes ready when it is queued, or when the delay of its retry ends.
    """
    events = kind.event._default_manager.filter(**{kind.name: OuterRef("pk")})
    queued = events.order_by("-pk").values("created_at")
    jobs = kind.jobs.filter(is_due(), status=Status.QUEUED).order_by()
    return jobs.annotate(since=Coalesce("not_before", Subquery(queued[:1]), "created_at"))


def served_lanes(slot: Lane) -> tuple[Lane, ...]:
    """Return the lanes that a worker of lane `slot` serves, in the order of its preference.

    An idle worker of `large` takes small jobs; a worker of `quick` never takes large ones.
    """
    return (Lane.LARGE, Lane.QUICK) if slot == Lane.LARGE else (Lane.QUICK,)


def waiting_of(kind: JobKind[J], organization_id: str, slot: Lane) -> J | None:
    """Return a job of an organization that waits for a slot of a lane, a large job first."""
    own = kind.jobs.visible().filter(is_due(), organization=organization_id, status=Status.QUEUED)
    waiting = own.filter(lane__in=served_lanes(slot))
    return waiting.order_by(Case(When(lane=Lane.LARGE, then=0), default=1), "number").first()


def lock_next(kind: JobKind[J], lane: Lane, slot: Lane, slots: int) -> J | None:
    """Return the queued job of `lane` whose turn it is, locked for the current transaction.

    slot, slots: as for `Lifecycle.claim`.
    """
    visible = kind.jobs.visible()
    of_organization = visible.filter(organization=OuterRef("organization")).order_by()
    processing = of_organization.filter(status=Status.PROCESSING)
    turn = kind.turn._default_manager.filter(organization=OuterRef("organization"), lane=lane)
    waiting: QuerySet[Any, Any] = (
        visible.filter(is_due(), lane=lane, status=Status.QUEUED)
        .annotate(running=_number(processing.filter(lane=lane)))
        .annotate(turn=Subquery(turn.values("taken_at")))
        .order_by("running", F("turn").asc(nulls_first=True), "number")
        # A job that another worker is claiming is locked: take the next one.
        .select_for_update(skip_locked=True, of=("self",))
    )
    if slots > 1:
        # Workers of a lane claim one after the other, or two could take the last two slots.
        with connection.cursor() as cursor:
            name = f"{kind.plural}.{slot}"
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [name])
        used_slots = _number(processing.filter(slot=slot))
        waiting = waiting.alias(used_slots=used_slots).filter(used_slots__lt=slots - 1)
    job: J | None = waiting.first()
    return job


def record_turn(kind: JobKind[Any], job: Job) -> None:
    """Record that the organization of a job had its turn.

    Call it last in a transaction: other claims of the organization wait for this row.
    """
    turn = kind.turn(organization_id=job.organization_id, lane=job.lane, taken_at=Now())
    kind.turn._default_manager.bulk_create(
        [turn],
        update_conflicts=True,
        unique_fields=("organization", "lane"),
        update_fields=("taken_at",),
    )


def _number(jobs: QuerySet[Any, Any]) -> Coalesce:
    count = jobs.values("organization").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(count), 0)
