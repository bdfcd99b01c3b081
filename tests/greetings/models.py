from typing import Any, ClassVar

from django.db import models

from longshore.jobs.models import (
    Job,
    JobEvent,
    JobQuerySet,
    JobTurn,
    JobUsage,
    known_statuses,
    public_id_field,
)
from longshore.jobs.statuses import Status


class Greeting(Job):
    """spec: `{"name": the person to greet}`."""

    public_id = public_id_field("grt")
    text = models.TextField(blank=True)

    # The type checker knows the models of installed apps only.
    objects: ClassVar[Any] = JobQuerySet.as_manager()

    class Meta(Job.Meta):
        constraints: ClassVar = [*Job.Meta.constraints, known_statuses(Status)]


class GreetingEvent(JobEvent):
    greeting = models.ForeignKey(Greeting, on_delete=models.CASCADE, related_name="events")

    class Meta(JobEvent.Meta):
        pass


class GreetingTurn(JobTurn):
    class Meta(JobTurn.Meta):
        pass


class GreetingUsage(JobUsage):
    pass
