"""`manage.py demo`: create everything that is needed to try Longshore."""

import json
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from longshore.accounts.models import ApiKey, Organization, Scope
from longshore.domains.demo.sources import demo_sources
from longshore.domains.demo.superuser import NoSuperuser, get_or_create_password
from longshore.resources.registry import registry

ORGANIZATIONS = {"acme": "Acme Logistics", "globex": "Globex Freight"}
_NO_RESOURCES = (
    "No resources are registered, so there is nothing to export yet. Declare one in a module "
    "`resources.py` of an installed app: register(Resource(name=…, plural=…, model=…)). "
    "docs/your-models.md shows how."
)


class Command(BaseCommand):
    help = (
        "Create a superuser, two organizations with the demo data of the installed domains and an "
        "API key of the first organization, and write the credentials to demo.json in LOCAL_DIR. "
        "Existing records are kept."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.LOCAL_DIR / "demo.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        acme, *_ = [self._organization(slug, name) for slug, name in ORGANIZATIONS.items()]
        demo = {
            "base_url": settings.BASE_URL,
            "api_key": get_or_create_api_key(acme, known.get("api_key", "")),
            "admin_url": f"{settings.BASE_URL}/admin/",
            **self._superuser(known.get("admin_password", "")),
        }
        write_private(path, json.dumps(demo, indent=2) + "\n")
        if not registry.names():
            self.stdout.write(_NO_RESOURCES)

    def _superuser(self, known_password: str) -> dict[str, str]:
        """Return the credentials of the superuser; without any, say how to create one."""
        try:
            username, password = get_or_create_password(known_password)
        except NoSuperuser as error:
            self.stdout.write(f"{error} Create one: manage.py createsuperuser")
            return {}
        return {"admin_username": username, "admin_password": password}

    def _organization(self, slug: str, name: str) -> Organization:
        """Get or create an organization. Load the demo data of each domain that it lacks."""
        found, _ = Organization.objects.get_or_create(slug=slug, defaults={"name": name})
        nothing = {source.unit: 0 for source in demo_sources()}
        for source in demo_sources():
            if not source.model._default_manager.filter(organization=found).exists():
                sizes = nothing | {source.unit: source.sample_size}
                call_command("demo_data", organization=slug, **sizes, stdout=self.stdout)
        return found


def get_or_create_api_key(owner: Organization, known: str) -> str:
    """Return the known key if it is still valid, otherwise a new one."""
    if known and ApiKey.objects.is_valid(known):
        return known
    _, key = ApiKey.objects.create_key(name="Demo", organization=owner, scopes=Scope.values)
    return key


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read. Replace one with wider permissions."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)
