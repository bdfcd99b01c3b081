"""Settings, all from the environment; `.env.example` documents every name read here."""

from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from celery.schedules import crontab
from csp.constants import NONE, SELF, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured
from kombu import Exchange, Queue

from exports_project import (
    description,
    embedded,
    environment,
    logs,
    object_storage,
    theme,
)
from exports_project.environment import env

BASE_DIR = Path(__file__).resolve().parent.parent
env.read_env(env("ENV_FILE", default=str(BASE_DIR / ".env")))

# Without DATABASE_URL (or BROKER_URL) the embedded servers under LOCAL_DIR are used.
LOCAL_DIR = Path(env("LOCAL_DIR", default=str(BASE_DIR / ".local"))).resolve()
EMBEDDED_DATABASE = not env("DATABASE_URL", default="")
EMBEDDED_BROKER = not env("BROKER_URL", default="")
PORT = environment.integer("PORT", 8000, minimum=1, maximum=65_535)
# Of links that are sent to where nobody has asked: webhooks, emails.
BASE_URL = environment.base_url("BASE_URL", f"http://127.0.0.1:{PORT}")

# --- Security -------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = environment.secret("SECRET_KEY")
if not SECRET_KEY:
    if not EMBEDDED_DATABASE:
        raise ImproperlyConfigured("SECRET_KEY must be set when DATABASE_URL is.")
    SECRET_KEY = embedded.secret_key(LOCAL_DIR)
# What was sealed under an earlier key is still read (`longshore.accounts.sealing`).
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# A laptop with the embedded database has no certificate; everything else is production.
HTTPS = env.bool("HTTPS", default=not DEBUG and not EMBEDDED_DATABASE)
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=HTTPS)
SECURE_HSTS_SECONDS = environment.integer("SECURE_HSTS_SECONDS", 31_536_000 if HTTPS else 0)
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
# `web.proxies` removes these headers where neither setting allows them.
TRUSTED_PROXIES = environment.networks("TRUSTED_PROXIES", [])
TRUST_X_FORWARDED_PROTO = env.bool("TRUST_X_FORWARDED_PROTO", default=False)
if TRUST_X_FORWARDED_PROTO or TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# After wrong passwords in the admin, the user name is locked for their address. Other users, and
# the same user from another address, can still sign in.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        ("MinimumLengthValidator", {"min_length": 12}),
        ("UserAttributeSimilarityValidator", {}),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
    )
]
SESSION_COOKIE_AGE = environment.integer("ADMIN_SESSION_HOURS", 12, minimum=1) * 3600
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
# Failed attempts during a lock do not extend it.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
# Never a header: any client can send one. Behind a trusted proxy the web server sets the address.
AXES_CLIENT_IP_CALLABLE = "longshore.accounts.audit.address"
AXES_LOCKOUT_TEMPLATE = "admin/locked.html"
AXES_ENABLE_ADMIN = False
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        # The admin's Alpine.js sets styles. `allow_eval_in_admin` adds the rest that it needs.
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- Applications ---------------------------------------------------------------------------

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
    "csp",
    "rest_framework",
    "rest_framework_api_key",
    "drf_spectacular",
    # The pages under /docs; optional in production.
    *(["drf_spectacular_sidecar"] if find_spec("drf_spectacular_sidecar") else []),
    "django_celery_beat",
    "axes",
    "longshore.database",
    "longshore.accounts",
    "longshore.api",
    "longshore.resources",
    "longshore.jobs",
    "longshore.domains.demo",
    "longshore.domains.logistics",
    "longshore.domains.commerce",
    "webhooks",
    "exports",
]
MIDDLEWARE = [
    "exports_project.middleware.name_requests",
    "exports_project.middleware.answer_watchers",
    "longshore.api.middleware.keep_private",
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
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # Must be last, as its documentation says: answers a locked sign-in with its own page.
    "axes.middleware.AxesMiddleware",
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
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

# --- PostgreSQL, and Valkey for tasks and counters ------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": embedded.database(LOCAL_DIR)
    if EMBEDDED_DATABASE
    else environment.postgres("DATABASE_URL")
}
DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
# Exports read their rows here: by default where everything is, else from a replica of it.
EXPORT_DATABASE = "replica" if env("EXPORT_DATABASE_URL", default="") else "default"
if EXPORT_DATABASE == "replica":
    DATABASES["replica"] = environment.postgres("EXPORT_DATABASE_URL")
    DATABASES["replica"]["TEST"] = {"MIRROR": "default"}
