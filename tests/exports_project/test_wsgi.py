"""The WSGI application."""

from io import BytesIO
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest

from exports_project.wsgi import application

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/v1/exports", "/packagex/v1/exports", "/api/admin/exports/"])
@pytest.mark.parametrize("charset", ["hex", "nothing", "utf-16", "\xff"])
def test_the_charset_of_the_body_does_not_decode_the_query(path: str, charset: str) -> None:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "QUERY_STRING": "include=bogus",
        "CONTENT_TYPE": f"application/x-www-form-urlencoded; charset={charset}",
        "CONTENT_LENGTH": "3",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.input": BytesIO(b"a=1"),
    }
    setup_testing_defaults(environ)
    statuses: list[str] = []

    def start(status: str, headers: Any, error: Any = None) -> Any:
        statuses.append(status)

    response: Any = application(environ, start)
    assert b"".join(response)
    response.close()
    assert statuses == ["401 Unauthorized"]
