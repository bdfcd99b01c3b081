"""The styles of the cells of an XLSX file."""

from xml.sax.saxutils import quoteattr

from longshore.files.currencies import CURRENCIES, decimals_of

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
# Number formats of a file begin with this number; lower ones are built into Excel.
_FIRST_FORMAT = 165
# Of cells: the index of their style. The index 0 is a cell without a style.
HEADER, DATE, DATETIME, AMOUNT = "1", "2", "3", "4"
# By currency.
AMOUNT_STYLES = {code: str(index) for index, code in enumerate(CURRENCIES, int(AMOUNT) + 1)}


def styles_xml(datetime_format: str) -> str:
    """Return the content of `xl/styles.xml`. datetime_format: number format of datetimes."""
    formats = ["yyyy-mm-dd", datetime_format, "#,##0.00", *map(_amount_format, CURRENCIES)]
    numbers = range(_FIRST_FORMAT, _FIRST_FORMAT + len(formats))
    number_formats = "".join(
        f'<numFmt numFmtId="{number}" formatCode={quoteattr(text)}/>'
        for number, text in zip(numbers, formats, strict=True)
    )
    # A pair of number format and font for each style, in the order of the indexes.
    styles = [(0, 0), (0, 1), *((number, 0) for number in numbers)]
    cells = "".join(
        f'<xf numFmtId="{number}" fontId="{font_id}" fillId="0" borderId="0" xfId="0"'
        ' applyNumberFormat="1" applyFont="1"/>'
        for number, font_id in styles
    )
    font = '<sz val="11"/><name val="Calibri"/><family val="2"/>'
    return (
        f'<styleSheet xmlns="{_MAIN}"><numFmts count="{len(formats)}">{number_formats}</numFmts>'
        f'<fonts count="2"><font>{font}</font><font><b/>{font}</font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'
        f'</cellStyleXfs><cellXfs count="{len(styles)}">{cells}</cellXfs><cellStyles count="1">'
        '<cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )


def _amount_format(currency: str) -> str:
    """Return the number format of an amount, such as `[$EUR]\\ #,##0.00`."""
    decimals = decimals_of(currency)
    fraction = f".{'0' * decimals}" if decimals else ""
    return rf"[${currency}]\ #,##0{fraction}"
