"""URLs of the OpenAPI description and of the pages under /docs, which load only local files."""

from typing import Any

from csp.constants import SELF
from csp.decorators import csp_update
from django.apps import apps
from django.urls import URLPattern, re_path
from drf_spectacular.views import (
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)

from exports_project.schema import SchemaView

Endpoint = tuple[str, str, str, Any]


def without_slash(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Describe each path once, without its optional trailing slash."""
    return [(path.rstrip("/"), regex, method, view) for path, regex, method, view in endpoints]


def without_empty_enums(
    result: dict[str, Any], generator: Any, request: Any, public: bool
) -> dict[str, Any]:
    """Replace enums that have no values by plain strings.

    The choices of a parameter are empty if nothing of its kind is registered, for example no named
    named exports. JSON Schema forbids an empty enum, and drf-spectacular cannot name it.
    """
    _drop_empty_enums(result)
    return result


def _drop_empty_enums(schema: Any) -> None:
    if isinstance(schema, dict):
        if schema.get("enum") == []:
            del schema["enum"]
            schema.pop("x-spec-enum-id", None)
            schema["type"] = "string"
        for each in schema.values():
            _drop_empty_enums(each)
    elif isinstance(schema, list):
        for each in schema:
            _drop_empty_enums(each)


# Redoc's search runs in a web worker that it creates from a blob.
_redoc = csp_update({"worker-src": [SELF, "blob:"]})

_PAGES = [
    re_path(
        r"^docs/?$",
        SpectacularSwaggerSplitView.as_view(template_name="docs/swagger.html"),
        name="docs",
    ),
    re_path(
        r"^docs/redoc/?$",
        _redoc(SpectacularRedocView.as_view(template_name="docs/redoc.html")),
        name="redoc",
    ),
]
urlpatterns: list[URLPattern] = [
    re_path(r"^v1/schema/?$", SchemaView.as_view(), name="schema"),
    # Their scripts and styles are a separate package, which is optional in production.
    *(_PAGES if apps.is_installed("drf_spectacular_sidecar") else ()),
]
