"""The package of an XLSX file: sheets and what describes them, zipped as they come."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import IO, cast
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, LargeZipFile, ZipFile, ZipInfo

from exports.formats.base import FileColumn, FormatLimit
from exports.formats.excel_dates import DEFAULT, number_format
from exports.spec import ExportSpec
from longshore.api.errors import shortened
from longshore.files.formulas import escape_formula
from longshore.resources.columns import ColumnType

MAX_ROWS, MAX_COLUMNS, MAX_CELL_CHARACTERS = 1_048_576, 16_384, 32_767
# Past 2 GiB a zip file needs extensions, of which Excel complains.
_MAX_BYTES = 2_000_000_000
# Of XML, whose tags are most of it: higher levels take more time and hardly less room.
_LEVEL = 1
# Places in `cellXfs`.
HEADER, DATE, DATETIME = "1", "2", "3"
_NARROWEST, _WIDEST, _SAMPLE = 8, 60, 200
_TAG = re.compile(rb"<[^>]*>")

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


class Workbook:
    """An XLSX file that is written from blocks of rows.

    A block is lines of cells, `\\x02` between them; `\\x03` stands for a text that is too long.
    """

    def __init__(self, columns: Sequence[FileColumn], spec: ExportSpec) -> None:
        if len(columns) > MAX_COLUMNS:
            raise FormatLimit(f"A sheet has {MAX_COLUMNS:,} columns, {len(columns):,} are asked")
        self._columns = columns
        self._spec = spec
        for header in self._headers() if spec.include_header else ():
            # Excel counts a character beyond the first 65,536 as two.
            if len(header.encode("utf-16-le")) > 2 * MAX_CELL_CHARACTERS:
                text = (
                    f"The header {shortened(header)!r} has more than "
                    f"{MAX_CELL_CHARACTERS:,} characters"
                )
                raise FormatLimit(f"{text}, which no cell of a spreadsheet can")
        self._bytes = _Bytes()
        file = cast("IO[bytes]", self._bytes)
        self._zip = ZipFile(file, "w", ZIP_DEFLATED, allowZip64=False, compresslevel=_LEVEL)
        self._widths: list[int] = []
        self._sheets = 0
        self._sheet: IO[bytes] | None = None
        self._rows = self._size = 0

    def write(self, block: bytes) -> bytes:
        """What a block of rows adds to the file. Raises FormatLimit."""
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
            if self._size + len(xml) > _MAX_BYTES:
                sheet = self._begin_sheet()
            sheet.write(xml)
            self._rows += rows
            self._size += len(xml)
            block = rest
        return self._bytes.taken()

    def close(self) -> bytes:
        """The last bytes of the file."""
        self._widths = self._widths or self._measured(b"")
        if self._sheet is None:
            self._begin_sheet()
        self._end_sheet()
        for name, content in _parts(self._names(), self._datetimes()):
            with self._member(name) as member:
                member.write((_XML + content).encode())
        self._zip.close()
        return self._bytes.taken()

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
            self._sheet.write(b"</sheetData></worksheet>")
            self._sheet.close()

    def _member(self, name: str) -> IO[bytes]:
        entry = ZipInfo(name, datetime.now(UTC).timetuple()[:6])
        entry.compress_type = ZIP_DEFLATED
        try:
            return self._zip.open(entry, "w")
        except LargeZipFile:
            raise FormatLimit("An XLSX file ends at 2 GB; ask for fewer rows") from None

    def _head(self) -> str:
        """A sheet up to its rows, the header among them."""
        pane = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        columns = "".join(
            f'<col min="{number}" max="{number}" width="{width}" customWidth="1"/>'
            for number, width in enumerate(self._widths, 1)
        )
        cells = "".join(
            f'<c s="{HEADER}" t="inlineStr"><is><t xml:space="preserve">{header}</t></is></c>'
            for header in map(_text, self._headers())
        )
        header = self._spec.include_header
        return (
            f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
            f"{pane if header else ''}</sheetView></sheetViews><cols>{columns}</cols><sheetData>"
            + (f"<row>{cells}</row>\n" if header else "")
        )

    def _headers(self) -> Iterator[str]:
        for column in self._columns:
            yield escape_formula(column.header) if self._spec.escape_formulas else column.header

    def _measured(self, block: bytes) -> list[int]:
        """Widths of the columns, in characters, by their headers and the first rows."""
        widths = [len(column.header) for column in self._columns]
        for line in block.split(b"\n", _SAMPLE)[:_SAMPLE]:
            for index, cell in enumerate(line.split(b"\x02") if line else ()):
                widths[index] = max(widths[index], len(_TAG.sub(b"", cell).decode()))
        for index, column in enumerate(self._columns):
            if column.kind is ColumnType.DATETIME:
                widths[index] = max(len(column.header), len(self._datetimes()))
        return [min(max(width + 2, _NARROWEST), _WIDEST) for width in widths]

    def _datetimes(self) -> str:
        pattern = self._spec.datetime_format
        return (number_format(pattern) if pattern else None) or DEFAULT

    def _names(self) -> list[str]:
        name = self._spec.resource[:25]
        return [name, *(f"{name} {number}" for number in range(2, self._sheets + 1))]

    def _too_long(self, block: bytes) -> FormatLimit:
        index = block[: block.index(b"\x03")].rpartition(b"\n")[2].count(b"\x02")
        return FormatLimit(
            f"The column {self._columns[index].header!r} holds a text of more than "
            f"{MAX_CELL_CHARACTERS:,} characters, which no cell of a spreadsheet can"
        )


class _Bytes:
    """What is written, until it is taken; it cannot be changed afterwards."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._written.append(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self) -> bytes:
        taken = b"".join(self._written)
        self._written.clear()
        return taken


def _text(text: str) -> str:
    """A text as XML; a header holds few of the characters that XML cannot."""
    text = re.sub("_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", text)
    text = re.sub("[\x01-\x08\x0b-\x1f\ufffe\uffff]", lambda m: f"_x{ord(m[0]):04X}_", text)
    return escape(text, {"\n": "&#10;"})


def _parts(sheets: list[str], datetimes: str) -> Iterator[tuple[str, str]]:
    """The other parts of the package, by name."""
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
    listed = "".join(
        f'<sheet name="{name}" sheetId="{number}" r:id="rId{number}"/>'
        for number, name in enumerate(sheets, 1)
    )
    yield (
        "xl/workbook.xml",
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
    )
    yield "xl/styles.xml", _styles(datetimes)


def _relationships(targets: list[tuple[str, str]]) -> str:
    listed = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'


def _styles(datetimes: str) -> str:
    font = '<sz val="11"/><name val="Calibri"/><family val="2"/>'
    shown = [(0, 0), (0, 1), (165, 0), (166, 0)]
    cells = "".join(
        f'<xf numFmtId="{number}" fontId="{face}" fillId="0" borderId="0" xfId="0"'
        ' applyNumberFormat="1" applyFont="1"/>'
        for number, face in shown
    )
    return (
        f'<styleSheet xmlns="{_MAIN}"><numFmts count="2">'
        '<numFmt numFmtId="165" formatCode="yyyy-mm-dd"/>'
        f'<numFmt numFmtId="166" formatCode={quoteattr(datetimes)}/></numFmts>'
        f'<fonts count="2"><font>{font}</font><font><b/>{font}</font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'
        f'</cellStyleXfs><cellXfs count="4">{cells}</cellXfs><cellStyles count="1">'
        '<cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )
