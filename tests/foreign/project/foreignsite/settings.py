"""The settings of a team that installs its apps into Longshore."""

from exports_project.settings import *
from exports_project.settings import BASE_DIR, CACHE_URL, INSTALLED_APPS

INSTALLED_APPS += ["accounts", "shop"]
AUTH_USER_MODEL = "accounts.Member"
ROOT_URLCONF = "foreignsite.urls"
# A queue for the team's own tasks, with one worker process.
PROJECT_QUEUES = {"shop": 1}
# Files of the team's own models.
MEDIA_ROOT = BASE_DIR / "media"
# Everything open by default: endpoints of Longshore must not depend on it.
REST_FRAMEWORK = {"DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"]}

# A language that Django does not know.
LANGUAGES = [("en-us", "English"), ("tlh", "Klingon")]
# Caches of the team, with a serializer and a function of keys that Longshore does not know.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": CACHE_URL,
        "KEY_FUNCTION": "shop.views.cache_key",
    }
}

# Of the apps of the team; those of Longshore state their own.
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
