"""Settings, all from the environment; `.env.example` documents every name that is read here."""

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from exports_project import description, embedded, environment, logs, object_storage, theme
from exports_project.environment import env
from exports_project.settings.base import *
from exports_project.settings.base import (
    DEBUG,
    EMBEDDED_BROKER,
    EMBEDDED_DATABASE,
    LOCAL_DIR,
)
from exports_project.settings.celery import *
from exports_project.settings.celery import CELERY_BROKER_URL
from exports_project.settings.security import *

# --- Applications ---------------------------------------------------------------------------

# Sample data models; Longshore works with any of them, or none.
DOMAINS = env.list("DOMAINS", default=["longshore.domains.logistics", "longshore.domains.commerce"])
# APIs of other vendors; each can be removed.
DIALECTS = env.list(
    "DIALECTS",
    default=["dialects.packagex", "dialects.nextcommerce", "dialects.commercelayer"],
)
INSTALLED_APPS = [
    # First, because its templates replace some of the admin and of Unfold.
    "exports_project",
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "csp",
    "rest_framework",
    "rest_framework_api_key",
    "drf_spectacular",
    # The pages under /docs; optional in production.
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "axes",
    "longshore.database",
    "longshore.accounts",
    "longshore.api",
    "longshore.files",
    "longshore.resources",
    "longshore.jobs",
    "longshore.domains.demo",
    *DOMAINS,
    "webhooks",
    "exports",
    "batches",
    *DIALECTS,
]
MIDDLEWARE = [
    "exports_project.middleware.set_request_id",
    "exports_project.middleware.serve_probes",
    "longshore.api.middleware.keep_private",
    "longshore.api.compression.compress",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "exports_project.middleware.allow_eval_in_admin",
    "longshore.api.middleware.refuse_nul",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "longshore.accounts.middleware.answer_scripts",
    "longshore.accounts.middleware.require_second_factor",
    "longshore.accounts.middleware.close_unrestricted_pages",
    "longshore.accounts.middleware.use_own_timezone",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # Must be last: its response replaces that of a locked sign-in.
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "exports_project.urls"
WSGI_APPLICATION = "exports_project.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
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
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
# One format of dates and times in the whole admin.
FORMAT_MODULE_PATH = "exports_project.formats"

# --- PostgreSQL and Valkey ------------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": embedded.database(LOCAL_DIR)
    if EMBEDDED_DATABASE
    else environment.postgres("DATABASE_URL")
}
DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
# The database from which exports read their rows: the primary, or its read replica.
EXPORT_DATABASE = "replica" if env("EXPORT_DATABASE_URL", default="") else "default"
if EXPORT_DATABASE == "replica":
    DATABASES["replica"] = environment.postgres("EXPORT_DATABASE_URL")
    DATABASES["replica"]["TEST"] = {"MIRROR": "default"}
# Read from the primary after the last attempt on the replica.
EXPORT_REPLICA_FALLBACK = env.bool("EXPORT_REPLICA_FALLBACK", default=False)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHE_URL = env("CACHE_URL", default="")
if not CACHE_URL:
    broker = urlsplit(CELERY_BROKER_URL)
    if EMBEDDED_BROKER:
        CACHE_URL = embedded.cache_url(LOCAL_DIR)
    elif broker.scheme in ("redis", "rediss"):
        CACHE_URL = broker._replace(path="/1").geturl()
    else:
        raise ImproperlyConfigured("CACHE_URL must be set when BROKER_URL is not a redis:// URL.")
# The caches of a project. Longshore uses its own (`longshore.cache`).
CACHES = {"default": {"BACKEND": "longshore.cache.ValkeyCache", "LOCATION": CACHE_URL}}

# --- Limits of the API and of exports -------------------------------------------------------

