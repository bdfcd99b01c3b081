"""Check at the end of a soak test: events of jobs, their deliveries, and received messages agree.

Import it after the environment of the stack is set: it imports the settings.
"""

from collections import Counter
from collections.abc import Iterable

from benchmarks.soak_clients import SUBSCRIPTIONS
from tests.recovery.invariants import BATCHES, EXPORTS, Verdict
from tests.recovery.stack import Stack

# The events of changes of a job's status. A requested batch has none.
_NAMES = {"queued": "queued", "processing": "started", "failed": "failed"}
_COMPLETED = {EXPORTS: "created", BATCHES: "completed"}
_CHANGES = """
SELECT job.public_id, event.status FROM {events} AS event JOIN {jobs} AS job
ON event.{job_id} = job.number WHERE organization_id = ANY(%s)"""
_EVENTS = """
SELECT public_id, subject, type, organization_id FROM webhooks_event
WHERE organization_id = ANY(%s)"""
# The path of the target, such as `org_1/all`.
_DELIVERIES = """
SELECT split_part(target, '/', 4) || '/' || split_part(target, '/', 5), event.public_id,
 delivery.status
FROM webhooks_delivery AS delivery
JOIN webhooks_subscription AS subscription ON subscription_id = subscription.number
JOIN webhooks_event AS event ON event_id = event.number"""


def check_events(stack: Stack, organizations: list[str], verdict: Verdict) -> None:
    """Check that each change of a job's status has one event. organizations: ids."""
    expected: Counter[tuple[str, str]] = Counter()
    for kind, completed in _COMPLETED.items():
        names = _NAMES | {"completed": completed}
        for public_id, status in stack.query(kind.fill(_CHANGES), organizations):
            if status in names:
                expected[public_id, f"{kind.name}.{names[status]}"] += 1
    stored = stack.query(_EVENTS, organizations)
    found = Counter((subject, event_type) for _, subject, event_type, _ in stored)
    verdict.lost += [f"no event {key}" for key in expected - found]
    verdict.duplicated += [f"event of no change {key}" for key in found - expected]


def check_deliveries(
    stack: Stack, organizations: list[str], messages: Iterable[tuple[str, str]], verdict: Verdict
) -> int:
    """Check that each event was delivered to each subscription, and received at least once.

    organizations: ids. messages: the path and the id of each received message.
    Returns the number of deliveries.
    """
    expected = {
        (f"{organization}/{path}", event)
        for event, _, event_type, organization in stack.query(_EVENTS, organizations)
        for path, types in SUBSCRIPTIONS.items()
        if types == ["*"] or event_type in types
    }
    rows = stack.query(_DELIVERIES)
    deliveries = Counter((path, event) for path, event, _ in rows)
    received = {(path.lstrip("/"), event) for path, event in messages}
    verdict.stuck += [f"delivery {row}" for row in rows if row[2] in ("pending", "sending")]
    verdict.lost += [f"delivery failed {row}" for row in rows if row[2] == "failed"]
    verdict.lost += [f"no delivery {key}" for key in expected - deliveries.keys()]
    verdict.duplicated += [f"{n} deliveries {key}" for key, n in deliveries.items() if n > 1]
    verdict.wrong += [f"unexpected delivery {key}" for key in deliveries.keys() - expected]
    verdict.lost += [f"not received {key}" for key in expected - received]
    verdict.wrong += [f"received, but not stored {key}" for key in received - expected]
    return len(rows)
