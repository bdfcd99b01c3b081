"""What each dialect has of the API of its vendor: the tables of docs/dialects.md.

A dialect has a module `tests.dialects.<name>.conformance` with its `Conformance`. Tests of the
dialect state by its decorators which rows they prove:

    @rows.same("Exports: fields of the request", "resource", "filters")
    def test_...

    @rows.differs("Exports: statuses", "failed", "29next has no such status. …")
    def test_...

`make conformance` writes the tables, and a test says when they are out of date.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TypeVar

from django.conf import settings

PAGE: Path = settings.BASE_DIR / "docs" / "dialects.md"
DIALECTS = ("packagex", "nextcommerce", "commercelayer")
_TESTS = Path(__file__).parent

_Test = TypeVar("_Test", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Row:
    """A documented field, parameter, status or error. difference: "" if it behaves as documented.

    test, module: the names of a test that proves it and of its module.
    """

    group: str
    item: str
    difference: str
    test: str
    module: str


class Conformance:
    """The rows of a dialect, by module and within it in the order of the tests.

    groups: the headings of its tables, in their order.
    """

    def __init__(self, *groups: str) -> None:
        self._rows: dict[str, list[Row]] = {group: [] for group in groups}

    def same(self, group: str, *items: str) -> Callable[[_Test], _Test]:
        """State that a test proves that these items behave as the vendor documents them."""
        return self._add(group, items, "")

    def differs(self, group: str, item: str, difference: str) -> Callable[[_Test], _Test]:
        """State that a test proves how an item differs. difference: what, and why; sentences."""
        return self._add(group, (item,), difference)

    def _add(self, group: str, items: tuple[str, ...], difference: str) -> Callable[[_Test], _Test]:
        def decorate(test: _Test) -> _Test:
            name = test.__name__
            if not name.startswith("test_"):
                raise ValueError(f"{name} is not a test.")
            for item in items:
                if any(row.item == item for row in self._rows[group]):
                    raise ValueError(f"{group} has two rows for {item!r}.")
                self._rows[group].append(Row(group, item, difference, name, test.__module__))
            return test

        return decorate

    def __iter__(self) -> Iterator[Row]:
        for group in self._rows:
            yield from self._of(group)

    def tables(self) -> str:
        """Return the tables as Markdown. Groups without rows are left out."""
        return "\n".join(
            _table(group, self._of(group)) for group in self._rows if self._rows[group]
        )

    def _of(self, group: str) -> list[Row]:
        # Not in the order of imports, which depends on the tests that are selected.
        return sorted(self._rows[group], key=lambda row: row.module)


def conformance(dialect: str) -> Conformance | None:
    """Return the rows of a dialect, with those of all its tests; None if it has no module."""
    folder = _TESTS / dialect
    if not (folder / "conformance.py").exists():
        return None
    # A package that the tests import by its name: `tests.dialects.packagex.test_exports`.
    for path in sorted(folder.glob("test_*.py")):
        import_module(f"tests.dialects.{dialect}.{path.stem}")
    rows: Conformance = import_module(f"tests.dialects.{dialect}.conformance").rows
    return rows


def written(page: str) -> str:
    """Return a page whose tables between the markers of each dialect are up to date."""
    for dialect in DIALECTS:
        begin, end = f"<!-- conformance of {dialect} -->\n", "<!-- end -->"
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        rows = conformance(dialect)
        tables = f"\n{rows.tables()}\n" if rows else ""
        page = f"{before}{begin}{tables}{end}{after}"
    return page


def _table(group: str, rows: list[Row]) -> str:
    lines = [f"### {group}", "", "| Item | As documented | Difference |", "|---|---|---|"]
    lines += [
        f"| {row.item} | {'differs' if row.difference else 'yes'} | {row.difference} |"
        for row in rows
    ]
    return "\n".join([*lines, ""])


def main() -> None:
    PAGE.write_text(written(PAGE.read_text()))


if __name__ == "__main__":
    import django

    django.setup()
    main()
