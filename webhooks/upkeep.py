"""What is done again and again: sweep, tell, and forget. Each can run twice, or die half-way."""

import logging
from datetime import timedelta

from django.core.mail import send_mail
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from accounts import batches
from webhooks import lifecycle, queue, senders
from webhooks.models import Delivery, Event, Subscription

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
    """Take back what dead senders hold, and wake senders for all that is due."""
    if lost := lifecycle.take_back():
        logger.warning("%s deliveries of dead senders are sent once more.", lost)
    lifecycle.give_up()
    queue.wake_all(senders.waiting())


def tell() -> None:
    """Write to the organizations whose subscriptions were disabled; at least once."""
    untold = Subscription.objects.visible().filter(disabled_at__isnull=False, notified_at=None)
    for subscription in batches.read(untold.select_related("organization")):
        try:
            _write_to_owner(subscription)
        except Exception as error:
            # Whatever a mail server does, or an address is; the next run tries again.
            logger.warning("Nobody was told that %s is disabled: %s", subscription, error)
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
    batches.delete(old)
    left = Delivery.objects.filter(subscription=OuterRef("pk"))
    batches.delete(Subscription.objects.filter(~Exists(left), deleted_at__isnull=False))
