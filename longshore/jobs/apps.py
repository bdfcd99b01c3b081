from django.apps import AppConfig
from django.db.models.signals import pre_delete


class JobsConfig(AppConfig):
    name = "longshore.jobs"
    default_auto_field = "django.db.models.BigAutoField"
    label = "longshore_jobs"

    def ready(self) -> None:
        from longshore.accounts.models import Organization
        from longshore.api import limits
        from longshore.jobs.maintenance import discard_folders
        from longshore.jobs.used_limits import used_limits

        limits.register(used_limits)
        pre_delete.connect(discard_folders, sender=Organization)
