from datetime import timedelta
from threading import Event

from longshore.jobs.kinds import FixedLimits, JobKind
from longshore.jobs.lifecycle import Lifecycle
from longshore.jobs.runner import JobRunner, Work
from longshore.jobs.statuses import Lane
from tests.greetings.errors import GreetingErrorCode
from tests.greetings.models import Greeting, GreetingEvent, GreetingTurn, GreetingUsage

LIMITS = FixedLimits(unfinished=5, daily=None, seconds=60, stored_bytes=None)
GREETINGS = JobKind(
    job=Greeting,
    event=GreetingEvent,
    turn=GreetingTurn,
    usage=GreetingUsage,
    # Shared with exports, so no other worker is needed.
    queues={Lane.LARGE: "large", Lane.QUICK: "quick"},
    limits=lambda organization_id: LIMITS,
    retention=lambda: timedelta(hours=1),
    record_retention=lambda: timedelta(days=30),
    plural="greetings",
    unfinished_error=GreetingErrorCode.TOO_MANY_GREETINGS,
)
greeting_lifecycle = Lifecycle(GREETINGS)


class GreetingRunner(JobRunner[Greeting, str]):
    def prepare(self, job: Greeting) -> Work[str]:
        canceled = Event()
        return Work(lambda: f"Dear {job.spec['name']}", lambda: 1, canceled.set, LIMITS.seconds)

    def complete(self, job: Greeting, result: str) -> None:
        self.lifecycle.complete(job, rows=1, text=result)


run = GreetingRunner(greeting_lifecycle).run
