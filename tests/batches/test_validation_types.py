"""Conversions of cells: each type, its limits and its sentences."""

import base64
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import sql

from batches.spec import InputOptions
from batches.validation import distinct
from batches.validation.catalog import unique_indexes
from batches.validation.conversion import CellForm
from batches.validation.merged import split
from exports.sql.merging import MERGED_LIST
from longshore.accounts.models import Organization
from longshore.files.datetime_patterns import InvalidPattern, pattern_sql
from longshore.files.datetime_reading import check_readable, inverted
from tests.batches.specimens import SPECIMEN, Specimen, specimens
from tests.batches.staged import Attempt, stage
from tests.samples import SAMPLE

__all__ = ["specimens"]


def stage_samples(
    organization: Organization, header: Sequence[str], rows: Sequence[Sequence[Any]], **spec: Any
) -> Attempt:
    """Validate rows that create samples, whose keys have no default."""
    numbered = [[str(number), *row] for number, row in enumerate(rows, 1)]
    return stage(organization, SAMPLE, ["id", *header], numbered, **spec)


def read(
    organization: Organization, column: str, *cells: str | None, **spec: Any
) -> tuple[list[Any], list[tuple[str, str]]]:
    """Return the values of a column, and the errors as code and message."""
    attempt = stage_samples(organization, [column], [[cell] for cell in cells], **spec)
    return [row[column] for row in attempt.typed()], [error[2:] for error in attempt.errors]


@pytest.fixture
def org(acme: Organization, samples: None) -> Organization:
    return acme


def test_integers(org: Organization) -> None:
    good = ["0", "-5", "+7", " 8 ", "9.0", str(2**63 - 1), None, ""]
    assert read(org, "integer", *good) == ([0, -5, 7, 8, 9, 2**63 - 1, None, None], [])
    _, errors = read(org, "integer", "x", "1.5", "0x1F", "1_000", "1e3", str(2**63), "NaN")
    assert [code for code, _ in errors] == ["invalid_type"] * 5 + ["out_of_range", "invalid_type"]
    assert errors[0][1] == "'x' is not a valid value of integer. Accepted: a whole number."


def test_decimals_are_never_rounded(org: Organization) -> None:
    values, errors = read(org, "decimal", "1.5", ".5", "1e3", "1.10000000000000", "-0.0000000001")
    assert errors == []
    assert [Decimal(str(value)) for value in values[:4]] == [
        *(Decimal("1.5"), Decimal("0.5"), Decimal(1000), Decimal("1.1")),
    ]
    _, errors = read(org, "decimal", "1.12345678901", "1" * 21, "NaN", "1,5", "1.2.3", "1e99999")
    assert [code for code, _ in errors] == [
        *("invalid_value", "out_of_range", "invalid_type", "invalid_type", "invalid_type"),
        "out_of_range",
    ]
    options = InputOptions(decimal_separator=",")
    values, errors = read(org, "decimal", "1,5", "1.5", input=options)
    assert values == [1.5]
    assert [code for code, _ in errors] == ["invalid_type"]


def test_floats_as_exports_write_them(org: Organization) -> None:
    values, errors = read(org, "float", "1.5", "NaN", "Infinity", "-Infinity", "1e-5", "-0")
    assert errors == []
    assert values[0] == 1.5
    assert values[1:4] == ["NaN", "Infinity", "-Infinity"]
    _, errors = read(org, "float", "1e400", "x", "0x10")
    assert [code for code, _ in errors] == ["out_of_range", "invalid_type", "invalid_type"]


