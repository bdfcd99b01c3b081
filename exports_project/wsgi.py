"""The WSGI application."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from exports_project.web.proxies import behind_proxies
from longshore.database.statements import limit_statements

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exports_project.settings")
application = behind_proxies(
    get_wsgi_application(), settings.TRUSTED_PROXIES, settings.TRUST_X_FORWARDED_PROTO
)
limit_statements()
