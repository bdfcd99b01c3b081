"""Detects how an input is compressed, formatted and encoded, and opens it.

The content decides. What the request says is compared with it; the file's name helps only where
the content allows two readings.
"""

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from batches.parsing.base import Detected, Input
from batches.parsing.decompression import GZIP_MAGIC, ZSTD_MAGIC, decompressed
from batches.parsing.delimiters import apostrophes_kept, detect_delimiter, detect_quote
from batches.parsing.dialect import Dialect
from batches.parsing.errors import InputError, empty_input
from batches.parsing.source import Read, Source
from batches.parsing.text import Encoding, Text, detect_encoding, has_bom
from batches.spec import NO_QUOTE, InputFormat, InputOptions
from longshore.files.compression import Compression

# Bytes of the beginning of a text by which it is detected, and which have its whole header.
SAMPLE_BYTES = 1 << 20
# Characters of complete lines by which the delimiter and the quote are detected.
_DIALECT_CHARACTERS = 1 << 16
_MAGIC = {Compression.GZIP: GZIP_MAGIC, Compression.ZSTD: ZSTD_MAGIC}
_NAMES = {
    InputFormat.CSV: "CSV",
    InputFormat.JSON: "a JSON array",
    InputFormat.JSONL: "JSON Lines",
    InputFormat.XLSX: "XLSX",
    InputFormat.PARQUET: "Parquet",
}
_JSONL_NAMES = (".jsonl", ".ndjson")
_JSON_ARRAY = re.compile(r"""\s*\[\s*(?:[{\]["\d-]|true|false|null|\Z)""")
_JSON_OBJECT = re.compile(r"""\s*\{\s*(?:["}]|\Z)""")
# Bytes in which a file that is not text has a NUL.
_BINARY_BYTES = 1 << 10
# The beginnings of files that are sent by mistake.
_REFUSED = (
    (
        b"\xd0\xcf\x11\xe0",
        "an old Excel workbook or is encrypted. Save it as XLSX without password",
    ),
    (b"BZh", "compressed with bzip2. Use gzip or zstd"),
    (b"\xfd7zXZ", "compressed with xz. Use gzip or zstd"),
    (b"7z\xbc\xaf", "a 7-Zip archive. Send one file, compressed with gzip or zstd"),
    (b"%PDF", "a PDF document. Send CSV, JSON, JSON Lines, XLSX or Parquet"),
    (b"\x89PNG", "a picture. Send CSV, JSON, JSON Lines, XLSX or Parquet"),
    (b"\xff\xd8\xff", "a picture. Send CSV, JSON, JSON Lines, XLSX or Parquet"),
    (b"GIF8", "a picture. Send CSV, JSON, JSON Lines, XLSX or Parquet"),
)
_MARKUP = re.compile(rb"\s*<(?:!doctype|\?xml|html)", re.IGNORECASE)


def open_input(read: Read, size: int, options: InputOptions, name: str = "") -> Input:
    """Detect how an input is to be read.

    read: returns the stored bytes from a position up to, but not including, another.
    size: number of the stored bytes.
    options: what the request says about the input; None stands for detection.
    name: the name of the file, if it has one.
    Raises InputError if the input cannot be read, is empty, contradicts the options, or can be read
    in several ways.
    """
    source = Source(read, size)
    if not size:
        raise empty_input("The file is empty.")
    compression = _compression(source, options)
    return _Opening(source, options, compression, name).open()


def _compression(source: Source, options: InputOptions) -> Compression:
    head = source.head(8)
    found = next(
        (each for each, magic in _MAGIC.items() if head.startswith(magic)), Compression.NONE
    )
    if options.compression not in (None, found):
        is_found = "not compressed" if found is Compression.NONE else f"compressed with {found}"
        raise InputError(f"The file is {is_found}, but the compression is {options.compression}.")
    return found


