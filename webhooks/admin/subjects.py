"""The object that an event is about: a link to its page, and the deliveries on that page."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from longshore.jobs import kinds
from longshore.jobs.admin.facts import page_link
from longshore.jobs.admin.presentation import Table, code, table
from webhooks.admin import presentation
from webhooks.models import Delivery, Event

MAX_DELIVERIES = 20


def delivery_table(request: HttpRequest, subject: str) -> Table:
    """Return the newest deliveries of an object's events; no rows without the permission.

    Deliveries to soft-deleted subscriptions are left out.
    subject: public id of the object.
    """
    title = "Webhook deliveries"
    if not request.user.has_perm("webhooks.view_delivery"):
        return table(title, [], [])
    visible = Delivery.objects.filter(event__subject=subject, subscription__deleted_at=None)
    found = presentation.with_last_attempt(visible.order_by("-created_at"))
    return presentation.delivery_table(found[:MAX_DELIVERIES], title=title)


def subject_link(request: HttpRequest, event: Event) -> SafeString | str:
    """Return a link to the job that an event is about, or only its id; "" if it is about none.

    A job that was deleted, or whose kind has no pages in the admin, has no link.
    """
    if not event.subject:
        return ""
    name = event.type.partition(".")[0]
    for kind in kinds.registered():
        if kind.name == name and admin.site.is_registered(kind.job):
            visible = kind.job._default_manager.filter(organization=event.organization_id)
            job = visible.filter(public_id=event.subject, deleted_at=None).first()
            if job is not None:
                permission = f"{kind.job._meta.app_label}.view_{name}"
                return page_link(request, permission, job, event.subject)
    return code(event.subject)
