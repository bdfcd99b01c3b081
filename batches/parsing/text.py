"""The text of an input: detects its encoding, and converts it to UTF-8 block by block."""

import codecs
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from charset_normalizer import from_bytes

from batches.errors import BatchErrorCode
from batches.parsing.errors import InputError

# The order matters: the mark of UTF-32 begins with that of UTF-16.
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# The encodings that spreadsheets and databases still write, the most common ones first. If several
# encodings are equally probable, the first one in this list is chosen.
_CANDIDATES = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp932", "gb18030", "cp949", "big5", "cp1254",
    "cp1255", "cp1256", "cp1257", "cp1258", "iso8859_15", "iso8859_2", "koi8_r", "mac_roman",
]  # fmt: skip
# Differences of scores that a few lines of names and addresses produce by chance.
_CHAOS, _COHERENCE = 0.1, 0.2
_INSIDE_WORDS = re.compile(r"(?<=[^\W\d_])[^\x00-\x7f]|[^\x00-\x7f](?=[^\W\d_])")
# Bytes of lines with other characters than ASCII that the detection reads.
_DETECTED_BYTES = 1 << 16


@dataclass(frozen=True)
class Encoding:
    """The encoding of a text.

    name: of Python's codec.
    bom: the byte order mark that the text begins with.
    is_certain: False if the encoding was concluded from the frequency of characters.
    """

    name: str
    bom: bytes = b""
    is_certain: bool = True


def has_bom(text: bytes) -> bool:
    """Return whether a text begins with a byte order mark."""
    return any(text.startswith(bom) for bom, _ in _BOMS)


def detect_encoding(sample: bytes, given: str | None, *, is_complete: bool) -> Encoding:
    """Return the encoding of a text.

    sample: the beginning of the text, with at least one byte.
    given: the encoding that the request names.
    is_complete: whether the sample is the whole text.
    Raises InputError.
    """
    bom, marked = next(((bom, name) for bom, name in _BOMS if sample.startswith(bom)), (b"", None))
    if given is not None:
        return _given(given, bom, marked)
    if marked is not None:
        return Encoding(marked, bom)
    if _decodes(sample, "utf-8", is_complete=is_complete):
        return Encoding("utf-8")
    return _guessed(sample)


def _given(given: str, bom: bytes, marked: str | None) -> Encoding:
    try:
        name = codecs.lookup(given).name
        "".encode(name)
    except LookupError:
        raise InputError(f"{given!r} is not an encoding. Examples: 'utf-8', 'cp1252'.") from None
    name = name.removesuffix("-sig")
    if marked is None:
        return Encoding(f"{name}-le" if name in ("utf-16", "utf-32") else name)
    if not marked.startswith(name):
        raise InputError(
            f"The file begins with the byte order mark of {marked}, but the encoding is {given!r}."
        )
    return Encoding(marked, bom)


def _guessed(sample: bytes) -> Encoding:
    matches = from_bytes(_unusual_lines(sample), cp_isolation=_CANDIDATES)
    best = matches.best()
    if best is None:
        raise InputError(
            "The encoding of the file is unknown: it is not UTF-8. Set `encoding`, for example "
            "'cp1252'.",
            BatchErrorCode.AMBIGUOUS_INPUT,
        )
    probable = {
        name: _strange_characters(str(match))
        for match in matches
        if match.chaos <= best.chaos + _CHAOS and match.coherence >= best.coherence - _COHERENCE
        for name in match.could_be_from_charset
    }
    name = min(probable, key=lambda name: (probable[name], _CANDIDATES.index(name)))
    return Encoding(codecs.lookup(name).name, is_certain=False)


def _strange_characters(text: str) -> int:
    """Return how often a symbol stands between letters, as in `Pawe³` for `Paweł`."""
    return sum(
        unicodedata.category(character)[0] in "CNS" and character > "\x7f"
        for character in "".join(_INSIDE_WORDS.findall(text))
    )


def _unusual_lines(sample: bytes) -> bytes:
    """Return the lines that are not ASCII: the detection reads only a few parts of its input."""
    lines: list[bytes] = []
    size = 0
    for line in sample.splitlines(keepends=True):
        if not line.isascii():
            lines.append(line[: _DETECTED_BYTES - size])
            size += len(lines[-1])
            if size >= _DETECTED_BYTES:
                break
    return b"".join(lines)


def _decodes(sample: bytes, encoding: str, *, is_complete: bool) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(sample, final=is_complete)
    except UnicodeDecodeError:
        return False
    return True


class Text:
    """The blocks of a text as UTF-8 without byte order mark.

    Ends before the first byte that cannot be read. `problem` then says why, so that the reader can
    name the row. `has_nul` says whether the blocks so far contain a NUL character, which PostgreSQL
    does not store: the reader refuses the records that have one.
    """

    def __init__(self, blocks: Iterable[bytes], encoding: Encoding) -> None:
        self.problem: str | None = None
        self.has_nul = False
        self._blocks = blocks
        self._encoding = encoding

    def __iter__(self) -> Iterator[bytes]:
        is_utf8 = self._encoding.name == "utf-8"
        decoder = codecs.getincrementaldecoder(self._encoding.name)()
        skipped = len(self._encoding.bom)
        for block in self._blocks_and_end():
            if skipped:
                block, skipped = block[skipped:], max(0, skipped - len(block))
            waiting = len(decoder.getstate()[0])
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                self.problem = self._not_readable(error)
                if is_utf8:
                    yield block[: max(0, error.start - waiting)]
                else:
                    yield error.object[: error.start].decode(self._encoding.name).encode()
                return
            encoded = block if is_utf8 else text.encode()
            if b"\0" in encoded:
                self.has_nul = True
            if encoded:
                yield encoded

    def _blocks_and_end(self) -> Iterator[bytes]:
        """Yield the blocks that are not empty, and an empty one at the end."""
        yield from filter(None, self._blocks)
        yield b""

    def _not_readable(self, error: UnicodeDecodeError) -> str:
        if error.reason in ("unexpected end of data", "truncated data"):
            return f"ends in the middle of a character of {self._encoding.name}"
        byte = error.object[error.start]
        hint = "" if self._encoding.name != "utf-8" else ". Set `encoding`, for example 'cp1252'"
        return f"contains the byte 0x{byte:02X}, which is not {self._encoding.name}{hint}"
