"""Parses request bodies: JSON objects of bounded size and depth, and forms of bounded size."""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from itertools import islice
from typing import IO, Any, NoReturn

from django.conf import settings
from django.http import QueryDict
from rest_framework.parsers import BaseParser

from longshore.api.errors import (
    ApiError,
    ErrorCode,
    InvalidInput,
    Problem,
    shortened,
)
from longshore.api.server_errors import body_too_large
from longshore.database.texts import storable

MAX_DEPTH = 64
# Members of objects and elements of arrays at all levels; an empty object or array counts twice.
# Limits memory: a decoded value takes up to 50 times its bytes in the body.
MAX_VALUES = 50_000
# Matches up to the next separator outside of a string, or to the end; a value follows each
# separator. Possessive quantifiers read each byte once. The last string may be unterminated.
_VALUE = re.compile(rb'(?:[^",\[{]++|"(?:[^"\\]++|\\.)*+"?)*+(?:[,\[{]|\Z)', re.DOTALL)
_JSON_TYPES = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}


class BoundedJSONParser(BaseParser):
    """Parses a JSON object of at most `API_MAX_BODY_BYTES`; refuses ambiguous JSON.

    Reads at most one byte more than the limit. Raises ApiError: request_too_large, or
    invalid_request with the position or the path of the mistake.
    """

    media_type = "application/json"
    # Whether to refuse numbers with more digits than a float of Python keeps.
    keeps_digits = False

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        body = _read(stream)
        _check_number_of_values(body)
        data = _decode(body, _exact_float if self.keeps_digits else _float)
        if not isinstance(data, dict):
            kind = _JSON_TYPES.get(type(data), "a number")
            _refuse(f"The body must be a JSON object, not {kind}.", accepted="a JSON object")
        _check(data)
        return data


class BoundedFormParser(BaseParser):
    """Parses a form of at most `API_MAX_BODY_BYTES` as `form_fields` describes. Raises ApiError."""

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        # Always UTF-8: Python has charsets that do not decode bytes to text.
        return form_fields(QueryDict(_read(stream), encoding="utf-8"))


def form_fields(values: QueryDict) -> dict[str, Any]:
    """Return the fields of a form or a query string: a text, or a list of a repeated field.

    REST framework reads a form with rules of its own: a Boolean that is absent would be false.
    """
    return {
        name: texts if len(texts) > 1 else (texts[0] if texts else "")
        for name, texts in values.lists()
    }


def _read(stream: IO[bytes]) -> bytes:
    """Read a body, and at most one byte more than its limit. Raises ApiError."""
    limit = settings.API_MAX_BODY_BYTES
    body = stream.read(limit + 1)
    if len(body) > limit:
        raise body_too_large(limit)
    return body


def _check_number_of_values(body: bytes) -> None:
    """Refuse more than MAX_VALUES values before any is decoded."""
    # An upper bound, which counts separators in strings too: a hundredth of the cost.
    if body.count(b",") + body.count(b"[") + body.count(b"{") <= MAX_VALUES:
        return
    if next(islice(_VALUE.finditer(body), MAX_VALUES + 2, None), None):
        _refuse(
            f"The body contains more than {MAX_VALUES:,} values.",
            accepted=f"at most {MAX_VALUES:,} members and elements in all objects and arrays",
        )


def _decode(body: bytes, parse_float: Callable[[str], float]) -> object:
    try:
        return json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=parse_float,
        )
    except UnicodeDecodeError as error:
        raise ApiError(
            ErrorCode.INVALID_REQUEST,
            f"The body is not UTF-8: byte {error.start} (counted from 0) is not valid.",
            {"byte": error.start},
        ) from error
    except json.JSONDecodeError as error:
        position = {"line": error.lineno, "column": error.colno}
        raise ApiError(
            ErrorCode.INVALID_REQUEST,
            f"The body is not valid JSON: {error.msg}: line {error.lineno}, column {error.colno}.",
            position,
        ) from error
    except RecursionError:
        _refuse(_TOO_DEEP)
    except ValueError:  # Python parses no integer of more than 4,300 digits.
        _refuse("The body contains a number with too many digits.")


_TOO_DEEP = f"The body is nested more than {MAX_DEPTH} levels deep."


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    decoded: dict[str, Any] = {}
    for key, value in pairs:
        if not storable(key):
            _refuse("A key contains a NUL character or an unpaired surrogate.")
        if key in decoded:
            _refuse(f"The key {shortened(key)} occurs twice in one object.", field=key)
        decoded[key] = value
    return decoded


def _constant(name: str) -> NoReturn:
    _refuse(f"{name} is not a JSON number.")


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        _refuse(f"The number {digits[:40]} is too large.")
    return number


def _exact_float(digits: str) -> float:
    number = _float(digits)
    try:
        is_exact = Decimal(digits) == Decimal(repr(number))
    except ArithmeticError:
        # The exponent has too many digits.
        is_exact = False
    if not is_exact:
        _refuse(f"The number {digits[:40]} has too many digits. Send it as a string.")
    return number


def _check(data: dict[str, Any]) -> None:
    """Refuse strings that cannot be stored and nesting deeper than MAX_DEPTH.

    Keeps only the keys on the path to the current value: a full path for each value would take
    memory of the length of the keys times the number of values.
    """
    levels: list[Iterator[tuple[object, Any]]] = [iter(data.items())]
    keys: list[object] = [""]
    while levels:
        for key, value in levels[-1]:
            keys[-1] = key
            if isinstance(value, str) and not storable(value):
                path = ".".join(map(str, keys))
                text = f"{shortened(path)} contains a NUL character or an unpaired surrogate."
                _refuse(text, field=path)
            elif isinstance(value, dict | list):
                if len(levels) == MAX_DEPTH:
                    _refuse(_TOO_DEEP)
                levels.append(iter(value.items() if isinstance(value, dict) else enumerate(value)))
                keys.append("")
                break
        else:
            levels.pop()
            keys.pop()


def _refuse(message: str, field: str = "", accepted: object = None) -> NoReturn:
    raise InvalidInput(Problem(ErrorCode.INVALID_REQUEST, field, None, message, accepted))
