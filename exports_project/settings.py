"""Settings, all from the environment; `.env.example` documents every name read here."""

from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from exports_project import embedded

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
env.read_env(env("ENV_FILE", default=str(BASE_DIR / ".env")))

# Without DATABASE_URL (or BROKER_URL) the embedded servers under LOCAL_DIR are used.
LOCAL_DIR = Path(env("LOCAL_DIR", default=str(BASE_DIR / ".local"))).resolve()
EMBEDDED_DATABASE = not env("DATABASE_URL", default="")
EMBEDDED_BROKER = not env("BROKER_URL", default="")

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env("SECRET_KEY", default="")
if not SECRET_KEY:
    if not EMBEDDED_DATABASE:
        raise ImproperlyConfigured("SECRET_KEY must be set when DATABASE_URL is.")
    SECRET_KEY = embedded.secret_key(LOCAL_DIR)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "rest_framework_api_key",
    "django_celery_beat",
    "accounts",
    "resources",
    "resources.logistics",
    "exports",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "exports_project.urls"
WSGI_APPLICATION = "exports_project.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES: dict[str, dict[str, Any]] = {
    "default": embedded.database(LOCAL_DIR) if EMBEDDED_DATABASE else env.db("DATABASE_URL")
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CELERY_BROKER_URL = embedded.broker_url(LOCAL_DIR) if EMBEDDED_BROKER else env("BROKER_URL")

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": env("CACHE_URL", default="") or embedded.cache_url(LOCAL_DIR),
        # Nothing waits long for a cache that is away.
        "OPTIONS": {"socket_connect_timeout": 0.25, "socket_timeout": 0.25},
    }
}

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.throttling.ApiKeyThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.parsers.BoundedJSONParser"],
    "EXCEPTION_HANDLER": "accounts.handlers.exception_handler",
    "UNAUTHENTICATED_USER": None,
    # ?format= chooses exports of a format, not how to answer.
    "URL_FORMAT_OVERRIDE": None,
}
# Requests of one key in each period; "" for no limit.
API_RATE_LIMIT = env("API_RATE_LIMIT", default="600/min")
API_MAX_BODY_BYTES = env.int("API_MAX_BODY_BYTES", default=1024 * 1024)

UNFOLD = {
    "SITE_TITLE": "Longshore",
    "SITE_HEADER": "Longshore",
    "SITE_SUBHEADER": "Data out, data in",
    "SITE_SYMBOL": "anchor",
    "SITE_URL": None,
    "BORDER_RADIUS": "8px",
    # Deep water: blue with a little green, on cool greys.
    "COLORS": {
        "primary": {
            "50": "oklch(97.5% .013 225)",
            "100": "oklch(94.5% .029 224)",
            "200": "oklch(89.5% .056 224)",
            "300": "oklch(82% .092 225)",
            "400": "oklch(71.5% .118 227)",
            "500": "oklch(60.5% .118 231)",
            "600": "oklch(52% .106 234)",
            "700": "oklch(45% .092 235)",
            "800": "oklch(38.5% .077 236)",
            "900": "oklch(33.5% .064 237)",
            "950": "oklch(25.5% .048 238)",
        }
    },
    "SIDEBAR": {"show_search": True, "navigation": "exports_project.sidebar.navigation"},
}
