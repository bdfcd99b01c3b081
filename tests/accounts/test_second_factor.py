"""Second factor of the staff: setup, sign-in, recovery codes, locks, turning off and resets."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from longshore.accounts import sealing
from longshore.accounts.models import AuditEntry, SecondFactor
from longshore.accounts.roles import Role

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_files")]
PASSWORD = "correct horse battery"  # noqa: S105 (of test users only)
OTHER_KEY = "another-key-of-fifty-random-characters-0123456789-abc"
LOGIN, CODE = "/admin/login/", "/admin/login/code/"
PAGE, OFF = "/admin/second-factor/", "/admin/second-factor/off/"
STEP = timedelta(seconds=30)


class Clock:
    """The current time, which tests move. django-axes compares some times with the real one."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def code(self, secret: str, steps: int = 0) -> str:
        return pyotp.TOTP(secret).at(self.now + steps * STEP)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("django.utils.timezone.now", lambda: clock.now)
    return clock


@pytest.fixture
def mary() -> User:
    user = User.objects.create_user("mary", password=PASSWORD, is_staff=True)
    user.groups.add(Group.objects.get(name=Role.ADMINISTRATOR))
    return user


class Device:
    """What mary has at hand after the setup in a browser of her own."""

    def __init__(self, client: Client, secret: str, codes: list[str]) -> None:
        self.client, self.secret, self.codes = client, secret, codes


@pytest.fixture
def device(mary: User, clock: Clock) -> Device:
    client = sign_in_by_password()
    secret = shown_secret(client)
    page = client.post(PAGE, {"code": clock.code(secret)}).content.decode()
    clock.now += STEP
    return Device(client, secret, shown_codes(page))


def sign_in_by_password(username: str = "mary", address: str = LOGIN) -> Client:
    client = Client()
    response = client.post(address, {"username": username, "password": PASSWORD})
    assert response.status_code == 302
    return client


def shown_secret(client: Client) -> str:
    secret = re.search(r"[A-Z2-7]{32}", client.get(PAGE).content.decode())
    assert secret is not None
    return secret.group()


def shown_codes(page: str) -> list[str]:
    return re.findall(r"[a-z2-7]{4}(?:-[a-z2-7]{4}){3}", page)


def is_signed_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


# --- Setup -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_person_sets_it_up_with_the_first_code_of_the_app(mary: User, clock: Clock) -> None:
    client = sign_in_by_password()
    page = client.get(PAGE)
    secret = shown_secret(client)
    assert "<svg" in page.content.decode()
    assert "no-store" in page.headers["Cache-Control"]
    assert shown_secret(client) == secret

    wrong = client.post(PAGE, {"code": "000000"}).content.decode()
    assert "This code is not valid" in wrong
    assert secret in wrong
    assert not SecondFactor.objects.exists()

    done = client.post(PAGE, {"code": clock.code(secret)})
    codes = shown_codes(done.content.decode())
    assert len(set(codes)) == 10
    assert "no-store" in done.headers["Cache-Control"]
    # This browser stays signed in.
    later = client.get(PAGE).content.decode()
    assert "Unused recovery codes: <strong>10</strong>" in later
    assert secret not in later
    assert not shown_codes(later)


def test_a_setup_that_was_sent_twice_changes_nothing(device: Device, clock: Clock) -> None:
    before = SecondFactor.objects.get()
    page = device.client.post(PAGE, {"code": clock.code(device.secret)}).content.decode()
    assert "Turn off" in page
    after = SecondFactor.objects.get()
    assert (after.pk, after.last_step) == (before.pk, before.last_step)


def test_neither_the_secret_nor_recovery_codes_are_stored_as_text(device: Device) -> None:
    stored = str(vars(SecondFactor.objects.get()))
    entries = str(list(AuditEntry.objects.values()))
    assert "Turned on the second factor." in entries
    for text in (device.secret, *device.codes, *(code.replace("-", "") for code in device.codes)):
        assert text not in stored
        assert text not in entries
        assert text not in str(dict(device.client.session))


def test_turning_it_on_ends_other_sessions_of_the_person(mary: User, clock: Clock) -> None:
    other, client = sign_in_by_password(), sign_in_by_password()
    client.post(PAGE, {"code": clock.code(shown_secret(client))})
    assert is_signed_in(client)
    response = other.get(f"{PAGE}?a=1")
    assert response.headers["Location"] == f"{LOGIN}?next={PAGE}%3Fa%3D1"
    assert "_auth_user_id" not in other.session


