"""System checks of the settings of production."""

import pytest
from pytest_django import Settings

from longshore.database.checks import check_base_url


@pytest.mark.slow
def test_a_local_base_url_is_a_warning_in_production_only(settings: Settings) -> None:
    assert check_base_url() == []
    settings.EMBEDDED_DATABASE = False
    [warning] = check_base_url()
    assert "BASE_URL is http://127.0.0.1:8000" in warning.msg
    settings.BASE_URL = "https://longshore.example.com"
    assert check_base_url() == []
