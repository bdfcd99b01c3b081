"""URLs of the OpenAPI descriptions and of the pages under /docs, which load only local files."""

from typing import Any

from csp.constants import SELF
from csp.decorators import csp_update
from django.urls import URLPattern, re_path, reverse
from drf_spectacular import plumbing
from drf_spectacular.settings import spectacular_settings
from drf_spectacular.views import (
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)
from rest_framework.request import Request
from rest_framework.response import Response

from dialects.base.apps import installed_dialects
from exports_project import guide
from exports_project.schema import SchemaView
from longshore.api.apis import api_of

Endpoint = tuple[str, str, str, Any]


def keep_one_api(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Keep the endpoints of the described API, which SCHEMA_PATH_PREFIX tells."""
    # The library keeps the names of enums of the first description of a process.
    plumbing._load_enum_name_overrides.cache_clear()
    described = api_of(spectacular_settings.SCHEMA_PATH_PREFIX)
    return [endpoint for endpoint in endpoints if api_of(endpoint[0]) is described]


def remove_slashes(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Describe each path once, without its optional trailing slash."""
    return [(path.rstrip("/"), regex, method, view) for path, regex, method, view in endpoints]


def remove_empty_enums(
    result: dict[str, Any], generator: Any, request: Any, public: bool
) -> dict[str, Any]:
    """Replace enums that have no values by plain strings.

    The choices of a parameter are empty if nothing of its kind is registered, for example no named
    exports. JSON Schema forbids an empty enum, and drf-spectacular cannot name it.
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


_NATIVE = "Longshore"


class _Page:
    """Adds the links between the pages of an API, and to the other APIs.

    api: the name of the API; "" for the native one.
    """

    api = ""

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response: Response = super().get(request, *args, **kwargs)  # type: ignore[misc]
        response.data |= {name: reverse(_name(self.api, name)) for name in _NAMES}
        response.data["has_guide"] = guide.is_built()
        titles = {each.dialect_name: each.dialect_title for each in installed_dialects()}
        response.data["apis"] = [
            {"title": title, "url": reverse(_name(api, "docs")), "is_current": api == self.api}
            for api, title in {"": _NATIVE, **titles}.items()
        ]
        return response


class _SwaggerPage(_Page, SpectacularSwaggerSplitView):
    template_name = "docs/swagger.html"
    template_name_js = "docs/swagger.js"


class _RedocPage(_Page, SpectacularRedocView):
    template_name = "docs/redoc.html"


_NAMES = ("docs", "redoc", "schema")


def _name(api: str, page: str) -> str:
    """Return the name of the URL of a page of an API."""
    return f"{api}-{page}" if api else page


# Redoc's search runs in a web worker that it creates from a blob.
_redoc = csp_update({"worker-src": [SELF, "blob:"]})


def _pages(api: str, folder: str, title: str) -> list[URLPattern]:
    """Return the URLs of the pages of an API. folder: below which they lie, a regex."""
    options = {"api": api, "title": title, "url_name": _name(api, "schema")}
    swagger, redoc = _SwaggerPage.as_view(**options), _redoc(_RedocPage.as_view(**options))
    return [
        re_path(rf"^{folder}/?$", swagger, name=_name(api, "docs")),
        re_path(rf"^{folder}/redoc/?$", redoc, name=_name(api, "redoc")),
    ]


urlpatterns: list[URLPattern] = [
    re_path(r"^v1/schema/?$", SchemaView.as_view(), name="schema"),
    *_pages("", "docs", spectacular_settings.TITLE),
]
for _config in installed_dialects():
    _api, _folder = _config.dialect_name, f"docs/{_config.dialect_name}"
    _schema = SchemaView.as_view(api=_api, custom_settings=_config.description)
    urlpatterns += [
        re_path(rf"^{_folder}/schema/?$", _schema, name=_name(_api, "schema")),
        *_pages(_api, _folder, _config.description["TITLE"]),
    ]
