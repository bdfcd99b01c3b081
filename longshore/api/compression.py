"""Compresses responses of the API with gzip, where that is safe.

The length of a compressed body reveals whether a text of the request also occurs in a secret in
the response (BREACH). So only views that say so are compressed: none whose responses hold signed
links or signing secrets. In addition, the length of every compressed body is random.
"""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.text import compress_string

# Smaller responses fit into one packet.
MIN_BYTES = 1_000
# Random bytes that each compressed response gets at most.
_MAX_RANDOM_BYTES = 100
_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")


def accepts_gzip(request: HttpRequest) -> bool:
    return _GZIP.search(request.headers.get("Accept-Encoding", "")) is not None


def compress(get_response: Callable[[HttpRequest], HttpResponse]) -> object:
    """Compress the responses of views with `may_compress` (a middleware)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not getattr(response, "may_compress", False):
            return response
        patch_vary_headers(response, ["Accept-Encoding"])
        if accepts_gzip(request) and len(response.content) >= MIN_BYTES:
            response.content = compress_string(response.content, max_random_bytes=_MAX_RANDOM_BYTES)
            response.headers["Content-Encoding"] = "gzip"
            response.headers["Content-Length"] = str(len(response.content))
        return response

    return middleware
