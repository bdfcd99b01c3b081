"""Parses requests that carry a file: multipart, with a JSON object and a file.

The file is never in memory as a whole. If the JSON object comes first, the code that uses the file
reads it directly; else a temporary file holds it until the object is known.
"""

import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import PurePosixPath, PureWindowsPath
from typing import IO, Any, NoReturn, TypeAlias

from django.http.multipartparser import LazyStream, MultiPartParserError, Parser
from django.utils.http import parse_header_parameters
from rest_framework.parsers import BaseParser

from longshore.api.errors import ErrorCode, InvalidInput, Problem
from longshore.api.parsers import BoundedJSONParser
from longshore.database.texts import storable

REQUEST_PART = "request"
FILE_PART = "file"
MAX_NAME_CHARACTERS = 200
# Without a Content-Disposition: what precedes the first boundary, and what follows the last one.
_MAX_UNNAMED_PARTS = 2
_BLOCK_BYTES = 1 << 18
_MAX_BOUNDARY = 200
_PartIterator: TypeAlias = Iterator[tuple[str, dict[str, Any], Any]]
_EXPECTED = f"the parts {REQUEST_PART} (the request as JSON) and {FILE_PART} (a file with its name)"


class FilePart:
    """The file of a request.

    blocks: its bytes, which can be read once.
    """

    def __init__(self, name: str, blocks: Iterator[bytes]) -> None:
        self.name = name
        self.blocks = blocks


class MultipartBody(dict[str, Any]):
    """The JSON object of a request, and its file."""

    file: FilePart


class JsonAndFileParser(BaseParser):
    """Parses the parts `request` (a JSON object) and `file`. Raises ApiError."""

    media_type = "multipart/form-data"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> MultipartBody:
        try:
            return _Parts(stream, _boundary(media_type or "")).parse()
        except MultiPartParserError as error:
            _refuse(f"The body is not valid multipart: {error}.")


def file_name(name: str) -> str:
    """Return the last part of a file's path, short and without characters that are not printed."""
    name = PurePosixPath(PureWindowsPath(name).name).name
    name = "".join(each for each in name if each.isprintable() and storable(each))
    if not name.strip(". "):
        # Not a name that can be a part of a URL.
        return "upload"
    if len(name) <= MAX_NAME_CHARACTERS:
        return name
    suffixes = "".join(PurePosixPath(name).suffixes)[-20:]
    return name[: MAX_NAME_CHARACTERS - len(suffixes)] + suffixes


def _boundary(content_type: str) -> bytes:
    boundary: str = parse_header_parameters(content_type)[1].get("boundary", "")
    if not 0 < len(boundary) <= _MAX_BOUNDARY or not boundary.isascii():
        _refuse("The Content-Type of the body has no boundary.")
    return boundary.encode()


class _Parts:
    """The parts of one body."""

    def __init__(self, stream: IO[bytes], boundary: bytes) -> None:
        self._stream = stream
        self._boundary = boundary
        self._end = b""
        self._unnamed = 0

    def parse(self) -> MultipartBody:
        body: MultipartBody | None = None
        file: FilePart | None = None
        # The stubs of these classes are narrower than what they accept.
        stream: Any = LazyStream(self._chunks())  # type: ignore[arg-type]
        parts: _PartIterator = iter(Parser(stream, self._boundary))
        for kind, headers, content in parts:
            if "content-disposition" not in headers:
                self._count_unnamed()
                continue
            name = _part_name(headers)
            if name == REQUEST_PART and body is None:
                body = MultipartBody(BoundedJSONParser().parse(content))
                if file is not None:
                    self._end_body(parts)
            elif name == FILE_PART and kind == "file" and file is None:
                given = headers["content-disposition"][1]["filename"]
                chosen = file_name(given.decode(errors="replace"))
                # Whatever reads the last part reads the rest of the stream.
                blocks = _spooled(content) if body is None else self._last(content, parts)
                file = FilePart(chosen, blocks)
            else:
                self._refuse_part(name)
            if body is not None and file is not None:
                body.file = file
                return body
        missing = REQUEST_PART if body is None else FILE_PART
        _refuse(f"The body has no part {missing}.", missing)

    def _chunks(self) -> Iterator[bytes]:
        while chunk := self._stream.read(_BLOCK_BYTES):
            # Long enough for the closing boundary.
            self._end = (self._end + chunk)[-2 * _MAX_BOUNDARY :]
            yield chunk

    def _last(self, content: Iterator[bytes], parts: _PartIterator) -> Iterator[bytes]:
        """Yield the blocks of the last part. Raises ApiError if the body ends inside of it."""
        yield from content
        self._end_body(parts)

    def _count_unnamed(self) -> None:
        self._unnamed += 1
        if self._unnamed > _MAX_UNNAMED_PARTS:
            _refuse("A part of the body has no Content-Disposition.")

    def _end_body(self, parts: _PartIterator) -> None:
        """Read the body to its end. Raises ApiError if it has more parts, or no end."""
        for _, headers, _ in parts:
            if "content-disposition" in headers:
                self._refuse_part(_part_name(headers))
            self._count_unnamed()
        if b"--" + self._boundary + b"--" not in self._end:
            _refuse("The body ends before its closing boundary.", FILE_PART)

    def _refuse_part(self, name: str) -> NoReturn:
        _refuse(f"The body must have {_EXPECTED}, once each.", name)


def _part_name(headers: Mapping[str, Any]) -> str:
    name: bytes = headers["content-disposition"][1].get("name", b"")
    return name.decode(errors="replace")


def _spooled(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Copy a file to a temporary one; return its blocks."""
    spooled = tempfile.TemporaryFile()  # noqa: SIM115  (deleted with the iterator)
    for block in blocks:
        spooled.write(block)
    spooled.seek(0)
    return iter(partial(spooled.read, _BLOCK_BYTES), b"")


def _refuse(text: str, field: str = "") -> NoReturn:
    accepted = f"multipart/form-data with {_EXPECTED}"
    raise InvalidInput(Problem(ErrorCode.INVALID_REQUEST, field, None, text, accepted))
