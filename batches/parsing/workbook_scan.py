"""Checks the parts of an XLSX file before a library loads them into memory.

Finds the size of each sheet, because the library allocates all cells between the first and the last
one, and the cells with errors, because it reads them as empty.
"""

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import unescape
from itertools import pairwise
from zipfile import ZipFile

from batches.parsing.errors import InputError

# The web process reads workbooks too. The library takes about 80 bytes for a cell.
MAX_CELLS = 2_000_000
# Excel's maximums.
MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384
# Bytes of one part, and of all parts, when they are decompressed.
MAX_PART_BYTES, MAX_BYTES = 1 << 28, 1 << 32
# Bytes of the shared texts, and of their copies in a sheet: the library copies a text for each of
# its cells.
MAX_TEXT_BYTES = 1 << 27
# Bytes of a row, or of a shared text, as XML.
MAX_ELEMENT_BYTES = 1 << 24
_MAX_NAME_BYTES = 1 << 10
_MAX_PARTS = 10_000
_MAX_ERRORS = 10_000
BLOCK_BYTES = 1 << 18
_SEND_TEXT = "Send the data as CSV, JSON Lines or Parquet."

_SHEET = re.compile(r"<(?:\w+:)?sheet\s[^<>]*>")
_RELATIONSHIP = re.compile(r"<(?:\w+:)?Relationship\s[^<>]*>")
_ATTRIBUTE = re.compile(r"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_ROW = re.compile(rb"<(?:\w+:)?row(?=[\s/>])")
_ROW_NUMBER = re.compile(rb"""<[^<>]*?\sr=["'](\d{1,9})["']""")
_CELL = re.compile(rb"<(?:\w+:)?c(?=[\s/>])[^<>]*>")
_REFERENCE = re.compile(rb"""\sr=["']([A-Z]{1,3})(\d{1,9})["']""")
_IS_ERROR = re.compile(rb"""\st=["']e["']""")
_IS_SHARED = re.compile(rb"""\st=["']s["']""")
_INDEX = re.compile(rb"<(?:\w+:)?v[^<>]*>\s*(\d{1,9})")
_SHARED_TEXT = re.compile(rb"<(?:\w+:)?si(?=[\s/>])")
# The beginning of a tag that the end of a block cuts off.
_CUT_TAG = re.compile(rb"<[\w:]*\Z")
_VALUE = re.compile(rb"(?:<(?!/?(?:\w+:)?[cv][\s/>])[^<>]*>[^<>]*)*<(?:\w+:)?v[^<>]*>([^<>]*)")


@dataclass
class SheetScan:
    """What a sheet contains. Rows and columns are counted from 1.

    rows, columns: at least the numbers of the last ones.
    errors: the texts of cells with errors, such as `#N/A`, by row and column.
    """

    rows: int = 0
    columns: int = 0
    errors: dict[tuple[int, int], str] = field(default_factory=dict)


def check_parts(file: ZipFile) -> None:
    """Raise InputError if the parts other than sheets are too many or too large."""
    parts = file.infolist()
    if sum(part.file_size for part in parts) > MAX_BYTES:
        raise InputError(
            f"The workbook has more than {MAX_BYTES:,} bytes when it is decompressed, the maximum. "
            f"{_SEND_TEXT}"
        )
    if len(parts) > _MAX_PARTS or len(parts) > len(_parts(file)):
        raise InputError("The workbook has too many parts, or two with the same name.")
    for part in parts:
        # Reading compares the size that the archive declares with the content.
        if "/worksheets/" not in part.filename:
            for _ in _blocks(file, part.filename):
                pass


def sheet_parts(file: ZipFile) -> list[str]:
    """Return the names of the parts of the sheets, in the order of the workbook."""
    relationships = {
        relation.get("Id", ""): relation.get("Target", "")
        for relation in _tags(file, "xl/_rels/workbook.xml.rels", _RELATIONSHIP)
    }
    parts = _parts(file)
    targets = []
    for sheet in _tags(file, "xl/workbook.xml", _SHEET):
        reference = next((value for name, value in sheet.items() if name.endswith(":id")), "")
        target = relationships.get(reference, "")
        name = target[1:] if target.startswith("/") else f"xl/{target}"
        targets.append(parts.get(name.lower(), name))
    return targets


def shared_sizes(file: ZipFile) -> Sequence[int]:
    """Return the sizes of the texts that cells share, by their index, in bytes.

    Raises InputError if they are too large.
    """
    part = _parts(file).get("xl/sharedstrings.xml")
    sizes = array("L")
    total = 0
    for text in _split(file, part, _SHARED_TEXT) if part else ():
        sizes.append(len(text))
        total += len(text)
        _check_texts(total, "shared texts of the workbook")
    return sizes


def scan_sheet(file: ZipFile, part: str, shared: Sequence[int]) -> SheetScan:
    """Scan a sheet.

    shared: the result of `shared_sizes`.
    Raises InputError if the sheet has too many cells, texts or errors.
    """
    scan = SheetScan()
    number = text_bytes = 0
    for row in _split(file, part, _ROW):
        given = _ROW_NUMBER.match(row)
        number = int(given[1]) if given else number + 1
        starts = [cell.start() for cell in _CELL.finditer(row)]
        if len(starts) > MAX_COLUMNS:
            raise InputError(
                f"Row {number:,} of a sheet has more than {MAX_COLUMNS:,} cells, the maximum. "
                f"{_SEND_TEXT}"
            )
        references = set(_REFERENCE.findall(row))
        rows = [int(digits) for _, digits in references]
        columns = [_column(letters) for letters, _ in references]
        scan.rows = max(scan.rows, number, *rows)
        # A cell without reference follows the one before it.
        scan.columns = max(scan.columns, max(columns, default=0) + len(starts) - len(references))
        if scan.rows > MAX_ROWS or scan.rows * scan.columns > MAX_CELLS:
            raise InputError(
                f"A sheet has more than {MAX_CELLS:,} cells or {MAX_ROWS:,} rows, the maximum. "
                f"{_SEND_TEXT}"
            )
        text_bytes += sum(shared[i] for i in _shared_indexes(row, starts) if i < len(shared))
        _check_texts(text_bytes, "texts of a sheet")
        if _IS_ERROR.search(row):
            _add_errors(scan, row, number)
    return scan


def _shared_indexes(row: bytes, starts: Sequence[int]) -> Iterator[int]:
    """Yield the indexes of the shared texts in a row. starts: the positions of its cells.

    Searches each cell by itself, so that many cells without a value take linear time.
    """
    if not _IS_SHARED.search(row):
        return
    for start, end in pairwise([*starts, len(row)]):
        shared = _IS_SHARED.search(row, start, end)
        index = shared and _INDEX.search(row, shared.end(), end)
        if index:
            yield int(index[1])


def _check_texts(size: int, what: str) -> None:
    if size > MAX_TEXT_BYTES:
        raise InputError(
            f"The {what} have more than {MAX_TEXT_BYTES:,} bytes, the maximum. {_SEND_TEXT}"
        )


def _add_errors(scan: SheetScan, row: bytes, number: int) -> None:
    column = 0
    for cell in _CELL.finditer(row):
        reference = _REFERENCE.search(cell[0])
        column = _column(reference[1]) if reference else column + 1
        if _IS_ERROR.search(cell[0]):
            value = _VALUE.match(row, cell.end())
            scan.errors[number, column] = value[1].decode(errors="replace") if value else ""
    if len(scan.errors) > _MAX_ERRORS:
        raise InputError(
            f"The workbook has more than {_MAX_ERRORS:,} cells with errors. The last one is in "
            f"row {number:,}."
        )


def _column(letters: bytes) -> int:
    """Return the number of a column: 1 for A, 27 for AA."""
    number = 0
    for letter in letters:
        number = 26 * number + letter - ord("A") + 1
    return number


def _split(file: ZipFile, part: str, tag: re.Pattern[bytes]) -> Iterator[bytes]:
    """Yield the XML of each element with the tag, up to the next one.

    Searches each byte once, also those of an element of many blocks.
    Raises InputError if an element is too large.
    """
    # The element so far, without `cut`, the beginning of a tag at its end.
    pieces: list[bytes] = []
    size = 0
    cut = b""
    has_begun = False
    for block in _blocks(file, part):
        text = cut + block
        start = 0
        for found in tag.finditer(text):
            if has_begun:
                yield b"".join((*pieces, text[start : found.start()]))
            has_begun = True
            pieces.clear()
            size, start = 0, found.start()
        last = text.rfind(b"<")
        end = last if last >= start and _CUT_TAG.match(text, last) else len(text)
        cut = text[end:]
        if has_begun:
            pieces.append(text[start:end])
            size += end - start
        if size > MAX_ELEMENT_BYTES or len(cut) > _MAX_NAME_BYTES:
            raise InputError(
                f"{part} has a row or text of more than {MAX_ELEMENT_BYTES:,} bytes, the maximum, "
                f"or a name of more than {_MAX_NAME_BYTES:,}. {_SEND_TEXT}"
            )
    if has_begun:
        yield b"".join((*pieces, cut))


def _blocks(file: ZipFile, part: str) -> Iterator[bytes]:
    """Yield the content of a part. Raises InputError if it is too large."""
    size = 0
    with file.open(part) as opened:
        while block := opened.read(BLOCK_BYTES):
            size += len(block)
            if size > MAX_PART_BYTES:
                raise InputError(
                    f"{part} has more than {MAX_PART_BYTES:,} bytes, the maximum in a workbook. "
                    f"{_SEND_TEXT}"
                )
            yield block


def _parts(file: ZipFile) -> dict[str, str]:
    """Return the names of the parts by their names in lower case, which the library compares."""
    return {name.lower().replace("\\", "/"): name for name in file.namelist()}


def _tags(file: ZipFile, part: str, tag: re.Pattern[str]) -> Iterator[dict[str, str]]:
    try:
        text = file.read(part).decode()
    except (KeyError, UnicodeDecodeError) as error:
        raise InputError("The file is a zip archive, but not an XLSX workbook.") from error
    for found in tag.finditer(text):
        yield {
            name: unescape(double or single)
            for name, double, single in _ATTRIBUTE.findall(found[0])
        }
