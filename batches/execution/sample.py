"""Samples: the beginning of a file, cut after its last whole record."""

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from batches.parsing.decompression import GZIP_MAGIC, ZSTD_MAGIC, decompressed
from batches.parsing.errors import InputError
from batches.parsing.source import Read
from batches.spec import NO_QUOTE, InputFormat, InputOptions
from longshore.files.compression import Compression

# A request has at most this many bytes of the file; of a compressed file, as many are decompressed.
MAX_BYTES = 1 << 20
# Small, so that the share of a compressed file is precise.
_STEP = 1 << 10
_ZIP_MAGIC, _PARQUET_MAGIC = b"PK\x03\x04", b"PAR1"
# The mark of UTF-32 begins with that of UTF-16.
_WIDE = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Strings and brackets of JSON. The last string may be cut.
_JSON_PARTS = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\Z)|[\[\]{}]', re.DOTALL)


@dataclass(frozen=True)
class Sample:
    """The beginning of a file, or all of it.

    content: whole records, decompressed if the file is a compressed text.
    compression: of the file.
    is_cut: whether the file has more records.
    share: the part of the file that the content is, from 0 to 1.
    """

    content: bytes
    compression: Compression
    is_cut: bool
    share: float

    max_rows: ClassVar[int | None] = None

    @property
    def size(self) -> int:
        return len(self.content)

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from `start` up to, but not including, `end`."""
        yield self.content[start:end]


@dataclass(frozen=True)
class StoredTable:
    """The first rows of a stored file that can only be read as a whole: XLSX or Parquet.

    read: returns the bytes from a position up to another. size: of the file.
    is_cut: the file may have more than `max_rows`. share: 1, because its size tells nothing of its
        rows.
    """

    read: Read
    size: int
    compression: ClassVar[Compression] = Compression.NONE
    is_cut: ClassVar[bool] = True
    share: ClassVar[float] = 1
    max_rows: ClassVar[int] = 1_000


def stored_sample(read: Read, size: int, options: InputOptions) -> "Sample | StoredTable":
    """Return the sample of a stored file.

    read: returns its bytes from a position up to another.
    Raises InputError if the beginning of the file cannot be read without the rest.
    """
    content = b"".join(read(0, min(size, MAX_BYTES)))
    if size > MAX_BYTES and content.startswith((_ZIP_MAGIC, _PARQUET_MAGIC)):
        return StoredTable(read, size)
    return take_sample(content, size, options)


def take_sample(content: bytes, file_size: int | None, options: InputOptions) -> Sample:
    """Return the sample of a file.

    content: the file, or its beginning: at most `MAX_BYTES`.
    file_size: bytes of the whole file. None: as many as the content has, unless it has `MAX_BYTES`.
    Raises InputError if the beginning of the file cannot be read without the rest.
    """
    size = file_size or len(content) + (len(content) == MAX_BYTES)
    is_cut = size > len(content)
    if content.startswith((_ZIP_MAGIC, _PARQUET_MAGIC)):
        if is_cut:
            raise InputError(
                "XLSX and Parquet files can only be read as a whole, so a preview needs a file of "
                f"at most {MAX_BYTES:,} bytes. Create a batch with dry_run instead."
            )
        return Sample(content, Compression.NONE, False, 1)
    compression = options.compression or _compression(content)
    blocks = _Counted(content)
    text, is_cut = _decompress(blocks, compression, size, is_cut=is_cut)
    whole = len(text)
    if is_cut:
        text = _whole_records(text, options)
    share = (blocks.count / size) * (len(text) / whole) if whole else 1
    return Sample(text, compression, is_cut, share)


class _Counted:
    """The blocks of the content; counts the bytes that were read."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.count = 0

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._content), _STEP):
            block = self._content[start : start + _STEP]
            self.count += len(block)
            yield block


def _compression(content: bytes) -> Compression:
    if content.startswith(GZIP_MAGIC):
        return Compression.GZIP
    return Compression.ZSTD if content.startswith(ZSTD_MAGIC) else Compression.NONE


def _decompress(
    blocks: Iterable[bytes], compression: Compression, size: int, *, is_cut: bool
) -> tuple[bytes, bool]:
    """Return at most `MAX_BYTES` of the text, and whether the file has more."""
    text = bytearray()
    try:
        for block in decompressed(blocks, compression, size):
            text += block
            if len(text) > MAX_BYTES:
                return bytes(text[:MAX_BYTES]), True
    except InputError:
        # A sample ends before the end of its file: that is not an error of the file.
        if not (is_cut and text):
            raise
    return bytes(text), is_cut


def _whole_records(content: bytes, options: InputOptions) -> bytes:
    """Return the content without its last record, which may be cut. Raises InputError."""
    for mark, encoding in _WIDE:
        if content.startswith(mark):
            text = content[len(mark) :].decode(encoding, "ignore")
            return mark + _cut(text, options).encode(encoding, "ignore")
    # All other encodings write line ends, quotes and brackets as ASCII does.
    return _cut(content.decode("latin-1"), options).encode("latin-1")


def _cut(text: str, options: InputOptions) -> str:
    file_format = options.format
    begin = text.lstrip("\ufeff\u00ef\u00bb\u00bf \t\r\n")[:1]
    if file_format is InputFormat.JSON or (file_format is None and begin == "["):
        end = _end_of_elements(text)
        cut = f"{text[:end]}]" if end else ""
    elif file_format is InputFormat.JSONL or (file_format is None and begin == "{"):
        cut = text[: text.rfind("\n") + 1]
    else:
        cut = text[: _end_of_lines(text, options.quote or '"')]
    if not cut:
        raise InputError(f"The first record of the file has more than {MAX_BYTES:,} bytes.")
    return cut


def _end_of_elements(text: str) -> int:
    """Return the position after the last whole object of a JSON array; 0 without one."""
    depth = end = 0
    for part in _JSON_PARTS.finditer(text):
        match part.group():
            case "[" | "{":
                depth += 1
            case "]" | "}":
                depth -= 1
                if depth == 1:
                    end = part.end()
    return end


def _end_of_lines(text: str, quote: str) -> int:
    """Return the position after the last line end outside of quotes of CSV; 0 without one.

    quote: one of `QUOTES`.
    """
    if quote == NO_QUOTE:
        return max(text.rfind("\n"), text.rfind("\r")) + 1
    quotes, end = text.count(quote), len(text)
    while end:
        line_end = max(text.rfind("\n", 0, end), text.rfind("\r", 0, end))
        quotes -= text.count(quote, line_end + 1, end)
        if quotes % 2 == 0:
            return line_end + 1
        end = max(line_end, 0)
    return 0
