"""The headers that exports write are accepted by batches, for every writable resource."""

from collections.abc import Iterator

import pytest

from batches.errors import BatchErrorCode
from batches.request.mapping import assign
from batches.request.parser import writable_resources
from batches.spec import BatchSpec
from batches.targets import Targets
from exports.request.parser import parse_export
from exports.spec import Nesting
from exports.sql.nesting import layout_columns
from longshore.resources.registry import registry


def headers_of(resource: str, nesting: Nesting | None, **body: object) -> Iterator[str]:
    """Yield the headers of an export with all columns, with two records in each relation."""
    declared = registry.get(resource)
    assert declared is not None
    options = {"properties": nesting.value} if nesting else {}
    if not body:
        options["columns"] = "all"
    spec = parse_export({"resource": resource, "csv_field_options": options, **body})
    for layout in layout_columns(declared, spec.columns, nesting, spec.includes):
        if not layout.is_nested:
            yield layout.header
        elif layout.fields:
            yield from (layout.header_of((n, field)) for n in "01" for field in layout.fields)
        else:
            yield from (layout.header, layout.header_of(("a", "b.c")))


@pytest.mark.parametrize("nesting", [*Nesting, None])
@pytest.mark.parametrize("resource", writable_resources())
def test_headers_of_exports_are_accepted(resource: str, nesting: Nesting | None) -> None:
    declared = registry.get(resource)
    assert declared is not None
    headers = list(headers_of(resource, nesting))
    found = assign(headers, BatchSpec(resource), Targets(declared))
    assert found.problems == ()
    # Every writable column is read, and no column twice.
    read = [target.sets for target in found.targets if target]
    assert set(declared.writable_columns) <= set(read)
    whole = [
        target
        for target in found.targets
        if target and not target.path and not target.index and target.inner is None
    ]
    assert len({target.name for target in whole}) == len(whole)


@pytest.mark.parametrize("resource", writable_resources())
def test_dry_data_is_accepted(resource: str) -> None:
    declared = registry.get(resource)
    assert declared is not None
    headers = list(headers_of(resource, Nesting.MERGE, dry_data=True))
    found = assign(headers, BatchSpec(resource), Targets(declared))
    unknown = [each for each in found.problems if each.code is BatchErrorCode.UNKNOWN_COLUMN]
    assert unknown == []


@pytest.mark.parametrize("resource", writable_resources())
def test_included_records_are_read_or_ignored_with_a_warning(resource: str) -> None:
    declared = registry.get(resource)
    assert declared is not None
    for include in (path for path in declared.includable if "." not in path):
        headers = list(headers_of(resource, Nesting.REPEAT, includes=[include]))
        found = assign(headers, BatchSpec(resource), Targets(declared))
        assert found.problems == ()
        named = " ".join(found.warnings)
        pairs = zip(headers, found.targets, strict=True)
        ignored = [header for header, target in pairs if target is None]
        # A sentence names the first of many.
        assert all(header in named for header in ignored) or " others" in named
