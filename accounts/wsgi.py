"""Bodies sent in chunks, which Django takes for empty ones."""

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def measure_chunked_body(application: "WSGIApplication") -> "WSGIApplication":
    """Wrap a WSGI application to give a chunked body under /v1/ the length that Django asks for.

    At most a byte over `API_MAX_BODY_BYTES` is read: enough for a parser to see it is too large.
    Elsewhere nothing sends forms in chunks, and none is cut.
    """

    def measured(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        chunked = environ.get("wsgi.input_terminated") and not environ.get("CONTENT_LENGTH")
        if chunked and environ["PATH_INFO"].startswith("/v1/"):
            body = environ["wsgi.input"].read(settings.API_MAX_BODY_BYTES + 1)
            environ["wsgi.input"] = BytesIO(body)
            environ["CONTENT_LENGTH"] = str(len(body))
        return application(environ, start_response)

    return measured
