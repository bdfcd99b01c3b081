"""The content security policy of pages, and the connections of probes."""

import pytest
from django.test import Client


def sources_of_scripts(client: Client, path: str) -> str:
    policy = client.get(path)["Content-Security-Policy"]
    [found] = [each for each in policy.split("; ") if each.startswith("script-src ")]
    return str(found)


@pytest.mark.django_db
@pytest.mark.usefixtures("static_files")
def test_only_the_admin_allows_eval(client: Client) -> None:
    assert sources_of_scripts(client, "/admin/login/") == "script-src 'self' 'unsafe-eval'"
    for path in ("/docs", "/docs/redoc", "/v1/exports", "/v1/schema", "/nothing"):
        assert sources_of_scripts(client, path) == "script-src 'self'", path


def test_the_response_to_a_probe_has_a_content_length(client: Client) -> None:
    response = client.get("/healthz")
    assert response["Content-Length"] == str(len(response.content))
