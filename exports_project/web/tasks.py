"""Runs and logs a request in a thread: by the WSGI application, or by a JSON error."""

import errno
import json
import logging
import time
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest
from structlog.contextvars import clear_contextvars
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import RequestEntityTooLarge, RequestHeaderFieldsTooLarge

from exports_project.web.admission import Denied
from exports_project.web.parser import MAX_MULTIPART_BODY_BYTES, Overloaded
from longshore.api import server_errors
from longshore.api.announcements import ACCEPTED
from longshore.api.apis import NATIVE, RenderedError, api_of
from longshore.api.errors import ApiError, ErrorCode

# Errors of files. Any other OSError of a connection means that the client disconnected.
_FILE_ERRORS = {errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ESTALE}

logger = logging.getLogger(__name__)
access = logging.getLogger("gunicorn.access")


def _log(client: str, command: str, path: str, status: str, sent: int, seconds: float) -> None:
    """Log a request without its query string, which may hold the signature of a link."""
    text = "%s %s %s %s, %s bytes in %.0f ms"
    access.info(text, client, command, path, status[:3], sent, seconds * 1000)


def log_file_error(error: OSError) -> None:
    """Log an error of a file: waitress does not, because we disable its log of socket errors."""
    if error.errno in _FILE_ERRORS:
        logger.error("The web server cannot read or write a file: %s", error)


class RequestTask(WSGITask):
    """Runs one request by the application and logs it with the size of its response."""

    _sent = 0

    def get_environment(self) -> dict[str, Any]:
        environment: dict[str, Any] = super().get_environment()
        if self.request.is_admitted:
            environment[ACCEPTED] = True
        return environment

    def write(self, data: bytes) -> None:
        super().write(data)
        self._sent += len(data)

    def execute(self) -> None:
        try:
            super().execute()
        except OSError as error:
            log_file_error(error)
            raise

    def service(self) -> None:
        """Run the request, then log it."""
        try:
            super().service()
        finally:
            # Behind a trusted proxy, `web.proxies` has set REMOTE_ADDR to the client's address.
            client = (self.environ or {}).get("REMOTE_ADDR", self.channel.addr[0])
            # `write` does not see files that waitress sends itself; these have a content length.
            sent = self._sent if self.content_length is None else self.content_length
            if self.request.command == "HEAD":
                sent = 0
            took = time.time() - self.start_time
            _log(client, self.request.command, self.request.path, self.status, sent, took)
            # The next request of this thread must not inherit the request id and organization.
            clear_contextvars()


class RefusalTask(ErrorTask):
    """Responds to a request that waitress refused, in the shape of the errors of its API."""

    def execute(self) -> None:
        command = path = "-"
        if isinstance(denied := self.request.error, Denied):
            command, path = self.request.command, self.request.path
            self.status, body = denied.status, denied.body
            self.response_headers += denied.headers
        else:
            shown = _render(_refusal(self.request), getattr(self.request, "path", ""))
            body = json.dumps(shown.body).encode()
            self.status = f"{shown.status} {HTTPStatus(shown.status).phrase}"
            self.response_headers.append(("Content-Type", shown.media_type))
            self.response_headers.append(("Cache-Control", "private, no-store"))
        self.set_close_on_finish()
        self.content_length = len(body)
        # The channel closes the connection after it has discarded the rest of the request.
        self.channel.refused = True
        self.write(body)
        self.close_on_finish = False
        _log(self.channel.addr[0], command, path, self.status, len(body), 0)


def _render(error: ApiError, path: str) -> RenderedError:
    """Return an error in the shape of the API of a path; "" if the path is not known."""
    request = HttpRequest()
    request.path = request.path_info = path
    return (api_of(path) or NATIVE).render_error(error, request)


def _refusal(request: Any) -> ApiError:
    error = request.error
    match error:
        case RequestEntityTooLarge():
            if request.max_body == MAX_MULTIPART_BODY_BYTES:
                return server_errors.multipart_too_large(request.max_body)
            return server_errors.body_too_large(request.max_body)
        case RequestHeaderFieldsTooLarge():
            return server_errors.headers_too_large(request.adj.max_request_header_size)
        case Overloaded():
            return server_errors.overloaded()
    code = ErrorCode.INTERNAL_ERROR if error.code == 500 else ErrorCode.INVALID_REQUEST
    text = code.message if error.code == 500 else f"Malformed HTTP request: {error.body}."
    return ApiError(code, text, status=error.code)