def test_dates_and_durations_that_django_cannot_read_are_refused(
    org: Organization,
) -> None:
    dates = ["infinity", "-infinity", "-0043-03-15", "0000-01-01", "10000-01-01"]
    values, errors = read(org, "date", *dates)
    accepted = "is not a valid value of date. Accepted: a date such as 2024-12-25."
    assert errors == [("invalid_type", f"'{each}' {accepted}") for each in dates]
    _, errors = read(org, "datetime", *(each.removesuffix("Z") for each in dates))
    accepted = (
        "is not a valid value of datetime. Accepted: a datetime such as 2024-12-25T14:30:00Z."
    )
    assert errors == [("invalid_type", f"'{each}' {accepted}") for each in dates]
    # The limits are those of the moment in UTC.
    edges = ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59.999999-01:00"]
    assert [code for code, _ in read(org, "datetime", *edges)[1]] == ["invalid_type"] * 2
    edges = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"]
    assert read(org, "datetime", *edges)[1] == []
    for pattern, text in (
        ("y-MM-dd", "12024-01-01"),
        ("yyyy-MM-dd", "-0043-01-01"),
        ("yyyy-MM-dd", "0000-01-01"),
        ("dd.MM.yyyy G", "01.01.0044 BC"),
    ):
        for column in ("date", "datetime"):
            _, errors = read(org, column, text, input=InputOptions(datetime_format=pattern))
            assert [code for code, _ in errors] == ["invalid_type"], (pattern, column)
    long = ["999999999 days", "1000000000 days", "-999999999 days", "1 mon", "P1Y", "infinity"]
    values, errors = read(org, "duration", *long)
    assert len(values) == 2
    assert [code for code, _ in errors] == ["invalid_type"] * 4


def test_booleans(org: Organization) -> None:
    values, errors = read(org, "boolean", "TRUE", "t", "1", "Yes", "false", "F", "0", "no", None)
    assert values == [True] * 4 + [False] * 4 + [None]
    assert errors == []
    assert read(org, "boolean", "2")[1][0][0] == "invalid_type"


def test_dates(org: Organization) -> None:
    good = ["2024-02-29", "2024-02-29T00:00:00", "0001-01-01", "9999-12-31"]
    values, errors = read(org, "date", *good)
    assert errors == []
    assert values == ["2024-02-29", "2024-02-29", "0001-01-01", "9999-12-31"]
    _, errors = read(org, "date", "2023-02-29", "20240229", "01/02/2024", "2024-01-01T12:00", "x")
    assert [code for code, _ in errors] == [
        *("invalid_type", "invalid_type", "ambiguous_date", "invalid_type", "invalid_type"),
    ]
    options = InputOptions(datetime_format="dd/MM/yyyy")
    values, errors = read(org, "date", "01/02/2024", "2024-03-01", "13/13/2024", input=options)
    assert values == ["2024-02-01", "2024-03-01"]
    assert [code for code, _ in errors] == ["invalid_type"]


def moments(values: list[Any]) -> list[datetime]:
    return [datetime.fromisoformat(value).astimezone(ZoneInfo("UTC")) for value in values]