# --- Sign-in ---------------------------------------------------------------------------------


def test_the_password_alone_does_not_sign_in(device: Device) -> None:
    client = sign_in_by_password()
    assert "_auth_user_id" not in client.session
    for address in ("/admin/", PAGE, "/admin/auth/user/", "/admin/password_change/"):
        assert client.get(address).headers["Location"].startswith(LOGIN)
    assert client.post(OFF, {"password": PASSWORD}).status_code == 302
    assert SecondFactor.objects.exists()


def test_the_code_signs_in_and_leads_to_the_page_that_was_asked_for(
    device: Device, clock: Clock
) -> None:
    client = Client()
    address = client.get("/admin/auth/user/").headers["Location"]
    form = {"username": "mary", "password": PASSWORD}
    code_page = client.post(address, form).headers["Location"]
    assert code_page == f"{CODE}?next=%2Fadmin%2Fauth%2Fuser%2F"
    key = client.session.session_key
    response = client.post(code_page, {"code": clock.code(device.secret)})
    assert response.headers["Location"] == "/admin/auth/user/"
    assert is_signed_in(client)
    assert client.session.session_key != key


def test_a_person_without_one_signs_in_with_the_password(mary: User) -> None:
    assert is_signed_in(sign_in_by_password())


def test_a_redirect_to_another_site_is_ignored(device: Device, clock: Clock) -> None:
    client = sign_in_by_password(address=f"{LOGIN}?next=https://evil.example/")
    address = f"{CODE}?next=https://evil.example/"
    response = client.post(address, {"code": clock.code(device.secret)})
    assert response.headers["Location"] == "/admin/"


@pytest.mark.slow
@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_codes_of_a_clock_that_is_half_a_minute_off_are_accepted(
    device: Device, clock: Clock, steps: int
) -> None:
    clock.now += STEP
    client = sign_in_by_password()
    client.post(CODE, {"code": clock.code(device.secret, steps)})
    assert is_signed_in(client)


@pytest.mark.slow
@pytest.mark.parametrize("steps", [-2, 2])
def test_older_and_later_codes_are_refused(device: Device, clock: Clock, steps: int) -> None:
    clock.now += 5 * STEP
    client = sign_in_by_password()
    page = client.post(CODE, {"code": clock.code(device.secret, steps)})
    assert "This code is not valid" in page.content.decode()
    assert not is_signed_in(client)


@pytest.mark.slow
def test_a_code_is_accepted_with_spaces_but_only_once(device: Device, clock: Clock) -> None:
    code = clock.code(device.secret)
    first, second = sign_in_by_password(), sign_in_by_password()
    assert first.post(CODE, {"code": f" {code[:3]} {code[3:]}"}).status_code == 302
    assert second.post(CODE, {"code": code}).status_code == 200
    # Nor an earlier code that was not used.
    assert second.post(CODE, {"code": clock.code(device.secret, -1)}).status_code == 200
    assert (is_signed_in(first), is_signed_in(second)) == (True, False)


@pytest.mark.slow
def test_a_recovery_code_signs_in_once(device: Device) -> None:
    code = device.codes[3]
    client = sign_in_by_password()
    page = client.post(CODE, {"code": code.upper().replace("-", " ")}, follow=True)
    assert "Unused recovery codes: 9." in page.content.decode()
    assert is_signed_in(client)
    [*_, setup, entry] = AuditEntry.objects.order_by("pk")
    assert setup.message == "Turned on the second factor."
    assert (entry.username, entry.action, entry.message) == (
        "mary",
        "sign_in",
        "Signed in with a recovery code. Unused recovery codes: 9.",
    )
    again = sign_in_by_password()
    assert again.post(CODE, {"code": code}).status_code == 200
    assert not is_signed_in(again)
    assert again.post(CODE, {"code": device.codes[4]}).status_code == 302


def test_the_code_must_follow_the_password_within_five_minutes(
    device: Device, clock: Clock
) -> None:
    assert Client().get(CODE).headers["Location"] == LOGIN
    client = sign_in_by_password()
    assert client.get(CODE).status_code == 200
    clock.now += timedelta(minutes=5, seconds=1)
    late = client.post(CODE, {"code": clock.code(device.secret)})
    assert late.headers["Location"] == LOGIN
    assert not is_signed_in(client)


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}])
def test_a_user_who_may_no_longer_sign_in_is_refused_the_code(
    device: Device, clock: Clock, change: dict[str, bool]
) -> None:
    client = sign_in_by_password()
    User.objects.update(**change)
    client.post(CODE, {"code": clock.code(device.secret)})
    assert not is_signed_in(client)


