"""The HTTP APIs of this project: their paths, and the shape of their errors.

The native API is below `/v1/`. Apps register further APIs, whose clients expect other errors.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest

from longshore.api.errors import ApiError


@dataclass(frozen=True, slots=True)
class RenderedError:
    """An error as a client gets it. body: JSON values."""

    status: int
    body: object
    media_type: str = "application/json"


RenderError = Callable[[ApiError, HttpRequest], RenderedError]


@dataclass(frozen=True, slots=True)
class Api:
    """An API.

    name: unique; "" for the native API.
    prefixes: beginnings of its paths, each with a slash at both ends. Of two APIs whose prefixes
        fit a path, the longer prefix wins.
    """

    name: str
    prefixes: tuple[str, ...]
    render_error: RenderError


def _native_error(error: ApiError, request: HttpRequest) -> RenderedError:
    return RenderedError(error.status, error.as_json())


NATIVE = Api("", ("/v1/",), _native_error)
BY_PREFIX: dict[str, Api] = {}


def register(api: Api) -> None:
    """Add an API. Raises ValueError if another one has its prefix."""
    for prefix in api.prefixes:
        if BY_PREFIX.setdefault(prefix, api).name != api.name:
            raise ValueError(f"Two APIs have the prefix {prefix!r}.")


register(NATIVE)


def api_of(path: str) -> Api | None:
    """Return the API to which a path belongs, even if no view serves it; None if none does."""
    path = f"{path.rstrip('/')}/"
    found = [prefix for prefix in BY_PREFIX if path.startswith(prefix)]
    return BY_PREFIX[max(found, key=len)] if found else None
