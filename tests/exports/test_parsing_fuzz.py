"""Any body is parsed or refused, and every parsed body can be executed."""

import json
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from exports.lifecycle import creation
from exports.request.body import EXPORT_BODY, OUTPUT_OPTIONS
from exports.request.parser import parse_export
from exports.spec import ExportSpec
from exports.sql.compiler import compile_export
from longshore.accounts.models import Organization
from longshore.api.errors import InvalidInput
from longshore.resources.comparisons import Operator
from longshore.resources.errors import ResourceErrorCode
from longshore.resources.filters import filter_names
from longshore.resources.matchers import MATCHERS
from longshore.resources.registry import registry
from longshore.resources.timezones import TIMEZONES
from tests.factories import ShipmentFactory

SHIPMENT = registry.get("shipment")
assert SHIPMENT is not None
EVIL = (
    *(
        "'",
        '"',
        "''; DROP TABLE longshore_logistics_shipment; --",
        "\\",
        "\\'",
        "/*",
        "*/ OR 1=1 --",
        "%",
        "%s",
    ),
    *(
        "%(x)s",
        "{",
        "}",
        "{0}",
        "{row}",
        "$1",
        "$$",
        "E'\\x27'",
        "\r\n",
        "\u2028",
        "é",
        "📦",
        "\x01",
    ),
    *("a.b", "a,b", "{a,b}", "[0]", "$.a", "\0", "\ud800", " ", "-", "null", "NaN", "infinity"),
)

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=10)
    | st.sampled_from(EVIL),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
evil = st.sampled_from(EVIL)
names = st.sampled_from([*filter_names(SHIPMENT), "location.name", "statuses"]) | evil
keys = names | st.builds("metadata.{}".format, evil | st.text(max_size=5))
values = (
    anything
    | st.builds("{}:{}".format, st.sampled_from([*Operator]), evil | st.integers() | st.dates())
    | st.builds("{}:{},{}".format, st.sampled_from([*Operator]), st.dates(), st.dates())
)
options = st.dictionaries(
    keys | st.sampled_from(["limit", "order_by", "direction"]), values, max_size=4
)
attributes = st.sampled_from(
    [*SHIPMENT.columns_by_name, "location_name", "destination_contact_groups_id", "a_or_b"]
)
predicates = st.dictionaries(
    st.builds("{}_{}".format, attributes | evil, st.sampled_from([*MATCHERS]) | evil)
    | st.builds("{}_or_{}_{}".format, attributes, attributes, st.sampled_from([*MATCHERS])),
    anything | evil | st.integers() | st.booleans() | st.dates().map(str) | st.lists(evil),
    max_size=4,
)
columns = st.dictionaries(names, st.booleans() | evil | st.text(max_size=8), max_size=4)
output = st.fixed_dictionaries(
    {},
    optional={
        "timezone": st.sampled_from(["UTC", "Asia/Kathmandu"]) | anything,
        "datetime_format": st.builds("yyyy{}".format, evil) | anything,
        "columns": columns | st.lists(names, max_size=4) | anything,
        "column_order": st.lists(names, max_size=3) | anything,
        "properties": st.just("merge") | anything,
    },
)
steps = st.sampled_from([*SHIPMENT.includable, *SHIPMENT.columns_by_name, "*", "location.*"]) | evil
paths = steps | st.builds("{}.{}".format, steps, steps)
known_names = st.sampled_from([*EXPORT_BODY.names, *OUTPUT_OPTIONS.names])
wild = st.dictionaries(known_names | evil, anything, max_size=5)
likely = st.fixed_dictionaries(
    {"resource": st.just("shipment")},
    optional={
        "format": st.sampled_from(["csv", "json", "jsonl"]),
        "compression": st.sampled_from(["none", "gzip"]),
        "options": options,
        "filters": predicates,
        "includes": st.lists(paths, max_size=3) | anything,
        "fields": st.lists(paths, max_size=3) | anything,
        "dry_data": st.booleans() | anything,
        "csv_field_options": output,
    },
)
one_filter = st.builds(
    lambda key, value: {"resource": "shipment", "options": {key: value}}, keys, values
)
one_predicate = predicates.map(lambda filters: {"resource": "shipment", "filters": filters})


