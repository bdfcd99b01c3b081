"""Request bodies: valid JSON objects are accepted; ambiguous or large ones are refused."""

import contextlib
import io
import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from benchmarks.hostile import MAKERS, bodies
from longshore.api.errors import ApiError
from longshore.api.parsers import MAX_DEPTH, MAX_VALUES, BoundedJSONParser
from tests.conftest import KeyClient

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.accounts.urls")]


def post(client: KeyClient, body: str | bytes, content_type: str = "application/json") -> Any:
    return client.post("/v1/echo", body, content_type=content_type)


def refusal(client: KeyClient, body: str | bytes) -> Any:
    response = post(client, body)
    assert response.status_code == 400, response.content
    error = response.json()
    assert error["error"] == "invalid_request"
    return error


@pytest.mark.slow
@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"]
)
def test_an_object_is_accepted(alice: KeyClient, content_type: str) -> None:
    data = {"a": [1, 2.5, -1e3, None, True, {"é": "日本語 🚚"}], "b": {}}
    assert post(alice, json.dumps(data), content_type).json() == data


def test_a_byte_order_mark_is_accepted(alice: KeyClient) -> None:
    assert post(alice, b'\xef\xbb\xbf{"a": 1}').json() == {"a": 1}


def test_no_body_is_an_empty_object(alice: KeyClient) -> None:
    assert alice.post("/v1/echo").json() == {}


def test_a_body_over_the_size_limit_is_refused(alice: KeyClient, settings: Settings) -> None:
    settings.API_MAX_BODY_BYTES = 100
    body = json.dumps({"a": "x" * 91})
    assert len(body) == 100
    assert post(alice, body).status_code == 200
    response = post(alice, body + " ")
    assert response.status_code == 413
    assert response.json() == {
        "error": "request_too_large",
        "message": "The body is larger than 100 bytes.",
        "details": {"maximum": 100},
    }


def test_five_megabytes_are_refused_by_default(alice: KeyClient) -> None:
    assert post(alice, json.dumps({"a": "x" * 5_000_000})).status_code == 413


def test_at_most_one_byte_over_the_limit_is_read(settings: Settings) -> None:
    settings.API_MAX_BODY_BYTES = 1000
    stream = io.BytesIO(b"x" * 1_000_000)
    with pytest.raises(ApiError, match="larger than 1000 bytes"):
        BoundedJSONParser().parse(stream)
    assert stream.tell() == 1001


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "line", "column"),
    [
        ("{", 1, 2),
        ("not json", 1, 1),
        ('{"a": 1,\n "b": }', 2, 7),
        ('{"a": 1} {"b": 2}', 1, 10),
        ("{'a': 1}", 1, 2),
        ('{"a": "line\nbreak"}', 1, 12),
        ('{"a": 01}', 1, 8),
        (" ", 1, 2),
    ],
)
def test_malformed_json_is_refused_with_its_position(
    alice: KeyClient, body: str, line: int, column: int
) -> None:
    error = refusal(alice, body)
    assert error["details"] == {"line": line, "column": column}
    assert error["message"].startswith("The body is not valid JSON: ")
    assert error["message"].endswith(f": line {line}, column {column}.")


@pytest.mark.slow
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_a_number_that_is_not_finite_is_refused(alice: KeyClient, number: str) -> None:
    assert number in refusal(alice, f'{{"a": {number}}}')["message"]


def test_a_number_of_five_thousand_digits_is_refused(alice: KeyClient) -> None:
    error = refusal(alice, f'{{"a": {"9" * 5000}}}')
    assert error["message"] == "The body contains a number with too many digits."


@pytest.mark.slow
@pytest.mark.parametrize("body", [b'{"a": "\xff"}', '{"a": 1}'.encode("utf-16"), b'{"a": "\xe9"}'])
def test_a_body_that_is_not_utf_8_is_refused(alice: KeyClient, body: bytes) -> None:
    error = refusal(alice, body)
    assert error["message"].startswith("The body is not UTF-8")
    assert error["details"]["byte"] in (0, 7)


def test_a_repeated_key_is_refused(alice: KeyClient) -> None:
    error = refusal(alice, '{"options": {"limit": 1, "status": "a", "limit": 2}}')
    assert error["message"] == "The key limit occurs twice in one object."
    assert error["details"]["problems"][0]["field"] == "limit"


@pytest.mark.slow
@pytest.mark.parametrize("escape", ["\\u0000", "\\ud800", "\\udfff", "x\\udc00\\ud800"])
def test_a_string_that_cannot_be_stored_is_refused(alice: KeyClient, escape: str) -> None:
    error = refusal(alice, f'{{"options": [{{"name": "a{escape}b"}}]}}')
    assert error["message"] == "options.0.name contains a NUL character or an unpaired surrogate."
    assert error["details"]["problems"][0]["field"] == "options.0.name"


@pytest.mark.parametrize("escape", ["\\u0000", "\\ud800"])
def test_a_key_that_cannot_be_stored_is_refused(alice: KeyClient, escape: str) -> None:
    for body in (f'{{"{escape}": 1}}', f'{{"{escape}": 1, "{escape}": 2}}'):
        error = refusal(alice, body)
        assert error["message"] == "A key contains a NUL character or an unpaired surrogate."


