"""Bodies of requests for batches: parsing, and all problems at once."""

from dataclasses import replace
from typing import Any

import pytest

from batches.errors import BatchErrorCode
from batches.request.body import BATCH_BODY, PREVIEW_BODY
from batches.request.parser import BatchRequest, parse_batch, parse_preview, writable_resources
from batches.request.saved_mappings import save
from batches.spec import (
    MAX_SYNC_RECORDS,
    Action,
    BatchSpec,
    Duplicates,
    InputFormat,
    InputOptions,
    Mode,
    OnError,
    Only,
)
from batches.targets import Targets
from longshore.accounts.models import Organization
from longshore.api.body.schema import serializer_class
from longshore.api.errors import ErrorCode, InvalidInput, Problem
from longshore.files.compression import Compression
from longshore.jobs.errors import JobErrorCode
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.registry import Registry, registry

BERLIN = Organization(slug="acme", timezone="Europe/Berlin")
DATA = [{"name": "Ann", "email": "ann@example.com"}]


def parse(**body: Any) -> BatchRequest:
    return parse_batch({"resource": "contact", "data": DATA, **body}, BERLIN)


def of_file(**body: Any) -> BatchSpec:
    return parse_batch({"resource": "contact", **body}, BERLIN, has_file=True).spec


def problems(*, has_file: bool = False, **body: Any) -> list[Problem]:
    with pytest.raises(InvalidInput) as raised:
        parse_batch(body, BERLIN, has_file=has_file)
    return list(raised.value.problems)


def one_problem(*, has_file: bool = False, **changes: Any) -> Problem:
    body: dict[str, Any] = {"resource": "contact"}
    if not has_file and "upload" not in changes:
        body["data"] = DATA
    [problem] = problems(has_file=has_file, **{**body, **changes})
    return problem


def test_a_request_with_only_data_has_defaults() -> None:
    request = parse()
    expected = InputOptions(InputFormat.JSON, Compression.NONE, timezone="Europe/Berlin")
    assert request.spec == BatchSpec("contact", input=expected)
    assert request.data == DATA
    assert not request.dedupe


def test_every_field_reaches_the_spec() -> None:
    spec = of_file(
        action="merge",
        only="update",
        mode="async",
        mapping={"E-Mail": "email", "Old id": None},
        properties={"is_primary": True},
        duplicate_handling="use_first",
        on_error={"max_errors": 7},
        dry_run=True,
        format="csv",
        compression="gzip",
        timezone="Asia/Tokyo",
        datetime_format="dd/MM/yyyy HH:mm",
        decimal_separator=",",
        csv={
            "delimiter": ";",
            "quote": "none",
            "encoding": "Windows-1252",
            "unescape_formulas": False,
        },
    )
    assert spec == BatchSpec(
        resource="contact",
        action=Action.MERGE,
        only=Only.UPDATE,
        mode=Mode.ASYNC,
        on_error=OnError.SKIP,
        max_errors=7,
        duplicates=Duplicates.USE_FIRST,
        dry_run=True,
        mapping=(("E-Mail", "email"), ("Old id", None)),
        properties={"is_primary": True},
        input=InputOptions(
            format=InputFormat.CSV,
            compression=Compression.GZIP,
            delimiter=";",
            quote="none",
            encoding="cp1252",
            timezone="Asia/Tokyo",
            datetime_format="dd/MM/yyyy HH:mm",
            decimal_separator=",",
            unescape_formulas=False,
        ),
    )
    assert BatchSpec.from_json(spec.to_json()) == spec


def test_an_overwrite_may_confirm_its_deletions() -> None:
    spec = parse(action="overwrite", confirm_deletes=12, on_error="abort").spec
    assert (spec.action, spec.confirm_deletes) == (Action.OVERWRITE, 12)
    assert (spec.on_error, spec.max_errors) == (OnError.ABORT, None)


def test_the_file_may_be_uploaded_later() -> None:
    request = parse_batch({"resource": "contact", "upload": True}, BERLIN)
    assert (request.data, request.dedupe) == (None, False)
    assert request.spec.input.format is None