def test_the_code_of_one_person_does_not_sign_in_another(device: Device, clock: Clock) -> None:
    paul = User.objects.create_user("paul", password=PASSWORD, is_staff=True)
    values = {"secret": sealing.seal(pyotp.random_base32()), "last_step": 0, "recovery_codes": []}
    SecondFactor.objects.create(user=paul, **values)
    client = sign_in_by_password("paul")
    for code in (clock.code(device.secret), device.codes[0]):
        assert client.post(CODE, {"code": code}).status_code == 200
    assert not is_signed_in(client)


# --- Locks -----------------------------------------------------------------------------------


def guess(count: int) -> list[int]:
    """Enter wrong codes from different addresses and browsers; return the statuses."""
    client = sign_in_by_password()
    return [
        client.post(CODE, {"code": "000000"}, REMOTE_ADDR=f"192.0.2.{number}").status_code
        for number in range(count)
    ]


def test_five_wrong_codes_lock_codes_from_all_addresses_for_15_minutes(
    device: Device, clock: Clock
) -> None:
    assert guess(7) == [200] * 4 + [429] * 3
    client = sign_in_by_password()
    for code in (clock.code(device.secret), device.codes[0]):
        page = client.post(CODE, {"code": code})
        assert page.status_code == 429
        text = " ".join(page.content.decode().split())
        assert "5 wrong codes for <strong>mary</strong>. Try again in 15 minutes" in text
    assert not is_signed_in(client)
    clock.now += timedelta(minutes=15)
    client = sign_in_by_password()
    assert client.post(CODE, {"code": clock.code(device.secret)}).status_code == 302


@pytest.mark.slow
def test_wrong_codes_and_their_lock_are_recorded_and_hide_no_wrong_password(
    device: Device,
) -> None:
    AuditEntry.objects.all().delete()
    address = "192.0.2.1"
    client = sign_in_by_password()
    for _ in range(7):
        client.post(CODE, {"code": "000000"}, REMOTE_ADDR=address)
    Client().post(LOGIN, {"username": "mary", "password": "x"}, REMOTE_ADDR=address)
    entries = AuditEntry.objects.order_by("pk")
    assert {(each.username, each.subject, each.address) for each in entries} == {
        ("", "mary", address)
    }
    assert [(each.action, each.message) for each in entries] == [
        *[("sign_in_failed", "Wrong code.")] * 4,
        ("sign_in_locked", "Too many wrong codes."),
        ("sign_in_failed", "Wrong password."),
    ]


@pytest.mark.slow
def test_a_right_code_resets_the_count_and_a_new_password_step_does_not(
    device: Device, clock: Clock
) -> None:
    assert guess(2) + guess(2) == [200] * 4
    client = sign_in_by_password()
    assert client.post(CODE, {"code": clock.code(device.secret)}).status_code == 302
    assert guess(4) == [200] * 4


@pytest.mark.slow
def test_wrong_passwords_do_not_lock_codes(device: Device, clock: Clock) -> None:
    client = sign_in_by_password()
    for _ in range(6):
        Client().post(LOGIN, {"username": "mary", "password": "x"}, REMOTE_ADDR="192.0.2.1")
    assert client.post(CODE, {"code": clock.code(device.secret)}).status_code == 302


# --- Turning off, reset ----------------------------------------------------------------------


@pytest.mark.slow
def test_turning_it_off_needs_the_password(device: Device) -> None:
    wrong = device.client.post(OFF, {"password": "x"})
    assert "This is not your password" in wrong.content.decode()
    entry = AuditEntry.objects.latest("pk")
    assert (entry.username, entry.action, entry.subject, entry.message) == (
        "mary",
        "sign_in_failed",
        "mary",
        "Wrong password to turn off the second factor.",
    )
    assert SecondFactor.objects.exists()
    assert device.client.get(OFF).status_code == 405
    done = device.client.post(OFF, {"password": PASSWORD}, follow=True)
    assert "The second factor is off" in done.content.decode()
    assert not SecondFactor.objects.exists()
    assert AuditEntry.objects.latest("pk").message == "Turned off the second factor."
    assert is_signed_in(sign_in_by_password())


@pytest.mark.slow
def test_wrong_passwords_on_the_page_lock_it(device: Device) -> None:
    statuses = [device.client.post(OFF, {"password": "x"}).status_code for _ in range(6)]
    assert statuses == [200] * 4 + [429] * 2
    assert device.client.post(OFF, {"password": PASSWORD}).status_code == 429
    assert SecondFactor.objects.exists()