def test_datetimes(org: Organization) -> None:
    options = InputOptions(timezone="Europe/Oslo")
    good = [
        *("2024-07-01T12:00:00Z", "2024-07-01T12:00:00+05:30", "2024-07-01 12:00"),
        *("2024-01-01", "2024-01-01T10:00:00.123456000", "2024-01-01T10:00:00,5-0300"),
        *("2024-03-31T02:30:00", "2024-10-27T02:30:00"),
    ]
    values, errors = read(org, "datetime", *good, input=options)
    assert errors == []
    utc = [moment.strftime("%m-%d %H:%M:%S.%f") for moment in moments(values)]
    assert utc == [
        *("07-01 12:00:00.000000", "07-01 06:30:00.000000", "07-01 10:00:00.000000"),
        *("12-31 23:00:00.000000", "01-01 09:00:00.123456", "01-01 13:00:00.500000"),
        *("03-31 01:30:00.000000", "10-27 01:30:00.000000"),
    ]
    bad = [
        *("2024-01-01T25:00", "2024-01-01T10:60", "2024-01-01T10:00:60", "2024-02-30T10:00"),
        *("2024-01-01T10:00:00.1234567", "01/02/2024 10:00", "2024-01-01 10:00 Oslo", "1700000000"),
    ]
    _, errors = read(org, "datetime", *bad, input=options)
    assert [code for code, _ in errors] == ["invalid_type"] * 5 + ["ambiguous_date"] + [
        *("invalid_type", "invalid_type"),
    ]


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("dd.MM.yyyy HH:mm", "31.12.2024 23:59", "2024-12-31T22:59:00"),
        ("MM/dd/yy", "07/04/24", "2024-07-03T22:00:00"),
        ("d MMM yyyy h:mm a", "5 Jan 2024 12:05 am", "2024-01-04T23:05:00"),
        ("d MMMM yyyy K:mm aaaaa", "5 September 2024 0:05 p", "2024-09-05T10:05:00"),
        ("yyyyMMddHHmmss", "20240105101112", "2024-01-05T09:11:12"),
        ("EEEE, d.M.y k:mm", "Friday, 5.1.2024 24:10", "2024-01-04T23:10:00"),
        ("yyyy-MM-dd HH:mm:ss.SSS Z", "2024-01-05 10:00:00.250 +0500", "2024-01-05T05:00:00.250"),
        ("yyyy-DDD HH:mm", "2024-366 10:00", "2024-12-31T09:00:00"),
        ("D.yy", "60.23", "2023-02-28T23:00:00"),
        ("yyyy-MM-dd'T'HH:mmX", "2024-01-05T10:00Z", "2024-01-05T10:00:00"),
        ("yyyy-MM-dd HH:mm ZZZZ", "2024-01-05 10:00 GMT+02:00", "2024-01-05T08:00:00"),
        ("yyyy-MM-dd HH:mm VV", "2024-01-05 10:00 America/New_York", "2024-01-05T15:00:00"),
    ],
)
def test_patterns(org: Organization, pattern: str, text: str, expected: str) -> None:
    options = InputOptions(timezone="Europe/Oslo", datetime_format=pattern)
    values, errors = read(org, "datetime", text, "2024", input=options)
    assert [code for code, _ in errors] == ["invalid_type"]
    found = moments(values)[0].replace(tzinfo=None).isoformat()
    assert datetime.fromisoformat(found) == datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    ("pattern", "part"),
    [
        *(("yyyy-MM-dd z", "z"), ("YYYY-'W'ww", "YYYY"), ("yyyy-MM", "yyyy-MM")),
        *(("yyyy-MM-dd h:mm", "h"), ("yMd", "y"), ("yyyy Q", "Q"), ("yyyy-MMMMM-dd", "MMMMM")),
    ],
)
def test_unreadable_patterns_are_refused_by_name(pattern: str, part: str) -> None:
    with pytest.raises(InvalidPattern) as raised:
        check_readable(pattern)
    assert raised.value.part == part


@pytest.mark.django_db
@given(
    moment=st.datetimes(datetime(1900, 1, 1), datetime(9999, 12, 30)),
    pattern=st.sampled_from(
        [
            *(
                "yyyy-MM-dd HH:mm:ss.SSSSSSxxx",
                "EEE d MMM y h:mm:ss.SSSSSS a xx",
                "yyyyMMddHHmmssX",
            ),
            *("dd/MM/yyyy HH:mm:ss.SSS XXX", "EEEEEE, MMMM d, yyyy G kk:mm:ss ZZZZ"),
        ]
    ),
)
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
def test_a_pattern_reads_what_it_writes(moment: datetime, pattern: str) -> None:
    timestamp = sql.SQL("{}::timestamptz").format(sql.Literal(f"{moment.isoformat()}+00:00"))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL TimeZone = 'Asia/Tokyo'")
        cursor.execute(
            sql.SQL("SELECT {}").format(pattern_sql(pattern, timestamp, "Asia/Tokyo")).as_string()
        )
        (text,) = cursor.fetchone()
        read_back = sql.SQL("{}::timestamptz").format(inverted(pattern, sql.Literal(text)).moment)
        written = pattern_sql(pattern, read_back, "Asia/Tokyo")
        cursor.execute(sql.SQL("SELECT {}").format(written).as_string())
        assert cursor.fetchone() == (text,)


def test_other_scalars(org: Organization) -> None:
    key = "0f2c1d3e-aaaa-4bbb-8ccc-0123456789ab"
    assert read(org, "uuid", key, key.upper()) == ([key, key], [])
    assert read(org, "uuid", "x")[1][0][0] == "invalid_type"
    assert read(org, "address", "10.0.0.1", "::1") == (["10.0.0.1", "::1"], [])
    assert [code for code, _ in read(org, "address", "10.0.0.0/8", "x")[1]] == ["invalid_type"] * 2
    assert read(org, "duration", "1 day 02:00:00", "P1DT2H") == (["1 day 02:00:00"] * 2, [])
    assert read(org, "duration", "soon")[1][0][0] == "invalid_type"


