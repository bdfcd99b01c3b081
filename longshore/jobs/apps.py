from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "longshore.jobs"
    label = "longshore_jobs"
