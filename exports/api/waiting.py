"""The creation of an export waits until it has ended: `?wait=10` or `Prefer: wait=10`.

A worker writes the files. The request only polls the status of the export.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from exports.models import Export
from longshore.api.errors import ErrorCode, InvalidInput, Problem
from longshore.jobs.models import JobQuerySet
from longshore.jobs.statuses import UNFINISHED

MAX_SECONDS = 10
# Requests of a process that wait at the same time: the other threads serve the other requests.
MAX_PLACES = 4
# A worker needs about 0.15 s for a small export.
_FIRST_PAUSE_SECONDS, _MAX_PAUSE_SECONDS, _GROWTH = 0.1, 0.5, 1.5

_PARAMETER, _HEADER = "wait", "Prefer"
# In responses to a request with the header.
APPLIED = "Preference-Applied"
_PREFERENCE = re.compile(r"(?:^|,)\s*wait\s*=\s*\"?([0-9]{1,9})\"?\s*(?:[,;]|$)", re.IGNORECASE)
_TEXT = (
    f"Seconds, at most {MAX_SECONDS}. The response waits until the export has ended, and shows it "
    "as it is then. If it takes longer, or the server is busy, the response shows its status."
)
PARAMETERS = (
    OpenApiParameter(
        _PARAMETER,
        {"type": "integer", "minimum": 0, "maximum": MAX_SECONDS},
        description=_TEXT,
    ),
    OpenApiParameter(
        _HEADER,
        str,
        OpenApiParameter.HEADER,
        description=(
            f"`wait=10` is the same as the parameter `{_PARAMETER}`, which overrides it (RFC 7240)."
        ),
    ),
    OpenApiParameter(
        APPLIED,
        str,
        OpenApiParameter.HEADER,
        response=[200, 201],
        description=f"The preference of `{_HEADER}`, if the response has waited.",
    ),
)

# The organizations whose requests wait in this process.
_waiting: set[str] = set()
_lock = Lock()


@dataclass(frozen=True)
class Wait:
    """The wait that a request asks for.

    deadline: on the monotonic clock, so that the time of the creation counts.
    preference: value of the header in the response; "" if the request has the parameter.
    """

    deadline: float
    preference: str


def parse_wait(request: Request) -> Wait | None:
    """Return the wait of a request; None without one. Raises InvalidInput for the parameter.

    A preference that is not understood is ignored, and a longer wait is shortened (RFC 7240).
    """
    preference = ""
    text = request.query_params.get(_PARAMETER)
    if text is not None:
        if not re.fullmatch("[0-9]{1,2}", text) or int(text) > MAX_SECONDS:
            raise invalid_wait(text)
        seconds = int(text)
    else:
        found = _PREFERENCE.search(request.headers.get(_HEADER, ""))
        seconds = min(int(found[1]), MAX_SECONDS) if found else 0
        preference = f"wait={seconds}"
    return Wait(time.monotonic() + seconds, preference) if seconds else None


def invalid_wait(text: str) -> InvalidInput:
    accepted = f"a whole number of seconds from 0 to {MAX_SECONDS}"
    message = f"{_PARAMETER} must be {accepted}, not {text!r}."
    return InvalidInput(Problem(ErrorCode.INVALID_REQUEST, _PARAMETER, text, message, accepted))


@contextmanager
def hold_place(organization_id: str) -> Iterator[bool]:
    """Hold one of the places of this process during the block; yield False if none is free.

    An organization has one place, so that it cannot take the places of the others.
    """
    with _lock:
        is_free = organization_id not in _waiting and len(_waiting) < MAX_PLACES
        if is_free:
            _waiting.add(organization_id)
    try:
        yield is_free
    finally:
        if is_free:
            with _lock:
                _waiting.remove(organization_id)


def wait_for_end(export: JobQuerySet[Export], deadline: float) -> None:
    """Return when an export has ended or is not in the query any more, or at the deadline."""
    unfinished = export.filter(status__in=UNFINISHED)
    pause = _FIRST_PAUSE_SECONDS
    while (left := deadline - time.monotonic()) > 0 and unfinished.exists():
        time.sleep(min(pause, left))
        pause = min(pause * _GROWTH, _MAX_PAUSE_SECONDS)
