"""Admin of the limits of single organizations, which override the settings."""

from django.contrib import admin

from batches.models import BatchLimits
from longshore.jobs.admin.limits import JobLimitsAdmin


@admin.register(BatchLimits)
class BatchLimitsAdmin(JobLimitsAdmin):
    pass
