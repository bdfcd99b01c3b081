"""`DIALECTS=… python -m tests.dialects.removal` prints the status and type of each request."""

import json

import django

REQUESTS = (
    "/v1/exports",
    "/packagex/v1/exports",
    "/packagex/v1/nothing",
    "/api/admin/exports/",
    "/api/admin/nothing",
    "/api/exports",
    "/api/nothing",
    "/docs",
    "/docs/packagex",
    "/docs/nextcommerce",
    "/docs/commercelayer",
    "/docs/packagex/schema",
    "/docs/nextcommerce/schema",
    "/docs/commercelayer/schema",
)


def main() -> None:
    django.setup()
    # After the setup: they read the settings.
    from django.conf import settings
    from django.core.management import call_command
    from django.test import Client, override_settings

    from webhooks import envelopes

    call_command("check")
    client = Client(headers={"Host": "localhost"})
    responses = {}
    # Static files are not collected.
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(STORAGES=settings.STORAGES | {"staticfiles": plain}):
        for path in REQUESTS:
            response = client.get(path)
            responses[path] = (response.status_code, response["Content-Type"].partition(";")[0])
    print(json.dumps({"responses": responses, "envelopes": [*envelopes._envelopes]}))


if __name__ == "__main__":
    main()
