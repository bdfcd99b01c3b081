"""Request bodies: JSON objects of bounded size and depth that PostgreSQL can hold."""

import json
import math
import re
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.conf import settings
from rest_framework.parsers import BaseParser

from accounts.errors import ApiError, ErrorCode, InvalidInput, Problem

MAX_DEPTH = 64
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_JSON_TYPES = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}


def storable(text: str) -> bool:
    """Whether PostgreSQL can hold a text: no NUL, no half of a surrogate pair."""
    return not _UNSTORABLE.search(text)


class BoundedJSONParser(BaseParser):
    """Parses a JSON object of at most `API_MAX_BODY_BYTES`, refusing whatever is ambiguous.

    No more than a byte over the limit is read. Raises ApiError: request_too_large, or
    invalid_request with the place of what is wrong.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        limit = settings.API_MAX_BODY_BYTES
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise ApiError(
                ErrorCode.REQUEST_TOO_LARGE,
                f"The body is larger than {limit} bytes.",
                {"max_bytes": limit},
            )
        data = _decode(body)
        if not isinstance(data, dict):
            kind = _JSON_TYPES.get(type(data), "a number")
            _refuse(f"The body must be a JSON object, not {kind}.", accepted="a JSON object")
        _check(data)
        return data


def _decode(body: bytes) -> object:
    try:
        return json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_float,
        )
    except UnicodeDecodeError as error:
        raise ApiError(
            ErrorCode.INVALID_REQUEST,
            f"The body is not UTF-8: see its byte {error.start}, counted from 0.",
            {"byte": error.start},
        ) from error
    except json.JSONDecodeError as error:
        place = {"line": error.lineno, "column": error.colno}
        raise ApiError(
            ErrorCode.INVALID_REQUEST,
            f"The body is not valid JSON: {error.msg}: line {error.lineno}, column {error.colno}.",
            place,
        ) from error
    except RecursionError:
        _refuse(_TOO_DEEP)
    except ValueError:  # Python reads no integer of more than 4,300 digits.
        _refuse("The body holds a number of too many digits.")


_TOO_DEEP = f"The body is nested more than {MAX_DEPTH} levels deep."


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    decoded: dict[str, Any] = {}
    for key, value in pairs:
        if not storable(key):
            _refuse("A key holds a NUL character or half a surrogate pair.")
        if key in decoded:
            _refuse(f"The key {key} is given twice in one object.", field=key)
        decoded[key] = value
    return decoded


def _constant(name: str) -> NoReturn:
    _refuse(f"{name} is not a JSON number.")


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        _refuse(f"The number {digits[:40]} is too large.")
    return number


def _check(data: dict[str, Any]) -> None:
    """Refuse strings that cannot be stored and nesting deeper than MAX_DEPTH."""
    pending: list[tuple[str, Any, int]] = [("", data, 1)]
    while pending:
        path, value, depth = pending.pop()
        if isinstance(value, str):
            if not storable(value):
                _refuse(f"{path} holds a NUL character or half a surrogate pair.", field=path)
        elif isinstance(value, dict | list):
            if depth > MAX_DEPTH:
                _refuse(_TOO_DEEP)
            members = value.items() if isinstance(value, dict) else enumerate(value)
            prefix = f"{path}." if path else ""
            pending += [(f"{prefix}{key}", inner, depth + 1) for key, inner in members]


def _refuse(message: str, field: str = "", accepted: object = None) -> NoReturn:
    raise InvalidInput(Problem(ErrorCode.INVALID_REQUEST, field, None, message, accepted))
