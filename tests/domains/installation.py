"""Install Longshore into an empty database with the domains that the environment names.

`python -m tests.domains.installation` prints the results of the commands and of the API as JSON.
"""

import json
from io import StringIO

import django
from django.core.management import call_command

from tests.descriptions import parse, violations


def install() -> dict[str, object]:
    """Run the commands of an installation. Raises the first error of any of them."""
    call_command("check", fail_level="WARNING")
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
    call_command("migrate", verbosity=0)
    description = StringIO()
    call_command("spectacular", fail_on_warn=True, stdout=description)
    described = parse(description.getvalue())
    demo = StringIO()
    call_command("demo", stdout=demo)
    return {
        "demo": demo.getvalue(),
        "paths": list(described["paths"]),
        "violations": violations(described),
        **_responses(),
    }


def _responses() -> dict[str, object]:
    """Return results of the API and the admin, with the credentials of the demo."""
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.test import Client

    credentials = json.loads((settings.LOCAL_DIR / "demo.json").read_text())
    client = Client(SERVER_NAME="localhost", headers={"PX-API-KEY": credentials["api_key"]})
    resources = client.get("/v1/resources").json()["results"]
    preview = client.post(
        "/v1/exports/preview", {"resource": "contact"}, content_type="application/json"
    )
    types = client.get("/v1/exports/types").json()["results"]
    client.force_login(
        User.objects.get(username=credentials["admin_username"]),
        settings.AUTHENTICATION_BACKENDS[1],
    )
    admin = client.get("/admin/")
    return {
        "resources": [resource["name"] for resource in resources],
        "records": {name: _count(name) for name in ("contact", "order")},
        "preview": preview.status_code,
        "types": len(types),
        "admin": [group["title"] for group in admin.context["sidebar_navigation"]],
    }


def _count(name: str) -> int:
    from longshore.resources.registry import registry

    resource = registry.get(name)
    return resource.model._default_manager.count() if resource else 0


if __name__ == "__main__":
    django.setup()
    from django.test.utils import setup_test_environment

    setup_test_environment()
    print(json.dumps(install()))
