"""The API of a path, and errors in its shape."""

from typing import Any

import pytest
from django.contrib import admin
from django.http import HttpRequest
from django.test import Client
from django.urls import include, path
from pytest_django import Settings
from rest_framework.request import Request
from rest_framework.response import Response

from longshore.api import apis
from longshore.api.apis import Api, RenderedError, api_of, register
from longshore.api.errors import ApiError
from longshore.api.idempotency import idempotent
from longshore.api.models import IdempotencyKey
from longshore.api.views import ApiRenderer, ApiView
from tests.conftest import KeyClient

MEDIA_TYPE = "application/list+json"


def render_error(error: ApiError, request: HttpRequest) -> RenderedError:
    body = [error.status, str(error.code), request.path_info]
    return RenderedError(
        422 if error.status == 400 else error.status, body, "application/list+json"
    )


class ListRenderer(ApiRenderer):
    media_type = MEDIA_TYPE


class Things(ApiView):
    renderer_classes = (ListRenderer,)

    def get(self, request: Request) -> Response:
        return Response([])

    @idempotent
    def post(self, request: Request) -> Response:
        self.subject = "thing_1"
        return Response(request.data, 201, headers={"Location": "/other/things/17"})


urlpatterns = [
    path("other/", include([path("things", Things.as_view())])),
    path("admin/", admin.site.urls),
]
handler400 = "longshore.api.exception_handler.bad_request"
handler404 = "longshore.api.exception_handler.page_not_found"
handler500 = "longshore.api.exception_handler.server_error"


@pytest.fixture(autouse=True)
def other(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Api:
    monkeypatch.setattr(apis, "BY_PREFIX", dict(apis.BY_PREFIX))
    settings.ROOT_URLCONF = __name__
    api = Api("other", ("/other/", "/v1/other/"), render_error)
    register(api)
    return api


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1", ""),
        ("/v1/exports", ""),
        ("/v1/others", ""),
        ("/v1/other", "other"),
        ("/v1/other/x/y/", "other"),
        ("/other", "other"),
        ("/others", None),
        ("/", None),
        ("/admin/", None),
    ],
)
def test_the_longest_prefix_tells_the_api_of_a_path(path: str, name: str | None) -> None:
    found = api_of(path)
    assert (found and found.name) == name


def test_two_apis_cannot_have_the_same_prefix() -> None:
    with pytest.raises(ValueError, match="Two APIs have the prefix '/v1/'"):
        register(Api("third", ("/v1/",), render_error))


def shown(response: Any) -> tuple[int, str, Any]:
    return response.status_code, response["Content-Type"], response.json()


@pytest.mark.django_db
def test_errors_of_views_and_before_views_have_the_shape_of_their_api(
    client: Client, alice: KeyClient
) -> None:
    things = "/other/things"
    errors = [
        (client.get(things), 401, 401, "unauthorized", things),
        (client.get("/other/nothing"), 404, 404, "not_found", "/other/nothing"),
        (client.get("/other/x?y=%00"), 422, 400, "invalid_request", "/other/x"),
        (
            alice.post("/other/things", ["not an object"]),
            422,
            400,
            "invalid_request",
            "/other/things",
        ),
    ]
    for response, status, *body in errors:
        assert shown(response) == (status, MEDIA_TYPE, body)
        assert response["Cache-Control"] == "private, no-store"
    assert client.get("/v1/nothing").json()["error"] == "not_found"


@pytest.mark.django_db
def test_an_idempotent_response_keeps_its_media_type_and_the_id_that_the_view_names(
    alice: KeyClient,
) -> None:
    responses = [
        alice.post("/other/things", {}, headers={"Idempotency-Key": "once"}) for _ in range(2)
    ]
    assert {response["Content-Type"] for response in responses} == {MEDIA_TYPE}
    assert responses[1]["Idempotent-Replayed"] == "true"
    assert IdempotencyKey.objects.get().subject == "thing_1"
