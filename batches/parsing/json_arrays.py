"""Splits a JSON array into lines, one for each element, without decoding the elements.

PostgreSQL decides whether an element is valid. This module finds only where elements begin and
end, which takes strings and brackets into account.
"""

import re
from collections.abc import Iterable, Iterator

from batches.parsing.errors import InputError
from batches.parsing.records import MAX_ROW_BYTES


def _object(excluded: bytes) -> bytes:
    """Return the pattern of an object of up to four levels without the excluded bytes."""
    plain = rb'[^"{}\[\]%b]++' % excluded
    string = rb'"(?:[^"\\%b]++|\\[^%b])*+"' % (excluded, excluded or rb"\x00")
    inside = rb"(?:%b|%b)*+" % (plain, string)
    for _ in range(3):
        inside = rb"(?:%b|%b|\{%b\}|\[%b\])*+" % (plain, string, inside, inside)
    return rb"\{%b\}" % inside


# Objects on a line each, as exports write them.
_LINES = re.compile(rb"(?:%b,\n)++" % _object(rb"\r\n"))
_OBJECT = re.compile(_object(b""))
# A string, with an empty group if its end is missing, or a character of the structure.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+("?)|[{}\[\],]', re.DOTALL)
# Text without line breaks inside of strings.
_UNBROKEN = re.compile(rb'(?:[^"]++|"(?:[^"\\\r\n]++|\\[^\r\n])*+")*+')
_BLANKS = re.compile(rb"[ \t\r\n]*+")
_CLOSING = {b"{": b"}", b"[": b"]"}
# A byte that no JSON contains.
_INVALID = b"\x03"
_FILLED_BYTES = 1 << 18
# Limits the time to find the end of a record. Records of fewer levels may be refused one by one.
_MAX_DEPTH = 1_000


class ArrayLines:
    """The elements of a JSON array as lines. Can be read once.

    is_closed: whether the array ended. If it did not, the text was truncated.
    """

    def __init__(self, blocks: Iterable[bytes]) -> None:
        """blocks: UTF-8 without byte order mark."""
        self.is_closed = False
        self._blocks = iter(blocks)
        self._text = b""
        self._position = 0
        self._elements = 0

    def __iter__(self) -> Iterator[bytes]:
        """Yield blocks of lines. Raises InputError if the text is not an array."""
        if self._next() != b"[":
            raise InputError("The file is not a JSON array.")
        self._position += 1
        if self._next() == b"]":
            self._close()
            return
        is_line = True
        while not self.is_closed:
            if is_line and (lines := _LINES.match(self._text, self._position)):
                self._position = lines.end()
                self._elements += lines[0].count(b"\n")
                yield lines[0].replace(b",\n", b"\n")
            end = self._end_of_element()
            if end is None:
                return
            yield _line(self._text[self._position : end])
            self._elements += 1
            self._position = end
            if self._text[end : end + 1] == b"]":
                self._close()
            self._position += 1
            is_line = self._next_is_line()

    def _end_of_element(self) -> int | None:
        """Return the position of the comma or bracket after the element; None if it is missing."""
        self._next()
        scanned = self._position
        if whole := _OBJECT.match(self._text, scanned):
            scanned = whole.end()
        brackets: list[bytes] = []
        while True:
            token = _TOKEN.search(self._text, scanned)
            if token is None or (token[1] == b"" and token[0].startswith(b'"')):
                scanned = (token.start() if token else len(self._text)) - self._position
                if not self._fill():
                    return None
                continue
            scanned = token.end()
            character = token[0]
            if character in _CLOSING:
                brackets.append(_CLOSING[character])
                if len(brackets) > _MAX_DEPTH:
                    raise InputError(
                        f"Record {self._elements + 1:,} is nested more than {_MAX_DEPTH:,} levels "
                        "deep."
                    )
            elif not brackets and character in (b",", b"]"):
                return token.start()
            elif character in (b"}", b"]") and (not brackets or brackets.pop() != character):
                raise InputError(
                    f"The brackets of record {self._elements + 1:,} do not match: "
                    f"{character.decode()!r} closes none."
                )

    def _close(self) -> None:
        self._position += 1
        if self._next():
            raise InputError(
                f"The file has more text after the end of the array, which has {self._elements:,} "
                "records."
            )
        self.is_closed = True

    def _next(self) -> bytes:
        """Skip blanks, and return the next byte, or nothing at the end."""
        while True:
            blanks = _BLANKS.match(self._text, self._position)
            self._position = blanks.end() if blanks else self._position
            if self._position < len(self._text) or not self._fill():
                return self._text[self._position : self._position + 1]

    def _next_is_line(self) -> bool:
        if self._text[self._position : self._position + 1] != b"\n":
            return False
        self._position += 1
        return True

    def _fill(self) -> bool:
        """Drop the text before the position, and read more: at least as much as there is."""
        rest = self._text[self._position :]
        if len(rest) > MAX_ROW_BYTES:
            raise InputError(
                f"Record {self._elements + 1:,} has more than {MAX_ROW_BYTES:,} bytes."
            )
        pieces = [rest]
        missing = max(_FILLED_BYTES, len(rest))
        for block in self._blocks:
            pieces.append(block)
            missing -= len(block)
            if missing <= 0:
                break
        self._text = b"".join(pieces)
        self._position = 0
        return len(self._text) > len(rest)


def _line(element: bytes) -> bytes:
    """Return an element as a line."""
    element = element.strip(b" \t\r\n")
    if b"\n" in element or b"\r" in element:
        # A line break inside of a string is not valid JSON, and must not become valid.
        blank = b" " if _UNBROKEN.fullmatch(element) else _INVALID
        element = element.replace(b"\r", blank).replace(b"\n", blank)
    return (element or _INVALID) + b"\n"
