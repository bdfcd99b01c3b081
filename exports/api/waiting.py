"""How long the creation of an export waits for its files: `?wait=10` or `Prefer: wait=10`."""

import re

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from exports.lifecycle.limits import MAX_WAIT_SECONDS
from longshore.api.errors import ErrorCode, InvalidInput, Problem

_PARAMETER, _HEADER = "wait", "Prefer"
# In responses to a request with the header.
APPLIED = "Preference-Applied"
_PREFERENCE = re.compile(r"(?:^|,)\s*wait\s*=\s*\"?([0-9]{1,9})\"?\s*(?:[,;]|$)", re.IGNORECASE)
_TEXT = (
    f"Seconds, at most {MAX_WAIT_SECONDS}. A small export is written before the response, which "
    "then shows it as `completed`. If it takes longer, is large, or the server is busy, a worker "
    "writes it, and the response shows its status."
)
PARAMETERS = (
    OpenApiParameter(
        _PARAMETER,
        {"type": "integer", "minimum": 0, "maximum": MAX_WAIT_SECONDS},
        description=_TEXT,
    ),
    OpenApiParameter(
        _HEADER,
        str,
        OpenApiParameter.HEADER,
        description=f"`wait=10` is the same as the parameter `{_PARAMETER}` (RFC 7240).",
    ),
    OpenApiParameter(
        APPLIED,
        str,
        OpenApiParameter.HEADER,
        response=[200, 201],
        description=f"The preference of `{_HEADER}` that was applied.",
    ),
)


def parameter_seconds(request: Request) -> int:
    """Return the seconds of the parameter; 0 without it. Raises InvalidInput."""
    text = request.query_params.get(_PARAMETER, "0")
    if re.fullmatch("[0-9]{1,2}", text) and int(text) <= MAX_WAIT_SECONDS:
        return int(text)
    raise invalid(text)


def invalid(text: str) -> InvalidInput:
    accepted = f"a whole number of seconds from 0 to {MAX_WAIT_SECONDS}"
    message = f"{_PARAMETER} must be {accepted}, not {text!r}."
    return InvalidInput(Problem(ErrorCode.INVALID_REQUEST, _PARAMETER, text, message, accepted))


def preferred_seconds(request: Request) -> int:
    """Return the seconds of the header; 0 without it.

    A preference that is not understood is ignored, and a longer wait is shortened (RFC 7240).
    """
    found = _PREFERENCE.search(request.headers.get(_HEADER, ""))
    return min(int(found[1]), MAX_WAIT_SECONDS) if found else 0