def test_an_escaped_backslash_before_u0000_is_accepted(alice: KeyClient) -> None:
    assert post(alice, '{"a": "\\\\u0000", "b": "\\ud83d\\ude00"}').json() == {
        "a": "\\u0000",
        "b": "😀",
    }


def test_deep_nesting_is_refused(alice: KeyClient) -> None:
    def nested(levels: int) -> str:
        return '{"a":' * levels + "1" + "}" * levels

    assert post(alice, nested(MAX_DEPTH)).status_code == 200
    for body in (
        nested(MAX_DEPTH + 1),
        nested(20_000),
        f'{{"a": {"[" * MAX_DEPTH}{"]" * MAX_DEPTH}}}',
        f'{{"a": {"[" * 40_000}',
    ):
        assert refusal(alice, body)["message"] == (
            f"The body is nested more than {MAX_DEPTH} levels deep."
        )


@pytest.mark.slow
def test_more_than_the_maximum_of_values_is_refused(alice: KeyClient) -> None:
    def body(values: int) -> str:
        # The outermost object has two members.
        return json.dumps({"text": "," * 200_000 + '\\"[{', "list": [0] * (values - 2)})

    assert post(alice, body(MAX_VALUES)).status_code == 200
    assert refusal(alice, body(MAX_VALUES + 1))["details"]["problems"][0]["accepted"] == (
        f"at most {MAX_VALUES:,} members and elements in all objects and arrays"
    )
    for separated in ("0", "[]", "{}", '"a"', '"\\\\"', '""""', "[["):
        refused = refusal(alice, f'{{"a": [{",".join([separated] * (MAX_VALUES + 1))}')
        assert refused["message"] == f"The body contains more than {MAX_VALUES:,} values."


@pytest.mark.slow
def test_hostile_bodies_need_little_memory_and_have_short_responses() -> None:
    parser = BoundedJSONParser()
    errors = []
    tracemalloc.start()
    try:
        for body in bodies(seed=1, count=5 * len(MAKERS)):
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            with contextlib.suppress(ApiError):
                parser.parse(io.BytesIO(body))
            _, peak = tracemalloc.get_traced_memory()
            assert peak - before < 15_000_000, body[:200]
        for body in (b'{"%s": [%s]}' % (b"k" * 20_000, b"0," * 20_000 + b'"\\u0000"'),):
            tracemalloc.reset_peak()
            with pytest.raises(ApiError) as refused:
                parser.parse(io.BytesIO(body))
            assert tracemalloc.get_traced_memory()[1] < 5_000_000
            errors.append(json.dumps(refused.value.as_json()))
    finally:
        tracemalloc.stop()
    assert all(len(error) < 2_000 and "20,006 characters" in error for error in errors)


def test_a_long_repeated_key_is_shortened_in_the_error(alice: KeyClient) -> None:
    key = "k" * 400_000
    error = refusal(alice, f'{{"{key}": 1, "{key}": 2}}')
    assert error["message"] == (
        f"The key {'k' * 200}… (400,000 characters) occurs twice in one object."
    )
    assert len(json.dumps(error)) < 2_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("[]", "an array"),
        ('"shipment"', "a string"),
        ("12", "a number"),
        ("1.5", "a number"),
        ("true", "a boolean"),
        ("null", "null"),
    ],
)
def test_a_body_that_is_not_an_object_is_refused(alice: KeyClient, body: str, kind: str) -> None:
    error = refusal(alice, body)
    assert error["message"] == f"The body must be a JSON object, not {kind}."
    assert error["details"]["problems"][0]["accepted"] == "a JSON object"


@pytest.mark.slow
@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "json",
        "; charset=utf-8",
    ],
)
def test_another_content_type_is_refused(alice: KeyClient, content_type: str) -> None:
    response = post(alice, '{"a": 1}', content_type)
    assert response.status_code == 415
    assert response.json() == {
        "error": "unsupported_media_type",
        "message": "Send the body as application/json.",
        "details": {"content_type": content_type, "accepted": ["application/json"]},
    }


@pytest.mark.slow
def test_a_body_without_a_content_type_is_refused(alice: KeyClient) -> None:
    response = alice.generic("POST", "/v1/echo", '{"a": 1}', content_type="")
    assert response.status_code == 415


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec=None)), inner),
)


@given(st.dictionaries(st.text(), json_values).map(json.dumps) | json_values.map(json.dumps))
def test_every_parsed_body_can_be_stored_and_returned(body: str) -> None:
    try:
        data = BoundedJSONParser().parse(io.BytesIO(body.encode()))
    except ApiError as error:
        json.dumps(error.as_json(), ensure_ascii=False, allow_nan=False).encode()
    else:
        assert data == json.loads(body)
        assert "\\u0000" not in json.dumps(data).replace("\\\\", "")
        json.dumps(data, ensure_ascii=False, allow_nan=False).encode()


@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_or_refused(body: bytes) -> None:
    try:
        BoundedJSONParser().parse(io.BytesIO(body))
    except ApiError as error:
        json.dumps(error.as_json(), ensure_ascii=False).encode()
