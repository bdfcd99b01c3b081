"""Reads JSON that a person wrote in the form, within the limits of the API."""

import io
from typing import Any

from longshore.api.errors import ApiError
from longshore.api.parsers import BoundedJSONParser


def json_value(text: str) -> Any:
    """Return the value of a JSON text. Return a text that is not JSON as it is."""
    try:
        data = BoundedJSONParser().parse(io.BytesIO(f'{{"value": {text}}}'.encode()))
    except (ApiError, ValueError):
        return text
    return data["value"] if set(data) == {"value"} else text
