"""Operations of owners on their subscriptions: create, change, and rotate the secret."""

from collections.abc import Callable, Mapping
from copy import copy
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now

from longshore.accounts.models import Organization
from longshore.accounts.sealing import seal
from longshore.api.errors import ApiError, ErrorCode, InvalidInput, Problem
from longshore.api.limits import LimitUsage
from webhooks import challenges, envelopes, signing_secrets
from webhooks.errors import WebhookErrorCode
from webhooks.lifecycle import activation
from webhooks.models import Subscription, SubscriptionQuerySet
from webhooks.parsing import MAX_HEADERS, Values, too_many_headers

MAX_SUBSCRIPTIONS = 50
# How long the previous secret still signs after a rotation.
OVERLAP = timedelta(hours=24)


def create(organization_id: str, values: Values) -> tuple[Subscription, str]:
    """Create a subscription. Return it with its secret, which is never shown again.

    values: fields of `Subscription`; `dialect` is that of the API that creates it.
    Raises ApiError if the organization has an equal subscription, or MAX_SUBSCRIPTIONS, and
    InvalidInput for events that the dialect does not have.
    """
    secret = values.pop("secret", None) or signing_secrets.generate()
    headers = _with_headers({}, values.pop("headers", {}))
    subscription = Subscription(
        organization_id=organization_id, secret=seal(secret), headers=headers, **values
    )
    _refuse_unknown_events(subscription)
    with transaction.atomic():
        others = _others(subscription)
        if others.count() >= MAX_SUBSCRIPTIONS:
            raise too_many()
        _refuse_duplicates(subscription, others)
        subscription.organization_number = _next_number(organization_id)
        subscription.save(force_insert=True)
        if _is_challenged(subscription):
            challenges.send(subscription)
    return subscription, secret


def used_limits(organization: Organization) -> list[LimitUsage]:
    """Return the limit of subscriptions for `GET /v1/limits`."""
    used = Subscription.objects.visible().filter(organization=organization).count()
    text = "Subscriptions to webhooks."
    return [LimitUsage(name="webhooks", description=text, limit=MAX_SUBSCRIPTIONS, used=used)]


def change(
    subscription: Subscription,
    values: Values | Callable[[Subscription], Values],
    *,
    resets_failures: bool = False,
) -> None:
    """Change a subscription and, if needed, challenge its target.

    values: fields of `Subscription`, or a function that returns them for the locked row.
    resets_failures: also without a new target or an activation, which reset them, too.
    Raises ApiError for a deleted subscription or a duplicate of another one, InvalidInput for too
    many headers and for events that its dialect does not have.
    """
    with transaction.atomic():
        others = _others(subscription)
        # Another request may have changed or deleted it since it was read.
        try:
            subscription.refresh_from_db(from_queryset=others.select_for_update(no_key=True))
        except Subscription.DoesNotExist:
            raise ApiError(ErrorCode.NOT_FOUND) from None
        if callable(values):
            values = values(subscription)
        if "headers" in values:
            values["headers"] = _with_headers(subscription.headers, values["headers"])
        changed = copy(subscription)
        for field, value in values.items():
            setattr(changed, field, value)
        if "events" in values:
            _refuse_unknown_events(changed)
        _refuse_duplicates(changed, others.exclude(pk=subscription.pk))
        activation.change(subscription, values, resets_failures=resets_failures)
        if _needs_challenge(subscription, changed):
            challenges.send(subscription)


def too_many() -> ApiError:
    """Return the error of a subscription beyond the maximum of its organization."""
    text = f"There are {MAX_SUBSCRIPTIONS} subscriptions, and no more are allowed. Delete one."
    code = WebhookErrorCode.TOO_MANY_SUBSCRIPTIONS
    return ApiError(code, text, {"maximum": MAX_SUBSCRIPTIONS})


def duplicate_of(public_id: str) -> ApiError:
    """Return the error of a subscription that equals another one.

    public_id: id of the other subscription.
    """
    text = f"{public_id} has the same target, events, resources and types."
    return ApiError(WebhookErrorCode.DUPLICATE_SUBSCRIPTION, text, {"id": public_id})


def _is_challenged(subscription: Subscription) -> bool:
    """Return whether the target must repeat a challenge. Receivers of other APIs cannot."""
    return bool(settings.WEBHOOK_CHALLENGE) and not subscription.dialect


def _needs_challenge(before: Subscription, after: Subscription) -> bool:
    """Return whether the target is new or its pending challenge has expired.

    Deactivating the subscription ends a challenge. So does a change of headers: otherwise the owner
    could put the token into a header for a target that echoes its headers.
    """
    if _is_challenged(after) and after.target != before.target:
        return True
    is_activated = after.active and not before.active
    return bool(before.challenge) and (is_activated or after.headers != before.headers)


def rotate(subscription: Subscription, secret: str | None) -> str:
    """Replace the secret and return the new one. The current one still signs for a day.

    A secret older than the current one stops signing. Raises ApiError for a deleted subscription.
    """
    new = secret or signing_secrets.generate()
    row = Subscription.objects.visible().filter(pk=subscription.pk)
    with transaction.atomic():
        current = row.select_for_update(no_key=True).first()
        if current is None:
            raise ApiError(ErrorCode.NOT_FOUND)
        row.update(
            secret=seal(new),
            previous_secret=current.secret,
            previous_secret_ends_at=Now() + OVERLAP,
        )
    return new


def _others(subscription: Subscription) -> SubscriptionQuerySet:
    """Lock the organization until the transaction ends; return its visible subscriptions."""
    Organization.objects.select_for_update(no_key=True).get(pk=subscription.organization_id)
    return Subscription.objects.visible().filter(organization=subscription.organization_id)


def _next_number(organization_id: str) -> int:
    """Return the next number within the organization. Call it with the organization locked.

    Numbers of deleted subscriptions are not reused.
    """
    own = Subscription.objects.filter(organization=organization_id).order_by()
    largest: int | None = own.aggregate(max=Max("organization_number"))["max"]
    return (largest or 0) + 1


def _refuse_duplicates(subscription: Subscription, others: SubscriptionQuerySet) -> None:
    duplicate = others.filter(
        target=subscription.target,
        dialect=subscription.dialect,
        events=subscription.events,
        resources=subscription.resources,
        types=subscription.types,
    ).first()
    if duplicate is not None:
        raise duplicate_of(duplicate.public_id)


def _refuse_unknown_events(subscription: Subscription) -> None:
    """Refuse events that the messages of the dialect cannot express."""
    try:
        envelope = envelopes.find(subscription.dialect)
    except envelopes.UnknownDialect as unknown:
        raise InvalidInput(_invalid_event(subscription.events, str(unknown), [])) from None
    refused = [name for name in subscription.events if name not in envelope.events]
    if refused:
        text = f"Webhooks of {envelope.title} do not have the events {', '.join(refused)}."
        raise InvalidInput(_invalid_event(subscription.events, text, list(envelope.events)))


def _invalid_event(events: list[str], message: str, accepted: list[str]) -> Problem:
    return Problem(WebhookErrorCode.INVALID_EVENT, "events", events, message, accepted)


def _with_headers(current: Mapping[str, str], changes: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers to store: values encrypted, headers set to null removed.

    Raises InvalidInput if there would be too many.
    """
    changed = {name.lower() for name in changes}
    headers = {name: value for name, value in current.items() if name.lower() not in changed}
    headers |= {name: seal(text) for name, text in changes.items() if text is not None}
    if len(headers) > MAX_HEADERS:
        raise InvalidInput(too_many_headers(list(headers)))
    return headers
