"""Detection of format, compression, encoding and delimiter, without a database."""

import gzip
import zlib
from typing import Any

import pytest
import zstandard
from django.test import override_settings

from batches.errors import BatchErrorCode
from batches.parsing import decompression
from batches.parsing.base import Detected
from batches.parsing.errors import InputError
from batches.spec import InputFormat
from longshore.files.compression import Compression
from tests.batches.parsed import opened

GERMAN = "name;city\n" + "Jürgen Müller;Köln\nGroße Straße;Düsseldorf\n" * 20
POLISH = "name;city\n" + "Małgorzata Wójcik;Łódź\nPaweł Dąbrowski;Kraków\n" * 20
RUSSIAN = "name;city\n" + "Иван Петрович;Москва\nАнна Каренина;Санкт-Петербург\n" * 20  # noqa: RUF001
JAPANESE = "name,city\n" + "山田太郎,東京都千代田区\n鈴木花子,大阪市北区\n" * 20


def detected(content: bytes, **options: Any) -> Detected:
    return opened(content, **options).detected


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(GERMAN, "cp1252"), (POLISH, "cp1250"), (RUSSIAN, "cp1251"), (JAPANESE, "cp932")],
)
def test_old_encodings_are_reported_as_uncertain(text: str, encoding: str) -> None:
    source = opened(text.encode(encoding))
    assert source.detected.encoding == encoding
    assert not source.detected.is_certain
    assert source.warnings == [
        f"The encoding is probably {encoding}. Set `encoding` if texts are wrong."
    ]
    assert detected(text.encode(encoding), encoding=encoding).is_certain


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8"]
)
def test_unicode_is_certain(encoding: str) -> None:
    bom = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    found = detected((bom + JAPANESE).encode(encoding))
    assert found.is_certain
    assert found.bom == (encoding != "utf-8")
    assert found.encoding is not None
    assert found.encoding.startswith(encoding.removesuffix("-sig"))


def test_given_encodings() -> None:
    with pytest.raises(InputError, match="'nonsense' is not an encoding"):
        opened(b"a,b\n", encoding="nonsense")
    with pytest.raises(InputError, match="the byte order mark of utf-16-le, but the encoding is"):
        opened("a,b\n1,2\n".encode("utf-16"), encoding="utf-8")
    assert detected("a,b\n1,2\n".encode("utf-16-le"), encoding="utf-16").encoding == "utf-16-le"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(delimiter: str) -> None:
    rows = [["name", "note", "price"], ["a, b; c", "x|y\tz", "1,5"], ["d", '"', "2,7"]]
    quoted = [['"' + cell.replace('"', '""') + '"' for cell in row] for row in rows]
    content = "\n".join(delimiter.join(row) for row in quoted).encode()
    found = detected(content)
    assert (found.delimiter, found.is_certain) == (delimiter, True)


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ("name\nx\ny", ","),
        ("name;first, last;x\n1;a, b;c\n2;d;e\n", ";"),
        ("name;price\na;1,5\nb;2,7\n", ";"),
        ("name;price\n", ";"),
    ],
)
def test_certain_delimiters(content: str, delimiter: str) -> None:
    found = detected(content.encode())
    assert (found.delimiter, found.is_certain) == (delimiter, True)


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("a,b;c\n1,2;3\n4,5;6\n", "a comma or a semicolon"),
        ("last, first\nSmith\nJones\n", "a comma or none, for a single column"),
    ],
)
def test_ambiguous_delimiters(content: str, names: str) -> None:
    with pytest.raises(InputError, match=names) as caught:
        opened(content.encode())
    assert caught.value.code is BatchErrorCode.AMBIGUOUS_INPUT
    assert detected(content.encode(), delimiter=",").delimiter == ","


@pytest.mark.parametrize(
    ("content", "format_"),
    [
        (b"a,b\n1,2\n", InputFormat.CSV),
        (b"{id},name\n1,2\n", InputFormat.CSV),
        (b"[id],name\n1,2\n", InputFormat.CSV),
        (b'{"a": 1}\n{"a": 2}\n', InputFormat.JSONL),
        (b'{"a": 1}', InputFormat.JSONL),
        (b' [\n {"a": 1}]', InputFormat.JSON),
    ],
)
def test_formats(content: bytes, format_: InputFormat) -> None:
    assert detected(content).format is format_
    for other in InputFormat:
        if other is format_:
            assert detected(content, format=other).format is format_
        else:
            with pytest.raises(InputError, match=f"but the format is {other}"):
                opened(content, format=other)


