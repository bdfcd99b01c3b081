"""What is done again and again: sweep, tell, and forget. Each can run twice, or die half-way."""

import logging
from datetime import timedelta

from django.core.mail import send_mail
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from longshore.database import chunks
from webhooks import lifecycle, queueing, senders
from webhooks.events import EventType
from webhooks.models import Delivery, DeliveryStatus, Event, Subscription

logger = logging.getLogger(__name__)

# How long events, deliveries and attempts are kept.
KEPT = timedelta(days=30)
_TEXT = """\
The webhook {name} of {organization} was disabled: nothing is sent to {target} any more.

{reason}

Once the target works, activate it:

    PATCH /v1/webhooks/{id}  {{"active": true}}

Then have sent again what failed meanwhile: POST /v1/webhooks/{id}/recover.
"""


def sweep() -> None:
    """Take back the deliveries of dead senders, end those that wait in vain, and wake senders."""
    if lost := lifecycle.take_back():
        logger.warning("%s deliveries of dead senders are sent once more.", lost)
    _disable_unproven()
    lifecycle.give_up()
    queueing.wake_all(senders.waiting())


def _disable_unproven() -> None:
    """Disable the subscriptions whose targets have had every attempt of their challenge."""
    going_on = Delivery.objects.filter(
        subscription=OuterRef("pk"),
        event__type=EventType.WEBHOOK_CHALLENGE,
        status__in=(DeliveryStatus.PENDING, DeliveryStatus.SENDING),
    )
    unproven = Subscription.objects.filter(active=True, deleted_at=None).exclude(challenge="")
    for subscription in chunks.read(unproven.filter(~Exists(going_on))):
        lifecycle.disable(subscription, "The target did not repeat its challenge in any attempt.")


def tell() -> None:
    """Write to the organizations whose subscriptions were disabled; at least once."""
    untold = Subscription.objects.visible().filter(disabled_at__isnull=False, notified_at=None)
    for subscription in chunks.read(untold.select_related("organization")):
        try:
            _write_to_owner(subscription)
        except Exception as error:
            # Mail servers and addresses fail in many ways; the next run tries again.
            logger.warning(
                "Could not notify the owner that %s is disabled: %s", subscription, error
            )
        else:
            untold.filter(pk=subscription.pk).update(notified_at=Now())


def _write_to_owner(subscription: Subscription) -> None:
    organization = subscription.organization
    if organization.email:
        text = _TEXT.format(
            id=subscription.public_id,
            name=subscription.name or subscription.public_id,
            organization=organization.name,
            target=subscription.target,
            reason=subscription.disabled_reason,
        )
        send_mail("A webhook was disabled", text, None, [organization.email])


def purge() -> None:
    """Delete what is older than it is kept, secrets whose time is over, and what was deleted."""
    over = Subscription.objects.filter(previous_secret_ends_at__lte=Now())
    over.update(previous_secret="", previous_secret_ends_at=None)
    wanted = Q(completed_at__gt=Now() - KEPT) | Q(completed_at=None)
    recent = Delivery.objects.filter(wanted, event=OuterRef("pk"))
    old = Event.objects.filter(~Exists(recent), created_at__lte=Now() - KEPT)
    chunks.delete(old)
    left = Delivery.objects.filter(subscription=OuterRef("pk"))
    chunks.delete(Subscription.objects.filter(~Exists(left), deleted_at__isnull=False))
