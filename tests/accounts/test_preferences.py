"""Times in the admin in the time zone of the person."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf.locale import LANG_INFO
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from longshore.accounts import staff
from longshore.accounts.admin.home import HomeScope, expiring_keys
from longshore.accounts.admin.languages import name_languages
from longshore.accounts.admin.presentation import exact_time
from longshore.accounts.models import ApiKey, Organization, StaffProfile
from tests.conftest import KeyClient
from tests.members import bind

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_files")]
PREFERENCES = "/admin/preferences/"
KEYS = "/admin/longshore_accounts/apikey/"


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("UTC", "2026-01-15 23:30:00 UTC"),
        ("Europe/Berlin", "2026-01-16 00:30:00 CET"),
        ("America/Sao_Paulo", "2026-01-15 20:30:00 UTC-03:00"),
    ],
)
def test_a_time_is_shown_in_the_current_zone_with_its_name(zone: str, text: str) -> None:
    with timezone.override(ZoneInfo(zone)):
        assert exact_time(datetime(2026, 1, 15, 23, 30, tzinfo=UTC)) == text


@pytest.mark.slow
def test_a_person_chooses_a_time_zone_for_the_admin(
    admin_client: Client, admin_user: User, acme: Organization
) -> None:
    ends = datetime(2030, 1, 15, 12, tzinfo=UTC)
    api_key, _ = ApiKey.objects.create_key(organization=acme, name="ci", expiry_date=ends)
    page = admin_client.get(KEYS).content.decode()
    assert "2030-01-15 12:00:00 UTC" in page
    assert f'href="{PREFERENCES}"' in page
    assert admin_client.get(PREFERENCES).status_code == 200

    response = admin_client.post(PREFERENCES, {"timezone": "Asia/Tokyo"}, follow=True)
    assert "Times are now shown in Asia/Tokyo." in response.content.decode()
    assert "2030-01-15 21:00:00 JST" in admin_client.get(KEYS).content.decode()
    # Times that Django itself formats.
    change = admin_client.get(f"{KEYS}{api_key.pk}/change/").content.decode()
    assert f"{timezone.localtime(api_key.created, ZoneInfo('Asia/Tokyo')):%F %T} JST" in change
    assert timezone.get_current_timezone_name() == "UTC"

    assert admin_client.post(PREFERENCES, {"timezone": ""}).status_code == 302
    assert "2030-01-15 12:00:00 UTC" in admin_client.get(KEYS).content.decode()


def test_an_unknown_time_zone_is_refused(admin_client: Client) -> None:
    page = admin_client.post(PREFERENCES, {"timezone": "Mars/Olympus"}).content.decode()
    assert "Select a valid choice" in page
    assert not StaffProfile.objects.exists()


def test_the_choice_of_a_time_zone_keeps_the_binding(acme: Organization) -> None:
    user = User.objects.create_superuser("mary")
    bind(user, [acme])
    client = Client()
    client.force_login(user)
    client.post(PREFERENCES, {"timezone": "Asia/Tokyo"})
    assert list(staff.organizations(User.objects.get(pk=user.pk))) == [acme]


def test_a_language_that_django_does_not_know_breaks_no_page(
    admin_client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The end of the test removes the entry, which name_languages() writes.
    monkeypatch.setitem(LANG_INFO, "tlh", {})
    monkeypatch.delitem(LANG_INFO, "tlh")
    settings.LANGUAGES = [("en-us", "English"), ("tlh", "Klingon")]
    with pytest.raises(KeyError, match="tlh"):
        admin_client.get(PREFERENCES)
    name_languages()
    assert admin_client.get(PREFERENCES).status_code == 200


def test_guests_have_no_preferences() -> None:
    assert "/admin/login/" in Client().get(PREFERENCES).headers["Location"]


def test_the_api_is_not_affected_by_the_zone_of_a_person(
    admin_client: Client, alice: KeyClient
) -> None:
    admin_client.post(PREFERENCES, {"timezone": "Asia/Tokyo"})
    response = admin_client.get("/v1/exports", headers={"PX-API-KEY": alice.key})
    assert response.status_code == 200


@pytest.mark.parametrize(("zone", "text"), [("UTC", "in 1 day"), ("America/New_York", "today")])
def test_days_until_a_key_expires_are_counted_by_dates(
    acme: Organization, monkeypatch: pytest.MonkeyPatch, rf: Any, zone: str, text: str
) -> None:
    now = datetime(2026, 6, 1, 20, tzinfo=UTC)
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    ApiKey.objects.create_key(name="k", organization=acme, expiry_date=now + timedelta(hours=6))
    request = rf.get("/")
    request.user = User(is_superuser=True, is_active=True)
    with timezone.override(zone):
        table = expiring_keys(request, HomeScope(None))
    assert table is not None
    assert table["rows"][0][2] == text
