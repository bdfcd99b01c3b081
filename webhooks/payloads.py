"""What is told of an event: its data as they were stored, and links that work now."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from webhooks.models import Event

Data = dict[str, Any]
# Gives data back, in their order, with links made anew.
Complete = Callable[[Sequence[Data]], list[Data]]

_completions: dict[str, Complete] = {}


def register(kind: str, complete: Complete) -> None:
    """Say how links are made for data whose `object` is of this kind, a floor above."""
    _completions[kind] = complete


def complete(events: Sequence[Event]) -> list[Data]:
    """The data of each event, in their order; each kind is asked once."""
    found = [event.data for event in events]
    for kind, completion in _completions.items():
        places = [place for place, data in enumerate(found) if data.get("object") == kind]
        if places:
            completed = completion([found[place] for place in places])
            for place, data in zip(places, completed, strict=True):
                found[place] = data
    return found


def body(event: Event, data: Data) -> str:
    """The message, as it is signed and sent."""
    message = {
        "id": event.public_id,
        "type": event.type,
        "timestamp": event.created_at.isoformat().replace("+00:00", "Z"),
        "data": data,
    }
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))
