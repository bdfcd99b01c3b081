"""The parser of multipart forms. 29next accepts each body as JSON, form-urlencoded or multipart."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework import parsers

from longshore.api.errors import ErrorCode, InvalidInput, Problem
from longshore.api.parsers import form_fields


class MultiPartParser(parsers.BaseParser):
    """Parses a body without files as `form_fields` describes. The web server limits its size."""

    media_type = "multipart/form-data"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        context = {**(parser_context or {}), "encoding": "utf-8"}
        parsed: Any = parsers.MultiPartParser().parse(stream, media_type, context)
        if parsed.files:
            text = "Send text, not a file."
            raise InvalidInput(
                *(Problem(ErrorCode.INVALID_REQUEST, name, None, text) for name in parsed.files)
            )
        return form_fields(parsed.data)
