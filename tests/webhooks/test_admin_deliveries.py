"""Pages of deliveries and events in the admin: request, responses, links, selected deliveries."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from longshore.accounts.models import AuditEntry, Organization
from longshore.jobs.admin import selected
from tests.exports.conftest import export_of
from tests.factories import DeliveryFactory, EventFactory
from tests.members import bind
from tests.webhooks.conftest import SECRET
from tests.webhooks.receiver import Receiver, reset, respond
from tests.webhooks.test_admin import act, listed, own, page, user_client
from webhooks import actions, runner
from webhooks.admin import delivery_filters
from webhooks.models import Attempt, Delivery, DeliveryStatus, Event, Subscription

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("static_files")]
HTML = b"<!doctype html><h1>broken</h1>" + b"<p>frame</p>" * 200


@pytest.fixture
def manager(db: None) -> Client:
    models = ("subscription", "delivery", "event")
    names = [f"{verb}_{model}" for verb in ("view", "change") for model in models]
    return user_client("manager", *names, "view_export")


def sent(subscription: Subscription) -> Delivery:
    delivery = actions.test(subscription)
    runner.run(subscription.pk)
    delivery.refresh_from_db()
    return delivery


def test_the_page_shows_the_request_and_the_response(
    manager: Client, subscription: Subscription, receiver: Receiver
) -> None:
    body = b'{"received": true, "queue": "inbox"}'
    receiver.behaviors["/"] = respond(200, body, X_Trace="abc", Set_Cookie="session=hush")
    delivery = sent(subscription)
    content = page(manager, own(delivery))
    for text in (
        f"POST {subscription.target}",
        f"webhook-id: {delivery.event.public_id}",
        "&quot;message&quot;: &quot;It works.&quot;",
        "X-Trace: abc",
        "Set-Cookie: (hidden)",
        # Indented, unlike the response.
        "&quot;received&quot;: true,\n",
        "200 OK in",
    ):
        assert text in content
    for text in ("hush", SECRET, "data-unfinished"):
        assert text not in content


def test_the_opened_row_shows_the_newest_attempts(
    manager: Client, subscription: Subscription, receiver: Receiver
) -> None:
    receiver.behaviors["/"] = respond(500, b"queue is full")
    delivery = sent(subscription)
    address = f"{listed('delivery')}{delivery.pk}/row/"
    assert f'hx-get="{address}"' in page(manager, listed("delivery"))
    content = manager.get(address, headers={"HX-Request": "true"}).content.decode()
    for text in ("Attempt 1", "500 Internal Server Error", "queue is full"):
        assert text in content
    assert manager.get(address).headers["Location"] == own(delivery)


def test_a_response_in_html_is_shown_as_text_and_said_to_be_cut(
    manager: Client, subscription: Subscription, receiver: Receiver
) -> None:
    receiver.behaviors["/"] = respond(500, HTML)
    content = page(manager, own(sent(subscription)))
    assert "&lt;h1&gt;broken&lt;/h1&gt;" in content
    assert "<h1>broken" not in content
    assert "The first 1,024 bytes of the body." in content
    assert "Response 500 Internal Server Error, retry in" in content
    # Refreshed by itself: the retry is near.
    assert "data-unfinished" in content


def test_json_that_no_page_can_contain_is_shown_as_it_came(
    manager: Client, subscription: Subscription, receiver: Receiver
) -> None:
    receiver.behaviors["/"] = respond(200, rb'{"a":"\ud800"}')
    content = page(manager, own(sent(subscription)))
    assert r"{&quot;a&quot;:&quot;\ud800&quot;}" in content


def test_the_headers_of_a_response_are_stored_up_to_a_limit(
    subscription: Subscription, receiver: Receiver
) -> None:
    long = {f"X_{number}": "x" * 900 for number in range(9)}
    receiver.behaviors["/"] = respond(200, b"", **long)
    sent(subscription)
    stored: Any = Attempt.objects.get().response_headers
    assert sum(len(name) + len(value) for name, value in stored) <= 4096 + len("(hidden)")
    assert len(stored) < 9


def test_a_long_value_of_a_header_is_not_cut_without_a_note(
    manager: Client, subscription: Subscription, receiver: Receiver
) -> None:
    receiver.behaviors["/"] = respond(200, b"", X_Long="x" * 2000)
    content = page(manager, own(sent(subscription)))
    assert f"X-Long: {'x' * 2000}\n" in content
    assert "characters of the headers." not in content


def test_an_attempt_of_an_earlier_release_has_no_headers(
    manager: Client, subscription: Subscription
) -> None:
    delivery = DeliveryFactory.create(subscription=subscription, status=DeliveryStatus.DELIVERED)
    Attempt.objects.create(
        delivery=delivery, started_at=delivery.created_at, milliseconds=1, status_code=204
    )
    assert "The headers of this response were not stored." in page(manager, own(delivery))


def test_a_failing_target_keeps_its_last_error_until_it_works(
    subscription: Subscription, receiver: Receiver
) -> None:
    receiver.behaviors["/"] = respond(503)
    delivery = sent(subscription)
    subscription.refresh_from_db()
    assert subscription.last_error == "The target responded with 503."
    receiver.behaviors.clear()
    actions.redeliver(delivery)
    runner.run(subscription.pk)
    subscription.refresh_from_db()
    assert subscription.last_error == ""


def test_a_page_leads_to_the_job_of_its_event(
    manager: Client, subscription: Subscription, acme: Organization, globex: Organization
) -> None:
    export = export_of(acme, {"resource": "contact"})
    event = EventFactory.create(
        organization=acme, type="export.created", subject=export.public_id, data={}
    )
    delivery = DeliveryFactory.create(subscription=subscription, event=event)
    link = f'href="/admin/exports/export/{export.pk}/change/"'
    for found in (event, delivery):
        assert link in page(manager, own(found))
    viewer = user_client("viewer", "view_event")
    assert link not in page(viewer, own(event))
    # The id of a job of another organization leads nowhere.
    other = export_of(globex, {"resource": "contact"})
    Event.objects.filter(pk=event.pk).update(subject=other.public_id)
    assert f"/admin/exports/export/{other.pk}/" not in page(manager, own(event))


def test_an_event_without_subscribers_says_so(manager: Client, acme: Organization) -> None:
    event = EventFactory.create(organization=acme, type="export.failed")
    content = page(manager, own(event))
    assert "No webhook has subscribed to this event." in content
    assert "No subscribers" in content
    assert "0 of 0" not in content
    assert '<code class="admin-code">error</code> says why.' in content


@pytest.mark.parametrize(
    ("choice", "codes"),
    [("2", [204]), ("3", [302]), ("4", [404]), ("5", [500, 599]), ("0", [None])],
)
def test_deliveries_are_filtered_by_the_last_response(
    manager: Client,
    subscription: Subscription,
    receiver: Receiver,
    choice: str,
    codes: list[int | None],
) -> None:
    expected = set()
    for code in (204, 302, 404, 500, 599, None):
        for each in (503, code):
            receiver.behaviors["/"] = reset if each is None else respond(each)
            if each == 503:
                delivery = sent(subscription)
            else:
                actions.redeliver(delivery)
                runner.run(subscription.pk)
        # No later run sends it again.
        Delivery.objects.filter(pk=delivery.pk).update(status=DeliveryStatus.FAILED)
        if code in codes:
            expected.add(delivery.public_id)
    DeliveryFactory.create(subscription=subscription)
    content = page(manager, f"{listed('delivery')}?response={choice}")
    shown = {each.public_id for each in Delivery.objects.all() if each.public_id in content}
    assert shown == expected


def select(client: Client, *deliveries: Delivery, **fields: str) -> str:
    form = {"action": "redeliver_selected", ACTION_CHECKBOX_NAME: [each.pk for each in deliveries]}
    return client.post(listed("delivery"), form | fields, follow=True).content.decode()


def test_selected_deliveries_are_sent_again_after_a_confirmation(
    manager: Client, subscription: Subscription, receiver: Receiver
) -> None:
    first, second, inactive = DeliveryFactory.create_batch(3, status=DeliveryStatus.FAILED)
    Delivery.objects.exclude(pk=inactive.pk).update(subscription=subscription)
    Subscription.objects.filter(pk=inactive.subscription_id).update(active=False)
    content = select(manager, first, second, inactive)
    assert "Redeliver 3 deliveries?" in content
    assert not Delivery.objects.filter(status=DeliveryStatus.PENDING).exists()
    content = select(manager, first, second, inactive, confirmed="1")
    assert "2 deliveries queued again." in content
    assert "is not active. Activate it first." in content
    runner.run(subscription.pk)
    assert len(receiver.messages) == 2
    entries = AuditEntry.objects.values_list("action", "organization").order_by("pk")
    assert list(entries) == [("redeliver_selected", subscription.organization_id)] * 2


def test_a_selected_delivery_that_left_the_filter_meanwhile_is_sent_again_too(
    manager: Client, subscription: Subscription
) -> None:
    sent_meanwhile = DeliveryFactory.create(subscription=subscription)
    Delivery.objects.update(status=DeliveryStatus.DELIVERED)
    form = {"action": "redeliver_selected", ACTION_CHECKBOX_NAME: [sent_meanwhile.pk]}
    address = f"{listed('delivery')}?status__exact=failed"
    response = manager.post(address, form | {"confirmed": "1"}, follow=True)
    assert "1 delivery queued again." in response.content.decode()


def test_the_number_of_selected_deliveries_is_bounded(
    manager: Client, subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selected, "MAX_SELECTED", 1)
    many = DeliveryFactory.create_batch(2, subscription=subscription, status=DeliveryStatus.FAILED)
    assert "Select at most 1 deliveries at a time." in select(manager, *many, confirmed="1")
    assert not Delivery.objects.filter(status=DeliveryStatus.PENDING).exists()


def test_others_cannot_redeliver_selected_deliveries(
    manager: Client, subscription: Subscription, acme: Organization, globex: Organization
) -> None:
    failed = DeliveryFactory.create(subscription=subscription, status=DeliveryStatus.FAILED)
    viewer = user_client("viewer", "view_delivery")
    assert "redeliver_selected" not in page(viewer, listed("delivery"))
    select(viewer, failed, confirmed="1")
    bind(User.objects.get(username="manager"), [globex])
    select(manager, failed, confirmed="1")
    failed.refresh_from_db()
    assert failed.status == DeliveryStatus.FAILED


def test_a_bound_person_searches_only_what_it_may_see(
    manager: Client, subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = DeliveryFactory.create(subscription=subscription)
    others = DeliveryFactory.create_batch(2)
    bind(User.objects.get(username="manager"), [subscription.organization])
    monkeypatch.setattr(delivery_filters, "MAX_MATCHES", 1)
    for term in ("dlv_", "evt_", mine.public_id):
        content = page(manager, f"{listed('delivery')}?q={term}")
        assert mine.public_id in content
        assert "There are more matches" not in content
        assert not any(each.public_id in content for each in others)


def test_a_search_with_too_many_matches_shows_the_newest_and_says_so(
    manager: Client, subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_filters, "MAX_MATCHES", 1)
    old, middle, new = (DeliveryFactory.create(subscription=subscription) for _ in range(3))
    for each, digit in zip((old, middle, new), "123", strict=True):
        Delivery.objects.filter(pk=each.pk).update(public_id=f"dlv_{digit}")
    content = page(manager, f"{listed('delivery')}?q=dlv_")
    assert "There are more matches than the newest 1." in content
    assert "dlv_3" in content
    assert "dlv_1" not in content


def test_the_list_of_events_does_not_read_their_data(
    manager: Client, subscription: Subscription
) -> None:
    export = EventFactory.create(
        organization=subscription.organization, subject="exp_1", data={"id": "other"}
    )
    with CaptureQueriesContext(connection) as queries:
        content = page(manager, listed("event"))
    assert "exp_1" in content
    assert not any('"webhooks_event"."data"' in query["sql"] for query in queries)
    assert page(manager, own(export))


@pytest.mark.parametrize(
    ("state", "is_late"),
    [
        ({}, True),
        ({"challenge": "token"}, False),
        ({"active": False}, False),
        ({"paused_until": "2999-01-01T00:00Z"}, False),
    ],
)
def test_a_delivery_that_may_not_be_sent_is_not_due(
    manager: Client, subscription: Subscription, state: dict[str, Any], is_late: bool
) -> None:
    DeliveryFactory.create(
        subscription=subscription, next_attempt_at=timezone.now() - timedelta(hours=1)
    )
    Subscription.objects.filter(pk=subscription.pk).update(**state)
    assert ("the next one is" in page(manager, "/admin/")) == is_late
    assert ("Next attempt due now." in page(manager, own(subscription))) == is_late


def fail_audit(execute: Any, sql: str, *arguments: Any) -> Any:
    if sql.startswith(f'INSERT INTO "{AuditEntry._meta.db_table}"'):
        raise DatabaseError("disk full")
    return execute(sql, *arguments)


def test_nothing_is_done_that_the_audit_log_does_not_have(
    manager: Client, subscription: Subscription
) -> None:
    failed = DeliveryFactory.create(subscription=subscription, status=DeliveryStatus.FAILED)
    with connection.execute_wrapper(fail_audit):
        with pytest.raises(DatabaseError):
            act(manager, failed, "redeliver")
        with pytest.raises(DatabaseError):
            select(manager, failed, confirmed="1")
    failed.refresh_from_db()
    assert failed.status == DeliveryStatus.FAILED
    assert act(manager, failed, "redeliver") == 200
    failed.refresh_from_db()
    assert failed.status == DeliveryStatus.PENDING
