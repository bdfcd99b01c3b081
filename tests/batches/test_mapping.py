"""Targets of headers: explicit mappings, exact names, conflicts, and missing columns."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batches.errors import BatchErrorCode
from batches.missing_columns import find_missing_in_parts
from batches.request.mapping import Assigned, assign, export_headers
from batches.spec import Action, BatchSpec, Only
from batches.targets import Targets
from longshore.api.errors import MAX_PROBLEMS
from longshore.resources.registry import registry


def targets_of(resource: str) -> Targets:
    declared = registry.get(resource)
    assert declared is not None
    return Targets(declared)


def assigned(resource: str, *headers: str, **changes: Any) -> Assigned:
    mapping = tuple(changes.pop("mapping", {}).items())
    spec = BatchSpec(resource, mapping=mapping, **changes)
    return assign(headers, spec, targets_of(resource))


def names(found: Assigned) -> list[str | None]:
    return [target.name if target else None for target in found.targets]


def messages(found: Assigned) -> list[str]:
    return [problem.message for problem in found.problems]


def test_headers_are_matched_by_their_exact_names() -> None:
    found = assigned("contact", "id", "email", "address.city", "groups", "location")
    assert names(found) == ["id", "email", "address.city", "groups", "location"]
    assert (found.warnings, found.problems) == ((), ())


def test_the_mapping_takes_precedence_over_names() -> None:
    mapping = {"Mail": "email", "email": "notes", "name": None}
    assert names(assigned("contact", "Mail", "email", "name", mapping=mapping)) == [
        *("email", "notes", None)
    ]


def test_an_unknown_header_is_an_error_with_its_position() -> None:
    found = assigned("contact", "name", "e-mail", "Email ", "xyzzy")
    assert messages(found) == [
        "contact has no column 'e-mail' (column 2 of the input). Did you mean 'email'?",
        "contact has no column 'Email ' (column 3 of the input). Did you mean 'email'?",
        "contact has no column 'xyzzy' (column 4 of the input).",
    ]
    assert {problem.code for problem in found.problems} == {BatchErrorCode.UNKNOWN_COLUMN}
    assert found.unknown == (1, 2, 3)
    assert names(found) == ["name", None, None, None]


def test_read_only_columns_of_an_export_are_ignored_with_a_warning() -> None:
    found = assigned("contact", "name", "created_at", "checksum", "_inbound_trackers", "_errors")
    assert names(found) == ["name", None, None, None, None]
    assert found.problems == ()
    [warning] = found.warnings
    assert warning == (
        "The batch ignores read-only columns: 'created_at', 'checksum', '_inbound_trackers'."
    )


@pytest.mark.parametrize(
    "header", ["location.nam", "groups.0.nmae", "name.first", "groups.x.id", "created"]
)
def test_mistakes_below_known_names_are_no_read_only_columns(header: str) -> None:
    found = assigned("contact", "name", header)
    assert found.warnings == ()
    assert [problem.code for problem in found.problems] == [BatchErrorCode.UNKNOWN_COLUMN]


@pytest.mark.parametrize(
    "header", ["groups.location_id", "groups.0.location_id", "groups.location.name", "addresses.0"]
)
def test_columns_of_related_records_are_read_only(header: str) -> None:
    found = assigned("contact", "name", header)
    assert found.warnings == (f"The batch ignores read-only columns: {header!r}.",)
    assert found.problems == ()


def test_two_headers_for_one_column_are_an_error_that_names_both() -> None:
    found = assigned("contact", "email", "name", "Mail", mapping={"Mail": "email"})
    assert messages(found) == [
        "The headers 'email' (column 1) and 'Mail' (column 3) both set email."
    ]
    assert found.problems[0].code is BatchErrorCode.INVALID_MAPPING


def test_a_related_record_may_have_several_headers() -> None:
    headers = ["name", "location", "location_id", "location.name"]
    found = assigned("asset", *headers)
    assert names(found) == headers
    assert (found.problems, found.warnings) == ((), ())
    headers = ["groups.0.id", "groups.0.name", "groups.1.id", "groups", "groups.id"]
    assert names(assigned("contact", *headers)) == headers
    mapping = {"Place": "location"}
    found = assigned("asset", "name", "Place", "location_id", mapping=mapping)
    assert (names(found), found.problems) == (["name", "location", "location_id"], ())
    found = assigned("asset", "name", "Place", "location", mapping=mapping)
    assert messages(found) == [
        "The headers 'Place' (column 2) and 'location' (column 3) both set location."
    ]


def test_parts_are_read_in_one_form() -> None:
    headers = ["line_items", "line_items.0.sku", "line_items.0.sku_id", "number"]
    found = assigned("order", *headers)
    assert names(found) == [None, *headers[1:]]
    assert found.warnings == (
        "The batch reads line_items from 'line_items.0.sku', 'line_items.0.sku_id' and ignores "
        "'line_items'.",
    )
    found = assigned("order", *headers, mapping={"line_items": "line_items"})
    assert names(found) == ["line_items", None, None, "number"]


def test_parts_of_a_value_do_not_conflict_with_each_other() -> None:
    headers = ["address", "address.city", "address.line1", "metadata.a\\.b"]
    found = assigned("contact", *headers)
    assert names(found) == headers
    assert found.problems == ()


def test_headers_of_named_exports_are_read() -> None:
    headers = export_headers("order")
    assert headers["Order Number"] == "number"
    found = assigned("order", "Order Number", "Date Placed", "Subtotal")
    assert names(found) == ["number", "placed_at", None]
    assert found.warnings == ("The batch ignores read-only columns: 'Subtotal'.",)


def test_a_deletion_reads_only_columns_that_identify_records() -> None:
    found = assigned("order", "number", "status", "no such column", action=Action.DELETE)
    assert names(found) == ["number", None, None]
    assert found.problems == ()
    assert found.warnings == (
        "A deletion ignores columns that do not identify records: 'no such column', 'status'.",
    )


@pytest.mark.parametrize(
    ("resource", "headers", "changes", "fields"),
    [
        ("order", ["status"], {}, ["number"]),
        ("order", ["id", "status"], {}, []),
        ("order", ["number", "status"], {}, []),
        ("order", ["status"], {"properties": {"number": "5"}}, []),
        ("contact", ["name"], {}, []),
        ("contact", ["name"], {"only": Only.UPDATE}, ["id"]),
        ("contact", ["name"], {"action": Action.DELETE}, ["id"]),
        ("stock_item", ["quantity"], {}, ["sku_id", "stock_location_id"]),
        ("stock_item", ["sku", "stock_location.id"], {}, []),
        ("stock_item", ["sku_id"], {}, ["stock_location_id"]),
    ],
)
def test_records_must_be_identified(
    resource: str, headers: list[str], changes: dict[str, Any], fields: list[str]
) -> None:
    found = assigned(resource, *headers, **changes).problems
    assert [each.field for each in found if each.code is BatchErrorCode.MISSING_KEY] == fields


def test_a_missing_key_is_explained() -> None:
    found = assigned("stock_item", "sku_id", "quantity")
    assert messages(found) == [
        "The input has no column stock_location_id, which is a part of the key (sku_id, "
        "stock_location_id) of a record of stock_item. Alternatively, add a column id."
    ]


@pytest.mark.parametrize(
    ("resource", "headers", "changes", "fields"),
    [
        ("shipment", ["status"], {}, ["tracking_number"]),
        ("shipment", ["id", "status"], {"only": Only.UPDATE}, ["tracking_number"]),
        ("shipment", ["tracking_number"], {}, []),
        ("shipment", ["status"], {"properties": {"tracking_number": "1Z"}}, []),
        # Each record of these batches is created.
        ("group", ["external_id"], {}, ["name"]),
        ("group", ["id", "external_id"], {"only": Only.CREATE}, ["name"]),
        ("group", ["id", "external_id"], {}, []),
    ],
)
def test_required_columns_must_exist(
    resource: str, headers: list[str], changes: dict[str, Any], fields: list[str]
) -> None:
    found = assigned(resource, *headers, **changes).problems
    assert [each.field for each in found if each.code is BatchErrorCode.MISSING_COLUMN] == fields


def test_parts_need_the_columns_that_their_resource_requires() -> None:
    targets = targets_of("shipment")
    [problem] = find_missing_in_parts([targets.find("status"), None], targets)
    assert (problem.field, problem.code) == ("tracking_number", BatchErrorCode.MISSING_COLUMN)
    assert not list(find_missing_in_parts([targets.find("tracking_number")], targets))


def test_missing_columns_may_appear_later_in_json() -> None:
    spec = BatchSpec("shipment")
    assert assign(["status"], spec, targets_of("shipment"), are_complete=False).problems == ()


def test_a_mapping_of_an_absent_header_is_a_warning() -> None:
    found = assigned("contact", "E-Mail", mapping={"E-Mial": "email", "E-Mail": None})
    assert found.warnings == (
        "The mapping names 'E-Mial', which the input does not have. Did you mean 'E-Mail'?",
    )


def test_the_number_of_problems_is_bounded() -> None:
    found = assigned("shipment", *(f"unknown {number}" for number in range(1_000)))
    assert len(found.problems) == MAX_PROBLEMS
    assert found.problems[0].code is BatchErrorCode.MISSING_COLUMN
    assert len(found.unknown) == 1_000


@given(
    st.lists(st.sampled_from([*targets_of("contact").names, "x", "address.city", "groups.0.id"])),
    st.dictionaries(st.text(max_size=3), st.sampled_from(["email", "groups", None])),
)
def test_no_two_targets_set_the_same_value_without_a_problem(
    headers: list[str], mapping: dict[str, str | None]
) -> None:
    found = assigned("contact", *headers, *mapping, mapping=mapping)
    assert len(found.targets) == len(headers) + len(mapping)
    if not found.problems:
        values = [each.name for each in found.targets if each]
        assert len(values) == len(set(values))