# Requests of one API key per period; "" for no limit.
API_RATE_LIMIT = environment.rate("API_RATE_LIMIT", "600/min")
# Requests of one API key to the API of 29next per period, in addition; "" for no limit.
NEXTCOMMERCE_RATE_LIMIT = environment.rate("NEXTCOMMERCE_RATE_LIMIT", "4/s")
# 401 and 403 responses to one client IP address per period; "" for no limit.
API_DENIED_RATE_LIMIT = environment.rate("API_DENIED_RATE_LIMIT", "60/min")
# Concurrent previews, creations, list pages and retrieved records of one organization; 0 for no
# limit.
API_MAX_EXPENSIVE_REQUESTS = environment.integer("API_MAX_EXPENSIVE_REQUESTS", 3)
# Statement timeout of the web processes; 0 for none.
WEB_STATEMENT_TIMEOUT_SECONDS = environment.integer("WEB_STATEMENT_TIMEOUT_SECONDS", 30)
API_MAX_BODY_BYTES = environment.integer("API_MAX_BODY_BYTES", 2**20, minimum=1)
EXPORT_RETENTION_HOURS = environment.integer("EXPORT_RETENTION_HOURS", 24, minimum=1)
EXPORT_LINK_SECONDS = environment.integer("EXPORT_LINK_SECONDS", 300, minimum=1)
EXPORT_TIME_LIMIT_SECONDS = environment.integer("EXPORT_TIME_LIMIT_SECONDS", 3600, minimum=1)
EXPORT_MAX_UNFINISHED = environment.integer("EXPORT_MAX_UNFINISHED", 10, minimum=1)
EXPORT_MAX_RECORDS = environment.integer("EXPORT_MAX_RECORDS", 0) or None
EXPORT_MAX_BYTES = environment.integer("EXPORT_MAX_BYTES", 0) or None
EXPORT_MAX_DAILY = environment.integer("EXPORT_MAX_DAILY", 10_000) or None
EXPORT_MAX_STORED_BYTES = environment.integer("EXPORT_MAX_STORED_BYTES", 2**40) or None
# Readers and formats hold several copies of a row in memory.
EXPORT_MAX_ROW_BYTES = environment.integer("EXPORT_MAX_ROW_BYTES", 32 << 20, minimum=1 << 20)
EXPORT_RECORD_DAYS = environment.integer("EXPORT_RECORD_DAYS", 30, minimum=1)
EXPORT_CONNECTIONS = environment.integer("EXPORT_CONNECTIONS", 2, minimum=1)
EXPORT_PARALLEL_ROWS = environment.integer("EXPORT_PARALLEL_ROWS", 100_000, minimum=0)

# --- Limits of batches ----------------------------------------------------------------------

BATCH_RETENTION_HOURS = environment.integer("BATCH_RETENTION_HOURS", 7 * 24, minimum=1)
# An ended batch can be undone for this time.
BATCH_UNDO_HOURS = environment.integer("BATCH_UNDO_HOURS", 7 * 24, minimum=1)
BATCH_UPLOAD_SECONDS = environment.integer("BATCH_UPLOAD_SECONDS", 3600, minimum=1)
BATCH_TIME_LIMIT_SECONDS = environment.integer("BATCH_TIME_LIMIT_SECONDS", 3600, minimum=1)
BATCH_MAX_UNFINISHED = environment.integer("BATCH_MAX_UNFINISHED", 10, minimum=1)
BATCH_MAX_DAILY = environment.integer("BATCH_MAX_DAILY", 10_000) or None
BATCH_MAX_RECORDS = environment.integer("BATCH_MAX_RECORDS", 0) or None
BATCH_MAX_BYTES = environment.integer("BATCH_MAX_BYTES", 5 << 30, minimum=1)
# Files in requests. A web process holds each in a temporary file before the request is processed.
BATCH_MAX_MULTIPART_BYTES = environment.integer("BATCH_MAX_MULTIPART_BYTES", 1 << 29, minimum=1)
BATCH_MAX_DECOMPRESSED_BYTES = environment.integer(
    "BATCH_MAX_DECOMPRESSED_BYTES", 20 << 30, minimum=1
)
# Errors of rows that a batch keeps in the database. Its files have all errors.
BATCH_MAX_STORED_ERRORS = environment.integer("BATCH_MAX_STORED_ERRORS", 100_000, minimum=1)
BATCH_MAX_STORED_BYTES = environment.integer("BATCH_MAX_STORED_BYTES", 2**40) or None
BATCH_RECORD_DAYS = environment.integer("BATCH_RECORD_DAYS", 30, minimum=1)

