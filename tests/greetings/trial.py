"""Install Longshore with the app, and greet through the API.

`DOMAINS=tests.greetings python -m tests.greetings.trial` prints what the API returned as JSON.
"""

import json
from io import StringIO
from typing import Any

import django
from django.core.management import call_command

from tests.descriptions import parse, violations


def trial() -> dict[str, Any]:
    """Return what the parts of Longshore show of the app. Raises the first error of any of them."""
    from celery import current_app
    from django.test import Client

    from longshore.accounts.models import ApiKey, Organization
    from longshore.jobs.metrics import JobCollector
    from tests.greetings.jobs import run
    from tests.greetings.models import Greeting

    call_command("check", fail_level="WARNING")
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
    call_command("migrate", verbosity=0)
    description = StringIO()
    call_command("spectacular", fail_on_warn=True, stdout=description)
    current_app.loader.import_default_modules()
    organization = Organization.objects.create(name="Acme", slug="acme")
    _, key = ApiKey.objects.create_key(
        organization=organization, name="trial", scopes=["read", "write"]
    )
    client = Client(SERVER_NAME="localhost", headers={"PX-API-KEY": key})
    created = client.post("/v1/greetings", {"name": "Ada"}, content_type="application/json")
    url = created.json()["url"]
    run(Greeting.objects.get().pk)
    return {
        "created": created.status_code,
        "text": client.get(url).json()["text"],
        "events": [each["status"] for each in client.get(f"{url}/events").json()["results"]],
        "completed": len(client.get("/v1/greetings?status=completed").json()["results"]),
        "canceled": client.post(f"{url}/cancel").status_code,
        "deleted": client.delete(url).status_code,
        "tasks": sorted(name for name in current_app.tasks if name.startswith("greetings.")),
        "scheduled": sorted(name for name in current_app.conf.beat_schedule if "greet" in name),
        "metrics": [metric.name for metric in JobCollector().collect() if "greet" in metric.name],
        "violations": violations(parse(description.getvalue())),
        "described": "/v1/greetings/{public_id}/cancel" in description.getvalue(),
    }


if __name__ == "__main__":
    django.setup()
    from django.test.utils import setup_test_environment

    setup_test_environment()
    print(json.dumps(trial()))
