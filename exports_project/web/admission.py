"""Asks the application about a large body before the body is received.

So a client without a valid API key can store nothing, however large the body that it announces.
"""

import io
import logging
from collections.abc import Sequence
from typing import Any

from waitress.task import WSGITask
from waitress.utilities import Error

from exports_project.web.parser import Parser
from longshore.api.announcements import ANNOUNCED

logger = logging.getLogger(__name__)

_ACCEPTED = "204"


class Denied(Error):
    """The response of the application to a request whose body it does not accept."""

    def __init__(self, status: str, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        super().__init__(body)
        self.code = int(status.split()[0])
        self.status = status
        self.headers = headers


class Admission:
    """A task for a thread of the server. channel: calls `admit` or `deny` of it."""

    def __init__(self, channel: Any, request: Parser) -> None:
        self.channel = channel
        # The dispatcher selects the threads by the first request.
        self.requests = [request]

    def service(self) -> None:
        try:
            denied = self._ask()
        except Exception:
            # The request itself would fail in the same way, with a response of the API.
            logger.exception("The application could not be asked about a large body.")
            denied = None
        if denied is None:
            self.channel.admit()
        else:
            self.channel.deny(denied)

    def cancel(self) -> None:
        self.channel.cancel()

    def _ask(self) -> Denied | None:
        environ = WSGITask(self.channel, self.requests[0]).get_environment()
        environ |= {"wsgi.input": io.BytesIO(), ANNOUNCED: True}
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(
            status: str, headers: list[tuple[str, str]], exc_info: object = None
        ) -> None:
            started[:] = [(status, headers)]

        response = self.channel.server.application(environ, start_response)
        try:
            body = b"".join(response)
        finally:
            if close := getattr(response, "close", None):
                close()
        status, headers = started[0]
        return None if status.startswith(_ACCEPTED) else Denied(status, headers, body)
