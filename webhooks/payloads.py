"""Bodies of messages: the stored data of an event, completed with fresh links.

Links expire, so they are signed when a message is sent, not when its event is stored.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from webhooks.models import Event

Data = dict[str, Any]
# Returns the data in the given order, with fresh links.
Complete = Callable[[Sequence[Data]], list[Data]]

_completions: dict[str, Complete] = {}


def register(kind: str, complete: Complete) -> None:
    """Register the function that adds links to data whose `object` is `kind`."""
    _completions[kind] = complete


def complete(events: Sequence[Event]) -> list[Data]:
    """Return the data of the events, in order, with fresh links.

    Calls the registered function of each kind of object at most once.
    """
    completed = [event.data for event in events]
    for kind, completion in _completions.items():
        indexes = [index for index, data in enumerate(completed) if data.get("object") == kind]
        if indexes:
            with_links = completion([completed[index] for index in indexes])
            for index, data in zip(indexes, with_links, strict=True):
                completed[index] = data
    return completed


def body(event: Event, data: Data) -> str:
    """Return the body of a message, exactly as it is signed and sent."""
    message = {
        "id": event.public_id,
        "type": event.type,
        "timestamp": event.created_at.isoformat().replace("+00:00", "Z"),
        "data": data,
    }
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))
