"""The WSGI application."""

import os
from typing import Any

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters

from exports_project.web.proxies import behind_proxies
from longshore.database.statements import limit_statements

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exports_project.settings")


class Request(WSGIRequest):
    """A request whose query string is UTF-8.

    Django decodes the query string by the charset of the body. A charset that is none of text, such
    as `hex`, would raise an exception before any middleware.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        self.content_type, self.content_params = parse_header_parameters(
            meta.get("CONTENT_TYPE", "")
        )


class Handler(WSGIHandler):
    request_class = Request


django.setup(set_prefix=False)
application = behind_proxies(Handler(), settings.TRUSTED_PROXIES, settings.TRUST_X_FORWARDED_PROTO)
limit_statements()