def test_null_is_the_same_as_absent() -> None:
    names = [name for name in BATCH_BODY.names if name not in ("resource", "data")]
    assert parse(**dict.fromkeys(names)) == parse()


@pytest.mark.parametrize(
    ("changes", "code", "field", "message"),
    [
        (
            {"resource": "contcat"},
            ResourceErrorCode.INVALID_RESOURCE,
            "resource",
            "'contcat' is not a valid resource. Did you mean 'contact'?",
        ),
        (
            {"resource": "transaction"},
            ResourceErrorCode.INVALID_RESOURCE,
            "resource",
            "A batch cannot write transactions: all of their columns are read-only.",
        ),
        (
            {"resource": "shipment", "action": "delete"},
            BatchErrorCode.INVALID_ACTION,
            "action",
            "shipment does not support delete, only merge.",
        ),
        (
            {"resource": "tracker", "action": "overwrite"},
            BatchErrorCode.INVALID_ACTION,
            "action",
            "tracker does not support overwrite, only merge.",
        ),
        (
            {"action": "upsert"},
            BatchErrorCode.INVALID_ACTION,
            "action",
            "'upsert' is not a valid action.",
        ),
        (
            {"action": "delete", "only": "update"},
            ErrorCode.INVALID_REQUEST,
            "only",
            "only applies to merge, not to delete.",
        ),
        (
            {"action": "overwrite", "only": "create"},
            ErrorCode.INVALID_REQUEST,
            "only",
            "only applies to merge, not to overwrite.",
        ),
        (
            {"confirm_deletes": 3},
            ErrorCode.INVALID_REQUEST,
            "confirm_deletes",
            "confirm_deletes applies to overwrite, not to merge.",
        ),
        (
            {"on_error": "stop"},
            ErrorCode.INVALID_REQUEST,
            "on_error",
            'on_error must be "skip", "abort", or {"max_errors": <whole number>}, not \'stop\'.',
        ),
        (
            {"on_error": {"max_errors": True}},
            ErrorCode.INVALID_REQUEST,
            "on_error",
            'on_error must be "skip", "abort", or {"max_errors": <whole number>}, '
            'not {"max_errors": true}.',
        ),
        (
            {"format": "json"},
            ErrorCode.INVALID_REQUEST,
            "format",
            "format describes a file, and the records are in data.",
        ),
        (
            {"datetime_format": "DD/MM/YYYY"},
            JobErrorCode.INVALID_DATETIME_FORMAT,
            "datetime_format",
            "'DD/MM/YYYY' is not a datetime pattern: 'DD' is not a supported field. "
            "Did you mean 'dd/MM/yyyy'?",
        ),
        (
            {"datetime_format": "HH:mm"},
            JobErrorCode.INVALID_DATETIME_FORMAT,
            "datetime_format",
            "Datetimes of the pattern 'HH:mm' cannot be read: it has no year.",
        ),
        (
            {"timezone": "Berlin"},
            ResourceErrorCode.INVALID_TIMEZONE,
            "timezone",
            "'Berlin' is not a time zone. Did you mean 'Europe/Berlin'?",
        ),
        (
            {"mapping": {"Mail": "emial"}},
            BatchErrorCode.INVALID_MAPPING,
            "mapping.Mail",
            "'emial' is not a column of contact. Did you mean 'email'?",
        ),
        (
            {"mapping": {"Created": "created_at"}},
            BatchErrorCode.INVALID_MAPPING,
            "mapping.Created",
            "created_at is read-only: a batch cannot set it.",
        ),
        (
            {"mapping": {"Mail": 5}},
            BatchErrorCode.INVALID_MAPPING,
            "mapping.Mail",
            "The header 'Mail' must be mapped to the name of a column or to null, not to 5.",
        ),
        (
            {"properties": {"nicknam": "x"}},
            ResourceErrorCode.INVALID_COLUMN,
            "properties.nicknam",
            "'nicknam' is not a column of contact. Did you mean 'nickname'?",
        ),
        (
            {"properties": {"id": "ctct_1"}},
            ResourceErrorCode.INVALID_COLUMN,
            "properties.id",
            "id identifies a single record, so properties cannot set it for all records.",
        ),
        (
            {"properties": {"metadata.source": "x"}},
            ResourceErrorCode.INVALID_COLUMN,
            "properties.metadata.source",
            "'metadata.source' is a part of a value. properties can set whole columns only.",
        ),
        (
            {"data": []},
            ErrorCode.INVALID_REQUEST,
            "data",
            "data must be a list of at least one object, not [].",
        ),
        (
            {"data": [{"name": "Ann"}, "Bob"]},
            ErrorCode.INVALID_REQUEST,
            "data.1",
            "data.1 must be an object, not 'Bob'.",
        ),
        (
            {"mapping_name": "contacts"},
            BatchErrorCode.INVALID_MAPPING,
            "mapping_name",
            "'contacts' is not a saved mapping of contact.",
        ),
    ],
)
@pytest.mark.django_db
def test_a_mistake_is_named(changes: dict[str, Any], code: str, field: str, message: str) -> None:
    problem = one_problem(**changes)
    assert (problem.code, problem.field, problem.message) == (code, field, message)
    assert problem.accepted is not None


