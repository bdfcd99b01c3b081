"""The XLSX package: a zip file of sheets and their descriptions, written while rows arrive.

The XML of the cells comes from SQL: see `exports.formats.xlsx_format`.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import IO, cast
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, LargeZipFile, ZipFile, ZipInfo

from django.utils.text import capfirst

from exports.formats.base import FileColumn, FormatLimit, escaped_headers
from exports.formats.excel_dates import DEFAULT_NUMBER_FORMAT, number_format
from exports.formats.styles import HEADER, styles_xml
from exports.spec import ExportSpec
from longshore.api.errors import shortened
from longshore.resources.columns import ColumnType
from longshore.resources.registry import registry

MAX_ROWS, MAX_COLUMNS, MAX_CELL_CHARACTERS = 1_048_576, 16_384, 32_767
# Bytes of a sheet's XML. Above 2 GiB a zip file needs the Zip64 extension, and Excel reports such
# files as damaged.
MAX_SHEET_BYTES = 2_000_000_000
# Most of the XML is tags: a higher level takes more time and saves hardly any space.
_COMPRESSION_LEVEL = 1
# Width of a column in characters, and the number of rows that it is measured by.
_MIN_WIDTH, _MAX_WIDTH, _MEASURED_ROWS = 8, 60, 200
_CURRENCY_CHARACTERS = 6
_TAG = re.compile(rb"<[^>]*>")

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def too_many_columns(number: int) -> FormatLimit:
    """Return the error of a file with more columns than a sheet holds."""
    return FormatLimit(
        f"The file would have {number:,} columns; a sheet holds at most {MAX_COLUMNS:,}. Leave out "
        "columns, or choose another format."
    )


class Workbook:
    """Writes an XLSX file from blocks of rows. Starts a new sheet when one is full.

    A row is a line of XML cells separated by the byte `\\x02`. A cell `\\x03` is a text that is
    longer than a cell can hold.
    """

    def __init__(self, columns: Sequence[FileColumn], spec: ExportSpec) -> None:
        if len(columns) > MAX_COLUMNS:
            raise too_many_columns(len(columns))
        self._columns = columns
        self._spec = spec
        self._headers = escaped_headers(columns, spec)
        for header in self._headers if spec.include_header else ():
            # Excel counts a character above U+FFFF as two.
            if len(header.encode("utf-16-le")) > 2 * MAX_CELL_CHARACTERS:
                raise FormatLimit(
                    f"The header {shortened(header)!r} has more than {MAX_CELL_CHARACTERS:,} "
                    "characters, the maximum of a spreadsheet cell."
                )
        self._bytes = _Buffer()
        file = cast("IO[bytes]", self._bytes)
        self._zip = ZipFile(
            file, "w", ZIP_DEFLATED, allowZip64=False, compresslevel=_COMPRESSION_LEVEL
        )
        self._widths: list[int] = []
        self._sheets = 0
        self._sheet: IO[bytes] | None = None
        self._rows = self._size = 0

    def write(self, block: bytes) -> bytes:
        """Add a block of rows. Return the bytes that the file grew by. Raises FormatLimit."""
        if b"\x03" in block:
            raise self._too_long(block)
        self._widths = self._widths or self._measured(block)
        while block:
            sheet = self._sheet
            if sheet is None or self._rows == MAX_ROWS:
                sheet = self._begin_sheet()
            room = MAX_ROWS - self._rows
            rows = block.count(b"\n")
            rest = b""
            if rows > room:
                *lines, rest = block.split(b"\n", room)
                block, rows = b"\n".join(lines) + b"\n", room
            cells = block.replace(b"\x02", b"")[:-1]
            xml = b"<row>" + cells.replace(b"\n", b"</row>\n<row>") + b"</row>\n"
            if self._size + len(xml) > MAX_SHEET_BYTES:
                sheet = self._begin_sheet()
            sheet.write(xml)
            self._rows += rows
            self._size += len(xml)
            block = rest
        return self._bytes.take()

    def close(self) -> bytes:
        """Write the end of the package. Return the last bytes of the file."""
        self._widths = self._widths or self._measured(b"")
        if self._sheet is None:
            self._begin_sheet()
        self._end_sheet()
        for name, content in _package_members(self._sheet_names(), self._datetime_format()):
            with self._member(name) as member:
                member.write((_XML + content).encode())
        self._zip.close()
        return self._bytes.take()

    def _begin_sheet(self) -> IO[bytes]:
        self._end_sheet()
        self._sheets += 1
        self._sheet = self._member(f"xl/worksheets/sheet{self._sheets}.xml")
        head = self._head().encode()
        self._sheet.write(head)
        self._rows = 1 if self._spec.include_header else 0
        self._size = len(head)
        return self._sheet

    def _end_sheet(self) -> None:
        if self._sheet is not None:
            self._sheet.write(b"</sheetData>" + self._filter().encode() + b"</worksheet>")
            self._sheet.close()

    def _filter(self) -> str:
        """Return the XML that lets people filter the rows by the values of each column."""
        if not (self._spec.include_header and self._columns):
            return ""
        return f'<autoFilter ref="A1:{_letters(len(self._columns))}{self._rows}"/>'

    def _member(self, name: str) -> IO[bytes]:
        entry = ZipInfo(name, datetime.now(UTC).timetuple()[:6])
        entry.compress_type = ZIP_DEFLATED
        try:
            return self._zip.open(entry, "w")
        except LargeZipFile:
            raise FormatLimit(
                "The file would be larger than 2 GB, the maximum of XLSX. Filter the rows, set "
                "max_rows_per_file, or choose another format."
            ) from None

    def _head(self) -> str:
        """Return the XML of a sheet up to its first row, including the header."""
        pane = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        columns = "".join(
            f'<col min="{number}" max="{number}" width="{width}" customWidth="1"/>'
            for number, width in enumerate(self._widths, 1)
        )
        cells = "".join(
            f'<c s="{HEADER}" t="inlineStr"><is><t xml:space="preserve">{header}</t></is></c>'
            for header in map(_xml_text, self._headers)
        )
        header = self._spec.include_header
        return (
            f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
            f"{pane if header else ''}</sheetView></sheetViews><cols>{columns}</cols><sheetData>"
            + (f"<row>{cells}</row>\n" if header else "")
        )

    def _measured(self, block: bytes) -> list[int]:
        """Return the widths of the columns, in characters, by their headers and first rows."""
        widths = [len(column.header) for column in self._columns]
        for line in block.split(b"\n", _MEASURED_ROWS)[:_MEASURED_ROWS]:
            for index, cell in enumerate(line.split(b"\x02") if line else ()):
                widths[index] = max(widths[index], len(_TAG.sub(b"", cell).decode()))
        for index, column in enumerate(self._columns):
            if column.kind is ColumnType.DATETIME:
                widths[index] = max(len(column.header), len(self._datetime_format()))
            elif column.currency:
                # The code, the spaces and the separators that the number format adds.
                widths[index] += _CURRENCY_CHARACTERS
        return [min(max(width + 2, _MIN_WIDTH), _MAX_WIDTH) for width in widths]

    def _datetime_format(self) -> str:
        """Return Excel's number format of datetimes."""
        pattern = self._spec.datetime_format
        return (number_format(pattern) if pattern else None) or DEFAULT_NUMBER_FORMAT

    def _sheet_names(self) -> list[str]:
        # A sheet's name has at most 31 characters.
        resource = registry.get(self._spec.resource)
        name = (resource.plural if resource else self._spec.resource)[:25]
        name = capfirst(name.replace("_", " "))
        return [name, *(f"{name} {number}" for number in range(2, self._sheets + 1))]

    def _too_long(self, block: bytes) -> FormatLimit:
        index = block[: block.index(b"\x03")].rpartition(b"\n")[2].count(b"\x02")
        return FormatLimit(
            f"The column {self._columns[index].header!r} holds a text of more than "
            f"{MAX_CELL_CHARACTERS:,} characters, the maximum of a spreadsheet cell."
        )


