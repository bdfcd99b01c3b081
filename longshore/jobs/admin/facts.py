"""The request of a job in words: labeled values, and links to other pages of the admin."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.safestring import SafeString

from longshore.jobs.admin.presentation import link


@dataclass(frozen=True)
class Fact:
    """A labeled value. is_wide: whether it needs the whole width, such as a list of columns."""

    label: str
    value: str | SafeString
    is_wide: bool = False


def address_of(name: str) -> str | None:
    """Return the address of a page that an installation may lack; None if it does."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return None


def page_link(request: HttpRequest, permission: str, record: Any, text: str) -> SafeString | str:
    """Return a link to the page of a record; only the text if the person may not open it."""
    if not request.user.has_perm(permission):
        return text
    options = record._meta
    url = reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[record.pk])
    return link(url, text)