def test_lists(org: Organization) -> None:
    cells = ["a, b", 'a,b,"c, ""d"""', "", None, " x,  y"]
    assert read(org, "list", *cells) == (
        [["a", "b"], ["a", "b", 'c, "d"'], [], None, [" x", " y"]],
        [],
    )
    assert read(org, "list", 'a"b', '"a')[1][0][0] == "invalid_value"
    assert read(org, "list", '["a", 1]', "[]", form=CellForm.JSON) == ([["a", "1"], []], [])
    bad = ["[[1]]", '{"a": 1}', "x", '"x"', "[null]", r'["\u0000"]']
    _, errors = read(org, "list", *bad, form=CellForm.JSON)
    assert [code for code, _ in errors] == [
        *("invalid_value",) * 4,
        *("missing_value", "invalid_value"),
    ]


@pytest.mark.django_db
@given(members=st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
@example(members=[])
@example(members=[""])
@example(members=["", ""])
@settings(max_examples=100, suppress_health_check=list(HealthCheck))
def test_a_merged_list_is_split_again(members: list[str]) -> None:
    merged = sql.SQL(MERGED_LIST).format(sql.SQL("{}::text[]").format(sql.Literal(members)))
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT {}").format(split(merged)).as_string())
        (found,) = cursor.fetchone()
    assert found == members


@pytest.mark.slow
def test_json(org: Organization) -> None:
    good = ['{"a": [1, null]}', "5", "true", '"x"', None, "", "null"]
    assert read(org, "json", *good) == ([{"a": [1, None]}, 5, True, "x", None, None, None], [])
    _, errors = read(org, "json", "{a: 1}", r'"\u0000"', "[" * 100_000 + "]" * 100_000)
    assert [code for code, _ in errors] == ["invalid_value"] * 3
    large = ["1" * 308, "1e308", "1e309", '{"a": [-1e400]}', '"' + "1" * 309 + '"']
    values, errors = read(org, "json", *large)
    assert len(values) == 3
    assert [code for code, _ in errors] == ["out_of_range"] * 2
    attempt = stage_samples(org, ["json.a"], [["1e400"]], form=CellForm.JSON)
    assert [error[1:3] for error in attempt.errors] == [("json", "out_of_range")]


def test_flattened_headers(org: Organization) -> None:
    header = ["json.a.b", "json.a.c", "json.n.0", "json.n.1", "json.k.7", "json", r"json.x\.y"]
    rows: list[list[str | None]] = [
        ["1", None, "p", "q", "s", None, "z"],
        [None] * 7,
        [None, "", None, "q", None, None, None],
        [None, None, None, None, None, "plain", None],
        ["1", None, None, None, None, "plain", None],
        ["{}", "[]", None, None, None, None, None],
    ]
    attempt = stage_samples(org, header, rows)
    assert [row["json"] for row in attempt.typed()] == [
        {"a": {"b": "1"}, "n": ["p", "q"], "k": {"7": "s"}, "x.y": "z"},
        None,
        {"a": {"c": ""}, "n": [None, "q"]},
        "plain",
        {"a": {"b": {}, "c": []}},
    ]
    assert [error[:3] for error in attempt.errors] == [(5, "json", "invalid_value")]
    lists = stage_samples(org, ["list.0", "list.1"], [["a", "b"], ["a", None], [None, None]])
    assert [row["list"] for row in lists.typed()] == [["a", "b"], ["a"], None]


def test_choices_lengths_and_validators(acme: Organization, specimens: None) -> None:
    header = ["code", "rank", "email", "site", "slug", "weight"]
    rows = [
        ["ab", "1", "a@example.com", "https://x.org", "abc", "1.00"],
        ["a", "3", "nobody", "nowhere", "ABC", "0.5"],
        ["abcdef", "x", None, None, "forbidden", "10000"],
        [None, None, "A@example.com", None, None, "1.005"],
    ]
    attempt = stage(acme, SPECIMEN, header, rows)
    found = {(error[0], error[1]): error[2:] for error in attempt.errors}
    assert {place: code for place, (code, _) in found.items()} == {
        (2, "code"): "invalid_value",
        (2, "rank"): "invalid_choice",
        (2, "weight"): "out_of_range",
        **{(2, name): "invalid_value" for name in ("email", "site", "slug")},
        (3, "code"): "too_long",
        (3, "rank"): "invalid_type",
        (3, "weight"): "out_of_range",
        (4, "code"): "missing_value",
        (4, "weight"): "invalid_value",
    }
    assert found[3, "code"][1] == "'abcdef' is too long for code: 6 characters; the maximum is 5."
    assert found[4, "weight"][1] == "'1.005' has more than 2 decimal places, the maximum of weight."
    only_python = [["ab", None, "nobody", "nowhere", "ABC", None]]
    errors = stage(acme, SPECIMEN, header, only_python).errors
    assert [(error[1], error[2]) for error in errors] == [
        *(("email", "invalid_value"), ("site", "invalid_value"), ("slug", "invalid_value")),
    ]
    assert errors[0][3] == "'nobody' is not a valid value of email. Enter a valid email address."
    rules = stage(acme, SPECIMEN, ["code", "slug"], [["ab", "forbidden"], ["ab", None]])
    assert rules.errors == [(1, "slug", "rule_violated", "The slug is forbidden.")]
    generated = stage(acme, SPECIMEN, ["code", "serial"], [["ab", "42"], ["ab", "43"]])
    assert generated.errors == [(1, "serial", "rule_violated", "The size is taken.")]


def test_a_choice_is_suggested(acme: Organization) -> None:
    rows = [["1", "delivred"], ["2", "IN_TRANSIT"], ["3", "purple"], ["4", "lost"]]
    attempt = stage(acme, "shipment", ["tracking_number", "status"], rows)
    assert attempt.errors[0][3] == (
        "'delivred' is not a value of status. Did you mean 'delivered'?"
    )
    assert attempt.errors[1][3].endswith("Did you mean 'in_transit'?")
    assert "Values: created, pending, purchased" in attempt.errors[2][3]


def test_types_of_the_database(acme: Organization, specimens: None) -> None:
    header = ["code", "color", "at", "blob", "sizes", "labels", "attributes"]
    blob = base64.b64encode(b"x" * 80).decode()
    rows = [
        ["ab", "red", "10:00", f"{blob[:76]}\n{blob[76:]}", "1, 2", "a, b", "p, q"],
        ["ab", "blue", "24:00", "###", "1, x", "a, z", "[1, 2]"],
        ["ab", None, None, None, None, "a, b, a", None],
        ["ab", None, None, None, None, "aaaa", '[{"name": "x"}]'],
    ]
    attempt = stage(acme, SPECIMEN, header, rows)
    assert {(error[0], error[1]): error[2] for error in attempt.errors} == {
        **{(2, name): "invalid_type" for name in ("color", "at", "blob", "sizes")},
        (2, "labels"): "invalid_choice",
        (3, "labels"): "too_long",
        (4, "labels"): "too_long",
    }
    (row,) = attempt.typed()
    assert row["sizes"] == [1, 2]
    assert row["attributes"] == ["p", "q"]
    assert row["blob"] == "\\x" + "78" * 80


def test_validators_of_members_and_of_values_without_a_length_in_sql(
    acme: Organization, specimens: None
) -> None:
    header = ["code", "blob", "notes", "emails", "scores"]
    long = base64.b64encode(b"x" * 101).decode()
    short = base64.b64encode(b"x" * 100).decode()
    rows = [
        ["ab", long, "[1, 2, 3]", "a@example.com, nobody", "1, 0"],
        ["ab", short, "[1, 2]", "a@example.com, b@example.com", "1, 2"],
        ["ab", None, None, None, None],
    ]
    attempt = stage(acme, SPECIMEN, header, rows)
    assert {error[1]: (error[0], error[2]) for error in attempt.errors} == {
        **dict.fromkeys(header[1:], (1, "invalid_value")),
    }
    messages = {error[1]: error[3] for error in attempt.errors}
    assert messages["emails"].endswith(
        "is not a valid value of emails. Member 2: Enter a valid email address."
    )
    assert messages["scores"].endswith("Member 2: Ensure this value is greater than or equal to 1.")


def test_large_values_are_validated_in_small_blocks(
    acme: Organization, specimens: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def watched(*arguments: Any) -> Iterator[list[Any]]:
        for rows in blocks(*arguments):
            sizes.append(len(rows))
            yield rows

    blocks = distinct.blocks
    monkeypatch.setattr(distinct, "blocks", watched)
    monkeypatch.setattr(distinct, "BLOCKS", ((10, 5), (100, 2), ((1 << 31) - 1, 1)))
    lengths = [2] * 6 + [50] * 3 + [101, 200]
    texts = [f"{number:x}".ljust(length, "x") for number, length in enumerate(lengths)]
    stage(acme, SPECIMEN, ["code", "notes"], [["ab", f'"{text}"'] for text in texts])
    assert sizes == [5, 1, 2, 1, 1, 1]


def test_unique_expressions_do_not_identify_records(acme: Organization, specimens: None) -> None:
    with connection.cursor() as cursor:
        (index,) = unique_indexes(cursor.cursor, Specimen)
        assert index.columns == {"organization_id", "email"}
        assert index.plain_columns is None
        cursor.execute('CREATE UNIQUE INDEX ON tests_specimen (email, "level")')
        plain = unique_indexes(cursor.cursor, Specimen)
    assert frozenset({"email", "level"}) in [each.plain_columns for each in plain]


def test_defaults_from_python_and_unique_expressions(acme: Organization, specimens: None) -> None:
    Specimen.objects.create(organization=acme, code="ab", email="Taken@example.com")
    rows = [["ab", "taken@example.com"], ["ab", "b@x.org"], ["ab", "B@X.org"], ["ab", ""]]
    attempt = stage(acme, SPECIMEN, ["code", "email"], rows)
    assert [(error[0], error[2], error[3]) for error in attempt.errors] == [
        (1, "not_unique", "This e-mail address is taken."),
        (2, "not_unique", "Row 3 has the same email."),
        (3, "not_unique", "Row 2 has the same email."),
    ]
    (row,) = attempt.typed()
    assert attempt.validated.filled == ("serial",)
    assert isinstance(row["serial"], int)
    assert "size" not in attempt.validated.created
    assert attempt.validated.created["level"].as_string() == "7"
    assert len(attempt.plan()[0]["key"]) == 36


@pytest.mark.slow
def test_as_many_flattened_headers_as_a_table_has_columns(org: Organization) -> None:
    header = [f"json.{number:04}.a" for number in range(1_500)]
    attempt = stage_samples(org, header, [["x"] * 1_500, [None] * 1_500])
    assert attempt.errors == []
    first, second = (row["json"] for row in attempt.typed())
    assert (len(first), second) == (1_500, None)


def test_a_year_has_no_day_beyond_its_last(org: Organization) -> None:
    options = InputOptions(datetime_format="yyyy-DDD")
    values, errors = read(org, "datetime", "2023-366", "2023-000", "2023-365", input=options)
    assert [code for code, _ in errors] == ["invalid_type"] * 2
    assert moments(values) == [datetime(2023, 12, 31, tzinfo=ZoneInfo("UTC"))]
    with pytest.raises(InvalidPattern, match="second time"):
        check_readable("yyyy-MM-dd DDD")


def test_times_and_members_that_django_cannot_read_are_refused(
    acme: Organization, specimens: None
) -> None:
    times = ["23:59:59.999999", "00:00", "24:00:00", "now", "23:59:60", "10:00 PM", "99:00"]
    attempt = stage(acme, SPECIMEN, ["code", "at"], [["ab", each] for each in times])
    assert [row["at"] for row in attempt.typed()] == ["23:59:59.999999", "00:00:00"]
    assert [error[2] for error in attempt.errors] == ["invalid_type"] * 5
    assert attempt.errors[0][3] == (
        "'24:00:00' is not a valid value of at. Accepted: a time such as 14:30:00."
    )
    days = ["2024-01-01, 2024-01-02", "2024-01-01, infinity", "0044-01-01 BC"]
    attempt = stage(acme, SPECIMEN, ["code", "days"], [["ab", each] for each in days])
    assert [error[:3] for error in attempt.errors] == [
        (2, "days", "invalid_type"),
        (3, "days", "invalid_type"),
    ]


def test_typed_cells_need_no_pattern_and_no_separator(org: Organization) -> None:
    options = InputOptions(datetime_format="dd/MM/yyyy", decimal_separator=",")
    rows = [["2024-02-01T10:00:00Z", "1.5"]]
    header = ["datetime", "decimal"]
    typed = stage_samples(org, header, rows, form=CellForm.TYPED, input=options)
    assert (typed.errors, len(typed.typed())) == ([], 1)
    texts = stage_samples(org, header, rows, input=options)
    assert [error[1] for error in texts.errors] == header
