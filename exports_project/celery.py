"""The Celery application; `celery -A exports_project` finds it."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exports_project.settings")

app = Celery("exports_project")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