def reset(client: Client, user: User) -> Any:
    address = reverse("admin:auth_user_reset_second_factor", args=[user.pk])
    return client.post(address, {"_form_submitted": "on"})


@pytest.mark.slow
def test_an_administrator_resets_that_of_another_user(
    device: Device, mary: User, admin_client: Client
) -> None:
    users = "/admin/auth/user/"
    assert "Reset second factor" in admin_client.get(f"{users}{mary.pk}/change/").content.decode()
    assert reset(admin_client, mary).status_code == 200
    assert not SecondFactor.objects.exists()
    entry = AuditEntry.objects.latest("pk")
    assert (entry.username, entry.subject, entry.message) == (
        "admin",
        "mary",
        "Reset the second factor.",
    )
    assert is_signed_in(sign_in_by_password())
    # Without one there is nothing to reset.
    assert reset(admin_client, mary).status_code == 403
    page = admin_client.get(f"{users}{mary.pk}/change/").content.decode()
    assert "Reset second factor" not in page


def test_a_malformed_key_has_no_second_factor(admin_client: Client) -> None:
    path = "/admin/auth/user/abc/reset_second_factor/"
    assert admin_client.post(path, {"_form_submitted": "on"}).status_code == 403


def test_nobody_resets_the_own_one_or_that_of_a_superuser(
    device: Device, mary: User, admin_user: User, clock: Clock
) -> None:
    assert reset(device.client, mary).status_code == 403
    factor = SecondFactor.objects.get()
    factor.pk, factor.user = None, admin_user
    factor.save()
    assert reset(device.client, admin_user).status_code == 403
    assert SecondFactor.objects.count() == 2


def test_the_list_of_users_says_who_has_one(
    device: Device, admin_client: Client, django_assert_num_queries: Callable[..., Any]
) -> None:
    page = admin_client.get("/admin/auth/user/")
    users = {user.username: user for user in page.context["cl"].result_list}
    shown = page.context["cl"].model_admin.second_factor
    with django_assert_num_queries(0):
        assert {name: shown(user) for name, user in users.items()} == {"admin": False, "mary": True}


@pytest.mark.slow
def test_no_page_of_the_admin_shows_the_secrets(device: Device, admin_client: Client) -> None:
    factor = SecondFactor.objects.get()
    user = f"/admin/auth/user/{factor.user_id}/"
    for address in (f"{user}change/", f"{user}history/", f"{user}delete/", "/admin/"):
        page = admin_client.get(address).content.decode()
        assert factor.secret not in page
        assert factor.recovery_codes[0] not in page


# --- Settings --------------------------------------------------------------------------------


@pytest.mark.slow
def test_if_required_a_person_sets_it_up_before_anything_else(
    mary: User, clock: Clock, settings: Settings
) -> None:
    settings.ADMIN_SECOND_FACTOR = "required"
    client = sign_in_by_password()
    for address in ("/admin/", "/admin/auth/user/", "/admin/search/?s=ma"):
        assert client.get(address).headers["Location"] == PAGE
    assert client.post("/admin/auth/user/add/", {"username": "x"}).headers["Location"] == PAGE
    page = client.post(PAGE, {"code": clock.code(shown_secret(client))})
    assert len(shown_codes(page.content.decode())) == 10
    assert is_signed_in(client)


def test_if_required_a_person_can_still_sign_out(mary: User, settings: Settings) -> None:
    settings.ADMIN_SECOND_FACTOR = "required"
    client = sign_in_by_password()
    assert client.post("/admin/logout/").status_code == 200
    assert "_auth_user_id" not in client.session


def test_a_new_secret_key_takes_over_with_the_next_code(
    device: Device, clock: Clock, settings: Settings
) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = OTHER_KEY
    client = sign_in_by_password()
    assert client.post(CODE, {"code": clock.code(device.secret)}).status_code == 302
    settings.SECRET_KEY_FALLBACKS = []
    clock.now += STEP
    client = sign_in_by_password()
    assert client.post(CODE, {"code": clock.code(device.secret)}).status_code == 302


def test_after_the_loss_of_the_secret_key_recovery_codes_are_accepted(
    device: Device, clock: Clock, settings: Settings
) -> None:
    settings.SECRET_KEY = OTHER_KEY
    client = sign_in_by_password()
    assert client.post(CODE, {"code": clock.code(device.secret)}).status_code == 200
    assert client.post(CODE, {"code": device.codes[0]}).status_code == 302