# --- Dialects -------------------------------------------------------------------------------

# Records of an export through the API of Commerce Layer; 0 for no limit but those of all exports.
COMMERCELAYER_MAX_RECORDS = environment.integer("COMMERCELAYER_MAX_RECORDS", 10_000)
COMMERCELAYER_TOKEN_SECONDS = environment.integer("COMMERCELAYER_TOKEN_SECONDS", 7200, minimum=1)

# --- Webhooks -------------------------------------------------------------------------------

# On a laptop webhooks may reach receivers on the same machine. Elsewhere only public addresses.
WEBHOOK_ALLOW_HTTP = env.bool("WEBHOOK_ALLOW_HTTP", default=EMBEDDED_DATABASE)
WEBHOOK_ALLOWED_NETWORKS = environment.networks(
    "WEBHOOK_ALLOWED_NETWORKS", ["127.0.0.0/8", "::1/128"] if EMBEDDED_DATABASE else []
)
WEBHOOK_ALLOWED_PORTS = environment.ports(
    "WEBHOOK_ALLOWED_PORTS", [] if EMBEDDED_DATABASE else [80, 443, 8080, 8443]
)
# Of one organization to one host: concurrent senders, and deliveries per second.
WEBHOOK_HOST_SENDERS = environment.integer("WEBHOOK_HOST_SENDERS", 16) or None
WEBHOOK_HOST_RATE = environment.integer("WEBHOOK_HOST_RATE", 500) or None
WEBHOOK_CHALLENGE = env.bool("WEBHOOK_CHALLENGE", default=False)

# --- Email ----------------------------------------------------------------------------------

# Default: write emails to the log.
vars().update(env.email("EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="longshore@localhost")

# --- Files ----------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = env("STATIC_ROOT", default=str(LOCAL_DIR / "static"))
STORAGES: dict[str, dict[str, Any]] = {
    # The files of a project. Longshore stores nothing in it.
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "longshore": {
        "BACKEND": "longshore.files.storage.local.LocalStorage",
        "OPTIONS": {
            "location": env("EXPORTS_ROOT", default=str(LOCAL_DIR / "exports")),
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
if AWS_STORAGE_BUCKET_NAME := env("AWS_STORAGE_BUCKET_NAME", default=""):
    STORAGES["longshore"] = object_storage.s3(
        AWS_STORAGE_BUCKET_NAME,
        env("AWS_S3_ENDPOINT_URL", default="") or None,
        env("AWS_S3_REGION_NAME", default=None),
    )

# --- Monitoring -----------------------------------------------------------------------------

LOG_FORMAT = environment.choice(
    "LOG_FORMAT", "line" if DEBUG or EMBEDDED_DATABASE else "json", ("json", "line")
)
LOGGING = logs.logging_config(LOG_FORMAT, env("LOG_LEVEL", default="INFO"))
# The bearer token of /metrics. Without one, /metrics returns 404.
METRICS_TOKEN = env("METRICS_TOKEN", default="")

# --- REST framework, admin ------------------------------------------------------------------

# Only for the pages of drf-spectacular: the views of the API state their own policy
# (`longshore.api.views`).
REST_FRAMEWORK: dict[str, Any] = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}
SPECTACULAR_SETTINGS = description.SETTINGS
UNFOLD = theme.UNFOLD