@pytest.mark.parametrize(
    ("body", "has_file", "message"),
    [
        ({}, False, "Send the records in data or as a file, or set upload to true."),
        ({"data": DATA, "upload": True}, False, "Send either data or upload, not both."),
        ({"data": DATA}, True, "Send either data or file, not both."),
        ({"data": DATA, "upload": True}, True, "Send either data or upload or file, not all."),
        (
            {"upload": True, "mode": "sync"},
            False,
            "sync responds when the batch has ended, which needs the records in the request.",
        ),
        (
            {"upload": True, "dedupe": True},
            False,
            "dedupe compares the file with earlier ones, and it is not uploaded yet.",
        ),
        (
            {"data": [{"name": "x"}] * (MAX_SYNC_RECORDS + 1), "mode": "sync"},
            False,
            "data has 1,001 records; sync accepts 1,000. Use the mode mixed or async.",
        ),
    ],
)
def test_the_records_come_from_one_place(
    body: dict[str, Any], has_file: bool, message: str
) -> None:
    [problem] = problems(has_file=has_file, resource="contact", **body)
    assert problem.message == message


def test_a_sync_batch_has_at_most_a_thousand_records() -> None:
    assert parse(data=[{"name": "x"}] * MAX_SYNC_RECORDS, mode="sync").spec.mode is Mode.SYNC


@pytest.mark.parametrize(
    ("options", "field", "message"),
    [
        (
            {"format": "xlsx", "compression": "gzip"},
            "compression",
            "xlsx files have built-in compression. Set compression to none.",
        ),
        (
            {"format": "jsonl", "csv": {"delimiter": ","}},
            "csv.delimiter",
            "jsonl files have no delimiter; only CSV files have one.",
        ),
        (
            {"csv": {"encoding": "utf-7"}},
            "csv.encoding",
            "'utf-7' is not an encoding. Did you mean 'utf-8'?",
        ),
        (
            {"format": "json", "csv": {"quote": "'"}},
            "csv.quote",
            "json files have no quote; only CSV files have one.",
        ),
        ({"csv": {"quote": "`"}}, "csv.quote", "'`' is not a valid quote."),
        ({"csv": {"delimiter": "::"}}, "csv.delimiter", "'::' is not a valid delimiter."),
    ],
)
def test_options_fit_the_format(options: dict[str, Any], field: str, message: str) -> None:
    problem = one_problem(has_file=True, **options)
    assert (problem.field, problem.message) == (field, message)


@pytest.mark.parametrize("name", ["latin-1", "UTF8", "utf-8-sig", "sjis", "mac_roman", "UTF-16"])
def test_an_encoding_may_have_any_of_its_names(name: str) -> None:
    encoding = of_file(csv={"encoding": name}).input.encoding
    assert encoding in ("iso8859-1", "utf-8", "shift_jis", "mac-roman", "utf-16")