# Whether an export reads from the primary after its last attempt on the replica.
EXPORT_REPLICA_FALLBACK = env.bool("EXPORT_REPLICA_FALLBACK", default=False)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CELERY_BROKER_URL = embedded.broker_url(LOCAL_DIR) if EMBEDDED_BROKER else env("BROKER_URL")
CACHE_URL = env("CACHE_URL", default="")
if not CACHE_URL:
    broker = urlsplit(CELERY_BROKER_URL)
    if EMBEDDED_BROKER:
        CACHE_URL = embedded.cache_url(LOCAL_DIR)
    elif broker.scheme in ("redis", "rediss"):
        CACHE_URL = broker._replace(path="/1").geturl()
    else:
        raise ImproperlyConfigured("CACHE_URL must be set when BROKER_URL is not a redis:// URL.")
CACHES = {
    "default": {
        "BACKEND": "longshore.api.cache.ValkeyCache",
        "LOCATION": CACHE_URL,
        # A server that does not answer must not hold a request up.
        "OPTIONS": {"socket_connect_timeout": 0.3, "socket_timeout": 1, "retry": None},
    }
}

# --- Limits of the API and the exports ------------------------------------------------------

# Requests of one key in each period; "" for no limit.
API_RATE_LIMIT = environment.rate("API_RATE_LIMIT", "600/min")
# 401 and 403 answers of one client address in each period; "" for no limit.
API_DENIED_RATE_LIMIT = environment.rate("API_DENIED_RATE_LIMIT", "60/min")
# Concurrent previews, creations and list pages of one organization; 0 for no limit.
API_MAX_EXPENSIVE_REQUESTS = environment.integer("API_MAX_EXPENSIVE_REQUESTS", 3)
# Time limit of each statement of the web processes; 0 for no limit.
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
# Maximum of one row: readers and formats hold several copies in memory.
EXPORT_MAX_ROW_BYTES = environment.integer("EXPORT_MAX_ROW_BYTES", 32 << 20, minimum=1 << 20)
EXPORT_RECORD_DAYS = environment.integer("EXPORT_RECORD_DAYS", 30, minimum=1)
EXPORT_CONNECTIONS = environment.integer("EXPORT_CONNECTIONS", 2, minimum=1)
EXPORT_PARALLEL_ROWS = environment.integer("EXPORT_PARALLEL_ROWS", 100_000, minimum=0)

# --- Webhooks -------------------------------------------------------------------------------

# On a laptop, whoever tries webhooks out receives them there. Elsewhere they reach the public only.
WEBHOOK_ALLOW_HTTP = env.bool("WEBHOOK_ALLOW_HTTP", default=EMBEDDED_DATABASE)
WEBHOOK_ALLOWED_NETWORKS = environment.networks(
    "WEBHOOK_ALLOWED_NETWORKS", ["127.0.0.0/8", "::1/128"] if EMBEDDED_DATABASE else []
)
WEBHOOK_ALLOWED_PORTS = environment.ports(
    "WEBHOOK_ALLOWED_PORTS", [] if EMBEDDED_DATABASE else [80, 443, 8080, 8443]
)
# Limits of one organization to one host: concurrent senders, and deliveries per second.
WEBHOOK_HOST_SENDERS = environment.integer("WEBHOOK_HOST_SENDERS", 16) or None
WEBHOOK_HOST_RATE = environment.integer("WEBHOOK_HOST_RATE", 500) or None
WEBHOOK_CHALLENGE = env.bool("WEBHOOK_CHALLENGE", default=False)

# --- Email --------------------------------------------------------------------------------