class _Buffer:
    """A write-only file that holds the written bytes until `take`. It cannot seek."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._written.append(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing: `write` is not buffered further."""

    def take(self) -> bytes:
        """Return the bytes written since the last call."""
        taken = b"".join(self._written)
        self._written.clear()
        return taken


def _letters(number: int) -> str:
    """Return the name of a column: `A` for 1, `AA` for 27."""
    name = ""
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def _xml_text(text: str) -> str:
    """Return a text as XML. Forbidden characters become `_xHHHH_`, as in cells."""
    text = re.sub("_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", text)
    text = re.sub("[\x01-\x08\x0b-\x1f\ufffe\uffff]", lambda m: f"_x{ord(m[0]):04X}_", text)
    return escape(text, {"\n": "&#10;"})


def _package_members(sheets: list[str], datetime_format: str) -> Iterator[tuple[str, str]]:
    """Yield name and content of the members of the package other than sheets.

    sheets: their names, in order.
    """
    numbers = range(1, len(sheets) + 1)
    kinds = [("xl/workbook.xml", "sheet.main"), ("xl/styles.xml", "styles")]
    kinds += [(f"xl/worksheets/sheet{number}.xml", "worksheet") for number in numbers]
    overrides = "".join(
        f'<Override PartName="/{name}" ContentType="{_TYPE}.{kind}+xml"/>' for name, kind in kinds
    )
    yield (
        "[Content_Types].xml",
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType='
        f'"application/vnd.openxmlformats-package.relationships+xml"/>{overrides}</Types>',
    )
    yield "_rels/.rels", _relationships([("officeDocument", "xl/workbook.xml")])
    targets = [("worksheet", f"worksheets/sheet{number}.xml") for number in numbers]
    yield "xl/_rels/workbook.xml.rels", _relationships([*targets, ("styles", "styles.xml")])
    elements = "".join(
        f'<sheet name="{name}" sheetId="{number}" r:id="rId{number}"/>'
        for number, name in enumerate(sheets, 1)
    )
    yield (
        "xl/workbook.xml",
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{elements}</sheets></workbook>',
    )
    yield "xl/styles.xml", styles_xml(datetime_format)


def _relationships(targets: list[tuple[str, str]]) -> str:
    elements = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{elements}</Relationships>'
