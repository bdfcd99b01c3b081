"""Periodic maintenance: sweep, notify and purge. Every run may be repeated or die half-way."""

import logging
from datetime import timedelta

from django.core.mail import send_mail
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from longshore.database import chunks
from webhooks import queueing, senders
from webhooks.events import EventType
from webhooks.lifecycle import activation, requeueing
from webhooks.models import Delivery, DeliveryStatus, Event, Subscription

logger = logging.getLogger(__name__)

# Retention of events with their deliveries and attempts.
RETENTION = timedelta(days=30)
_EMAIL = """\
Longshore has disabled the webhook {name} of {organization} and sends nothing more to {target}.

{reason}

When the target works again, activate the webhook:

    PATCH /v1/webhooks/{id}  {{"active": true}}

Then send the deliveries that failed in the meantime again: POST /v1/webhooks/{id}/recover.
"""


def sweep() -> None:
    """Release expired leases, fail undeliverable deliveries, wake senders for due deliveries."""
    if released := requeueing.release_expired_leases():
        logger.warning("Requeued %s deliveries of dead senders.", released)
    _disable_unverified()
    requeueing.fail_undeliverable()
    queueing.wake_all(senders.due_subscriptions())


def _disable_unverified() -> None:
    """Disable the subscriptions whose challenge has failed in all its attempts."""
    unfinished = Delivery.objects.filter(
        subscription=OuterRef("pk"),
        event__type=EventType.WEBHOOK_CHALLENGE,
        status__in=(DeliveryStatus.PENDING, DeliveryStatus.SENDING),
    )
    unverified = Subscription.objects.filter(active=True, deleted_at=None).exclude(challenge="")
    for subscription in chunks.read(unverified.filter(~Exists(unfinished))):
        reason = "The target did not repeat its challenge in any attempt."
        activation.disable(subscription, reason)


def notify() -> None:
    """Email the organizations whose subscriptions were disabled, at least once each."""
    pending = Subscription.objects.visible().filter(disabled_at__isnull=False, notified_at=None)
    for subscription in chunks.read(pending.select_related("organization")):
        try:
            _email_organization(subscription)
        except Exception as error:
            # Mail servers and addresses fail in many ways; the next run tries again.
            logger.warning(
                "Could not notify the owner that %s is disabled: %s", subscription, error
            )
        else:
            pending.filter(pk=subscription.pk).update(notified_at=Now())


def _email_organization(subscription: Subscription) -> None:
    organization = subscription.organization
    if organization.email:
        text = _EMAIL.format(
            id=subscription.public_id,
            name=subscription.name or subscription.public_id,
            organization=organization.name,
            target=subscription.target,
            reason=subscription.disabled_reason,
        )
        send_mail("A webhook was disabled", text, None, [organization.email])


def purge() -> None:
    """Delete expired secrets, events after their retention, and deleted subscriptions.

    An event stays as long as one of its deliveries is pending or ended within the retention. A
    deleted subscription stays as long as it has deliveries.
    """
    expired = Subscription.objects.filter(previous_secret_ends_at__lte=Now())
    expired.update(previous_secret="", previous_secret_ends_at=None)
    retained = Q(completed_at__gt=Now() - RETENTION) | Q(completed_at=None)
    recent = Delivery.objects.filter(retained, event=OuterRef("pk"))
    old = Event.objects.filter(~Exists(recent), created_at__lte=Now() - RETENTION)
    chunks.delete(old)
    deliveries = Delivery.objects.filter(subscription=OuterRef("pk"))
    chunks.delete(Subscription.objects.filter(~Exists(deliveries), deleted_at__isnull=False))