def test_all_problems_are_reported_at_once() -> None:
    found = problems(
        resource="contact",
        action="delete",
        only="create",
        mode="fast",
        mapping={"a": "emial", "b": "nam"},
        properties={"phon": 1},
        timezone="Mars",
        shade="red",
    )
    assert {problem.field for problem in found} == {
        *("shade", "mapping.a", "mapping.b", "only", "properties.phon", "mode", "timezone"),
        "data",
    }


def test_a_preview_has_no_mode() -> None:
    spec, size = parse_preview({"resource": "contact", "file_size": 5_000_000}, BERLIN)
    assert (spec.mode, spec.dry_run, size) == (Mode.ASYNC, False, 5_000_000)
    with pytest.raises(InvalidInput, match="'mode' is not a field"):
        parse_preview({"resource": "contact", "mode": "sync"}, BERLIN)


def test_the_schema_describes_every_field() -> None:
    for body in (BATCH_BODY, PREVIEW_BODY):
        assert list(serializer_class(body)().fields) == list(body.names)


def test_resources_without_writable_columns_are_left_out() -> None:
    names = writable_resources()
    assert {"contact", "shipment", "order", "tag"} <= set(names)
    assert {"transaction", "dispute", "parcel"}.isdisjoint(names)
    for name in ("shipment", "tracker"):
        resource = registry.get(name)
        assert resource is not None
        assert (resource.actions, resource.required) == (("merge",), ("tracking_number",))


def test_a_saved_mapping_is_used_by_its_name(acme: Organization, globex: Organization) -> None:
    contact = registry.get("contact")
    assert contact is not None
    save(acme, contact, "Address book", {"Mail": "email", "Full name": "name"})
    body = {"resource": "contact", "data": DATA, "mapping_name": "Address book"}
    spec = parse_batch({**body, "mapping": {"Mail": None, "Tel": "phone"}}, acme).spec
    assert dict(spec.mapping) == {"Mail": None, "Full name": "name", "Tel": "phone"}
    # Another organization has no such mapping.
    with pytest.raises(InvalidInput, match="'Address book' is not a saved mapping of contact"):
        parse_batch(body, globex)
    with pytest.raises(InvalidInput, match="Did you mean 'Address book'"):
        parse_batch({**body, "mapping_name": "Adress book"}, acme)
    # A mapping belongs to one resource.
    with pytest.raises(InvalidInput, match="is not a saved mapping of group"):
        parse_batch({**body, "resource": "group"}, acme)


def test_a_saved_mapping_may_have_become_invalid(acme: Organization) -> None:
    contact = registry.get("contact")
    assert contact is not None
    mapping, _ = save(acme, contact, "Old", {"Mail": "email"})
    mapping.mapping = {"Mail": "mail_address"}
    mapping.save()
    with pytest.raises(InvalidInput) as raised:
        parse_batch({"resource": "contact", "data": DATA, "mapping_name": "Old"}, acme)
    assert raised.value.problems[0].field == "mapping_name.Mail"


@pytest.mark.parametrize(
    ("attribute", "name"),
    [
        *(("key", "nope"), ("key", "articles"), ("writable", "nope"), ("writable", "id")),
        *(("writable_relations", "nope"), ("writable_relations", "organization")),
    ],
)
def test_a_declaration_with_a_name_that_a_batch_cannot_set_is_refused_by_name(
    attribute: str, name: str, own_registry: Registry
) -> None:
    fulfillment = own_registry.get("fulfillment")
    assert fulfillment is not None
    changes: dict[str, Any] = {"name": "wrong", "plural": "wrongs", attribute: (name,)}
    wrong = replace(fulfillment, **changes)
    own_registry.register(wrong)
    assert one_problem(resource="wrong").message == (
        f"A batch cannot write wrongs: {attribute} of the resource names {name!r}, which a batch "
        "cannot set: see `manage.py check`."
    )
    assert "wrong" not in writable_resources()
    # Other pages read the parts of every resource.
    expected = [] if attribute == "writable_relations" else ["articles"]
    assert list(Targets(wrong).parts) == expected
