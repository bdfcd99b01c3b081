"""Admin of webhooks: permissions, lists, pages and actions."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from longshore.accounts.models import AuditEntry, Organization
from longshore.accounts.sealing import seal
from tests.factories import EventFactory, SubscriptionFactory
from tests.webhooks.receiver import Receiver
from webhooks import outbox, runner, signing_secrets
from webhooks.admin.presentation import title_of
from webhooks.admin.subjects import delivery_table
from webhooks.events import EventType
from webhooks.lifecycle import activation
from webhooks.models import (
    MAX_SHOWN_ATTEMPTS,
    SUCCESS,
    Attempt,
    Delivery,
    DeliveryStatus,
    Event,
    Subscription,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("static_files")]
MODELS = ("subscription", "event", "delivery")
HEADER_VALUE = "Bearer hush-hush"
SECRET, OLD_SECRET = signing_secrets.generate(), signing_secrets.generate()


def user_client(name: str, *permissions: str) -> Client:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def staff(db: None) -> Client:
    """A user who may only view; not a superuser."""
    return user_client("staff", *(f"view_{model}" for model in MODELS))


@pytest.fixture
def manager(db: None) -> Client:
    """A user who may view and change webhooks; not a superuser."""
    names = [f"{verb}_{model}" for verb in ("view", "change") for model in MODELS]
    return user_client("manager", *names)


@pytest.fixture
def warehouse(acme: Organization) -> Subscription:
    return SubscriptionFactory.create(
        organization=acme,
        name="Warehouse",
        target="http://127.0.0.1:1/hook",
        headers={"X-Token": seal(HEADER_VALUE)},
        secret=seal(SECRET),
        previous_secret=seal(OLD_SECRET),
        previous_secret_ends_at=timezone.now() + timedelta(hours=1),
    )


def make(subscription: Subscription, status: DeliveryStatus, attempts: int = 1) -> Delivery:
    """Create a delivery with this status and attempts. Only the last one may have succeeded."""
    event = Event.objects.create(
        organization_id=subscription.organization_id,
        type=EventType.EXPORT_CREATED,
        data={"object": "thing", "id": "thing_1", "name": "<b>bold</b>"},
    )
    delivery = Delivery.objects.create(
        subscription=subscription,
        event=event,
        status=status,
        attempts_count=attempts,
        response_class=SUCCESS if status == DeliveryStatus.DELIVERED else 5,
    )
    for number in range(attempts):
        is_success = status == DeliveryStatus.DELIVERED and number == attempts - 1
        Attempt.objects.create(
            delivery=delivery,
            started_at=timezone.now(),
            milliseconds=38 if is_success else 15_000,
            status_code=204 if is_success else 500,
            error="" if is_success else "The target responded with 500.",
            response="" if is_success else "<script>out of order</script>",
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


def test_guests_must_sign_in_and_staff_without_permission_see_nothing(
    warehouse: Subscription,
) -> None:
    delivery = make(warehouse, DeliveryStatus.DELIVERED)
    addresses = [*map(listed, MODELS), *map(own, (warehouse, delivery.event, delivery))]
    guest, unauthorized = Client(), user_client("unauthorized")
    assert all("/admin/login/" in guest.get(address).headers["Location"] for address in addresses)
    assert [unauthorized.get(address).status_code for address in addresses] == [403] * 6
    assert "/admin/webhooks/" not in page(unauthorized, "/admin/")


def test_no_form_of_django_changes_or_deletes(
    admin_client: Client, warehouse: Subscription
) -> None:
    delivery = make(warehouse, DeliveryStatus.DELIVERED)
    for model in ("event", "delivery"):
        assert admin_client.get(f"{listed(model)}add/").status_code == 403
    for found in (warehouse, delivery.event, delivery):
        assert admin_client.post(own(found), {"name": "Mine"}).status_code == 403
        delete = own(found).replace("/change/", "/delete/")
        assert admin_client.post(delete, {"post": "yes"}).status_code == 403
    warehouse.refresh_from_db()
    assert warehouse.name == "Warehouse"


@pytest.mark.parametrize("model", MODELS)
def test_a_text_that_is_no_key_is_not_found(manager: Client, model: str) -> None:
    assert manager.get(reverse(f"admin:webhooks_{model}_change", args=["abc"])).status_code == 404


def test_no_page_or_log_entry_shows_a_secret(admin_client: Client, warehouse: Subscription) -> None:
    delivery = make(warehouse, DeliveryStatus.FAILED)
    pages = [*map(listed, MODELS), *map(own, (warehouse, delivery.event, delivery))]
    pages += [reverse("admin:webhooks_subscription_history", args=[warehouse.pk])]
    assert act(admin_client, warehouse, "disable") == 200
    text = "".join(page(admin_client, address) for address in pages)
    warehouse.refresh_from_db()
    for value in (SECRET, OLD_SECRET, HEADER_VALUE):
        assert value not in text
    for sealed in (warehouse.secret, warehouse.previous_secret, *warehouse.headers.values()):
        assert sealed
        assert sealed not in text
    assert "X-Token" in text
    assert not any("secret" in entry.message.lower() for entry in AuditEntry.objects.all())


def test_the_list_charts_the_recent_deliveries_of_each_subscription(
    staff: Client, warehouse: Subscription
) -> None:
    for status, attempts in (
        (DeliveryStatus.DELIVERED, 1),
        (DeliveryStatus.DELIVERED, 3),
        (DeliveryStatus.FAILED, 10),
        (DeliveryStatus.PENDING, 2),
        (DeliveryStatus.PENDING, 0),
    ):
        make(warehouse, status, attempts)
    content = page(staff, listed("subscription"))
    bars = re.findall(
        r'<rect class="webhook-(\w+)" x="(\d+)" y="\d+" width="3" height="(\d+)"', content
    )
    # From left to right, the newest last.
    assert bars == [
        *(("delivered", "125", "10"), ("delivered", "130", "6"), ("failed", "135", "10")),
        *(("retried", "140", "6"), ("waiting", "145", "3")),
    ]
    assert 'aria-label="Delivered: 2 of 3"' in content
    assert "Delivered, 3 attempts, " in content


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({}, "active"),
        ({"consecutive_failures": 3}, "failing"),
        ({"challenge": "token", "consecutive_failures": 1}, "unverified"),
        ({"active": False}, "inactive"),
        ({"active": False, "disabled_at": timezone.now(), "disabled_reason": "Gone."}, "disabled"),
    ],
)
def test_the_list_shows_and_filters_by_state(
    staff: Client, warehouse: Subscription, values: dict[str, object], state: str
) -> None:
    Subscription.objects.update(**values)
    for each in ("active", "unverified", "failing", "inactive", "disabled"):
        content = page(staff, f"{listed('subscription')}?state={each}")
        assert ("Warehouse" in content) == (each == state), each
    content = page(staff, own(warehouse))
    assert state.capitalize() in content
    assert ("Gone." in content) == (state == "disabled")


def test_deleted_subscriptions_and_their_deliveries_are_hidden(
    staff: Client, warehouse: Subscription
) -> None:
    delivery = make(warehouse, DeliveryStatus.DELIVERED)
    activation.soft_delete(warehouse)
    assert "Warehouse" not in page(staff, listed("subscription"))
    assert delivery.public_id not in page(staff, listed("delivery"))
    assert [staff.get(own(found)).status_code for found in (warehouse, delivery)] == [404, 404]


def test_the_number_of_queries_does_not_grow_with_the_number_of_records(
    staff: Client,
    warehouse: Subscription,
    globex: Organization,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    first = make(warehouse, DeliveryStatus.FAILED)
    addresses = [*map(listed, MODELS), *map(own, (warehouse, first.event, first))]
    counts = []
    for address in addresses:
        with django_assert_max_num_queries(50) as captured:
            page(staff, address)
        counts.append(len(captured))
    for number in range(12):
        other = SubscriptionFactory.create(
            organization=globex, target=f"http://127.0.0.1:{number}/"
        )
        make(other, DeliveryStatus.DELIVERED, 3)
        make(warehouse, DeliveryStatus.DELIVERED, 3)
        outbox.deliver(first.event, [other.pk])
        Attempt.objects.create(delivery=first, started_at=timezone.now(), milliseconds=1)
    for address, count in zip(addresses, counts, strict=True):
        with django_assert_max_num_queries(count):
            page(staff, address)


def test_a_delivery_shows_its_attempts_newest_first(staff: Client, warehouse: Subscription) -> None:
    delivery = make(warehouse, DeliveryStatus.DELIVERED, 2)
    content = page(staff, own(delivery))
    assert content.index("204 No Content in 38 ms") < content.index("500 Internal Server Error in")
    assert "&lt;script&gt;out of order&lt;/script&gt;" in content
    assert "&lt;b&gt;bold&lt;/b&gt;" in content
    assert own(delivery.event) in content
    assert own(warehouse) in content
    assert own(delivery) in page(staff, own(warehouse))
    assert own(delivery) in page(staff, own(delivery.event))


def test_the_list_of_events_shows_the_organization_and_the_object(
    staff: Client, warehouse: Subscription
) -> None:
    make(warehouse, DeliveryStatus.DELIVERED)
    Event.objects.update(subject="thing_1")
    content = page(staff, listed("event"))
    assert "Acme Freight" in content
    assert '<code class="admin-code">thing_1</code>' in content


def test_an_event_shows_no_deliveries_of_deleted_subscriptions(
    staff: Client, warehouse: Subscription
) -> None:
    delivery = make(warehouse, DeliveryStatus.DELIVERED)
    assert own(delivery) in page(staff, own(delivery.event))
    activation.soft_delete(warehouse)
    assert own(delivery) not in page(staff, own(delivery.event))
    assert "No subscribers" in page(staff, listed("event"))


def test_an_object_shows_no_deliveries_to_deleted_subscriptions(warehouse: Subscription) -> None:
    request = RequestFactory().get("/")
    request.user = User.objects.create_superuser("root")
    make(warehouse, DeliveryStatus.DELIVERED)
    Event.objects.update(subject="thing_1")
    assert len(delivery_table(request, "thing_1")["rows"]) == 1
    activation.soft_delete(warehouse)
    assert delivery_table(request, "thing_1")["rows"] == []


def test_a_table_of_deliveries_leads_to_webhooks_and_deliveries(
    staff: Client, warehouse: Subscription
) -> None:
    delivery = make(warehouse, DeliveryStatus.DELIVERED)
    content = page(staff, own(delivery.event))
    links = dict(re.findall(r'href="(/admin/webhooks/[^"]+)"[^>]*>(?:<[^>]*>)*([^<]+)<', content))
    assert links[own(warehouse)] == title_of(warehouse)
    assert links[own(delivery)].endswith("UTC")


def test_a_table_of_deliveries_counts_the_attempts(staff: Client, warehouse: Subscription) -> None:
    delivery = make(warehouse, DeliveryStatus.DELIVERED, MAX_SHOWN_ATTEMPTS + 5)
    for address in (own(warehouse), own(delivery.event)):
        content = page(staff, address)
        assert re.search(rf">\s*{MAX_SHOWN_ATTEMPTS + 5}\s*<", content)
        assert "204 No Content in 38 ms" in content


@pytest.mark.parametrize(
    ("statuses", "text"),
    [
        ([], "No subscribers"),
        ([DeliveryStatus.PENDING], 'aria-label="Pending"'),
        ([DeliveryStatus.DELIVERED], "Delivered: 1 of 1"),
    ],
)
def test_the_list_of_events_shows_their_deliveries(
    staff: Client, warehouse: Subscription, statuses: list[DeliveryStatus], text: str
) -> None:
    event = EventFactory.create(organization=warehouse.organization)
    for status in statuses:
        Delivery.objects.create(
            subscription=warehouse, event=event, status=status, attempts_count=0
        )
    assert text in page(staff, listed("event"))


def test_deliveries_and_events_are_searched_and_filtered(
    staff: Client, warehouse: Subscription, globex: Organization
) -> None:
    first = make(warehouse, DeliveryStatus.DELIVERED)
    second = make(SubscriptionFactory.create(organization=globex), DeliveryStatus.FAILED)
    Event.objects.filter(pk=second.event_id).update(type=EventType.EXPORT_FAILED, subject="thing_2")
    Event.objects.filter(pk=second.event_id).update(created_at="2024-12-25T12:00Z")
    for query in (
        f"?q={second.public_id}",
        f"?q={second.event.public_id}",
        "?status__exact=failed",
        f"?subscription__number__exact={second.subscription_id}",
        f"?subscription__organization__id__exact={globex.pk}",
        "?q=thing_2",
        "?response=5",
        "?type=export.failed",
        "?event__created_at_to_0=2024-12-25",
    ):
        content = page(staff, listed("delivery") + query)
        assert second.public_id in content, query
        assert first.public_id not in content, query
    for query in ("?type=export.failed", "?q=thing_2", f"?organization__id__exact={globex.pk}"):
        content = page(staff, listed("event") + query)
        assert second.event.public_id in content, query
        assert first.event.public_id not in content, query


def test_a_manager_tests_disables_and_enables_a_subscription(
    manager: Client, warehouse: Subscription
) -> None:
    content = page(manager, own(warehouse))
    assert button(warehouse, "send_test") in content
    assert button(warehouse, "enable") not in content
    assert act(manager, warehouse, "send_test") == 200
    assert Delivery.objects.get().event.type == EventType.WEBHOOK_TEST
    assert act(manager, warehouse, "disable") == 200
    warehouse.refresh_from_db()
    assert not warehouse.active
    assert act(manager, warehouse, "send_test") == 403
    assert button(warehouse, "enable") in page(manager, own(warehouse))
    assert act(manager, warehouse, "enable") == 200
    warehouse.refresh_from_db()
    assert warehouse.active
    messages = list(AuditEntry.objects.order_by("pk").values_list("message", flat=True))
    assert messages == [
        "A test was queued.",
        "The webhook was disabled.",
        "The webhook was enabled.",
    ]


def test_a_manager_redelivers_a_failed_delivery(
    manager: Client, warehouse: Subscription, receiver: Receiver
) -> None:
    Subscription.objects.update(target=receiver.url())
    delivery = make(warehouse, DeliveryStatus.FAILED)
    assert button(delivery, "redeliver") in page(manager, own(delivery))
    assert act(manager, delivery, "redeliver") == 200
    runner.run(warehouse.pk)
    delivery.refresh_from_db()
    assert delivery.status == DeliveryStatus.DELIVERED


def test_a_manager_recovers_failed_deliveries_since_a_time(
    manager: Client, warehouse: Subscription, receiver: Receiver
) -> None:
    Subscription.objects.update(target=receiver.url())
    for days in (1, 1, 9):
        happened_at = timezone.now() - timedelta(days=days)
        failed = make(warehouse, DeliveryStatus.FAILED)
        Event.objects.filter(pk=failed.event_id).update(created_at=happened_at)
    make(warehouse, DeliveryStatus.DELIVERED)
    assert button(warehouse, "recover") in page(manager, own(warehouse))
    two_days_ago = f"{timezone.now() - timedelta(days=2):%Y-%m-%dT%H:%M}"
    assert act(manager, warehouse, "recover", since=two_days_ago) == 200
    assert "Deliveries queued again: 2." in page(manager, own(warehouse))
    assert AuditEntry.objects.get().message == "Deliveries queued again: 2."
    runner.run(warehouse.pk)
    assert len(receiver.messages) == 2


def test_a_recovery_needs_a_valid_time_and_an_active_subscription(
    manager: Client, warehouse: Subscription
) -> None:
    failed = make(warehouse, DeliveryStatus.FAILED)
    a_day_ago = f"{timezone.now() - timedelta(days=1):%Y-%m-%dT}"
    assert a_day_ago in page(manager, button(warehouse, "recover"))
    for since in ("", "yesterday"):
        fields = {"_form_submitted": "on", "since": since}
        response = manager.post(button(warehouse, "recover"), fields).content.decode()
        assert ("This field is required" if not since else "Enter a valid date/time") in response
    failed.refresh_from_db()
    assert failed.status == DeliveryStatus.FAILED
    Subscription.objects.update(active=False)
    assert act(manager, warehouse, "recover", since="2024-12-25T12:00") == 403


def test_a_user_who_may_only_view_can_run_no_action(staff: Client, warehouse: Subscription) -> None:
    delivery = make(warehouse, DeliveryStatus.FAILED)
    for found, name in (
        *((warehouse, name) for name in ("send_test", "recover", "disable")),
        (delivery, "redeliver"),
    ):
        assert button(found, name) not in page(staff, own(found))
        assert act(staff, found, name) == 403
    assert Delivery.objects.count() == 1
    delivery.refresh_from_db()
    warehouse.refresh_from_db()
    assert (delivery.status, warehouse.active) == (DeliveryStatus.FAILED, True)
