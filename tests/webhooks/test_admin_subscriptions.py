"""The forms of subscriptions in the admin: create, edit, rotate, delete; and the search."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from longshore.accounts.models import AuditEntry, Organization
from longshore.accounts.sealing import seal, unseal
from tests.factories import DeliveryFactory, SubscriptionFactory
from tests.members import bind
from tests.webhooks.receiver import Receiver
from tests.webhooks.test_admin import act, button, listed, own, page, user_client
from webhooks import runner
from webhooks.models import Delivery, DeliveryStatus, Subscription
from webhooks.subscriptions import MAX_SUBSCRIPTIONS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("static_files")]
ADD = "/admin/webhooks/subscription/add/"
PERMISSIONS = [f"{verb}_subscription" for verb in ("view", "add", "change", "delete")]


@pytest.fixture
def operator(db: None) -> Client:
    return user_client("operator", *PERMISSIONS)


def fields(organization: Organization, **values: Any) -> dict[str, Any]:
    return {
        "organization": organization.pk,
        "name": "Warehouse",
        "target": "http://127.0.0.1:9/hook",
        "events": ["export.created"],
        **values,
    }


def save(client: Client, found: Subscription, **values: Any) -> Any:
    """Post the form of a subscription as a browser does: with what it shows, and changes."""
    form = client.get(button(found, "edit")).context["form"]
    shown = {field.html_name: field.value() for field in form if field.value()}
    return client.post(button(found, "edit"), shown | values)


def messages() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", "message"))


def test_an_operator_creates_a_subscription_and_sees_its_secret_once(
    operator: Client, acme: Organization, receiver: Receiver
) -> None:
    assert ADD in page(operator, listed("subscription"))
    headers = "Authorization: Bearer hush\nX-Team: a: b"
    response = operator.post(
        ADD, fields(acme, target=receiver.url(), resources=["contact"], headers=headers)
    )
    found = Subscription.objects.get()
    secret = unseal(found.secret)
    assert (found.organization, found.events, found.resources) == (
        acme,
        ["export.created"],
        ["contact"],
    )
    content = response.content.decode()
    assert secret in content
    assert "no-store" in response.headers["Cache-Control"]
    assert secret not in page(operator, own(found))
    assert act(operator, found, "send_test") == 200
    runner.run(found.pk)
    [message] = receiver.messages
    assert message.verified(secret)
    assert (message.headers["authorization"], message.headers["x-team"]) == ("Bearer hush", "a: b")
    assert messages()[0] == ("add", "Created.")
    assert not any("hush" in text or secret in text for _, text in messages())


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"target": "ftp://127.0.0.1/"}, "The target must begin with https://"),
        ({"target": ""}, "This field is required."),
        ({"events": []}, "Choose at least one event, or all events."),
        ({"events": ["export.lost"]}, "export.lost is not one of the available choices"),
        ({"headers": "Host: example.com"}, "Longshore sets the header Host itself."),
        ({"headers": "no colon"}, "is not a valid header name"),
        ({"headers": "X-Team: 1\nX-Team: 2"}, "The header X-Team is set twice."),
        ({"headers": "X-Team: 1\nx-team: 2"}, "A header is set twice"),
        ({"name": "x" * 201}, "at most 200 characters"),
        ({"organization": "org_unknown"}, "Select a valid choice."),
    ],
)
def test_a_mistake_is_shown_at_its_field(
    operator: Client, acme: Organization, values: dict[str, Any], text: str
) -> None:
    response = operator.post(ADD, fields(acme) | values)
    assert text.replace("'", "&#x27;") in response.content.decode()
    assert not Subscription.objects.exists()
    assert not AuditEntry.objects.exists()


def test_the_rules_of_the_api_about_other_subscriptions_apply(
    operator: Client, acme: Organization
) -> None:
    operator.post(ADD, fields(acme))
    first = Subscription.objects.get()
    response = operator.post(ADD, fields(acme, name="Again"))
    assert f"{first.public_id} has the same target" in response.content.decode()
    SubscriptionFactory.create_batch(MAX_SUBSCRIPTIONS - 1, organization=acme)
    response = operator.post(ADD, fields(acme, target="http://127.0.0.1:9/other"))
    assert "no more are allowed" in response.content.decode()
    assert Subscription.objects.count() == MAX_SUBSCRIPTIONS


def test_an_edit_changes_only_what_differs(operator: Client, acme: Organization) -> None:
    operator.post(ADD, fields(acme, headers="X-Old: 1\nX-Kept: 2"))
    found = Subscription.objects.get()
    Subscription.objects.update(consecutive_failures=3, last_error="x")
    form = page(operator, button(found, "edit"))
    assert "X-Old" in form
    assert "X-Old: 1" not in form
    changes = {"name": "Renamed", "headers": "X-New: 3", "removed_headers": ["X-Old"]}
    assert save(operator, found, **changes).status_code == 302
    found.refresh_from_db()
    assert (found.name, sorted(found.headers)) == ("Renamed", ["X-Kept", "X-New"])
    # The same target keeps its failures; a new target would start with none.
    assert found.consecutive_failures == 3
    assert messages()[-1] == ("edit", "Changed name, headers, remove headers.")
    response = save(operator, found, target="nonsense")
    assert "The target must begin" in response.content.decode()


def test_all_events_take_the_place_of_single_ones(operator: Client, acme: Organization) -> None:
    operator.post(ADD, fields(acme, all_events="on"))
    found = Subscription.objects.get()
    assert found.events == ["*"]
    form = operator.get(button(found, "edit")).context["form"]
    assert (form["all_events"].value(), form["events"].value()) == (True, [])
    assert save(operator, found, name="Renamed").status_code == 302
    assert messages()[-1] == ("edit", "Changed name.")
    response = save(operator, found, all_events="")
    assert "Choose at least one event" in response.content.decode()
    assert save(operator, found, all_events="", events=["batch.queued"]).status_code == 302
    found.refresh_from_db()
    assert found.events == ["batch.queued"]


def test_an_edit_keeps_the_limits_that_are_not_installed(
    operator: Client, acme: Organization
) -> None:
    found = SubscriptionFactory.create(organization=acme, resources=["gone"], types=["Lost"])
    form = page(operator, button(found, "edit"))
    assert "gone (not installed)" in form
    assert "Lost (not installed)" in form
    assert save(operator, found, name="Renamed").status_code == 302
    found.refresh_from_db()
    assert (found.name, found.resources, found.types) == ("Renamed", ["gone"], ["Lost"])
    response = save(operator, found, resources=["gone", "contact"])
    assert "&#x27;gone&#x27; is not a resource" in response.content.decode()
    found.refresh_from_db()
    assert found.resources == ["gone"]


def test_saving_without_a_change_leaves_no_entry(operator: Client, acme: Organization) -> None:
    found = SubscriptionFactory.create(organization=acme)
    assert save(operator, found).status_code == 302
    assert "Nothing was changed." in page(operator, own(found))
    assert messages() == []


def test_a_form_does_not_overwrite_a_later_change(operator: Client, acme: Organization) -> None:
    found = SubscriptionFactory.create(organization=acme, name="Before")
    form = operator.get(button(found, "edit")).context["form"]
    assert save(operator, found, name="First").status_code == 302
    opened = form["opened"].value()
    response = save(operator, found, name="Second", opened=opened)
    assert "was changed after you opened this form" in response.content.decode()
    found.refresh_from_db()
    assert found.name == "First"


def test_the_events_of_a_dialect_are_not_edited(operator: Client, acme: Organization) -> None:
    events = ["export.failed", "export.canceled"]
    found = SubscriptionFactory.create(organization=acme, dialect="commercelayer", events=events)
    assert "Only a client of the API of Commerce Layer" in page(operator, button(found, "edit"))
    assert save(operator, found, name="Renamed", events=["batch.queued"]).status_code == 302
    found.refresh_from_db()
    assert (found.name, found.events) == ("Renamed", events)


@pytest.mark.parametrize("dialect", ["commercelayer", "nextcommerce", "removed"])
def test_a_rotation_promises_no_second_signature_that_a_dialect_does_not_have(
    operator: Client, acme: Organization, dialect: str
) -> None:
    found = SubscriptionFactory.create(
        organization=acme, dialect=dialect, events=["export.created"], secret=seal("old")
    )
    address = button(found, "rotate_secret")
    content = page(operator, address)
    assert "stops signing at once" in content
    assert "two signatures" not in content
    content = operator.post(address).content.decode()
    assert "The previous secret does not sign any more." in content
    assert "webhook_listen" not in content
    assert messages() == [("rotate_secret", "Rotated. The previous secret does not sign any more.")]
    assert "Previous secret valid until" not in page(operator, own(found))


def test_a_rotation_shows_the_new_secret_once_and_keeps_the_old_one_for_a_day(
    operator: Client, acme: Organization
) -> None:
    operator.post(ADD, fields(acme))
    found = Subscription.objects.get()
    old = unseal(found.secret)
    address = button(found, "rotate_secret")
    assert "two signatures" in page(operator, address)
    found.refresh_from_db()
    assert unseal(found.secret) == old
    content = operator.post(address).content.decode()
    found.refresh_from_db()
    new = unseal(found.secret)
    assert new != old
    assert unseal(found.previous_secret) == old
    assert new in content
    assert old not in content
    assert "stops signing now" in page(operator, address)
    assert messages()[-1][0] == "rotate_secret"
    assert not any(new in text or old in text for _, text in messages())


def test_a_form_rotates_only_the_secret_that_it_was_opened_for(
    operator: Client, acme: Organization
) -> None:
    """A second click would replace the secret before anybody has seen it."""
    found = SubscriptionFactory.create(organization=acme)
    address = button(found, "rotate_secret")
    for _ in range(2):
        shown = {"rotation": operator.get(address).context["rotation"]}
        assert "whsec_" in operator.post(address, shown).content.decode()
        found.refresh_from_db()
        rotated = found.secret
        response = operator.post(address, shown, follow=True)
        assert "has been rotated since you opened the page" in response.content.decode()
        found.refresh_from_db()
        assert found.secret == rotated
    assert len(messages()) == 2


def test_a_deleted_subscription_is_gone(operator: Client, acme: Organization) -> None:
    found = SubscriptionFactory.create(organization=acme, name="Warehouse")
    assert act(operator, found, "delete_subscription") == 200
    assert "Warehouse was deleted." in page(operator, listed("subscription"))
    assert operator.get(own(found)).status_code == 404
    assert not Subscription.objects.visible().exists()
    assert messages() == [("delete", "")]


def test_a_viewer_has_no_button_and_no_form(acme: Organization) -> None:
    viewer = user_client("viewer", "view_subscription", "view_delivery", "view_event")
    found = SubscriptionFactory.create(organization=acme, consecutive_failures=1)
    content = page(viewer, own(found))
    for name in ("edit", "rotate_secret", "delete_subscription", "send_test"):
        assert button(found, name) not in content
        assert viewer.get(button(found, name)).status_code == 403
        assert act(viewer, found, name) == 403
    assert ADD not in page(viewer, listed("subscription"))
    assert viewer.post(ADD, fields(acme)).status_code == 403
    assert Subscription.objects.count() == 1


def test_a_bound_person_creates_and_changes_only_own_subscriptions(
    operator: Client, acme: Organization, globex: Organization
) -> None:
    bind(User.objects.get(username="operator"), [acme])
    response = operator.post(ADD, fields(globex))
    assert "Select a valid choice." in response.content.decode()
    assert globex.name not in response.content.decode()
    other = SubscriptionFactory.create(organization=globex)
    for name in ("edit", "rotate_secret", "delete_subscription"):
        assert operator.get(button(other, name)).status_code == 404
        assert operator.post(button(other, name), fields(globex)).status_code == 404
    assert operator.post(ADD, fields(acme)).status_code == 200
    assert Subscription.objects.filter(organization=acme).count() == 1


@pytest.mark.parametrize("term", ["ware hou", "EXAMPLE.com/ware", "acme fre", "{id}", "{end}"])
def test_the_list_is_searched(
    operator: Client, acme: Organization, globex: Organization, term: str
) -> None:
    found = SubscriptionFactory.create(
        organization=acme, name="Ware house", target="https://a.example.com/ware"
    )
    SubscriptionFactory.create(organization=globex, name="Other", target="https://b.test/")
    text = term.format(id=found.public_id.upper(), end=found.public_id[-6:])
    content = page(operator, f"{listed('subscription')}?q={text}")
    assert "Ware house" in content
    assert "Other" not in content


def test_the_dialog_of_a_recovery_says_how_many_deliveries_failed(
    operator: Client, acme: Organization
) -> None:
    found = SubscriptionFactory.create(organization=acme)
    for created_at in ("2024-12-25T12:00Z", None, None):
        failed = DeliveryFactory.create(subscription=found, status=DeliveryStatus.FAILED)
        if created_at:
            Delivery.objects.filter(pk=failed.pk).update(created_at=created_at)
    text = "Failed deliveries: 2 of the last hour, 2 of the last day, 2 of the last week, 3 in all."
    assert text in page(operator, button(found, "recover"))
