"""Sign-in to the admin: lockout, password rules and session lifetime."""

from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from longshore.accounts.models import AuditEntry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_files")]
LOGIN = "/admin/login/"
PASSWORD = "correct horse battery"  # noqa: S105 (of test users only)


@pytest.fixture(autouse=True)
def users() -> None:
    for name in ("mary", "paul"):
        User.objects.create_user(name, password=PASSWORD, is_staff=True)


def sign_in(username: str, password: str = PASSWORD, **request: str) -> Any:
    """Try to sign in with a new client; return the response."""
    return Client().post(LOGIN, {"username": username, "password": password}, **request)  # type: ignore[arg-type]


@pytest.mark.slow
def test_five_wrong_passwords_lock_that_user_only() -> None:
    statuses = [sign_in("mary", f"guess {number}").status_code for number in range(40)]
    assert statuses == [200] * 4 + [429] * 36
    locked = sign_in("mary")
    assert locked.status_code == 429
    page = locked.content.decode()
    assert "Sign-in is locked" in page
    assert "5 wrong passwords for <strong>mary</strong>" in " ".join(page.split())
    assert "in 15 minutes" in page
    assert sign_in("paul").status_code == 302


def recorded() -> list[tuple[str, str, str, str | None]]:
    """Return person, action, object and address of each entry of the audit log."""
    fields = ("username", "action", "subject", "address")
    return [*AuditEntry.objects.order_by("pk").values_list(*fields)]


def test_sign_ins_and_sign_outs_are_recorded() -> None:
    client = Client(REMOTE_ADDR="192.0.2.1")
    client.post(LOGIN, {"username": "mary", "password": PASSWORD})
    client.post("/admin/logout/")
    assert recorded() == [
        ("mary", "sign_in", "mary", "192.0.2.1"),
        ("mary", "sign_out", "mary", "192.0.2.1"),
    ]


def test_refused_sign_ins_are_recorded_until_the_lock() -> None:
    for number in range(9):
        sign_in("mary", f"guess {number}", REMOTE_ADDR="192.0.2.1")
    failure = ("", "sign_in_failed", "mary", "192.0.2.1")
    [*failures, lock] = recorded()
    assert set(failures) == {failure}
    assert 4 <= len(failures) <= 5
    assert lock == ("", "sign_in_locked", "mary", "192.0.2.1")
    sign_in("mary", "another guess", REMOTE_ADDR="192.0.2.2")
    assert recorded()[-1] == ("", "sign_in_failed", "mary", "192.0.2.2")


@pytest.mark.slow
def test_each_lock_is_recorded_once() -> None:
    for _ in range(2):
        for number in range(7):
            sign_in("mary", f"guess {number}", REMOTE_ADDR="192.0.2.1")
        AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    actions = [action for _, action, _, _ in recorded()]
    first, second = actions[: len(actions) // 2], actions[len(actions) // 2 :]
    assert first == second == [*["sign_in_failed"] * 4, "sign_in_locked"]


def test_an_unknown_name_is_not_stored_and_recorded_once() -> None:
    for number in range(3):
        sign_in(f"my real password {number}", REMOTE_ADDR="192.0.2.1")
    assert recorded() == [("", "sign_in_failed", "An unknown name", "192.0.2.1")]


def test_the_log_and_the_history_of_a_user_show_refused_sign_ins(admin_client: Client) -> None:
    sign_in("mary", "guess")
    mary = User.objects.get(username="mary")
    assert str(AuditEntry.objects.latest("pk")) == "Not signed in: sign_in_failed mary"
    log = "/admin/longshore_accounts/auditentry/"
    for path in (log, f"/admin/auth/user/{mary.pk}/history/"):
        page = admin_client.get(path).content.decode()
        assert "Not signed in" in page
        assert "Sign in failed" in page


@pytest.mark.slow
def test_a_lock_applies_to_one_address_only() -> None:
    for number in range(10):
        sign_in("mary", f"guess {number}", REMOTE_ADDR="192.0.2.1")
    assert sign_in("mary", REMOTE_ADDR="192.0.2.1").status_code == 429
    assert sign_in("mary", REMOTE_ADDR="192.0.2.2").status_code == 302


@pytest.mark.slow
def test_forwarding_headers_and_other_browsers_do_not_unlock() -> None:
    for number in range(10):
        headers = {
            "HTTP_X_FORWARDED_FOR": f"192.0.2.{number}",
            "HTTP_X_REAL_IP": f"192.0.2.{number}",
            "HTTP_FORWARDED": f"for=192.0.2.{number}",
            "HTTP_USER_AGENT": f"browser {number}",
        }
        sign_in("mary", f"guess {number}", **headers)
    assert sign_in("mary", HTTP_X_FORWARDED_FOR="198.51.100.9").status_code == 429


@pytest.mark.slow
def test_a_lock_ends_after_a_while_and_a_correct_password_resets_the_count() -> None:
    for number in range(5):
        sign_in("mary", f"guess {number}")
    assert sign_in("mary").status_code == 429
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    assert sign_in("mary").status_code == 302
    for number in range(4):
        assert sign_in("mary", f"guess {number}").status_code == 200
    assert sign_in("mary").status_code == 302
    assert not AccessAttempt.objects.exists()


@pytest.mark.slow
def test_stored_attempts_contain_no_password() -> None:
    sign_in("mary", "my real password of another site")
    attempt = AccessAttempt.objects.get()
    assert "another site" not in str(vars(attempt))


@pytest.mark.slow
def test_a_session_ends_after_twelve_hours() -> None:
    client = Client()
    client.post(LOGIN, {"username": "mary", "password": PASSWORD})
    assert client.session.get_expiry_age() == 12 * 3600
    assert client.cookies["sessionid"]["max-age"] == 12 * 3600


@pytest.mark.parametrize(
    "password", ["short1!", "password1234", "123456789012345", "mary.longshore"]
)
@pytest.mark.slow
def test_weak_passwords_are_refused(password: str) -> None:
    user = User(username="mary.longshore")
    with pytest.raises(ValidationError):
        validate_password(password, user)


def test_the_admin_refuses_a_weak_password(admin_client: Client) -> None:
    form = {"username": "new", "password1": "password1234", "password2": "password1234"}
    page = admin_client.post("/admin/auth/user/add/", form | {"usable_password": "true"})
    assert "too common" in page.content.decode()
    assert not User.objects.filter(username="new").exists()


@pytest.mark.parametrize("header", ["HX-Request", "X-Requested-With"])
def test_a_script_gets_401_in_place_of_the_page_to_sign_in(header: str) -> None:
    address = "/admin/exports/export/"
    assert Client().get(address).status_code == 302
    response = Client().get(address, headers={header: "true"})
    assert response.status_code == 401
    assert "Location" not in response.headers