@dataclass(frozen=True)
class _Opening:
    source: Source
    options: InputOptions
    compression: Compression
    name: str

    def open(self) -> Input:
        sample = self._sample()
        if not sample:
            raise empty_input("The file is empty.")
        self._refuse(sample)
        if sample.startswith(b"PAR1"):
            return self._open_parquet()
        if sample.startswith(b"PK\x03\x04"):
            return self._open_workbook()
        return self._open_text(sample)

    def _sample(self) -> bytes:
        """Return the beginning of the file, decompressed."""
        pieces: list[bytes] = []
        size = 0
        for block in self._blocks():
            pieces.append(block)
            size += len(block)
            if size >= SAMPLE_BYTES:
                break
        return b"".join(pieces)

    def _blocks(self) -> Iterator[bytes]:
        return decompressed(self.source.blocks(), self.compression, self.source.size)

    def _refuse(self, sample: bytes) -> None:
        for magic, description in _REFUSED:
            if sample.startswith(magic):
                raise InputError(f"The file is {description}.")
        if _MARKUP.match(sample):
            raise InputError(
                "The file is HTML or XML. Send CSV, JSON, JSON Lines, XLSX or Parquet."
            )

    def _open_parquet(self) -> Input:
        from batches.parsing.parquet_input import ParquetInput

        self._expect(InputFormat.PARQUET)
        return ParquetInput(self.source, unescape_formulas=self.options.unescape_formulas)

    def _open_workbook(self) -> Input:
        from batches.parsing.xlsx_input import XlsxInput

        self._expect(InputFormat.XLSX)
        return XlsxInput(self.source, unescape_formulas=self.options.unescape_formulas)

    def _expect(self, found: InputFormat) -> None:
        """Check a format that is compressed inside."""
        self._check_format(found)
        if self.compression is not Compression.NONE:
            raise InputError(
                f"The file is {_NAMES[found]} inside of {self.compression}. Send it without "
                f"{self.compression}: {_NAMES[found]} is compressed already."
            )

    def _check_format(self, found: InputFormat) -> None:
        if self.options.format not in (None, found):
            raise InputError(
                f"The file is {_NAMES[found]}, but the format is {self.options.format}."
            )

    def _open_text(self, sample: bytes) -> Input:
        is_complete = len(sample) < SAMPLE_BYTES
        given = self.options.encoding
        if (
            given is None
            and b"\0" in sample[:_BINARY_BYTES].partition(b"\n")[0]
            and not has_bom(sample)
        ):
            raise InputError("The file is not text. Send CSV, JSON, JSON Lines, XLSX or Parquet.")
        encoding = detect_encoding(sample, given, is_complete=is_complete)
        decoder = codecs.getincrementaldecoder(encoding.name)("replace")
        text = decoder.decode(sample.removeprefix(encoding.bom), final=is_complete)
        if not text.strip():
            raise empty_input("The file is empty.")
        found = self._text_format(text)
        self._check_format(found)
        detected = Detected(
            found,
            self.compression,
            encoding.name,
            bom=bool(encoding.bom),
            is_certain=encoding.is_certain,
        )
        if found is InputFormat.CSV:
            return self._open_csv(detected, encoding, text, is_complete=is_complete)
        if not encoding.name.startswith("utf"):
            raise InputError(f"The file is {_NAMES[found]}, but not UTF-8.")
        from batches.parsing.json_input import JsonInput

        return JsonInput(detected, self._text(encoding), text)

    def _text_format(self, text: str) -> InputFormat:
        if _JSON_ARRAY.match(text):
            return InputFormat.JSON
        if not _JSON_OBJECT.match(text):
            return InputFormat.CSV
        first_line = text.lstrip().partition("\n")[0].rstrip()
        is_named = self.name.lower().removesuffix(".gz").removesuffix(".zst").endswith(_JSONL_NAMES)
        if not first_line.endswith("}") and not is_named and len(text) > len(first_line):
            raise InputError(
                "The file begins with a JSON object of several lines. Send an array of objects, or "
                "one object on each line."
            )
        return InputFormat.JSONL

    def _open_csv(
        self, detected: Detected, encoding: Encoding, text: str, *, is_complete: bool
    ) -> Input:
        from batches.parsing.csv_input import CsvInput

        delimiter, quote, is_certain = self.options.delimiter, self.options.quote, True
        sample = text[:_DIALECT_CHARACTERS]
        is_whole = is_complete and len(text) <= _DIALECT_CHARACTERS
        if quote is None:
            quote = detect_quote(sample, delimiter, is_complete=is_whole)
        character = None if quote == NO_QUOTE else quote
        if delimiter is None:
            delimiter, is_certain = detect_delimiter(sample, character, is_complete=is_whole)
        dialect = Dialect(delimiter, character)
        opened = CsvInput(
            replace(
                detected,
                delimiter=delimiter,
                quote=quote,
                is_certain=encoding.is_certain and is_certain,
            ),
            dialect,
            self._text(encoding),
            text,
            unescape_formulas=self.options.unescape_formulas,
        )
        if self.options.quote is None and (kept := apostrophes_kept(sample, dialect)):
            opened.warnings.append(kept)
        if not encoding.is_certain:
            opened.warnings.append(
                f"The encoding is probably {encoding.name}. Set `encoding` if texts are wrong."
            )
        if not is_certain:
            opened.warnings.append(
                f"The delimiter is probably {delimiter!r}. Set `delimiter` if it is another one."
            )
        return opened

    def _text(self, encoding: Encoding) -> Callable[[], Text]:
        return lambda: Text(self._blocks(), encoding)