@pytest.mark.django_db
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=likely | one_filter | one_predicate | wild)
@example(body={"resource": "shipment", "options": {"metadata.a'b\\": "equals:'; --"}})
@example(body={"resource": "shipment", "options": {"amount": "lt:1e307", "fee": "gt:-1e307"}})
@example(body={"resource": "shipment", "options": {"created_at": "gt:0001-01-01"}})
@example(body={"resource": "shipment", "options": {"created_at": -62135596800}})
@example(body={"resource": "shipment", "options": {"metadata": {"a": 1e308}}})
def test_any_body_is_refused_or_can_be_executed(body: dict[str, Any]) -> None:
    spec = parsed(body)
    if isinstance(spec, InvalidInput):
        assert spec.status == 400
        assert spec.problems
        assert all(problem.field and problem.message for problem in spec.problems)
        return
    assert type(spec).from_json(json.loads(json.dumps(spec.to_json()))) == spec
    assert creation.count_rows(spec, "org_nobody") == 0
    assert copy_rows(body) == []


def parsed(body: dict[str, Any]) -> ExportSpec | InvalidInput:
    try:
        return parse_export(body)
    except InvalidInput as invalid:
        return invalid


def copy_rows(body: dict[str, Any], organization_id: str = "org_nobody") -> list[bytes]:
    """Return the rows of an export, read through the connection of the test."""
    statement = compile_export(parse_export(body), organization_id)
    with connection.cursor() as wrapper:
        for name, value in statement.settings.items():
            wrapper.execute("SELECT set_config(%s, %s, true)", [name, value])
        with wrapper.cursor.copy(statement.copy) as copy:
            return [bytes(row) for row in copy]


@pytest.mark.django_db
@pytest.mark.parametrize("text", [text for text in EVIL if text not in ("\0", "\ud800")])
def test_no_text_is_interpreted_as_sql(text: str, acme: Organization) -> None:
    ShipmentFactory(organization=acme, id="match", notes=text, metadata={text: text}, tags=[text])
    ShipmentFactory(organization=acme, id="other")
    chosen: dict[str, Any] = {"id": text.strip() or "x", "notes": f"{text}!"}
    body: dict[str, Any] = {
        "resource": "shipment",
        "format": "jsonl",
        "options": {"notes": f"equals:{text}", "tags": [text], "metadata": {text: text}},
        "csv_field_options": {
            "columns": chosen,
        },
    }
    quoted = text.replace('"', '""')
    body["options"][f'metadata."{quoted}"'] = f"equals:{text}"
    if not {".", '"'} & set(text):
        body["options"][f"metadata.{text}"] = f"equals:{text}"
    if text != "\x01":  # Patterns hold no control characters.
        pattern = "'" + text.replace("'", "''") + "'yyyy"
        body["csv_field_options"]["datetime_format"] = pattern
    assert [list(json.loads(row).items()) for row in copy_rows(body, acme.pk)] == [
        [(chosen["id"], "match"), (chosen["notes"], text)]
    ]
    body["options"] = {"notes": f"not_equals:{text}"}
    assert len(copy_rows(body, acme.pk)) == 1
    body |= {"options": {}, "filters": {f"notes_{each}": text for each in ("eq", "cont", "start")}}
    body["filters"] |= {"notes_in": [text], "notes_end_any": [text], "metadata_jcont": {text: text}}
    assert len(copy_rows(body, acme.pk)) == 1


@pytest.mark.django_db
def test_a_zone_unknown_to_postgresql_is_refused() -> None:
    spec = replace(parse_export({"resource": "shipment"}), timezone="Moon/Tranquility")
    with pytest.raises(InvalidInput) as raised:
        creation.count_rows(spec, "org_nobody")
    (problem,) = raised.value.problems
    assert problem.code is ResourceErrorCode.INVALID_TIMEZONE
    assert problem.field == "csv_field_options.timezone"
    assert problem.value == "Moon/Tranquility"


@pytest.mark.django_db
def test_every_accepted_zone_is_known_to_postgresql() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_timezone_names")
        assert not TIMEZONES - {row[0] for row in cursor.fetchall()}
