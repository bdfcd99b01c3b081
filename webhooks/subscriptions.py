"""What owners do with their subscriptions: make, change, and turn their secrets."""

from collections.abc import Mapping
from copy import copy
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now

from longshore.accounts.models import Organization
from longshore.accounts.sealing import seal
from longshore.api.errors import ApiError, InvalidInput
from webhooks import challenges, lifecycle, signing_secrets
from webhooks.errors import WebhookErrorCode
from webhooks.models import Subscription, SubscriptionQuerySet
from webhooks.parsing import MAX_HEADERS, Values, too_many_headers

MAX_SUBSCRIPTIONS = 50
# How long the secret before the last rotation signs as well.
OVERLAP = timedelta(hours=24)


def create(organization_id: str, values: Values) -> tuple[Subscription, str]:
    """The subscription, and its secret, which nobody is shown again.

    Raises ApiError where there is the same one already, or as many as are allowed.
    """
    secret = values.pop("secret", None) or signing_secrets.generate()
    headers = _with_headers({}, values.pop("headers", {}))
    subscription = Subscription(
        organization_id=organization_id, secret=seal(secret), headers=headers, **values
    )
    with transaction.atomic():
        others = _others(subscription)
        if others.count() >= MAX_SUBSCRIPTIONS:
            text = (
                f"There are {MAX_SUBSCRIPTIONS} subscriptions, and no more are allowed. Delete one."
            )
            raise ApiError(
                WebhookErrorCode.TOO_MANY_SUBSCRIPTIONS, text, {"maximum": MAX_SUBSCRIPTIONS}
            )
        _refuse_twins(subscription, others)
        subscription.organization_number = _next_number(organization_id)
        subscription.save(force_insert=True)
        if settings.WEBHOOK_CHALLENGE:
            challenges.send(subscription)
    return subscription, secret


def change(subscription: Subscription, values: Values) -> None:
    """Change a subscription, and challenge its target if that is needed.

    Raises ApiError for a duplicate of another subscription, InvalidInput for too many headers.
    """
    with transaction.atomic():
        others = _others(subscription)
        # Somebody may have changed it since it was read.
        subscription.refresh_from_db()
        if "headers" in values:
            values["headers"] = _with_headers(subscription.headers, values["headers"])
        changed = copy(subscription)
        for field, value in values.items():
            setattr(changed, field, value)
        _refuse_twins(changed, others.exclude(pk=subscription.pk))
        lifecycle.change(subscription, values)
        if _needs_challenge(subscription, changed):
            challenges.send(subscription)


def _needs_challenge(before: Subscription, after: Subscription) -> bool:
    """Whether a target is new, or the challenge that it has yet to repeat is over.

    A challenge ends when the subscription is deactivated. Other headers end it too: a target that
    echoes headers must not repeat a token for somebody who has read it.
    """
    if settings.WEBHOOK_CHALLENGE and after.target != before.target:
        return True
    is_activated = after.active and not before.active
    return bool(before.challenge) and (is_activated or after.headers != before.headers)


def rotate(subscription: Subscription, secret: str | None) -> str:
    """Let another secret sign, and the present one too for a day; an older one no more."""
    new = secret or signing_secrets.generate()
    with transaction.atomic():
        row = Subscription.objects.visible().select_for_update(no_key=True)
        present = row.get(pk=subscription.pk).secret
        row.filter(pk=subscription.pk).update(
            secret=seal(new),
            previous_secret=present,
            previous_secret_ends_at=Now() + OVERLAP,
        )
    return new


def _others(subscription: Subscription) -> SubscriptionQuerySet:
    """All of the organization, which stay as they are until the end of the transaction."""
    Organization.objects.select_for_update(no_key=True).get(pk=subscription.organization_id)
    return Subscription.objects.visible().filter(organization=subscription.organization_id)


def _next_number(organization_id: str) -> int:
    """One more than the largest number, of deleted subscriptions too. Call it under the lock."""
    own = Subscription.objects.filter(organization=organization_id).order_by()
    largest: int | None = own.aggregate(max=Max("organization_number"))["max"]
    return (largest or 0) + 1


def _refuse_twins(subscription: Subscription, others: SubscriptionQuerySet) -> None:
    twin = others.filter(
        target=subscription.target,
        events=subscription.events,
        resources=subscription.resources,
        types=subscription.types,
    ).first()
    if twin is not None:
        text = f"{twin} has the same target, events, resources and types."
        raise ApiError(WebhookErrorCode.DUPLICATE_SUBSCRIPTION, text, {"id": twin.public_id})


def _with_headers(present: Mapping[str, str], changes: Mapping[str, Any]) -> dict[str, str]:
    """Headers as they are stored: values sealed, those that are null left out.

    Raises InvalidInput where they would be too many.
    """
    changed = {name.lower() for name in changes}
    headers = {name: value for name, value in present.items() if name.lower() not in changed}
    headers |= {name: seal(text) for name, text in changes.items() if text is not None}
    if len(headers) > MAX_HEADERS:
        raise InvalidInput(too_many_headers(list(headers)))
    return headers
