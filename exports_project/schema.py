"""The descriptions of the APIs, built once in each process and served as bytes.

`/v1/schema` is that of the native API, `/docs/<dialect>/schema` that of a dialect.
"""

import gzip
import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.encoding import force_bytes
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.settings import patched_settings
from drf_spectacular.views import SpectacularAPIView
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.settings import api_settings

from longshore.api.compression import accepts_gzip
from longshore.api.openapi import extend_schema
from longshore.api.views import SETTINGS, AcceptNegotiation

logger = logging.getLogger(__name__)

_CACHE_SECONDS = 60


@dataclass(frozen=True)
class _Rendered:
    plain: bytes
    gzipped: bytes
    etag: str


# By the name of the API and of the format.
rendered: dict[tuple[str, str], _Rendered] = {}
# The generator modifies objects that all requests share: two concurrent runs would mix up views.
_lock = Lock()


@contextmanager
def _own_schema_class() -> Iterator[None]:
    """Let drf-spectacular describe webhooks with its own class during the block.

    It reads the class from the setting REST_FRAMEWORK of the project, which may name another one.
    """
    before = api_settings.DEFAULT_SCHEMA_CLASS
    api_settings.DEFAULT_SCHEMA_CLASS = AutoSchema  # type: ignore[assignment]
    try:
        yield
    finally:
        api_settings.DEFAULT_SCHEMA_CLASS = before


def _render(api: str, patches: dict[str, Any], renderer: BaseRenderer) -> _Rendered:
    """Return a description in the format of a renderer; the first call takes some seconds."""
    form = (api, str(renderer.format))
    with _lock, patched_settings(patches), _own_schema_class():
        if form not in rendered:
            schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
            plain = force_bytes(renderer.render(schema, renderer_context={}))
            digest = hashlib.sha256(plain).hexdigest()[:32]
            # Weak, because it is the same for the compressed bytes.
            rendered[form] = _Rendered(plain, gzip.compress(plain, mtime=0), f'W/"{digest}"')
    return rendered[form]


def prepare() -> None:
    """Build the description that the page /docs loads. Log an error, which its requests get too."""
    try:
        _render("", {}, OpenApiJsonRenderer())
    except Exception:
        # A project may register what drf-spectacular cannot describe. The API works without.
        logger.exception("The API description cannot be built.")


class SchemaView(SpectacularAPIView):
    """Serves the same bytes to every client, without an API key and without a rate limit.

    Errors and content negotiation are those of the native API's views.

    api: the name of the API; "" for the native one.
    custom_settings: the settings of drf-spectacular that differ for its description.
    """

    api = ""

    settings = SETTINGS
    schema = AutoSchema()
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    content_negotiation_class = AcceptNegotiation
    metadata_class = None

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: object, **kwargs: object) -> HttpResponseBase:
        renderer = request.accepted_renderer
        found = _render(self.api, self.custom_settings or {}, renderer)
        compressed = accepts_gzip(request)
        response = HttpResponse(
            found.gzipped if compressed else found.plain,
            content_type=f"{renderer.media_type}; charset=utf-8",
        )
        if compressed:
            response["Content-Encoding"] = "gzip"
        response["Cache-Control"] = f"public, max-age={_CACHE_SECONDS}"
        name = f"{self.api or 'longshore'}.{renderer.format}"
        response["Content-Disposition"] = f'inline; filename="{name}"'
        response["ETag"] = found.etag
        patch_vary_headers(response, ["Accept", "Accept-Encoding"])
        return (
            get_conditional_response(request._request, etag=found.etag, response=response)
            or response
        )
