"""`manage.py demo`: something to try Longshore with."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand

from longshore.accounts.models import ApiKey, Organization, Scope
from longshore.domains.commerce.models import Order
from longshore.domains.logistics.models import Shipment

ORGANIZATIONS = {"acme": "Acme Logistics", "globex": "Globex Freight"}
ROWS = 10_000
ORDERS = 500
USERNAME = "admin"


class Command(BaseCommand):
    help = (
        "Make a superuser, two organizations with demo data and an API key of the first, and "
        "write how to get in to demo.json under LOCAL_DIR. What exists already is kept."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.LOCAL_DIR / "demo.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        acme, *_ = [organization(slug, name) for slug, name in ORGANIZATIONS.items()]
        demo = {
            "base_url": settings.BASE_URL,
            "api_key": api_key(acme, known.get("api_key", "")),
            "admin_url": f"{settings.BASE_URL}/admin/",
            "admin_username": USERNAME,
            "admin_password": password(known.get("admin_password", "")),
        }
        write_private(path, json.dumps(demo, indent=2) + "\n")


def organization(slug: str, name: str) -> Organization:
    """The organization, filled with demo data unless it has shipments, or orders."""
    found, _ = Organization.objects.get_or_create(slug=slug, defaults={"name": name})
    for model, size in ((Shipment, {"rows": ROWS}), (Order, {"rows": 0, "orders": ORDERS})):
        if not model._default_manager.filter(organization=found).exists():
            call_command("demo_data", organization=slug, **size)
    return found


def api_key(owner: Organization, known: str) -> str:
    """The known key where it still opens, else a new one."""
    if known and ApiKey.objects.is_valid(known):
        return known
    _, key = ApiKey.objects.create_key(name="Demo", organization=owner, scopes=Scope.values)
    return key


def password(known: str) -> str:
    """The superuser's password: the known one, else a new one; the account is made if missing.

    A password that was changed in the admin is left alone, and then not known here.
    """
    user = User.objects.filter(username=USERNAME).first()
    if user and known:
        return known
    new = known or secrets.token_urlsafe(12)
    user = user or User(username=USERNAME, is_staff=True, is_superuser=True)
    user.set_password(new)
    user.save()
    return new


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, replacing one that may be more open."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)
