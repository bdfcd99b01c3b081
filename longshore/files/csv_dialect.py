"""CSV dialects: delimiter, quoting, byte order mark and line ends."""

from dataclasses import dataclass
from enum import StrEnum

DELIMITERS = (",", ";", "\t", "|")
LINE_ENDS = ("\n", "\r\n")
DECIMAL_SEPARATORS = (".", ",")


class Quoting(StrEnum):
    """MINIMAL: quote only the cells that need it. ALL: quote every cell except nulls."""

    MINIMAL = "minimal"
    ALL = "all"


@dataclass(frozen=True)
class CsvDialect:
    """The dialect of a CSV file (RFC 4180 with options). Encoding is always UTF-8.

    delimiter: one of `DELIMITERS`.
    bom: start with a byte order mark; Excel needs it to recognize UTF-8.
    line_end: one of `LINE_ENDS`.
    decimal_separator: one of `DECIMAL_SEPARATORS`.
    keeps_texts: write a text that looks like a number or a date as the formula `="00123"`, so that
        a spreadsheet does not convert it; also a number with more digits than Excel stores.
    """

    delimiter: str = ","
    quoting: Quoting = Quoting.MINIMAL
    bom: bool = False
    line_end: str = "\n"
    decimal_separator: str = "."
    keeps_texts: bool = False

    @property
    def tells_numbers(self) -> bool:
        """Whether the file shows a number in another way than a text with the same digits."""
        return self.keeps_texts or self.decimal_separator != "."