def compressed(content: bytes, compression: Compression) -> bytes:
    if compression is Compression.GZIP:
        return gzip.compress(content)
    return zstandard.ZstdCompressor(write_checksum=True).compress(content)


COMPRESSIONS = [Compression.GZIP, Compression.ZSTD]


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_compression(compression: Compression) -> None:
    content = compressed(b"a,b\n1,2\n", compression) + compressed(b"3,4\n", compression)
    assert detected(content).compression is compression
    with pytest.raises(InputError, match=f"compressed with {compression}, but the compression is"):
        opened(content, compression=Compression.NONE)
    with pytest.raises(InputError, match="not compressed, but the compression is"):
        opened(b"a,b\n", compression=compression)
    pieces = [content[start : start + 3] for start in range(0, len(content), 3)]
    blocks = decompression.decompressed(pieces, compression, len(content))
    assert b"".join(blocks) == b"a,b\n1,2\n3,4\n"


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_damaged_compression(compression: Compression) -> None:
    text = b"".join(b"%d,%d\n" % (n, zlib.crc32(b"%d" % n)) for n in range(1_000))
    content = compressed(text, compression)

    def read(stored: bytes) -> bytes:
        return b"".join(decompression.decompressed([stored], compression, len(stored)))

    assert read(content + b"\0" * 100 * (compression is Compression.GZIP)) == text
    for cut in (12, len(content) // 2, len(content) - 1):
        with pytest.raises(InputError, match="truncated"):
            read(content[:cut])
    for position in (len(content) // 2, len(content) - 2):
        damaged = bytearray(content)
        damaged[position] ^= 0xFF
        with pytest.raises(InputError, match="damaged"):
            read(bytes(damaged))
    with pytest.raises(InputError, match="damaged"):
        read(content + b"garbage")


@pytest.mark.slow
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_bombs_stop(compression: Compression, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decompression, "MAX_BYTES", 1 << 20)
    content = compressed(b"\0" * (64 << 20), compression)
    limit = max(1 << 20, 64 * len(content))
    sizes: list[int] = []
    blocks = decompression.decompressed([content], compression, len(content))
    with pytest.raises(InputError, match="decompresses to more than"):
        sizes.extend(map(len, blocks))
    assert sum(sizes) <= limit


@override_settings(BATCH_MAX_DECOMPRESSED_BYTES=1 << 20)
def test_the_setting_limits_every_file() -> None:
    content = compressed(b"a,b\n" * (1 << 18) + b"\n", Compression.GZIP)
    blocks = decompression.decompressed([content], Compression.GZIP, len(content))
    with pytest.raises(InputError, match="decompresses to more than 1,048,576 bytes"):
        list(blocks)


def test_a_large_window_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    content = stream.compress(b"a,b\n1,2\n" * 100_000) + stream.flush()
    with pytest.raises(InputError, match="--long"):
        opened(content)


def test_compressed_tables_are_refused() -> None:
    with pytest.raises(InputError, match=r"Parquet inside of gzip. Send it without gzip"):
        opened(gzip.compress(b"PAR1 and more"))
    for content, named in (
        (b"BZh91AY", "bzip2"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "Excel"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
    ):
        with pytest.raises(InputError, match=named):
            opened(content)


@pytest.mark.parametrize(
    ("content", "dialect"),
    [
        ("'a';'b'\n'x';'y'\n", (";", "'")),
        ("'a'\n'x'\n", (",", "'")),
        ("'a,b','c;d'\n1,2\n", (",", "'")),
        ("a,b\n'x, y',1\nz,'it''s, '\n", (",", "'")),
        ("a,b\n'x','y'\n", (",", '"')),
        ("a,b\n\"x, y\",'tis\n'x,y'\n", (",", '"')),
        ("a\n'x, y'\n", (",", '"')),
        # Regular with apostrophes by chance, but the header is in quotation marks.
        ('"a","b","c"\n,"\'","\n",,', (",", '"')),
    ],
)
def test_quotes(content: str, dialect: tuple[str, str]) -> None:
    found = detected(content.encode())
    assert (found.delimiter, found.quote) == dialect


def test_values_in_apostrophes_are_a_warning() -> None:
    content = b"a,b\nx,'tis\n'x,y'\n3,'it''s'\n"
    [warning] = opened(content).warnings
    assert warning.startswith("The value \"'it''s'\" in row 3 keeps its apostrophes")
    assert not opened(content, quote='"').warnings
    # The apostrophe of an exported formula, and one inside of a text.
    assert not opened(b"a,'=b\n'=1+',x'y\n").warnings
