"""JSON Lines and JSON arrays, against the real PostgreSQL and Python's decoder."""

import json

import pytest

from batches.errors import BatchErrorCode
from batches.parsing.errors import InputError
from batches.parsing.json_arrays import ArrayLines
from batches.spec import InputFormat
from batches.targets import Target
from longshore.resources.columns import Column, ColumnType
from tests.batches.parsed import opened, staged

pytestmark = pytest.mark.django_db


def target(name: str, kind: ColumnType = ColumnType.TEXT) -> Target:
    return Target(name, Column(name, kind, "{row}.x", field=name))


def test_json_lines() -> None:
    content = b'{"a": 1.50, "b": "x", "c": [1, "2"]}\n\r\n{"b": null, "a": true}\r\n{}\n'
    source = opened(content)
    assert source.headers() == ["a", "b", "c"]
    assert source.detected.format is InputFormat.JSONL
    found = staged(source, [target("a"), target("b"), target("c", ColumnType.LIST)])
    assert found.rows == {
        1: ["1.50", "x", '[1, "2"]'],
        2: ["true", None, None],
        3: [None, None, None],
    }
    assert found.absent == {2: [2], 3: [0, 1, 2]}
    assert not found.malformed


def test_values_of_json_targets_keep_their_quotes() -> None:
    content = b'{"a": "x", "b": "x"}\n{"a": null, "b": {"y": [2]}}\n'
    found = staged(opened(content), [target("a", ColumnType.JSON), None])
    assert found.rows == {1: ['"x"', "x"], 2: [None, '{"y": [2]}']}


def test_malformed_records() -> None:
    deep = "[" * 100 + "]" * 100
    lines = [
        '{"a": 1}',
        '{"a": }',
        "[1]",
        '{"a": 1, "b": {"c": 1, "c": 2}}',
        '{"a": 1, "a": 2}',
        '{"a": "\\u0000"}',
        '{"a": {"b": 1}}',
        f'{{"a": {deep}}}',
        '{"a": "\x02"}',
        '{"a": "\x01"}',
        '{"a": "\\ud800"}',
        "null",
        '{"a": ' + "[" * 60 + "]" * 60 + "}",
        '{"a": 2}',
    ]
    found = staged(opened("\n".join(lines).encode()), [target("a"), None])
    assert found.rows == {1: ["1", None], 14: ["2", None]}
    assert found.sources == {
        number: line for number, line in enumerate(lines, 1) if number not in (1, 14)
    }
    messages = {row: (column, code, message) for row, column, code, message in found.malformed}
    assert messages[3][2] == "The record must be a JSON object, not an array."
    assert messages[4][2] == "The record contains a key twice."
    assert messages[5][2] == 'The record contains a key twice: "a".'
    unstorable = "a contains a NUL character or an unpaired surrogate, which no text may contain."
    assert messages[6] == messages[11] == ("a", "malformed_row", unstorable)
    assert messages[7] == ("a", "invalid_type", "a takes a single value, not an object.")
    assert messages[8][2] == "The record is nested more than 64 levels deep."
    assert messages[13][1] == "invalid_type"
    assert found.parsed.malformed == 12


def test_late_headers_are_staged_by_a_second_call() -> None:
    lines = [{"a": number} for number in range(1_000)]
    source = opened("\n".join(map(json.dumps, [*lines, {"b": 2}, {"c": 3, "b": 1}])).encode())
    found = staged(source)
    assert source.headers() == ["a", "b", "c"]
    assert found.parsed.late_headers == ["b", "c"]
    assert (len(found.rows), found.absent) == (1_002, {1001: [0], 1002: [0]})
    found = staged(source)
    assert found.parsed.late_headers == []
    assert found.rows[1002] == [None, "1", "3"]


@pytest.mark.parametrize(
    "content",
    [
        '[{"a":1},\n{"a":"}],["},\n{"a":null}]',
        '[{"a": 1}, {"a": "}],["}, {"a": null}]\n',
        ' [ {"a"\n: 1 }\n,\n{"a": "}],["\n}, \r\n {"a":\r\nnull}\n]\n',
        '[{"a":1},{"a":"}],["},\n{"a":null}\n]',
    ],
)
@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_layouts_of_arrays(content: str, size: int) -> None:
    encoded = content.encode()
    blocks = [encoded[start : start + size] for start in range(0, len(encoded), size)]
    lines = b"".join(ArrayLines(blocks)).decode().split("\n")
    assert [json.loads(line) for line in lines if line] == json.loads(content)


def test_array() -> None:
    found = staged(opened(b'[{"a":1},\n{"a":"x"},5,,{"a":"b\nc"}\n]'))
    assert found.rows == {1: ["1"], 2: ["x"]}
    assert [row for row, *_ in found.malformed] == [3, 4, 5]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"a":1},\n{"a":2},', "not closed after 2 records"),
        ('[{"a":1},\n{"a":2', "not closed after 1 records"),
        ('[{"a":1}] x', "more text after the end of the array, which has 1 "),
        ('[{"a":1]}]', "brackets of record 1"),
        ('{\n "a": 1\n}', "JSON object of several lines"),
        ('[{"a":1},' + "[" * 100_000, "Record 2 is nested more than 1,000 levels"),
    ],
)
def test_refused_json(content: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        staged(opened(content.encode()))


@pytest.mark.parametrize("content", ["[]", " [ ] "])
def test_empty_array(content: str) -> None:
    with pytest.raises(InputError) as caught:
        staged(opened(content.encode()))
    assert caught.value.code is BatchErrorCode.EMPTY_INPUT


def test_characters_that_cannot_be_stored_are_named_by_their_keys() -> None:
    lines = [
        r'{"a": "\ud83d\ude00 \\u0000", "b": "\\\u0000"}',
        r'{"a": ["\udc00\ud800"], "b": {"c\u0000": 1}, "d": "\ud800\ud800\udc00"}',
        r'{"a\u0000": 1}',
        '{"a": 1e200000}',
        '{"a": "x\0"}',
        '{"a": 1}',
    ]
    found = staged(opened("\n".join(lines).encode()))
    assert list(found.rows) == [6]
    assert [each[:2] for each in found.malformed] == [
        *((1, "b"), (2, "a"), (2, "b"), (2, "d"), (3, "a\ufffd"), (4, "a"), (5, "")),
    ]
    assert "value overflows numeric format" in found.malformed[5][3]
    assert found.malformed[6][3] == "The record is not valid JSON: it contains a NUL character."
    assert found.parsed.malformed == 5


def test_a_nul_character_in_an_array() -> None:
    found = staged(opened(b'[{"a":1},\n{"a":"\0"},{"a":2}]'))
    assert list(found.rows) == [1, 3]
    assert [row for row, *_ in found.malformed] == [2]
