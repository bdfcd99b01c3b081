"""Why an attempt failed, in words, and what to do about it."""

from dataclasses import dataclass
from http import HTTPStatus
from http.client import responses


@dataclass(frozen=True)
class Cause:
    """words: a part of a sentence, such as `connection refused`. advice: one or two sentences."""

    words: str
    advice: str


_CHECK_TARGET = "Check the host and the port of the target with its owner."
_CHECK_LOG = "The log of the receiver has the reason."
_OVERLOADED = "Longshore waits as long as the target asks for. Its owner can add capacity."
_REFUSES = "The target needs other credentials. Change the headers of the webhook."
_CHECK_PATH = "Check the path of the target with its owner."

# A part of a stored error, and its cause. The first one that matches applies.
_ERRORS = (
    (
        "Connection refused",
        Cause("connection refused", f"Nothing listens there. {_CHECK_TARGET}"),
    ),
    (
        "has no address",
        Cause("host name not found", "The DNS does not know the host. Check its name."),
    ),
    (
        "not resolved in time",
        Cause("host name not found in time", "The DNS of the host responds too slowly."),
    ),
    (
        "not installed",
        Cause("message format not installed", "Install its dialect again, or delete the webhook."),
    ),
    (
        "encrypted with another SECRET_KEY",
        Cause(
            "secret or header not readable",
            "Add the earlier key to SECRET_KEY_FALLBACKS. Or rotate the secret and set the "
            "headers again.",
        ),
    ),
    (
        "not public",
        Cause("address not public", "Webhooks are sent to public addresses only."),
    ),
    (
        "CERTIFICATE_VERIFY_FAILED",
        Cause("TLS certificate not trusted", "The owner of the target must renew or repair it."),
    ),
    (
        "SSL",
        Cause(
            "TLS error", f"Perhaps the target does not accept HTTPS on this port. {_CHECK_TARGET}"
        ),
    ),
    (
        "Could not connect within",
        Cause("no connection in time", f"A firewall may drop the connection. {_CHECK_TARGET}"),
    ),
    (
        "was not complete within",
        Cause(
            "no complete response in time",
            "The receiver must put the message into a queue of its own, then respond at once.",
        ),
    ),
    (
        "does not contain the challenge",
        Cause("challenge not repeated", "The response to a challenge must contain its token."),
    ),
    (
        "Connection reset",
        Cause("connection reset", _CHECK_LOG),
    ),
    (
        "disconnected",
        Cause("connection closed without a response", _CHECK_LOG),
    ),
)
# Beginnings of the errors of targets that are not allowed any more.
_NOT_ALLOWED = ("The target must", "The target's port", "The target's host", "The target is not")
_STATUS_ADVICE: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: _REFUSES,
    HTTPStatus.FORBIDDEN: _REFUSES,
    HTTPStatus.NOT_FOUND: _CHECK_PATH,
    HTTPStatus.METHOD_NOT_ALLOWED: f"The target accepts no POST. {_CHECK_PATH}",
    HTTPStatus.GONE: "The target wants no more messages. Ask its owner before you enable it.",
    HTTPStatus.TOO_MANY_REQUESTS: _OVERLOADED,
    HTTPStatus.SERVICE_UNAVAILABLE: _OVERLOADED,
}
_REDIRECTED = "Redirects are not followed. Set the target to the address that it redirects to."


def cause_of(error: str, status_code: int | None = None) -> Cause:
    """Return the cause of a failed attempt.

    error: the stored error.
    status_code: that of the response; None if it is unknown, or if there was no response.
    """
    for part, cause in _ERRORS:
        if part in error:
            return cause
    if error.startswith(_NOT_ALLOWED):
        return Cause("target not allowed", f"{error} Edit the target.")
    code = status_code or _code_in(error)
    if code is None:
        return Cause(error.rstrip("."), _CHECK_TARGET)
    advice = _REDIRECTED if 300 <= code < 400 else _CHECK_LOG
    return Cause(f"response {status_text(code)}", _STATUS_ADVICE.get(code, advice))


def status_text(code: int) -> str:
    """Return `503 Service Unavailable`, or only the number of an unknown code."""
    phrase = responses.get(code)
    return f"{code} {phrase}" if phrase else str(code)


def _code_in(error: str) -> int | None:
    """Return the code in `The target responded with 500.`; None in other errors."""
    _, found, rest = error.partition("responded with ")
    digits = rest[:3]
    return int(digits) if found and digits.isascii() and digits.isdecimal() else None
