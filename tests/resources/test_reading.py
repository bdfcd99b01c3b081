"""Reads apply their settings and restore the previous ones, inside an outer transaction too."""

import pytest
from django.db import DataError, connection, transaction
from django.db.backends.utils import CursorWrapper

from longshore.api.errors import InvalidInput
from longshore.resources.reading import StatementTimeout, reading, settings_of

pytestmark = pytest.mark.django_db

SETTINGS = (*settings_of("UTC"), "statement_timeout")


def settings(cursor: CursorWrapper) -> list[str]:
    cursor.execute("SELECT current_setting(unnest(%s::text[]))", [list(SETTINGS)])
    return [setting for (setting,) in cursor.fetchall()]


@pytest.mark.parametrize("too_long", [False, True])
def test_settings_are_restored_after_a_read(too_long: bool) -> None:
    with transaction.atomic(), connection.cursor() as around:
        before = settings(around)
        if too_long:
            with pytest.raises(StatementTimeout), reading("Asia/Tokyo", 10, "timezone") as cursor:
                cursor.execute("SELECT pg_sleep(5)")
        else:
            with reading("Asia/Tokyo", 1_500, "timezone") as cursor:
                assert settings(cursor) == ["Asia/Tokyo", "ISO, YMD", "iso_8601", "1500ms"]
        assert settings(around) == before


def test_a_time_zone_that_postgresql_does_not_know_is_invalid_input() -> None:
    with (
        pytest.raises(InvalidInput, match="'Mars/Olympus' is not a time zone"),
        reading("Mars/Olympus", 1_000, "timezone"),
    ):
        pytest.fail("The time zone was accepted.")


def test_another_invalid_parameter_value_is_not_an_unknown_time_zone() -> None:
    with (
        pytest.raises(DataError, match="encoding"),
        reading("Asia/Tokyo", 1_000, "timezone") as cursor,
    ):
        cursor.execute("SELECT convert('a', 'UTF8', 'nonsense'), encode('a', 'nonsense')")
