"""Rules of the source tree that no linter checks: sizes and names of modules, hygiene of tests.

`make lint` checks the order of packages and import cycles (`tool.importlinter` in pyproject.toml).
"""

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOTS = (
    *("exports_project", "dialects", "exports", "batches", "webhooks", "longshore", "benchmarks"),
    "clients/python/longshore_client",
)
MAX_LINES = 350
MAX_EXPORTS_ENTRIES = 12
MIN_BOUND_SECONDS = 5
CLOCKS = {"monotonic", "perf_counter", "time"}
Finder = Callable[[ast.Module], Iterator[int]]
TESTS = sorted((settings.BASE_DIR / "tests").rglob("*.py"))


def modules() -> list[Path]:
    """Return the modules of the product, its client and the benchmarks, except migrations."""
    paths = [path for root in ROOTS for path in (settings.BASE_DIR / root).rglob("*.py")]
    return [path for path in paths if "migrations" not in path.parts]


def name_of(path: Path) -> str:
    return str(path.relative_to(settings.BASE_DIR))


def test_no_module_is_longer_than_the_maximum() -> None:
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in modules()}
    assert len(lengths) > 200
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}


@pytest.mark.slow
def test_no_module_hides_a_module_of_the_standard_library() -> None:
    names = {name_of(path.with_suffix("")) for path in (*modules(), *TESTS)}
    hiding = {name for name in names if sys.stdlib_module_names & set(name.split("/"))}
    assert hiding == set()


def test_the_top_level_of_exports_stays_small() -> None:
    uncounted = {"__init__.py", "__pycache__", "apps.py", "migrations", "management", "static"}
    entries = {path.name for path in (settings.BASE_DIR / "exports").iterdir()} - uncounted
    assert len(entries) <= MAX_EXPORTS_ENTRIES, sorted(entries)


def test_no_text_has_the_british_spelling_of_color() -> None:
    base = settings.BASE_DIR
    documents = [
        *base.glob("*.md"),
        *(base / "docs").rglob("*.*"),
        *(base / "templates").rglob("*.*"),
    ]
    british = "colo" + "ur"
    # It maps the headers of inputs, which may be British.
    allowed = base / "batches" / "request" / "name_likeness.py"
    paths = [path for path in (*modules(), *TESTS, *documents) if path.is_file()]
    paths = [path for path in paths if path != allowed]
    found = [name_of(path) for path in paths if british in path.read_text(errors="ignore").lower()]
    assert found == []


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def called(node: ast.AST) -> str:
    """Return the last name of the function that a node calls, such as `setattr`, or ""."""
    function = node.func if isinstance(node, ast.Call) else None
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def text_of(node: ast.AST) -> str:
    """Return the value of a string literal; "" for any other node."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return ""


def matches_anything(tree: ast.Module) -> Iterator[int]:
    """Yield lines with `match=".*"`, by which any message passes."""
    for call in calls(tree):
        for keyword in call.keywords:
            if keyword.arg == "match" and text_of(keyword.value) in (".*", ".+"):
                yield call.lineno


def patches_private_name(tree: ast.Module) -> Iterator[int]:
    """Yield lines that replace an attribute whose name starts with an underscore."""
    for call in calls(tree):
        if called(call) in ("setattr", "delattr", "patch", "object"):
            names = [text_of(argument).rpartition(".")[2] for argument in call.args[:2]]
            if any(name.startswith("_") and not name.startswith("__") for name in names):
                yield call.lineno


def asserts_on_mock(tree: ast.Module) -> Iterator[int]:
    """Yield lines that import `unittest.mock` or assert how a mock was called.

    Does not see a function of the test, such as `list.append`, that replaces one of the product
    and records its calls.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith(
            ("assert_called", "assert_has")
        ):
            yield node.lineno
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("unittest.mock"):
            yield node.lineno


def reads_clock(node: ast.AST) -> bool:
    return any(called(each) in CLOCKS for each in ast.walk(node))


def durations_in(function: ast.FunctionDef) -> set[str]:
    """Return the variables of a function that hold the difference of two times."""
    assignments = [node for node in ast.walk(function) if isinstance(node, ast.Assign)]
    return {
        target.id
        for assignment in assignments
        if isinstance(assignment.value, ast.BinOp) and reads_clock(assignment.value)
        for target in assignment.targets
        if isinstance(target, ast.Name)
    }


def bounds_duration_tightly(tree: ast.Module) -> Iterator[int]:
    """Yield lines that assert a duration below a few seconds, which a busy machine exceeds."""
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        durations = durations_in(function)
        for compared in (node for node in ast.walk(function) if isinstance(node, ast.Compare)):
            *timed, bound = compared.left, *compared.comparators
            is_timed = any(
                reads_clock(each) or (isinstance(each, ast.Name) and each.id in durations)
                for each in timed
            )
            is_upper = isinstance(compared.ops[-1], ast.Lt | ast.LtE)
            seconds = bound.value if isinstance(bound, ast.Constant) else None
            is_tight = isinstance(seconds, int | float) and seconds < MIN_BOUND_SECONDS
            if is_timed and is_upper and is_tight:
                yield compared.lineno


@pytest.mark.parametrize(
    ("find", "code"),
    [
        (matches_anything, 'pytest.raises(ValueError, match=".*")'),
        (patches_private_name, 'monkeypatch.setattr(module, "_private", 1)'),
        (patches_private_name, 'monkeypatch.setattr("package.module._private", 1)'),
        (asserts_on_mock, "mock.assert_called_once()"),
        (bounds_duration_tightly, "def test():\n assert time.monotonic() - began < 2"),
        (
            bounds_duration_tightly,
            "def test():\n took = time.time() - began\n assert 0 < took <= 1",
        ),
    ],
)
def test_each_finder_reports_one_line_of_bad_code(find: Finder, code: str) -> None:
    assert len(list(find(ast.parse(code)))) == 1


@pytest.mark.parametrize(
    "find", [matches_anything, patches_private_name, asserts_on_mock, bounds_duration_tightly]
)
@pytest.mark.slow
def test_all_tests_follow_the_rules_of_the_finders(find: Finder) -> None:
    trees = {path: ast.parse(path.read_text()) for path in TESTS}
    found = [f"{name_of(path)}:{line}" for path, tree in trees.items() for line in find(tree)]
    assert found == []
