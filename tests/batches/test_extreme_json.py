"""JSON at the limits of what parsers and the database take: a named error, or exact values."""

import json
from collections.abc import Callable
from typing import Any, cast

import pytest

from batches.models import BatchError
from longshore.database.texts import storable
from longshore.domains.logistics.models import Contact
from tests.batches.running import created, post_file
from tests.conftest import KeyClient
from tests.exports.conftest import storage

__all__ = ["storage"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]

LONG_KEY = "k" * 10_000


def nested(levels: int) -> str:
    return "[" * levels + "]" * levels


# A record, and the column and a part of the message of its error; None for one that is created.
RECORDS: dict[str, tuple[str, tuple[str, str] | None]] = {
    "deep metadata": (f'{{"name": "A", "metadata": {{"a": {nested(50)}}}}}', None),
    "too deep": (f'{{"name": "A", "metadata": {nested(100)}}}', ("", "more than 64 levels deep")),
    "far too deep": (f'{{"name": "A", "metadata": {nested(900)}}}', ("", "64 levels deep")),
    "large number": ('{"name": "A", "metadata": {"a": 1e22}}', None),
    "too large number": (
        '{"name": "A", "metadata": {"a": 1e400}}',
        ("metadata", "a number that is too large"),
    ),
    "number that is no number": ('{"name": "A", "metadata": NaN}', ("", "not valid JSON")),
    "key that occurs twice": ('{"name": "A", "name": "B"}', ("", 'a key twice: "name"')),
    "inner key that occurs twice": (
        '{"name": "A", "metadata": {"a": 1, "a": 2}}',
        ("", "a key twice"),
    ),
    "pair of surrogates": ('{"name": "\\ud83d\\ude00"}', None),
    "half of a pair": ('{"name": "\\ud83d"}', ("name", "an unpaired surrogate")),
    "half of a pair in a key": ('{"name": "A", "\\ude00": 1}', ("\ufffd", "an unpaired surrogate")),
    "long inner key": (f'{{"name": "A", "metadata": {{"{LONG_KEY}": 1}}}}', None),
}


@pytest.mark.parametrize("case", RECORDS)
def test_a_record_in_a_file(alice: KeyClient, case: str) -> None:
    record, error = RECORDS[case]
    content = f'{{"name": "first"}}\n{record}\n{{"name": "last"}}\n'
    batch = created(post_file(alice, content, "a.jsonl", mode="sync"))
    assert batch.status == "completed", batch.error
    found = list(BatchError.objects.values_list("row", "column", "message"))
    assert Contact.objects.count() == (3 if error is None else 2)
    if error is None:
        assert found == []
        contact = Contact.objects.exclude(name__in=("first", "last")).get()
        given = json.loads(record)
        assert (contact.name, contact.metadata) == (given["name"], given.get("metadata", {}))
    else:
        [(row, column, message)] = found
        assert (row, column) == (2, error[0])
        assert error[1] in message


@pytest.mark.parametrize("case", RECORDS)
def test_a_record_in_a_body(alice: KeyClient, case: str) -> None:
    record, error = RECORDS[case]
    body = f'{{"resource": "contact", "mode": "sync", "data": [{record}]}}'
    answer = alice.generic(
        "POST", "/v1/batches", cast("str", body.encode()), content_type="application/json"
    )
    if error is None:
        assert answer.status_code == 201, answer.content
        assert answer.json()["stats"]["created"] == 1, answer.content
    else:
        # A body is refused as a whole, before a batch exists.
        assert answer.status_code == 400, answer.content
        assert answer.json()["message"]
        assert not Contact.objects.exists()


def test_halves_of_pairs_after_backslashes(alice: KeyClient) -> None:
    high, low = "ud83d", "ude00"
    texts = [
        text
        for number in range(1, 5)
        for text in (
            "\\" * number + high,
            "\\" * number + low,
            "\\" * number + high + "\\" + low,
            "\\" + high + "\\" * number + low,
            "\\" * number + "u0000",
        )
    ]
    lines = [f'{{"name": "a{text}"}}' for text in texts]
    batch = created(post_file(alice, "\n".join(lines), "a.jsonl", mode="sync"))
    assert batch.status == "completed", batch.error
    names = [json.loads(line)["name"] for line in lines]
    assert set(Contact.objects.values_list("name", flat=True)) == set(filter(storable, names))
    found = list(BatchError.objects.order_by("row").values_list("row", "column"))
    refused = [row for row, name in enumerate(names, 1) if not storable(name)]
    assert 0 < len(refused) < len(names)
    assert found == [(row, "name") for row in refused]


def test_a_number_that_only_the_database_refuses(alice: KeyClient) -> None:
    data: list[dict[str, Any]] = [{"name": "A", "metadata": {"a": 10**400}}]
    shown = alice.post("/v1/batches", {"resource": "contact", "mode": "sync", "data": data}).json()
    [error] = alice.get(f"{shown['url']}/errors").json()["results"]
    assert (error["column"], error["code"]) == ("metadata", "out_of_range")


UNUSABLE: dict[str, tuple[Callable[[], str], str, str]] = {
    "long key": (
        lambda: f'{{"name": "A", "{LONG_KEY}": 1}}',
        "unknown_column",
        "(10,000 characters)",
    ),
    "2,000 columns": (
        lambda: json.dumps({f"c{number}": 1 for number in range(2_000)}),
        "invalid_input_file",
        "more than 1,598 different keys",
    ),
}


@pytest.mark.parametrize("case", UNUSABLE)
@pytest.mark.parametrize("way", ["file", "body", "preview"])
def test_keys_that_no_batch_can_use(alice: KeyClient, case: str, way: str) -> None:
    record, code, text = UNUSABLE[case]
    if way == "preview":
        parts = {"request": '{"resource": "contact"}', "file": f"[{record()}]"}
        content = multipart(parts)
        answer = alice.generic(
            "POST",
            "/v1/batches/preview",
            cast("str", content),
            content_type="multipart/form-data; boundary=b",
        )
        shown = answer.json()
        if code == "invalid_input_file":
            assert (answer.status_code, shown["error"]) == (422, code)
            assert text in shown["message"]
        else:
            assert answer.status_code == 200, shown
            assert [problem["error"] for problem in shown["problems"]] == [code]
        return
    if way == "body":
        body = {"resource": "contact", "mode": "sync", "data": [json.loads(record())]}
        shown = alice.post("/v1/batches", body).json()
    else:
        shown = post_file(alice, record(), "a.jsonl", mode="sync").json()
    assert (shown["status"], shown["error"]["error"]) == ("failed", code)
    assert text in shown["error"]["message"]
    assert len(shown["error"]["message"]) < 1_000


def multipart(parts: dict[str, str]) -> bytes:
    blocks = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"'
        + ('; filename="a.json"' if name == "file" else "")
        + f"\r\n\r\n{content}\r\n"
        for name, content in parts.items()
    ]
    return ("".join(blocks) + "--b--\r\n").encode()


@pytest.mark.parametrize("case", RECORDS)
def test_a_preview_of_a_record(alice: KeyClient, case: str) -> None:
    record, error = RECORDS[case]
    parts = {"request": '{"resource": "contact"}', "file": f'[{{"name": "first"}},\n{record}]'}
    answer = alice.generic(
        "POST",
        "/v1/batches/preview",
        cast("str", multipart(parts)),
        content_type="multipart/form-data; boundary=b",
    )
    assert answer.status_code == 200, answer.content
    found = [(each["row"], each["column"]) for each in answer.json()["errors"]]
    assert found == ([] if error is None else [(2, error[0])])