# To the log, unless there is a server.
vars().update(env.email("EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="longshore@localhost")

# --- Celery ---------------------------------------------------------------------------------

CELERY_TIMEZONE = TIME_ZONE
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
# Upkeep, which is what beat plans, has a queue, and a worker, of its own: it must not wait until
# exports end; nor must small exports wait for large ones, nor anything for whoever is told of it.
# A worker without -Q takes them all.
CELERY_TASK_DEFAULT_QUEUE = "upkeep"
CELERY_TASK_QUEUES = [
    Queue(name, Exchange(name), routing_key=name)
    for name in ("large", "quick", "upkeep", "webhooks")
]
# A task is done when it has ended, not when it was taken: a lost worker's goes to another.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000  # kilobytes
# An export does not need the broker: one that is under way goes on without it, and where its task
# is delivered once more, that finds nothing to do.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
# Stopped by SIGQUIT, a worker finishes what it can in this time and gives the rest back.
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 3.0
# Reconnect once, without waiting, after a restart of the broker: otherwise beat, which keeps its
# connection, would never publish again. A request that cannot reach the broker goes on at once; the
# worker keeps trying.
CELERY_TASK_PUBLISH_RETRY = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}
CELERY_BROKER_CONNECTION_TIMEOUT = 1.0
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
    # Valkey gives an unfinished task to another worker after this time, which does nothing where
    # the first one is still at work.
    "visibility_timeout": 3600,
    "socket_connect_timeout": 0.3,
    # A broker that hangs is one that is down; a worker waits a second at a time for tasks.
    "socket_timeout": 3,
    "max_retries": 0,
    # RabbitMQ: a message counts as sent only when the broker has confirmed it. What is written to a
    # connection that the broker has closed would be lost without an error.
    "confirm_publish": True,
    "read_timeout": 3,
    "write_timeout": 3,
}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    # A run that is late by one interval is dropped. Hourly tasks use the clock, because an interval
    # restarts with beat.
    "Recover exports": {
        "task": "exports.recover",
        "schedule": timedelta(seconds=5),
        "options": {"expire_seconds": 5},
    },
    "Purge exports": {
        "task": "exports.purge",
        "schedule": crontab(minute="7"),
        "options": {"expire_seconds": 3600},
    },
    "Purge idempotency keys": {
        "task": "accounts.purge",
        "schedule": crontab(minute="27"),
        "options": {"expire_seconds": 3600},
    },
    "Sweep webhooks": {
        "task": "webhooks.sweep",
        "schedule": timedelta(seconds=5),
        "options": {"expire_seconds": 5},
    },
    "Tell of disabled webhooks": {
        "task": "webhooks.tell",
        "schedule": timedelta(minutes=1),
        "options": {"expire_seconds": 60},
    },
    "Purge webhooks": {
        "task": "webhooks.purge",
        "schedule": crontab(minute="47"),
        "options": {"expire_seconds": 3600},
    },
    "Expire exports": {
        "task": "exports.expire",
        "schedule": timedelta(minutes=1),
        "options": {"expire_seconds": 60},
    },
}

# --- Files ----------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = env("STATIC_ROOT", default=str(LOCAL_DIR / "static"))
STORAGES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "longshore.files.local_storage.LocalStorage",
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
    STORAGES["default"] = object_storage.s3(
        AWS_STORAGE_BUCKET_NAME,
        env("AWS_S3_ENDPOINT_URL", default=None),
        env("AWS_S3_REGION_NAME", default=None),
    )

# --- Watching -------------------------------------------------------------------------------

LOG_FORMAT = environment.choice(
    "LOG_FORMAT", "line" if DEBUG or EMBEDDED_DATABASE else "json", ("json", "line")
)
LOGGING = logs.logging_config(LOG_FORMAT, env("LOG_LEVEL", default="INFO"))
# Who sends it as a bearer token reads /metrics; without one there is no such address.
METRICS_TOKEN = env("METRICS_TOKEN", default="")

# --- REST framework, admin ------------------------------------------------------------------

# For the pages of drf-spectacular alone: the API's views state their policy (longshore.api.views).
REST_FRAMEWORK: dict[str, Any] = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}
SPECTACULAR_SETTINGS = description.SETTINGS
UNFOLD = theme.UNFOLD
