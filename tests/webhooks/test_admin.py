"""Webhooks in the admin: who sees them, what they see, and what the buttons do."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from longshore.accounts.models import Organization
from longshore.accounts.sealing import seal
from tests.factories import SubscriptionFactory
from tests.webhooks.receiver import Receiver
from webhooks import lifecycle, outbox, runner, signing_secrets
from webhooks.events import EventType
from webhooks.models import (
    Attempt,
    Delivery,
    DeliveryStatus,
    Event,
    Subscription,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("static_files")]
MODELS = ("subscription", "event", "delivery")
HIDDEN = "Bearer hush-hush"
SECRET, OLD_SECRET = signing_secrets.generate(), signing_secrets.generate()


def user_client(name: str, *permissions: str) -> Client:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def staff(db: None) -> Client:
    """Allowed to look; no superuser."""
    return user_client("staff", *(f"view_{model}" for model in MODELS))


@pytest.fixture
def manager(db: None) -> Client:
    """Allowed to do everything with webhooks; no superuser."""
    names = [f"{verb}_{model}" for verb in ("view", "change") for model in MODELS]
    return user_client("manager", *names)


@pytest.fixture
def watched(acme: Organization) -> Subscription:
    return SubscriptionFactory.create(
        organization=acme,
        name="Warehouse",
        target="http://127.0.0.1:1/hook",
        headers={"X-Token": seal(HIDDEN)},
        secret=seal(SECRET),
        previous_secret=seal(OLD_SECRET),
        previous_secret_ends_at=timezone.now() + timedelta(hours=1),
    )


def make(subscription: Subscription, status: DeliveryStatus, attempts: int = 1) -> Delivery:
    """A delivery with this status, after attempts of which the last one tells."""
    event = Event.objects.create(
        organization_id=subscription.organization_id,
        type=EventType.EXPORT_CREATED,
        data={"object": "thing", "id": "thing_1", "name": "<b>bold</b>"},
    )
    delivery = Delivery.objects.create(
        subscription=subscription, event=event, status=status, attempts_count=attempts
    )
    for number in range(attempts):
        good = status == DeliveryStatus.DELIVERED and number == attempts - 1
        Attempt.objects.create(
            delivery=delivery,
            started_at=timezone.now(),
            milliseconds=38 if good else 15_000,
            status_code=204 if good else 500,
            error="" if good else "The answer was 500.",
            response="" if good else "<script>out of order</script>",
        )
    return delivery


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def listed(model: str) -> str:
    return reverse(f"admin:webhooks_{model}_changelist")


def own(found: Model) -> str:
    return reverse(f"admin:webhooks_{found._meta.model_name}_change", args=[found.pk])


def button(found: Model, action: str) -> str:
    return reverse(f"admin:webhooks_{found._meta.model_name}_{action}", args=[found.pk])


def act(client: Client, found: Model, action: str, **fields: str) -> int:
    """Submit the dialog of an action."""
    return client.post(button(found, action), {"_form_submitted": "on", **fields}).status_code


def test_a_guest_signs_in_and_staff_without_permission_sees_nothing(watched: Subscription) -> None:
    delivery = make(watched, DeliveryStatus.DELIVERED)
    addresses = [*map(listed, MODELS), *map(own, (watched, delivery.event, delivery))]
    guest, stranger = Client(), user_client("stranger")
    assert all("/admin/login/" in guest.get(address).headers["Location"] for address in addresses)
    assert [stranger.get(address).status_code for address in addresses] == [403] * 6
    assert "webhooks" not in page(stranger, "/admin/").lower()


def test_nothing_is_added_changed_or_deleted_by_hand(
    admin_client: Client, watched: Subscription
) -> None:
    delivery = make(watched, DeliveryStatus.DELIVERED)
    for found in (watched, delivery.event, delivery):
        assert found._meta.model_name is not None
        assert admin_client.get(f"{listed(found._meta.model_name)}add/").status_code == 403
        assert admin_client.post(own(found), {"name": "Mine"}).status_code == 403
        delete = own(found).replace("/change/", "/delete/")
        assert admin_client.post(delete, {"post": "yes"}).status_code == 403
    watched.refresh_from_db()
    assert watched.name == "Warehouse"


def test_secrets_are_nowhere(admin_client: Client, watched: Subscription) -> None:
    delivery = make(watched, DeliveryStatus.FAILED)
    pages = [*map(listed, MODELS), *map(own, (watched, delivery.event, delivery))]
    pages += [reverse("admin:webhooks_subscription_history", args=[watched.pk])]
    assert act(admin_client, watched, "disable") == 200
    text = "".join(page(admin_client, address) for address in pages)
    watched.refresh_from_db()
    for hidden in (SECRET, OLD_SECRET, HIDDEN):
        assert hidden not in text
    for sealed in (watched.secret, watched.previous_secret, *watched.headers.values()):
        assert sealed
        assert sealed not in text
    assert "X-Token" in text
    assert not any("secret" in str(entry).lower() for entry in LogEntry.objects.all())


def test_the_list_shows_how_each_subscription_does(staff: Client, watched: Subscription) -> None:
    for status, attempts in (
        (DeliveryStatus.DELIVERED, 1),
        (DeliveryStatus.DELIVERED, 3),
        (DeliveryStatus.FAILED, 10),
        (DeliveryStatus.PENDING, 2),
        (DeliveryStatus.PENDING, 0),
    ):
        make(watched, status, attempts)
    content = page(staff, listed("subscription"))
    bars = re.findall(
        r'<rect class="webhook-(\w+)" x="(\d+)" y="\d+" width="3" height="(\d+)"', content
    )
    # From left to right, and the newest is the last.
    assert bars == [
        *(("delivered", "125", "10"), ("delivered", "130", "6"), ("failed", "135", "10")),
        *(("retried", "140", "6"), ("waiting", "145", "3")),
    ]
    assert 'aria-label="Arrived: 2 of 4"' in content
    assert "Delivered, 3 attempts, " in content


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({}, "active"),
        ({"consecutive_failures": 3}, "failing"),
        ({"active": False}, "off"),
        ({"active": False, "disabled_at": timezone.now(), "disabled_reason": "Gone."}, "disabled"),
    ],
)
def test_states_are_shown_and_filtered_by(
    staff: Client, watched: Subscription, values: dict[str, object], state: str
) -> None:
    Subscription.objects.update(**values)
    for each in ("active", "failing", "off", "disabled"):
        content = page(staff, f"{listed('subscription')}?state={each}")
        assert ("Warehouse" in content) == (each == state), each
    content = page(staff, own(watched))
    assert state.capitalize() in content
    assert ("Gone." in content) == (state == "disabled")


def test_deleted_subscriptions_and_their_deliveries_are_gone(
    staff: Client, watched: Subscription
) -> None:
    delivery = make(watched, DeliveryStatus.DELIVERED)
    lifecycle.delete(watched)
    assert "Warehouse" not in page(staff, listed("subscription"))
    assert delivery.public_id not in page(staff, listed("delivery"))
    # The admin leads away from what it does not find.
    assert [staff.get(own(found)).status_code for found in (watched, delivery)] == [302, 302]


def test_pages_take_as_many_queries_for_many_as_for_one(
    staff: Client,
    watched: Subscription,
    globex: Organization,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    first = make(watched, DeliveryStatus.FAILED)
    addresses = [*map(listed, MODELS), *map(own, (watched, first.event, first))]
    counts = []
    for address in addresses:
        with django_assert_max_num_queries(50) as few:
            page(staff, address)
        counts.append(len(few))
    for number in range(12):
        other = SubscriptionFactory.create(
            organization=globex, target=f"http://127.0.0.1:{number}/"
        )
        make(other, DeliveryStatus.DELIVERED, 3)
        make(watched, DeliveryStatus.DELIVERED, 3)
        outbox.deliver(first.event, [other.pk])
        Attempt.objects.create(delivery=first, started_at=timezone.now(), milliseconds=1)
    for address, count in zip(addresses, counts, strict=True):
        with django_assert_max_num_queries(count):
            page(staff, address)


def test_a_delivery_shows_its_attempts_newest_first(staff: Client, watched: Subscription) -> None:
    delivery = make(watched, DeliveryStatus.DELIVERED, 2)
    content = page(staff, own(delivery))
    assert content.index("204 in 38 ms") < content.index("500 in 15.0 s")
    assert "&lt;script&gt;out of order&lt;/script&gt;" in content
    assert "&lt;b&gt;bold&lt;/b&gt;" in content
    assert own(delivery.event) in content
    assert own(watched) in content
    assert own(delivery) in page(staff, own(watched))
    assert own(delivery) in page(staff, own(delivery.event))


def test_deliveries_and_events_are_found(
    staff: Client, watched: Subscription, globex: Organization
) -> None:
    first = make(watched, DeliveryStatus.DELIVERED)
    second = make(SubscriptionFactory.create(organization=globex), DeliveryStatus.FAILED)
    for query in (
        f"?q={second.public_id}",
        f"?q={second.event.public_id}",
        "?status__exact=failed",
        f"?subscription__number__exact={second.subscription_id}",
        f"?subscription__organization__id__exact={globex.pk}",
    ):
        content = page(staff, listed("delivery") + query)
        assert second.public_id in content, query
        assert first.public_id not in content, query
    Event.objects.filter(pk=second.event_id).update(type=EventType.EXPORT_FAILED)
    for query in ("?type=export.failed", f"?organization__id__exact={globex.pk}"):
        content = page(staff, listed("event") + query)
        assert second.event.public_id in content, query
        assert first.event.public_id not in content, query


def test_managers_test_disable_and_enable(manager: Client, watched: Subscription) -> None:
    content = page(manager, own(watched))
    assert button(watched, "send_test") in content
    assert button(watched, "enable") not in content
    assert act(manager, watched, "send_test") == 200
    assert Delivery.objects.get().event.type == EventType.WEBHOOK_TEST
    assert act(manager, watched, "disable") == 200
    watched.refresh_from_db()
    assert not watched.active
    assert act(manager, watched, "send_test") == 403
    assert button(watched, "enable") in page(manager, own(watched))
    assert act(manager, watched, "enable") == 200
    watched.refresh_from_db()
    assert watched.active
    messages = [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]
    assert messages == ["A test is under way.", "Disabled.", "Enabled."]


def test_managers_send_a_failed_delivery_again(
    manager: Client, watched: Subscription, receiver: Receiver
) -> None:
    Subscription.objects.update(target=receiver.url())
    delivery = make(watched, DeliveryStatus.FAILED)
    assert button(delivery, "redeliver") in page(manager, own(delivery))
    assert act(manager, delivery, "redeliver") == 200
    runner.run(watched.pk)
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.DELIVERED


def test_managers_recover_what_has_failed_since_a_time(
    manager: Client, watched: Subscription, receiver: Receiver
) -> None:
    Subscription.objects.update(target=receiver.url())
    for days in (1, 1, 9):
        happened_at = timezone.now() - timedelta(days=days)
        failed = make(watched, DeliveryStatus.FAILED)
        Event.objects.filter(pk=failed.event_id).update(created_at=happened_at)
    make(watched, DeliveryStatus.DELIVERED)
    assert button(watched, "recover") in page(manager, own(watched))
    two_days_ago = f"{timezone.now() - timedelta(days=2):%Y-%m-%dT%H:%M}"
    assert act(manager, watched, "recover", since=two_days_ago) == 200
    assert "Deliveries that are sent again: 2." in page(manager, own(watched))
    assert LogEntry.objects.get().get_change_message() == "Deliveries that are sent again: 2."
    runner.run(watched.pk)
    assert len(receiver.messages) == 2


def test_a_recovery_begins_at_a_time(manager: Client, watched: Subscription) -> None:
    failed = make(watched, DeliveryStatus.FAILED)
    a_day_ago = f"{timezone.now() - timedelta(days=1):%Y-%m-%dT}"
    assert a_day_ago in page(manager, button(watched, "recover"))
    for since in ("", "yesterday"):
        fields = {"_form_submitted": "on", "since": since}
        answer = manager.post(button(watched, "recover"), fields).content.decode()
        assert ("This field is required" if not since else "Enter a valid date/time") in answer
    failed.refresh_from_db()
    assert failed.status == DeliveryStatus.FAILED
    Subscription.objects.update(active=False)
    assert act(manager, watched, "recover", since="2024-12-25T12:00") == 403


def test_who_may_only_look_does_nothing(staff: Client, watched: Subscription) -> None:
    delivery = make(watched, DeliveryStatus.FAILED)
    for found, name in (
        *((watched, name) for name in ("send_test", "recover", "disable")),
        (delivery, "redeliver"),
    ):
        assert button(found, name) not in page(staff, own(found))
        assert act(staff, found, name) == 403
    assert Delivery.objects.count() == 1
    delivery.refresh_from_db()
    watched.refresh_from_db()
    assert (delivery.status, watched.active) == (DeliveryStatus.FAILED, True)
